"""Loopback TCP ports."""

from __future__ import annotations

import errno
import socket

from supalocal.errors import PortTakenError

LOOPBACK = "127.0.0.1"


def bind(port: int, *, option: str) -> socket.socket:
    """A socket bound to the loopback port, not yet listening; port 0 takes a free one.

    `option` is what the caller's user would change. Raises PortTakenError.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Without it a port stays taken for a minute after its last connection closed.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
        # Linux lets two sockets bind with SO_REUSEADDR as long as none listens; listening makes the claim real.
        bound.listen()
    except OSError as exc:
        bound.close()
        if exc.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise PortTakenError(port, option) from exc
        raise
    return bound


def free(port: int, *, option: str) -> int:
    """The port itself if nobody listens there, or a free one for 0. Raises PortTakenError."""
    with bind(port, option=option) as probe:
        return int(probe.getsockname()[1])
