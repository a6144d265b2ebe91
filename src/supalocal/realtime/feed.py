"""The stream from the database, kept alive: changes for subscribers, and messages for rooms."""

import asyncio
import contextlib
import logging

import psycopg
from aiohttp import WSCloseCode

from supalocal.realtime import queries
from supalocal.realtime.delivery import Delivery
from supalocal.realtime.hub import Hub
from supalocal.realtime.replication import ChangeStream, StreamLostError
from supalocal.realtime.subscriber import Subscriber

log = logging.getLogger(__name__)
FIRST_RETRY_SECONDS = 0.05
LONGEST_RETRY_SECONDS = 1.0
_LOST = "lost %d changes, and what else is committed within a moment, for everyone, as a failing poll does: %s"
PARTITIONS_SECONDS = 3600.0
SLOT_SECONDS, SLOT_POLL_SECONDS = 2.0, 0.002
# How often the real server looks for tables that joined or left the publication since channels subscribed.
PUBLICATION_SECONDS = 60.0


class Feed:
    """Takes what the database's log holds to the hub: changes to subscribers, messages to rooms.

    Without `quirks`, changes are neither judged nor lost poll by poll, as on the real server, but each by itself.
    """

    def __init__(self, dsn: str, publication: str, hub: Hub, *, quirks: bool = True) -> None:
        self._dsn, self._publication, self._hub, self._quirks = dsn, publication, hub, quirks
        self._tasks: list[asyncio.Task[None]] = []
        self._open = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Return once changes are streamed; psycopg.Error when the database does not let us."""
        stream, delivery = await self._connect()
        self._tasks = [
            asyncio.create_task(self._run(stream, delivery), name="supalocal realtime"),
            asyncio.create_task(self._keep_partitions(), name="supalocal realtime partitions"),
            asyncio.create_task(self._follow_publication(), name="supalocal realtime publication"),
        ]

    async def stop(self) -> None:
        """Deliver nothing more; the hub refuses joins from now on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._hub.detach()

    async def close(self) -> None:
        """End the connections."""
        await self._open.aclose()

    async def _connect(self) -> tuple[ChangeStream, Delivery]:
        async with contextlib.AsyncExitStack() as opened:
            delivering, subscribing = [await self._session(opened) for _ in range(2)]
            await delivering.execute(queries.MIRROR_PUBLICATION, [self._publication])
            registry = self._hub.registry
            stream = await ChangeStream.open(
                self._dsn,
                [queries.MIRROR_PREFIX + self._publication, queries.MESSAGES_PUBLICATION],
                lambda relation: bool(registry.matching(relation.oid)),
                self._hub.send_row,
                gathers=self._quirks,
            )
            opened.push_async_callback(_await_end, delivering, stream.slot)
            opened.push_async_callback(stream.close)
            self._open = opened.pop_all()
        self._hub.attach(subscribing)
        return stream, Delivery(delivering, registry, self._publication, isolates=not self._quirks)

    async def _session(self, opened: contextlib.AsyncExitStack) -> psycopg.AsyncConnection:
        connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, options=queries.SETTINGS, application_name="supalocal realtime"
        )
        opened.push_async_callback(connection.close)
        return connection

    async def _run(self, stream: ChangeStream, delivery: Delivery) -> None:
        """Deliver for ever; after a loss connect anew, with a new slot, and make the clients join again."""
        while True:
            try:
                await _deliver(stream, delivery)
            except (StreamLostError, psycopg.OperationalError) as exc:
                log.warning("lost the database: %s", exc)
            except Exception:
                # A defect of ours must not end all delivery unheard: the clients join again, on a new stream.
                log.exception("lost the stream of changes")
            missed = self._hub.detach()
            await self._open.aclose()
            stream, delivery = await self._reconnect(missed)

    async def _keep_partitions(self) -> None:
        """Make room for messages of the next days, for as long as the server runs."""
        while True:
            await asyncio.sleep(PARTITIONS_SECONDS)
            try:
                await self._hub.renew_partitions()
            except psycopg.Error as exc:
                log.warning("could not renew the partitions of realtime.messages: %s", exc)

    async def _follow_publication(self) -> None:
        """Subscribe all channels anew when other tables are published, as the real server does."""
        while True:
            try:
                await self._hub.follow_publication()
            except psycopg.Error as exc:
                log.info("could not look at the publication: %s", exc)
            await asyncio.sleep(PUBLICATION_SECONDS)

    async def _reconnect(self, missed: list[Subscriber]) -> tuple[ChangeStream, Delivery]:
        delay = FIRST_RETRY_SECONDS
        while True:
            try:
                return await self._connect()
            except psycopg.Error as exc:
                log.info("the database is not back yet: %s", exc)
            finally:
                # After the first try: a client that comes back at once then finds the database there, if it is.
                _disconnect(missed)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_RETRY_SECONDS)


async def _await_end(connection: psycopg.AsyncConnection, slot: str) -> None:
    """Return when the slot is gone: nobody can drop the database before."""
    with contextlib.suppress(psycopg.Error, TimeoutError):
        async with asyncio.timeout(SLOT_SECONDS):
            while True:
                cursor = await connection.execute(queries.SLOT_EXISTS, [slot])
                if await cursor.fetchone() != (True,):
                    return
                await asyncio.sleep(SLOT_POLL_SECONDS)


async def _deliver(stream: ChangeStream, delivery: Delivery) -> None:
    async for poll in stream.polls():
        try:
            await delivery.deliver(poll)
        except Exception as exc:
            if delivery.is_cut_off:
                raise
            stream.lose()
            if isinstance(exc, psycopg.Error):
                log.error(_LOST, len(poll.changes), exc)  # noqa: TRY400 - no defect of ours
            else:
                log.exception("lost %d changes for everyone", len(poll.changes))


def _disconnect(channels: list[Subscriber]) -> None:
    for channel in channels:
        channel.disconnect(WSCloseCode.SERVICE_RESTART, "the replication stream was lost")
    channels.clear()
