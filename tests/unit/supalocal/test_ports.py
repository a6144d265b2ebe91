"""TCP ports."""

import os
import sys

import pytest

from supalocal import AddressError, PortTakenError, listeners, ports


def test_zero_finds_a_free_port():
    """The port that comes back can be bound at once."""
    port = ports.free(0, option="--port")
    with ports.bind(port, option="--port") as bound:
        assert bound.getsockname() == ("127.0.0.1", port)


def test_a_taken_port_is_a_sentence():
    """The error names the port and the option that changes it."""
    with ports.bind(0, option="--port") as bound:
        port = bound.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"Port {port} .* choose another port with --db-port"):
            ports.free(port, option="--db-port")


@pytest.mark.parametrize(
    ("host", "url", "is_loopback"),
    [
        ("127.0.0.1", "http://127.0.0.1:{}", True),
        ("localhost", None, True),
        ("0.0.0.0", "http://127.0.0.1:{}", False),  # noqa: S104  meant
    ],
)
def test_an_address_says_whether_others_reach_it(host, url, is_loopback):
    """And a client of this machine is told one that it can use."""
    with ports.bind(0, option="--port", host=host) as bound:
        assert ports.is_loopback(bound) is is_loopback
        assert url is None or ports.url(bound) == url.format(bound.getsockname()[1])


def test_an_address_of_another_machine_is_refused():
    """With the option that chooses it."""
    with pytest.raises(AddressError, match=r"'192\.0\.2\.1' is no address of this machine: give one with --host"):
        ports.bind(0, option="--port", host="192.0.2.1")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
def test_who_listens_is_known_by_its_command_line():
    """Here it is this test run; nobody else has the port afterwards."""
    with ports.bind(0, option="--port") as bound:
        port = bound.getsockname()[1]
        assert listeners.holder(port).endswith(f"(process {os.getpid()})")
    assert listeners.holder(port) is None
