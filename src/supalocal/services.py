"""What serves one prepared database: REST, Auth and Realtime behind the gateway, their connections, and cron."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from psycopg_pool import AsyncConnectionPool, PoolTimeout

from supalocal import ports
from supalocal.auth import AuthApi
from supalocal.cron import Cron
from supalocal.errors import UnsuitableDatabaseError
from supalocal.gateway import Gateway
from supalocal.realtime import Limits, Realtime
from supalocal.rest import RestApi

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from supalocal.database import Database
    from supalocal.project import Config
    from supalocal.wishes import Wishes

_POOL_MIN, _POOL_MAX = 3, 12
_LOGIN_SECONDS = _WAIT_SECONDS = 10.0  # the latter is PostgREST's own


@asynccontextmanager
async def serving(listener: socket.socket, database: Database, config: Config, wishes: Wishes) -> AsyncIterator[None]:
    """Serve on the socket, which is closed at the end, and run jobs, as a stack is asked to.

    Raises UnsuitableDatabaseError if REST cannot log in.
    """
    async with AsyncExitStack() as opened:
        opened.callback(listener.close)
        pool = await _pool(opened, database)
        rest = RestApi(
            pool,
            jwt_secret=wishes.keys.jwt_secret,
            schemas=config.schemas,
            extra_search_path=config.extra_search_path,
            max_rows=config.max_rows,
        )
        limits = Limits.hosted() if wishes.realtime_limits else Limits()
        realtime = Realtime(
            dsn=database.admin, jwt_secret=wishes.keys.jwt_secret, limits=limits, quirks=wishes.realtime_quirks
        )
        issuer = f"http://{ports.LOOPBACK}:{listener.getsockname()[1]}/auth/v1"
        auth = AuthApi(database.auth, config, jwt_secret=wishes.keys.jwt_secret, issuer=issuer)
        gateway = Gateway(keys=wishes.keys, rest=rest, auth=auth, realtime=realtime)
        opened.push_async_callback(gateway.close)
        opened.push_async_callback(rest.close)
        opened.push_async_callback(realtime.close)
        opened.push_async_callback(auth.close)
        await asyncio.gather(rest.start(), realtime.start(), auth.start())
        await gateway.start(listener)
        if wishes.cron:
            jobs = Cron(admin=database.admin, login=database.postgres)
            opened.push_async_callback(jobs.close)
            jobs.start()
        yield


async def _pool(opened: AsyncExitStack, database: Database) -> AsyncConnectionPool:
    pool = AsyncConnectionPool(
        database.authenticator,
        min_size=_POOL_MIN,
        max_size=_POOL_MAX,
        timeout=_WAIT_SECONDS,
        open=False,
        kwargs={"autocommit": True},
    )
    opened.push_async_callback(pool.close)
    try:
        await pool.open(wait=True, timeout=_LOGIN_SECONDS)
    except PoolTimeout as exc:
        raise UnsuitableDatabaseError("The role authenticator cannot log in to the database.") from exc
    return pool
