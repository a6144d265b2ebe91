"""Takes a batch of logged changes to the channels that may have them: render, match, check, send."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg

from supalocal.realtime.changes import NO_PRIMARY_KEY, UNAUTHORIZED, Change, payload, render
from supalocal.realtime.filters import Filter
from supalocal.realtime.matching import Matcher
from supalocal.realtime.pgoutput import Action
from supalocal.realtime.replication import Batch, LoggedChange
from supalocal.realtime.subscriptions import Registry, Subscription
from supalocal.realtime.tables import Table, TableCache
from supalocal.realtime.tokens import Identity
from supalocal.realtime.visibility import Visibility

Columns = dict[tuple[str, int], frozenset[str]]


@dataclass(slots=True)
class _Outgoing:
    """A change on its way, and who it goes to; `error` withholds the values from a whole role."""

    change: Change
    refused: list[tuple[Subscription, str]] = field(default_factory=list)
    candidates: dict[tuple[Filter, ...], list[Subscription]] = field(default_factory=dict)
    receivers: list[Subscription] = field(default_factory=list)

    def sort(self, subscriptions: Iterable[Subscription], columns: Columns) -> None:
        """Part those whose role may not read the key from the candidates; equal filters are tried once."""
        errors: dict[str, str | None] = {}
        for one in subscriptions:
            role = one.identity.role
            if role not in errors:
                errors[role] = _refusal(self.change, columns.get((role, self.change.table.oid), frozenset()))
            if error := errors[role]:
                self.refused.append((one, error))
            else:
                self.candidates.setdefault(one.binding.filters, []).append(one)


class Delivery:
    """Delivers batches over one database connection, in order."""

    def __init__(self, connection: psycopg.AsyncConnection, registry: Registry) -> None:
        self._connection, self._registry = connection, registry
        self._tables = TableCache()
        self._visibility = Visibility(connection)

    async def deliver(self, batch: Batch) -> None:
        """Send the batch; psycopg.Error when a comparison or a policy fails, which loses it for everyone.

        The real server loses its whole poll then, too.
        """
        redefined = [relation.oid for relation in batch.relations]
        self._tables.forget(redefined)
        await self._visibility.forget(redefined)
        listened = [one for one in batch.changes if self._listeners(one)]
        if not listened:
            return
        tables = await self._tables.load(self._connection, {one.relation.oid for one in listened})
        outgoing = await self._render(listened, tables)
        columns = await self._columns(outgoing)
        await self._match(outgoing, columns)
        await self._check_rows(outgoing)
        for one in outgoing:
            _send(one, columns)

    def _listeners(self, change: LoggedChange) -> list[Subscription]:
        return self._registry.matching(change.relation.schema, change.relation.name)

    async def _render(self, logged: list[LoggedChange], tables: dict[int, Table]) -> list[_Outgoing]:
        known = [(one, tables[one.relation.oid]) for one in logged if one.relation.oid in tables]
        return [_Outgoing(change) for change in await render(self._connection, known)]

    async def _columns(self, outgoing: list[_Outgoing]) -> Columns:
        pairs = {
            (one.identity.role, item.change.table.oid) for item in outgoing for one in self._interested(item.change)
        }
        return await self._visibility.columns(pairs) if pairs else {}

    def _interested(self, change: Change) -> Iterable[Subscription]:
        listeners = self._registry.matching(change.table.schema, change.table.name)
        return (
            one
            for one in listeners
            if one.binding.event in {"*", change.action} and not (one.since and one.since.sees(change.xid))
        )

    async def _match(self, outgoing: list[_Outgoing], columns: Columns) -> None:
        matcher = Matcher()
        for item in outgoing:
            item.sort(self._interested(item.change), columns)
            for filters in item.candidates:
                matcher.prepare(item.change, filters)
        await matcher.ask(self._connection)
        for item in outgoing:
            passing = (ones for filters, ones in item.candidates.items() if matcher.passes(item.change, filters))
            item.receivers = [one for ones in passing for one in ones]

    async def _check_rows(self, outgoing: list[_Outgoing]) -> None:
        """Keep, under row level security, those who see the row as it is now; nobody checks for DELETE."""
        by_table: dict[int, list[_Outgoing]] = {}
        for item in outgoing:
            if item.receivers and item.change.table.has_row_security and item.change.action is not Action.DELETE:
                by_table.setdefault(item.change.table.oid, []).append(item)
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
    if not change.table.key:
        return NO_PRIMARY_KEY
    return None if all(column.name in columns for column in change.table.key) else UNAUTHORIZED


def _send(item: _Outgoing, columns: Columns) -> None:
    """Send one message per channel and selection of columns; receivers with equal rights share its text."""
    texts: dict[tuple[str, tuple[str, ...] | None, str | None], str] = {}
    grouped: dict[tuple[object, tuple[str, ...] | None, str | None], list[Subscription]] = {}
    for one, error in [*item.refused, *((receiver, None) for receiver in item.receivers)]:
        grouped.setdefault((one.channel, one.binding.select, error), []).append(one)
    for (_, select, error), group in grouped.items():
        first = group[0]
        key = (first.identity.role, select, error)
        if key not in texts:
            allowed = columns.get((first.identity.role, item.change.table.oid), frozenset())
            texts[key] = payload(item.change, _selected(item.change, allowed, select), error)
        # The real server lists the last binding first.
        group.sort(key=lambda one: -one.position)
        first.channel.send_change([one.binding.id for one in group], texts[key])


def _selected(change: Change, allowed: frozenset[str], select: tuple[str, ...] | None) -> frozenset[str]:
    if select is None:
        return allowed
    return allowed & {*select, *(column.name for column in change.table.key)}
