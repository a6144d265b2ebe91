"""The plans of a statement, and of those inside the functions and triggers that it runs, as auto_explain saw them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

# Small enough to be read at once, whatever grows: private.settings. Everything else is here.
GROWING = frozenset(
    {"sessions", "session_participants", "messages", "session_revisions", "translation_jobs", "user_activity"}
)
EXPLAIN = """
load 'auto_explain';
set auto_explain.log_min_duration = 0;
set auto_explain.log_nested_statements = on;
set auto_explain.log_format = json;
set auto_explain.log_verbose = on;
set client_min_messages = log;
"""
Plan = dict[str, Any]


@dataclass
class Plans:
    """What one connection's statements were planned to do."""

    seen: list[Plan] = field(default_factory=list)

    def watch(self, connection: psycopg.Connection) -> None:
        """Log the plans of that connection, a superuser's, here."""
        connection.execute(EXPLAIN)
        connection.add_notice_handler(self._keep)

    def _keep(self, notice: psycopg.errors.Diagnostic) -> None:
        _, found, text = (notice.message_primary or "").partition("plan:\n")
        if found:
            self.seen.append(json.loads(text))

    @property
    def indexes(self) -> list[str]:
        """Every index that was used, in the order of first use."""
        names = (node["Index Name"] for plan in self.seen for node in nodes(plan["Plan"]) if "Index Name" in node)
        return list(dict.fromkeys(names))

    @property
    def sequential(self) -> list[Plan]:
        """The plans that read a growing table from its start."""
        return [plan for plan in self.seen if any(map(reads_from_the_start, nodes(plan["Plan"])))]


def nodes(node: Plan) -> Iterator[Plan]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def outline(node: Plan, depth: int = 0) -> str:
    """The plan as a person reads it, one line a node."""
    names = (node.get(key) for key in ("Node Type", "Relation Name", "Index Name", "Filter", "Index Cond", "Hash Cond"))
    lines = [f"{'  ' * depth}{'  '.join(filter(None, names))}  (about {node['Plan Rows']} rows)"]
    return "\n".join([*lines, *(outline(child, depth + 1) for child in node.get("Plans", ()))])


def reads_from_the_start(node: Plan) -> bool:
    return node["Node Type"] == "Seq Scan" and node["Relation Name"] in GROWING
