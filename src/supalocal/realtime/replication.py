"""Streams committed row changes from a temporary logical slot, as PostgreSQL's replication protocol sends them."""

import asyncio
import logging
import secrets
import struct
from collections.abc import AsyncIterator, Callable, Sequence

import psycopg
from psycopg import pq

from supalocal.realtime.pgoutput import Action, Begin, Commit, Message, Note, Relation, RowChange, Unchanged, decode
from supalocal.realtime.polls import Backlog, LoggedChange, Poll

log = logging.getLogger(__name__)

STATUS_INTERVAL_SECONDS = 5.0
# The real server asks ten times a second while there are changes, and what was committed since the last time is judged
# together. Here a change that follows another so soon is delivered at once, but one that comes after a pause waits
# until the commits beside it are in: a policy that fails, or a row deleted again, then has the effect it has there.
PAUSE_SECONDS = 0.1
QUIET_SECONDS = 0.02
LONGEST_GATHERING_SECONDS = 0.08
# How long the real server goes without a slot after a failure; what is committed meanwhile reaches nobody.
OUTAGE_SECONDS = 0.1
# Past this the socket is left unread: PostgreSQL keeps the rest on its side.
WAITING_BYTES = 16_000_000
# Rows written here are messages that the database sends; its partitions are named after it.
_MESSAGES = ("realtime", "messages")
# What a transaction writes after this note is nobody's news: rows that are put back between two tests.
UNHEARD = "supalocal unheard"
_XLOG_HEADER = 25
_KEEPALIVE = struct.Struct(">cqqB")


MessageRow = dict[str, str | None]
"""A row of realtime.messages: values in PostgreSQL's text form (bytea as `\\x` and hex digits), by column."""


class StreamLostError(ConnectionError):
    """The replication connection ended; the temporary slot, and what it had not handed over, is gone with it."""


class ChangeStream:
    """One replication connection.

    `wanted` says which tables anybody listens to; others are not kept. `on_message` gets each row that was inserted
    into realtime.messages, in commit order and past the polls, as nobody's rights are checked for it. `gathers` says
    whether commits that come soon after one another are judged together.
    """

    def __init__(
        self,
        connection: psycopg.AsyncConnection,
        wanted: Callable[[Relation], bool],
        on_message: Callable[[MessageRow], None] = lambda _: None,
        *,
        gathers: bool = True,
    ) -> None:
        self._connection, self._wanted, self._on_message, self._gathers = connection, wanted, on_message, gathers
        self._pgconn = connection.pgconn
        # Kept, because libpq forgets it when the connection is lost, while the loop still watches it.
        self._descriptor = connection.pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._relations: dict[int, Relation] = {}
        self.slot = f"supalocal_realtime_{secrets.token_hex(6)}"
        self._backlog = Backlog()
        self._redefined: list[Relation] = []
        self._polled_at = self._committed_at = self._slot_from = 0.0
        self._begin = Begin(0, 0)
        self._is_unheard = False
        self._received = 0
        self._reading = False
        self._failure: StreamLostError | None = None
        self._arrived = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls,
        dsn: str,
        publications: Sequence[str],
        wanted: Callable[[Relation], bool],
        on_message: Callable[[MessageRow], None] = lambda _: None,
        *,
        gathers: bool = True,
    ) -> "ChangeStream":
        """Return a stream of everything committed from now on; psycopg.Error when the database refuses it."""
        # Values arrive in text form, which depends on these settings of the decoding session.
        settings = (
            "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex"
        )
        connection = await psycopg.AsyncConnection.connect(
            dsn, replication="database", autocommit=True, options=settings, application_name="supalocal realtime"
        )
        stream = cls(connection, wanted, on_message, gathers=gathers)
        try:
            await stream._start(publications)
        except BaseException:
            await stream.close()
            raise
        return stream

    async def _start(self, publications: Sequence[str]) -> None:
        await self._connection.execute(
            f"CREATE_REPLICATION_SLOT {self.slot} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')".encode()
        )
        names = ",".join('"' + name.replace('"', '""') + '"' for name in publications).replace("'", "''")
        options = f"proto_version '1', publication_names '{names}', messages 'true'"
        self._pgconn.send_query(f"START_REPLICATION SLOT {self.slot} LOGICAL 0/0 ({options})".encode())
        await self._copying()
        self._resume()
        self._report()

    async def _copying(self) -> None:
        readable = asyncio.Event()
        self._loop.add_reader(self._descriptor, readable.set)
        try:
            while self._pgconn.flush() or self._pgconn.is_busy():
                await readable.wait()
                readable.clear()
                self._pgconn.consume_input()
        finally:
            self._loop.remove_reader(self._descriptor)
        result = self._pgconn.get_result()
        if result is None or result.status != pq.ExecStatus.COPY_BOTH:
            reason = result.error_message.decode(errors="replace") if result else "no answer"
            raise psycopg.OperationalError(f"replication did not start: {reason}")

    async def polls(self) -> AsyncIterator[Poll]:
        """Yield what has arrived, poll by poll; StreamLostError when the connection ends."""
        while True:
            await self._arrived.wait()
            if self._failure and not self._backlog.is_ready:
                raise self._failure
            yield await self._poll()

    async def _poll(self) -> Poll:
        after_pause = self._loop.time() - self._polled_at > PAUSE_SECONDS
        if after_pause and self._gathers:
            await self._gather()
        poll = Poll(self._backlog.take(), self._redefined, after_pause)
        self._redefined = []
        self._polled_at = self._loop.time()
        if not self._backlog.is_ready and not self._failure:
            self._arrived.clear()
        if not self._failure and self._backlog.bytes <= WAITING_BYTES:
            self._resume()
        return poll

    async def _gather(self) -> None:
        latest = self._loop.time() + LONGEST_GATHERING_SECONDS
        while not (self._failure or self._backlog.is_full):
            rest = min(self._committed_at + QUIET_SECONDS, latest) - self._loop.time()
            if rest <= 0:
                return
            await asyncio.sleep(rest)

    def lose(self) -> None:
        """Drop what waits and what comes next, as the real server does until it has a slot again."""
        self._slot_from = self._loop.time() + OUTAGE_SECONDS
        self._backlog.clear()
        if not self._failure:
            self._arrived.clear()
            self._resume()

    def _resume(self) -> None:
        if not self._reading:
            self._reading = True
            self._loop.add_reader(self._descriptor, self._read)
            # What libpq holds already makes the socket readable no more.
            self._loop.call_soon(self._read)

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._descriptor)

    def _read(self) -> None:
        if not self._reading:
            return
        try:
            self._pgconn.consume_input()
            while self._backlog.bytes <= WAITING_BYTES:
                size, data = self._pgconn.get_copy_data(1)
                if size == 0:
                    return
                if size < 0:
                    raise StreamLostError("PostgreSQL ended the replication stream")
                self._accept(bytes(data))
            self._pause()
        except (psycopg.Error, ValueError, ConnectionError) as exc:
            self._fail(exc)

    def _accept(self, data: bytes) -> None:
        if data[:1] == b"k":
            _, position, _, reply_wanted = _KEEPALIVE.unpack_from(data)
            self._received = max(self._received, position)
            if reply_wanted:
                self._report()
            return
        message = decode(data[_XLOG_HEADER:])
        if message is not None:
            self._keep(message, len(data))

    def _keep(self, message: Message, size: int) -> None:
        match message:
            case Begin():
                self._begin = message
                self._is_unheard = False
            case Note(prefix=prefix) if prefix == UNHEARD:
                self._is_unheard = True
                self._backlog.clear()
            case Relation():
                self._relations[message.oid] = message
                self._redefined.append(message)
            case RowChange() if not self._is_unheard:
                relation = self._relations[message.relation_oid]
                if (relation.schema, relation.name.partition("_")[0]) == _MESSAGES:
                    self._hand_over(relation, message)
                elif self._wanted(relation) and self._loop.time() >= self._slot_from:
                    self._backlog.add(LoggedChange(relation, message, self._begin, size))
            case Commit():
                self._received = max(self._received, message.end)
                self._backlog.commit()
                self._committed_at = self._loop.time()
        if self._backlog.is_ready:
            self._arrived.set()

    def _hand_over(self, relation: Relation, change: RowChange) -> None:
        if change.action is not Action.INSERT or change.new is None:
            return
        pairs = zip(relation.columns, change.new, strict=True)
        row = {column.name: value for column, value in pairs if not isinstance(value, Unchanged)}
        try:
            self._on_message(row)
        except Exception:
            # One message that cannot be sent must not end the stream for everyone.
            log.exception("lost a message that the database sent")

    def _report(self) -> None:
        """Tell PostgreSQL how far we are, so that it recycles its log; clients can be sent nothing twice."""
        if self._failure:
            return
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(STATUS_INTERVAL_SECONDS, self._report)
        position = self._received
        try:
            self._pgconn.put_copy_data(struct.pack(">cqqqqB", b"r", position, position, position, 0, 0))
            self._pgconn.flush()
        except psycopg.Error as exc:
            self._fail(exc)

    def _fail(self, exc: BaseException) -> None:
        self._pause()
        failure = exc if isinstance(exc, StreamLostError) else StreamLostError(f"the replication stream broke: {exc}")
        failure.__cause__ = exc if failure is not exc else None
        self._failure = failure
        self._arrived.set()

    async def close(self) -> None:
        """End the connection; the slot is temporary and goes with it, a moment later."""
        self._pause()
        if self._timer:
            self._timer.cancel()
        self._pgconn.finish()
