"""`babelroom worker` as an operator runs it: a process of its own."""

import asyncio
import json
import os
import pty
import signal
import sys
from collections import Counter

import pytest
from support import rows
from support.openai_server import Answer, refuses

SECONDS = 60.0
STATES = "select case when translation is null then status else translation end from messages order by seq"


@pytest.fixture
def variables(supabase, tmp_path):
    """What an operator sets; far from the checkout's own .env files, without apertium."""
    stack = supabase.stack
    secrets = {"SUPABASE_URL": stack.url, "SUPABASE_SECRET_KEY": stack.secret_key}
    return {"PATH": str(tmp_path), "HOME": str(tmp_path), **secrets}


@pytest.fixture
async def start(tmp_path, variables):
    """Starts a worker with these options and variables; killed at the end."""
    started = []

    async def start(*options, stderr=asyncio.subprocess.PIPE, without=(), **more):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import sys; from babelroom.cli import main; sys.exit(main())", "worker", *options,
            cwd=tmp_path, env={name: value for name, value in (variables | more).items() if name not in without},
            stdout=asyncio.subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
def run(start):
    """Runs a worker to its end: its exit code, and what it said."""

    async def run(*options, **more):
        process = await start(*options, **more)
        async with asyncio.timeout(SECONDS):
            _, err = await process.communicate()
        return process.returncode, err.decode()

    return run


@pytest.fixture
def slow(openai_server):
    """A provider that takes its time: its answer comes in a minute, unless a test says otherwise."""
    openai_server.answer = Answer(delay=60.0)
    return openai_server


@pytest.fixture
def openai(slow):
    return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": slow.url}


@pytest.fixture
def say(room, session, user):
    """Sends these texts into the session."""

    async def say(*texts):
        return [await room.messages.create_message(session.id, user, text, "en", "es") for text in texts]

    return say


async def test_it_empties_the_queue_and_ends(run, say, database):
    """With --once, by the bundled phrasebook; each event is an object on a line, and no word of what was said."""
    messages = await say("Good morning!", "Good morning!")
    code, err = await run("--once")
    assert code == 0
    assert rows.column(database, STATES) == ["Buenos días"] * 2
    lines = [json.loads(line) for line in err.splitlines()]
    assert Counter(line["event"] for line in lines if line["event"] != "log") == {
        "started": 1,
        "translated": 2,
        "ended": 1,
    }
    assert [line["message_id"] for line in lines if line["event"] == "translated"] == [str(one.id) for one in messages]
    assert "Good morning" not in err


async def test_a_terminal_shows_one_line(start, say):
    """How much was done, and no log."""
    await say("Good morning!")
    ours, theirs = pty.openpty()
    process = await start("--once", stderr=theirs)
    os.close(theirs)
    async with asyncio.timeout(SECONDS):
        assert await process.wait() == 0
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert shown.split("\r\x1b[K")[-1].strip() == "1 translated, 0 failed, 0 in flight"
    assert "{" not in shown


@pytest.mark.parametrize(
    ("without", "sentence"),
    [
        ("SUPABASE_URL", "SUPABASE_URL is not set: a worker needs it, and SUPABASE_SECRET_KEY."),
        ("SUPABASE_SECRET_KEY", "The worker needs the project's secret key: set SUPABASE_SECRET_KEY "),
    ],
)
async def test_what_is_missing_is_one_sentence(run, without, sentence):
    """Nothing is started."""
    code, err = await run(without=[without])
    assert code == 1
    assert err.startswith(f"babelroom: {sentence}")
    assert err.count("\n") == 1


async def test_a_key_that_is_not_secret_is_one_sentence(run, supabase):
    """It does not wait for a better one."""
    code, err = await run(SUPABASE_SECRET_KEY=supabase.stack.publishable_key)
    assert code == 1
    assert err.splitlines()[-1].startswith("babelroom: The key may not do this")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_gives_back_what_is_not_begun_and_ends_in_order(start, say, slow, openai, database, sent):
    """What is under way is given time to end; a provider that needs longer loses it to another worker."""
    await say("one", "two")
    process = await start("--lease", "1", **openai)
    async with asyncio.timeout(SECONDS):
        await slow.until_asked(1)
        process.send_signal(sent)
        _, err = await process.communicate()
    assert process.returncode == 0
    assert rows.column(database, STATES) == ["queued", "queued"]
    assert json.loads(err.splitlines()[-1])["event"] == "ended"


async def test_a_signal_lets_what_is_begun_end(start, say, slow, openai, database):
    """Its translation is stored."""
    slow.answer = Answer(delay=1.0)
    await say("one", "two")
    process = await start("--concurrency", "1", **openai)
    async with asyncio.timeout(SECONDS):
        await slow.until_asked(1)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0
    assert rows.column(database, STATES) == ["one (Spanish)", "queued"]


async def test_a_second_signal_ends_it_at_once(start, say, slow, openai, database):
    """Its work is given back, not waited for."""
    await say("one")
    process = await start(**openai)
    async with asyncio.timeout(SECONDS):
        await slow.until_asked(1)
        process.send_signal(signal.SIGTERM)
        while b'"stopping"' not in await process.stderr.readline():
            pass
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(5):
        await process.communicate()
    assert process.returncode == 130
    assert rows.column(database, STATES) == ["queued"]


async def test_what_a_killed_worker_held_is_translated_by_the_next(start, run, say, slow, openai, database):
    """When its lease has run out; once."""
    await say("one", "two")
    process = await start("--lease", "1", **openai)
    async with asyncio.timeout(SECONDS):
        await slow.until_asked(1)
    process.kill()
    await process.wait()
    slow.answer = Answer()
    async with asyncio.timeout(SECONDS):
        while rows.column(database, STATES) != ["one (Spanish)", "two (Spanish)"]:
            assert (await run("--once", **openai))[0] == 0
    assert rows.value(database, "select count(*) from private.translation_jobs where leased_until is not null") == 0


async def test_a_wrong_key_is_one_sentence_and_costs_nothing(run, say, openai_server, openai, database):
    """With --once it ends by it; the message waits on as if nobody had tried."""
    openai_server.answer = refuses(401)
    await say("one")
    code, err = await run("--once", **openai)
    assert code == 1
    assert err.splitlines()[-1] == (
        "babelroom: OpenAI refused the key: check OPENAI_API_KEY and, if it is set, OPENAI_BASE_URL."
    )
    assert rows.column(database, STATES) == ["queued"]
    assert database.execute("select claims, failures from private.translation_jobs").fetchall() == [(0, 0)]
