"""The loopback OpenAI as a program of its own, as the worker's tests and the benchmarks start it."""

import asyncio
import sys

from pydantic import SecretStr
from support.translators import translate

from babelroom import Settings
from babelroom.providers.openai import OpenAI
from babelroom.providers.openai_translator import OpenAITranslator

COMMAND = ["-m", "tests.support.openai_server", "--port", "0", "--delay-ms", "50"]


async def test_it_serves_as_a_program(root):
    """Its first line is its address, and what it gives passes for a translation."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *COMMAND, stdout=pipe, cwd=root)
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
        connection = OpenAI(Settings(openai_api_key=SecretStr("a-key"), openai_base_url=url))
        translation = await translate(OpenAITranslator(connection), "Where is the station?", "en", "pt-BR")
        await connection.close()
    finally:
        process.terminate()
        await process.communicate()
    assert translation.text == "Where is the station? (Portuguese)"
