"""Fixtures: OpenAI on loopback, and settings that lead there."""

import pytest
from pydantic import SecretStr
from support.openai_server import OpenAIServer

from babelroom import Settings


@pytest.fixture
async def openai_server():
    """OpenAI on loopback; tell it what to answer before asking it."""
    async with OpenAIServer().running() as server:
        yield server


@pytest.fixture
def openai_settings(openai_server):
    """What a client needs to know to ask it; the models' names are of the test."""
    return Settings(
        openai_api_key=SecretStr("a-key"),
        openai_base_url=openai_server.url,
        translation_model="a-model",
        transcription_model="an-ear",
        speech_model="a-mouth",
    )
