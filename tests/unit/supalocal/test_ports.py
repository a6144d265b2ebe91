"""Loopback ports."""

import pytest

from supalocal import PortTakenError, ports


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
