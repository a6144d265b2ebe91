"""Each statement that the SDK sends, as PostgREST writes it, and each function of ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import md5
from random import Random
from typing import Any
from uuid import UUID, uuid4

# Of the sessions that fill.sql makes, by number.
PROBES, QUEUED, LEASED, FAILED, UNSEEN = (1, 30), (31, 130), (151, 160), (161, 170), (181, 190)
MESSAGES_OF_A_PROBE, MESSAGES_OF_OTHERS = 200, 10


@dataclass(frozen=True, slots=True)
class Statement:
    """`name` is the operation's in the SDK, or the function's; `sessions` the numbers of those that it is about."""

    name: str
    text: str
    role: str = "anon"
    sessions: tuple[int, int] = PROBES

    def values(self, rng: Random) -> dict[str, Any]:
        """Rows to be about, drawn anew for each run."""
        n = rng.randint(*self.sessions)
        k = rng.randint(1, MESSAGES_OF_A_PROBE if self.sessions == PROBES else MESSAGES_OF_OTHERS)
        message = known(f"message {n}-{k}")
        return {
            "session": known(f"session {n}"),
            "code": f"{n - 1:04}",
            "user": known(f"user {n}-1"),
            "message": message,
            "token": known(f"token {message}"),
            "new": uuid4(),
            "batch": batch(10, known(f"user {n}-1")),
            "now": "now",
            "position": k * 3,
        }


def known(name: str) -> UUID:
    return UUID(md5(name.encode(), usedforsecurity=False).hexdigest())


def batch(count: int, user: UUID) -> str:
    message = {"user_id": str(user), "original": "Good morning!", "original_lang": "en", "target_lang": "es"}
    return json.dumps([message | {"id": str(uuid4())} for _ in range(count)])


def call(name: str, arguments: str = "", sessions: tuple[int, int] = PROBES, role: str = "anon") -> Statement:
    return Statement(name, f"select * from public.{name.partition(' ')[0]}({arguments})", role, sessions)


def by_worker(name: str, call: str) -> Statement:
    return Statement(name, f"select * from public.{call}", "service_role", LEASED)


PAGE = "select * from public.messages where session_id = %(session)s"

# As PostgREST writes what the repositories send, under the name that the gateway times it by; a note may follow.
SDK = (
    Statement("sessions.generate_code", "select * from public.generate_unique_session_code()"),
    Statement(
        "sessions.exists",
        "select id from public.sessions "
        "where code = %(code)s and is_active = true and expires_at > %(now)s::text::timestamptz limit 1",
    ),
    Statement("sessions.create", "select * from public.create_session(%(new)s)"),
    Statement("sessions.join", "select * from public.join_session(%(code)s, %(new)s, 'pt')"),
    Statement("sessions.join, again", "select * from public.join_session(%(code)s, %(user)s, 'en')"),
    Statement("sessions.join, unnamed", "select * from public.join_session(%(code)s)"),
    Statement("sessions.leave", "select * from public.leave_session(%(session)s, %(user)s)"),
    Statement("sessions.leave, unnamed", "select * from public.leave_session(%(session)s)"),
    Statement("sessions.touch", "select * from public.touch_participant(%(session)s, %(user)s)"),
    Statement(
        "sessions.touch, unseen", "select * from public.touch_participant(%(session)s, %(user)s)", sessions=UNSEEN
    ),
    Statement("sessions.extend", "select * from public.extend_session(%(session)s, '1 hour')"),
    Statement("sessions.close", "select * from public.close_session(%(session)s)"),
    Statement("sessions.get", "select * from public.sessions where id = %(session)s"),
    Statement(
        "sessions.is_live",
        "select id from public.sessions "
        "where id = %(session)s and is_active = true and expires_at > %(now)s::text::timestamptz",
    ),
    Statement(
        "sessions.participants",
        "select * from public.session_participants "
        "where session_id = %(session)s and left_at is null and is_away = false order by joined_at",
    ),
    Statement("sessions.ping", "select * from public.sessions order by id limit 1"),
    Statement(
        "messages.send",
        "select * from public.send_message(%(new)s, %(session)s, %(user)s, 'Good morning!', 'en', 'es')",
    ),
    Statement(
        "messages.send, no target_lang",
        "select * from public.send_message(%(new)s, %(session)s, %(user)s, 'Good morning!', 'en')",
    ),
    Statement("messages.send_all", "select * from public.send_messages(%(session)s, %(batch)s::jsonb)"),
    Statement(
        "messages.update",
        "update public.messages set translation = 'Buenos dias', status = 'processing' "
        "where id = %(message)s returning *",
        sessions=QUEUED,
    ),
    Statement(
        "messages.settle",
        "update public.messages set translation = 'Buenos dias', status = 'processing' "
        "where id = %(message)s and translation is null and status <> 'failed' returning *",
        sessions=QUEUED,
    ),
    Statement(
        "messages.mark_displayed",
        "update public.messages set status = 'displayed' where id = %(message)s and status <> 'displayed' returning *",
        sessions=QUEUED,
    ),
    Statement("messages.get", "select * from public.messages where id = %(message)s"),
    Statement("messages.page", f"{PAGE} order by seq limit 50"),
    Statement("messages.page, latest", f"{PAGE} order by seq desc limit 50"),
    Statement("messages.page, before", f"{PAGE} and seq < %(position)s order by seq desc limit 50"),
    Statement("messages.page, after", f"{PAGE} and seq > %(position)s order by seq limit 50"),
    Statement(
        "sessions.by_code",
        "select * from public.sessions where code = %(code)s and is_active and expires_at > now() limit 1",
    ),
    Statement("sessions.stats", "select public.session_stats(%(session)s)"),
    Statement("messages.since", "select * from public.messages_since(%(session)s, %(position)s, 100)"),
    Statement(
        "messages.last_rev",
        "select rev from public.messages where session_id = %(session)s order by rev desc limit 1",
    ),
    Statement(
        "activity.update",
        "insert into public.user_activity (session_id, user_id, activity_type) "
        "values (%(session)s, %(user)s, 'typing') on conflict (session_id, user_id) do update "
        "set session_id = excluded.session_id, user_id = excluded.user_id, activity_type = excluded.activity_type "
        "returning *",
    ),
    Statement("activity.current", "select * from public.get_session_activities(%(session)s)"),
    # By the worker, whose claims are in order.
    by_worker("queue.claim", "claim_messages('worker', 10, '30 seconds', true, 6)"),
    by_worker("queue.extend", "extend_lease(%(message)s, %(token)s, '30 seconds')"),
    by_worker("queue.complete", "complete_message(%(message)s, %(token)s, 'Buenos dias', '{}')"),
    by_worker("queue.fail", "fail_message(%(message)s, %(token)s, 'No translator')"),
    by_worker("queue.release", "release_message(%(message)s, %(token)s)"),
)
QUEUE = (
    call("claim_messages", "'worker', 10, '30 seconds'", role="service_role"),
    call("extend_lease", "%(message)s, %(token)s, '1 minute'", LEASED, "service_role"),
    call("complete_message", "%(message)s, %(token)s, 'Buenos dias'", LEASED, "service_role"),
    call("fail_message", "%(message)s, %(token)s, 'No translator'", LEASED, "service_role"),
    call("release_message", "%(message)s, %(token)s", LEASED, "service_role"),
    call("retry_failed", "%(session)s", FAILED, "service_role"),
)
CLEANUP = (
    call("cleanup_expired_sessions", role="postgres"),
    call("delete_closed_sessions", role="postgres"),
    call("cleanup_participants", role="postgres"),
    call("cleanup_activity", role="postgres"),
    call("cleanup_status", role="postgres"),
)
STATEMENTS = (*SDK, *QUEUE, *CLEANUP)
