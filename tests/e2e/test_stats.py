"""`babelroom stats` as its users run it: a process of its own."""

import asyncio
import re
import sys

import pytest
from support.openai_server import SOUND
from support.people import Interpreting, Listening

from babelroom import Babelroom
from babelroom.results import SessionStats


@pytest.fixture
def run(stack, tmp_path):
    """Run it with just these variables set, far from the checkout's own .env files."""
    project = {"SUPABASE_URL": stack.url, "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key}

    async def run(*options, without=(), **variables):
        given = {"PATH": str(tmp_path), "HOME": str(tmp_path), **project, **variables}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import sys; from babelroom.cli import main; sys.exit(main())", "stats", *options,
            cwd=tmp_path, env={name: value for name, value in given.items() if name not in without},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    return run


@pytest.fixture
async def talked(stack, session, user):
    """The session after a recording that was displayed, and a text that was not yet."""
    async with Babelroom.connect(
        url=stack.url, key=stack.publishable_key, translator=Interpreting(), transcriber=Listening("hello")
    ) as client:
        said = await client.translate_speech(session.id, user, SOUND, "en", "es")
        await client.messages.mark_message_displayed(said.message.id)
        await client.translate_text(session.id, user, "good morning", "en", "es")
    return session


async def test_a_code_is_enough_while_the_session_is_open(run, talked):
    """How many messages there are, how long each part of their way took, and what the models cost."""
    code, out, err = await run(talked.code)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "2 messages: 1 displayed, 1 processing"
    hops = re.findall(r"^(\w+) +(\d+)(?: +\d+\.\d){3}$", out, re.MULTILINE)
    assert hops == [("record", "1"), ("transcribe", "1"), ("translate", "2"), ("deliver", "1"), ("total", "2")]
    assert [line.split() for line in lines if line.startswith(("gpt", "whisper", "together"))] == [
        ["gpt-4o-mini", "200", "40", "0.0", "0.000054"],
        ["whisper-1", "0", "0", "2.0", "0.000200"],
        ["together", "0.000254"],
    ]
    assert lines[-1].startswith("Prices as of ")


async def test_an_id_is_enough_and_json_is_the_same(run, room, talked):
    """What `Babelroom.stats` returns."""
    code, out, err = await run(str(talked.id), "--json")
    assert (code, err) == (0, "")
    assert SessionStats.model_validate_json(out) == await room.stats(talked.id)


async def test_a_session_in_which_nothing_was_said_has_no_table(run, session):
    """And costs nothing."""
    assert await run(session.code) == (0, "0 messages\n", "")


async def test_the_price_table_can_be_replaced(run, talked, tmp_path):
    """By BABELROOM_PRICES; what it lacks has no price."""
    table = tmp_path / "own.tsv"
    table.write_text("# as of 2026-01\nmodel\tunit\tusd\nwhisper-1\taudio_seconds\t30\n")
    _, out, _ = await run(talked.code, BABELROOM_PRICES=str(table))
    assert re.search(r"^gpt-4o-mini .* no price$", out, re.MULTILINE)
    assert re.search(r"^together +1\.000000$", out, re.MULTILINE)
    assert out.endswith("Prices as of 2026-01.\n")


async def test_an_unknown_code_is_one_sentence(run, free_code):
    """No session has it."""
    assert await run(free_code) == (1, "", "babelroom: Session not found or expired.\n")


@pytest.mark.parametrize(
    ("session", "beginning"),
    [("nonsense", "babelroom: An id is a UUID"), ("abcd", "babelroom: A session code is exactly four digits")],
    ids=["no id", "no code"],
)
async def test_what_names_no_session_is_one_sentence(run, session, beginning):
    """That says what it should be."""
    code, out, err = await run(session)
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert err.startswith(beginning)


@pytest.mark.parametrize("without", ["SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY"])
async def test_without_a_project_it_is_one_sentence(run, without):
    """Which variables to set."""
    code, out, err = await run("1234", without=[without])
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert err.startswith("babelroom: No Supabase credentials: set SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY")


async def test_a_project_that_does_not_answer_is_one_sentence(run):
    """Within the deadline."""
    code, _, err = await run("1234", SUPABASE_URL="http://127.0.0.1:9", BABELROOM_DEADLINE="1")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("babelroom: Supabase did not answer")
