"""The README is true."""

import asyncio
import os
import re
import sys
from uuid import uuid4

import pytest


@pytest.fixture
def readme(root):
    return (root / "README.md").read_text()


def test_the_example_has_at_most_twelve_lines(readme):
    """A reader takes it in at a glance."""
    [example] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 12


async def test_the_example_runs(readme, stack, room, tmp_path):
    """It prints its code, and then what the other person says."""
    [example] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", example, cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"SUPABASE_URL": stack.url, "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key},
    )  # fmt: skip
    try:
        async with asyncio.timeout(20):
            code = (await process.stdout.readline()).decode().split()[-1]
            session = await room.sessions.join_session(code, guest := uuid4(), "es")
            line = asyncio.ensure_future(process.stdout.readline())
            while not line.done():
                # The example follows from the moment its stream runs: keep talking until it has heard.
                await room.messages.create_message(session.id, guest, "¡Hola!", "es")
                await asyncio.wait([line], timeout=1)
            assert "¡Hola! -> None queued" in line.result().decode()
    finally:
        process.kill()
        await process.wait()
        process._transport.close()


def test_the_commands_and_files_it_names_exist(readme, root):
    """A name that is not there any more fails here."""
    for path in re.findall(r"(?:\./|\.venv/bin/python )(scripts/\w+(?:\.py)?)", readme):
        assert (root / path).exists()
    for name in ("supabase/migrations", ".env.example", ".ci/run"):
        assert (root / name).exists()


def test_the_sizes_it_names_are_right(readme, root):
    """To the nearest hundred lines, give or take one hundred."""

    def lines(*patterns):
        return sum(path.read_text().count("\n") for pattern in patterns for path in root.glob(pattern))

    demo = lines("src/babelroom/demo/*.py", "src/babelroom/cli.py")
    counted = [
        lines("src/babelroom/**/*.py") - demo,
        lines("supabase/migrations/*.sql"),
        demo,
        lines("src/supalocal/**/*.py", "src/supalocal/**/*.sql"),
    ]
    [opening] = re.findall(r"It is small:.*?never imports it", readme, re.DOTALL)
    named = [int(number.replace(",", "")) for number in re.findall(r"\b\d[\d,]*\b", opening)]
    assert named == pytest.approx(counted, abs=100)
