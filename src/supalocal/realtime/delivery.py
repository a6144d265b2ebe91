"""Takes a poll of logged changes to the channels that may have them: render, match, check, send."""

import logging
from dataclasses import dataclass, field

import psycopg

from supalocal.realtime import queries
from supalocal.realtime.changes import NO_PRIMARY_KEY, UNAUTHORIZED, Change, payload, render
from supalocal.realtime.filters import Filter
from supalocal.realtime.generated import complete
from supalocal.realtime.matching import Matcher
from supalocal.realtime.pgoutput import Action, Relation
from supalocal.realtime.polls import LoggedChange, Poll
from supalocal.realtime.subscriptions import Registry, Subscription
from supalocal.realtime.table import Column, Table
from supalocal.realtime.tables import TableCache
from supalocal.realtime.tokens import Identity
from supalocal.realtime.visibility import Visibility

log = logging.getLogger(__name__)

Columns = dict[tuple[str, int], frozenset[str]]


@dataclass(slots=True)
class _Outgoing:
    """A change on its way, and who it goes to; `refused` get an error instead of the values, as a whole role does."""

    change: Change
    audience: list[Subscription]
    refused: list[tuple[Subscription, str]] = field(default_factory=list)
    candidates: dict[tuple[Filter, ...], list[Subscription]] = field(default_factory=dict)
    receivers: list[Subscription] = field(default_factory=list)

    def sort(self, columns: Columns) -> None:
        """Part those whose role may not read the key from the candidates; equal filters are tried once."""
        errors: dict[str, str | None] = {}
        for one in self.audience:
            role = one.identity.role
            if role not in errors:
                errors[role] = _refusal(self.change, columns.get((role, self.change.table.oid), frozenset()))
            if error := errors[role]:
                self.refused.append((one, error))
            else:
                self.candidates.setdefault(one.binding.filters, []).append(one)


class Delivery:
    """Delivers polls over one database connection, in order.

    `isolates` failures: a filter or policy that fails then costs its own subscriber the change, and not everyone the
    poll, as it does on the real server. Values of `char(n)` and `bit(n)` are whole then, too.
    """

    def __init__(
        self, connection: psycopg.AsyncConnection, registry: Registry, publication: str, *, isolates: bool = False
    ) -> None:
        self._connection, self._registry, self._isolates = connection, registry, isolates
        self._tables = TableCache(publication, cuts=not isolates)
        self._visibility = Visibility(connection)

    @property
    def is_cut_off(self) -> bool:
        """Whether the connection is gone, which no change is to blame for."""
        return self._connection.closed

    async def deliver(self, poll: Poll) -> None:
        """Send the poll; psycopg.Error when a comparison or a policy fails, and then nobody gets any of it."""
        self._refresh(poll)
        changes = [one for one in poll.changes if self._audience(one)]
        if self._isolates:
            await self._send_apart(changes)
        else:
            await self._send(changes)

    def _refresh(self, poll: Poll) -> None:
        if poll.after_pause:
            self._tables.clear()
        else:
            self._tables.forget(relation.oid for relation in poll.relations)
        if poll.after_pause or poll.relations:
            self._visibility.forget()

    def _audience(self, change: LoggedChange, among: frozenset[Subscription] | None = None) -> list[Subscription]:
        """Return who wants the change and had not joined before it, `among` those if given."""
        return [
            one
            for one in self._registry.matching(change.relation.oid)
            if one.binding.event in {"*", change.row.action}
            and not (one.since and one.since.sees(change.begin.xid))
            and (among is None or one in among)
        ]

    async def _send_apart(self, changes: list[LoggedChange], among: frozenset[Subscription] | None = None) -> None:
        """Send what can be sent: what fails is halved until only what is to blame stays out."""
        try:
            await self._send(changes, among)
        except psycopg.Error as exc:
            if self.is_cut_off:
                raise
            half = len(changes) // 2
            audience = self._audience(changes[0], among)
            if half:
                await self._send_apart(changes[:half], among)
                await self._send_apart(changes[half:], among)
            elif len(audience) > 1:
                await self._send_apart(changes, frozenset(audience[::2]))
                await self._send_apart(changes, frozenset(audience[1::2]))
            else:
                log.warning("lost a change of %s for one subscription: %s", changes[0].relation.name, exc)

    async def _send(self, changes: list[LoggedChange], among: frozenset[Subscription] | None = None) -> None:
        if not changes:
            return
        known = await self._known(changes)
        rendered = await render(self._connection, known)
        outgoing = [
            _Outgoing(change, self._audience(logged, among))
            for change, (logged, _) in zip(rendered, known, strict=True)
        ]
        columns = await self._columns(outgoing)
        await self._match(outgoing, columns)
        await self._check_rows(outgoing)
        for one in outgoing:
            _send(one, columns)

    async def _known(self, changes: list[LoggedChange]) -> list[tuple[LoggedChange, Table]]:
        """Return the changes with their tables as they are now; psycopg.Error for one that cannot be read by that."""
        tables = await self._tables.load(self._connection, {one.relation.oid for one in changes})
        as_logged: dict[int, Table] = {}
        for relation in {id(one.relation): one.relation for one in changes}.values():
            table = tables.get(relation.oid)
            # A table that was renamed or dropped since is none that the real server reads its log for.
            if table and (table.schema, table.name) == (relation.schema, relation.name):
                await self._require_columns(relation, table)
                as_logged[id(relation)] = await self._tables.as_logged(self._connection, table, relation)
        known = [(one, as_logged[id(one.relation)]) for one in changes if id(one.relation) in as_logged]
        # Nor does it read what is published no more, whenever it was made.
        return await complete(
            self._connection, [(one, table) for one, table in known if one.row.action in table.actions]
        )

    async def _require_columns(self, relation: Relation, table: Table) -> None:
        """Ask the database for a column that is gone since, so that it fails as the real server's poll does."""
        if gone := {column.name for column in relation.columns} - {column.name for column in table.columns}:
            await self._connection.execute(queries.PRIVILEGE_ON, [relation.oid, gone.pop()])

    async def _columns(self, outgoing: list[_Outgoing]) -> Columns:
        pairs = {(one.identity.role, item.change.table.oid) for item in outgoing for one in item.audience}
        return await self._visibility.columns(pairs) if pairs else {}

    async def _match(self, outgoing: list[_Outgoing], columns: Columns) -> None:
        matcher = Matcher()
        for item in outgoing:
            item.sort(columns)
            for filters in item.candidates:
                matcher.prepare(item.change, filters)
        await matcher.ask(self._connection)
        for item in outgoing:
            passing = (ones for filters, ones in item.candidates.items() if matcher.passes(item.change, filters))
            item.receivers = [one for ones in passing for one in ones]

    async def _check_rows(self, outgoing: list[_Outgoing]) -> None:
        """Keep, under row level security, those who see the row as it is now; nobody checks for DELETE."""
        by_table: dict[tuple[int, tuple[Column, ...]], list[_Outgoing]] = {}
        for item in outgoing:
            table = item.change.table
            if item.receivers and table.has_row_security and item.change.action is not Action.DELETE:
                by_table.setdefault((table.oid, table.key), []).append(item)
        for items in by_table.values():
            identities = {one.identity for item in items for one in item.receivers}
            changes = [item.change for item in items]
            seen = await self._visibility.rows(changes[0].table, changes, identities)
            _drop_unseen(items, seen)


def _drop_unseen(items: list[_Outgoing], seen: dict[Identity, set[int]]) -> None:
    for position, item in enumerate(items):
        item.receivers = [one for one in item.receivers if position in seen[one.identity]]


def _refusal(change: Change, columns: frozenset[str]) -> str | None:
    """Return the error that a role gets instead of the values, whatever its filters."""
    if change.action is Action.DELETE:
        return None
    # A key that the log leaves out (unchanged, out of line) is none to the real server.
    key = [column.name for column in change.table.key if column.name in change.filterable]
    if not key:
        return NO_PRIMARY_KEY
    return None if columns.issuperset(key) else UNAUTHORIZED


def _send(item: _Outgoing, columns: Columns) -> None:
    """Send one message per channel and selection of columns; receivers with equal rights share its text."""
    texts: dict[tuple[str, tuple[str, ...], str | None], str] = {}
    grouped: dict[tuple[object, tuple[str, ...], str | None], list[Subscription]] = {}
    for one, error in [*item.refused, *((receiver, None) for receiver in item.receivers)]:
        # As on the real server, the order in which columns are named makes no difference.
        selection = tuple(sorted(one.binding.select or ()))
        grouped.setdefault((one.channel, selection, error), []).append(one)
    for (_, select, error), group in sorted(grouped.items(), key=lambda entry: ",".join(entry[0][1])):
        first = group[0]
        key = (first.identity.role, select, error)
        if key not in texts:
            allowed = columns.get((first.identity.role, item.change.table.oid), frozenset())
            texts[key] = _text(item.change, allowed, select, error)
        # The real server lists the last binding first.
        group.sort(key=lambda one: -one.position)
        first.channel.send_change([one.binding.id for one in group], texts[key])


def _text(change: Change, allowed: frozenset[str], select: tuple[str, ...], error: str | None) -> str:
    """Return the payload for a selection: the values come with the key as logged, the list with that of now."""
    if not select:
        return payload(change, allowed, error)
    columns = change.table.columns
    shown = allowed & {*select, *(column.name for column in columns if column.is_key)}
    listed = allowed & {*select, *(column.name for column in columns if column.is_primary)}
    return payload(change, shown, error, listed=listed)
