"""The unmodified supabase-js client: alone against its facts, and beside ours."""

import asyncio
import json
import re
import subprocess
from functools import cache

import pytest
from support.node import MISSING, PROJECT, find

FACTS = [
    (file.stem, fact)
    for file in sorted((PROJECT / "facts").glob("*.js"))
    for fact in re.findall(r"^  '(.+)': async", file.read_text(), re.MULTILINE)
]


@pytest.fixture(scope="session")
def node():
    """Node.js, with supabase-js installed by npm."""
    program = find()
    if not program:
        pytest.skip(f"{MISSING} to test the JavaScript client.")
    return program


@pytest.fixture(scope="session")
def errors_of(node, clients_stack, keys):
    """Asks for a file of facts, once: what went wrong with each, None for a fact that holds."""

    @cache
    def ask(file):
        command = [node, "report.js", file, clients_stack.url, *keys]
        try:
            ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
        except subprocess.TimeoutExpired as expired:
            pytest.fail(f"{file}.js did not end: {expired.stdout}")
        assert not ran.returncode, ran.stderr
        return {line["fact"]: line["error"] for line in map(json.loads, ran.stdout.splitlines())}

    return ask


@pytest.mark.parametrize(("file", "fact"), FACTS, ids=[f"{file}: {fact}" for file, fact in FACTS])
def test_fact(errors_of, file, fact):
    """What the name says, with either form of the keys."""
    if error := errors_of(file)[fact]:
        pytest.fail(error, pytrace=False)


@pytest.mark.parametrize("key", ["publishable_key", "anon_key"])
async def test_supabase_js_sees_the_same_messages(stack, room, session, user, node, key):
    """Both clients write; both read the same rows live, with either form of the key."""
    ours = asyncio.Queue()
    await room.messages.subscribe_to_messages(session.id, ours.put_nowait)
    process = await asyncio.create_subprocess_exec(
        node, "follow.js", stack.url, getattr(stack, key), str(session.id), str(user),
        cwd=PROJECT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:

        async def heard(what):
            async with asyncio.timeout(20):
                while what not in (line := json.loads(await process.stdout.readline())):
                    pass
            return line

        assert (await heard("system"))["status"] == "ok"
        await room.messages.create_message(session.id, user, "from Python", "es", "en")
        theirs = [(await heard("change"))["row"] for _ in range(2)]
        async with asyncio.timeout(20):
            mine = [await ours.get() for _ in range(2)]
        assert [json.loads(message.model_dump_json()) | {"seq": message.seq} for message in mine] == [
            type(message).model_validate(row).model_dump(mode="json") for message, row in zip(mine, theirs, strict=True)
        ]
        assert {row["original"] for row in theirs} == {"from JavaScript", "from Python"}
    finally:
        process.terminate()
        await process.wait()
        process._transport.close()
