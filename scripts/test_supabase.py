#!/usr/bin/env python3
"""The smoke test: connects, makes a session, receives a live change, and tidies up after itself.

Against the project of SUPABASE_URL and its key (environment, .env.local or .env), or, with --local, against a local
Supabase that is started for it. Exits 0 if everything works; otherwise it says what does not, and what to do.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

try:
    import httpx
    from postgrest import APIError

    from babelroom import (
        Babelroom,
        BabelroomError,
        ConfigurationError,
        ConnectionFailed,
        DeadlineExceeded,
        Message,
        MissingCredentials,
        PermissionDenied,
        SchemaMissing,
        Session,
        SubscribeFailed,
        SupabaseError,
        deadline,
    )
    from babelroom.demo.local import LocalUnavailable, local_supabase
except ImportError as error:
    sys.exit(f"{error}. Run scripts/setup once, then .venv/bin/python scripts/test_supabase.py.")

CONNECT_SECONDS = 5.0
CHANGE_SECONDS = 10.0
UNAUTHORIZED = 401
INSUFFICIENT_PRIVILEGE = "42501"

APPLY_MIGRATIONS = "Apply the migrations in order: `supabase db push --remote`."
PUBLISH = (
    "Check that Realtime is on, and that messages is in the publication supabase_realtime (the migrations add it)."
)
ALLOW = (
    "Check the row level security policies: this open demo mode lets the public key read and write (see migrations)."
)
REACH = "Check SUPABASE_URL and the network, and that the project is not paused in the dashboard."
TAKE_THE_KEY = "Check the key: copy the publishable (or anon) key of this very project from its API settings."
CONFIGURE = "Set SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY as .env.example shows, or try --local."
ASK_THE_SERVER = "Check that SUPABASE_URL is a Supabase project; its logs in the dashboard say more."

HINTS: tuple[tuple[type[Exception], str], ...] = (
    (ConfigurationError, CONFIGURE),
    (ConnectionFailed, REACH),
    (DeadlineExceeded, REACH),
    (SchemaMissing, APPLY_MIGRATIONS),
    (SubscribeFailed, PUBLISH),
    (PermissionDenied, ALLOW),
    (SupabaseError, ASK_THE_SERVER),
)


class ChangeMissing(SubscribeFailed):
    """The subscription stands, but the change of the message never came."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", action="store_true", help="start a local Supabase for the test")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # tidies up as after Ctrl-C
    warnings.simplefilter("ignore", UserWarning)  # missing credentials are a failure here, with its own hint
    try:
        return asyncio.run(test_supabase(local=options.local))
    except LocalUnavailable as error:
        return fail("Local Supabase", error)
    except ConfigurationError as error:
        return fail("Settings", error)
    except KeyboardInterrupt:
        say("Stopped.")
        return 130


async def test_supabase(*, local: bool) -> int:
    """Return the exit code."""
    async with client(local=local) as room:
        try:
            await connect(room)
        except BabelroomError as error:
            return fail("Connection", error)
        try:
            session = await create_session(room)
        except BabelroomError as error:
            return fail("Create a session", error)
        try:
            await receive_change(room, session)
        except BabelroomError as error:
            code = fail("Receive a live change", error)
        else:
            code = 0
        return max(code, await tidy_up(room, session))


@asynccontextmanager
async def client(*, local: bool) -> AsyncIterator[Babelroom]:
    if not local:
        async with Babelroom.connect() as room:
            yield room
        return
    say("Starting a local Supabase ...")
    async with local_supabase() as started, Babelroom.connect(url=started.url, key=started.key) as room:
        yield room


async def connect(room: Babelroom) -> None:
    if not room.settings.has_credentials:
        raise MissingCredentials
    with deadline(CONNECT_SECONDS):
        await room.sessions.session_exists("0000")
    succeed(f"Connected to {room.settings.supabase_url}")


async def create_session(room: Babelroom) -> Session:
    session = await room.sessions.create_session()
    succeed(f"Created a session with the code {session.code}")
    return session


async def receive_change(room: Babelroom, session: Session) -> None:
    changes: asyncio.Queue[Message] = asyncio.Queue()
    user_id = uuid4()
    await room.sessions.join_session(session.code, user_id, "en")
    subscription = await room.messages.subscribe_to_messages(session.id, changes.put_nowait)
    succeed("Subscribed to the session's messages")
    start = time.monotonic()
    sent = await room.messages.create_message(session.id, user_id, "Hello world", "en", "es")
    try:
        async with asyncio.timeout(CHANGE_SECONDS):
            while (await changes.get()).id != sent.id:
                pass
    except TimeoutError:
        raise ChangeMissing(f"{ChangeMissing.__doc__} It was waited for {CHANGE_SECONDS:g} seconds.") from None
    succeed(f"Received its change live, {(time.monotonic() - start) * 1_000:.0f} ms after sending")
    await subscription.unsubscribe()


async def tidy_up(room: Babelroom, session: Session) -> int:
    """Close the session and return the exit code. Its rows stay: the public key may not delete them."""
    close = room.supabase.table("sessions").update({"is_active": False}).eq("id", str(session.id))
    try:
        await close.execute()
        is_open = await room.sessions.session_exists(session.code)
    except (APIError, httpx.HTTPError, BabelroomError) as error:
        return fail("Tidy up", error)
    if is_open:
        return fail("Tidy up", PermissionDenied("The session could not be closed: it is still active."))
    succeed("Tidied up: the session is closed (is_active = false) and its code is free again")
    return 0


def hint(error: Exception) -> str:
    """Return what to do about it, after the founding spec's common issues; empty if the error says it itself."""
    # A policy's refusal has the same status for the public key, but the database's own code.
    if isinstance(error, PermissionDenied) and error.status == UNAUTHORIZED and error.code != INSUFFICIENT_PRIVILEGE:
        return TAKE_THE_KEY
    return next((advice for kind, advice in HINTS if isinstance(error, kind)), "")


def succeed(sentence: str) -> None:
    say(f"ok    {sentence}")


def fail(step: str, error: Exception) -> int:
    say(f"FAIL  {step}: {error}")
    if hint(error):
        say(f"hint  {hint(error)}")
    return 1


def say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
