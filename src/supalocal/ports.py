"""TCP ports, on loopback unless told otherwise."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

from supalocal import listeners
from supalocal.errors import AddressError, PortTakenError, SupalocalError

LOOPBACK = "127.0.0.1"


def bind(port: int, *, option: str, host: str = LOOPBACK) -> socket.socket:
    """A listening socket on the port; port 0 takes a free one.

    `option` is what the caller's user would change. Raises PortTakenError, or AddressError for a host that is none of
    this machine's.
    """
    family, address = _resolved(host, port)
    bound = socket.socket(family, socket.SOCK_STREAM)
    # Without it a port stays taken for a minute after its last connection closed.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        # Linux lets two sockets bind with SO_REUSEADDR as long as none listens; listening makes the claim real.
        bound.listen()
    except OSError as exc:
        bound.close()
        raise _explained(exc, host, port, option) from exc
    return bound


def free(port: int, *, option: str) -> int:
    """The loopback port itself if nobody listens there, or a free one for 0. Raises PortTakenError."""
    with bind(port, option=option) as probe:
        return int(probe.getsockname()[1])


def is_loopback(bound: socket.socket) -> bool:
    """Whether only this machine reaches the socket."""
    return ipaddress.ip_address(bound.getsockname()[0]).is_loopback


def url(bound: socket.socket) -> str:
    """Where a client on this machine reaches the socket over HTTP."""
    host, port = bound.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = LOOPBACK if address.version == _IPV4 else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as exc:
        raise AddressError(host, "--host") from exc
    return family, address


def _explained(exc: OSError, host: str, port: int, option: str) -> Exception:
    match exc.errno:
        case errno.EADDRINUSE:
            return PortTakenError(port, option, listeners.holder(port))
        case errno.EACCES:
            return SupalocalError(f"Port {port} is for root alone: choose another with {option} (0 finds a free one).")
        case errno.EADDRNOTAVAIL:
            return AddressError(host, "--host")
    return exc


_IPV4 = 4
