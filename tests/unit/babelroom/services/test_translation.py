"""TranslationService: who translates, and why."""

import asyncio
import logging
import os

import pytest
from support.apertium import FakeApertium, Held

from babelroom import InvalidLanguage, InvalidText, Settings, Translation, TranslationService


class Shouting:
    """A translator of our own."""

    name = "shouting"

    async def translate(self, request, _):
        return Translation(text=request.text.upper(), source=request.source, target=request.target, provider=self.name)


@pytest.fixture
def without_apertium(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def with_apertium(monkeypatch, tmp_path):
    """A command that knows one pair of languages."""
    command = tmp_path / "apertium"
    command.write_text("#!/bin/sh\n[ \"$1\" = -l ] && echo '  eng-spa' || printf 'hola.[][\\n]'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


async def test_a_given_translator_is_used():
    """What the app brings comes first."""
    service = TranslationService(Settings(), Shouting())
    assert (await service.translate("hello", "en", "es")).text == "HELLO"
    assert service.provider == "Translations come from shouting: it was given to the client."


@pytest.mark.usefixtures("without_apertium")
async def test_the_phrasebook_is_the_last_resort():
    """Without a key and without apertium, and it says so."""
    service = TranslationService(Settings())
    assert (await service.translate("Good morning", "en", "es")).text == "Buenos días"
    assert "phrasebook" in service.provider
    assert "apertium is not installed" in service.provider


@pytest.mark.usefixtures("with_apertium")
async def test_apertium_is_used_for_its_pairs():
    """It is on the path and has the pair."""
    service = TranslationService(Settings())
    assert (await service.translate("Good morning", "en", "es")).text == "hola"
    assert await service.provider_for("en", "es") == "From en to es translates apertium (eng-spa)."


@pytest.mark.usefixtures("with_apertium")
async def test_a_pair_that_apertium_lacks_falls_to_the_phrasebook():
    """Visibly: the sentence names both."""
    service = TranslationService(Settings())
    assert (await service.translate("Good morning", "en", "pt")).text == "Bom dia"
    assert "apertium has no way between them" in await service.provider_for("en", "pt")


async def test_closing_ends_apertium(monkeypatch, tmp_path):
    """What the service started, it ends; closing twice does nothing."""
    held = Held(tmp_path)
    fake = FakeApertium(tmp_path)
    fake.stage(f"exec 3> {held.path}\nexec cat")
    monkeypatch.setenv("PATH", str(fake.programs), prepend=os.pathsep)
    service = TranslationService(Settings())
    taken, _ = await asyncio.gather(held.taken(), service.translate("Hello", "en", "es"))
    await service.close()
    await service.close()
    await taken.left()


@pytest.mark.usefixtures("without_apertium")
async def test_who_translates_is_logged_once(caplog):
    """Said aloud, not with every message."""
    service = TranslationService(Settings())
    with caplog.at_level(logging.INFO, logger="babelroom"):
        await service.translate("Hello", "en", "es")
        await service.translate("Hello", "en", "es")
    assert caplog.messages == [service.provider]


@pytest.mark.parametrize(
    ("text", "source", "target"), [("Hello", "en", "EN"), ("123 !?", "en", "es"), ("😀", "en", "es")]
)
async def test_what_needs_no_translation_passes_unchanged(text, source, target):
    """The same language, or nothing to translate: that counts as translated."""
    translation = await TranslationService(Settings(), Shouting()).translate(text, source, target)
    assert (translation.text, translation.provider, translation.is_translated) == (text, "unchanged", True)


@pytest.mark.usefixtures("without_apertium")
async def test_a_region_of_the_same_language_needs_no_phrasebook():
    """British and American English understand each other."""
    assert (await TranslationService(Settings()).translate("A lift", "en-GB", "en-US")).is_translated


@pytest.mark.parametrize(
    ("text", "source", "error"),
    [("", "en", InvalidText), ("x" * 10_001, "en", InvalidText), ("x", "english", InvalidLanguage)],
)
async def test_input_is_checked_first(text, source, error):
    """Nothing is sent to a translator that could not be a message."""
    with pytest.raises(error):
        await TranslationService(Settings(), Shouting()).translate(text, source, "es")
