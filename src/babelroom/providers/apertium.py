"""Debian's apertium, a rough but real translator that needs no network: English, Spanish and Portuguese."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress

from babelroom.errors import TranslationFailed
from babelroom.languages import base_language
from babelroom.providers import OnDelta, untranslated
from babelroom.providers.apertium_stream import from_stream, to_stream
from babelroom.results import Translation, TranslationRequest

_PIVOT = "es"
_PACKAGE_CODES = {"eng": "en", "spa": "es", "por": "pt"}
_AT_ONCE = 2
"""Each translation is a pipeline of ten processes, most of a core while it runs."""


class Apertium:
    """Runs the command. Which pairs of languages it has is asked once, before the first text."""

    def __init__(self, command: str, *, timeout: float = 20.0) -> None:
        """Take the command's path and the seconds that one text may take."""
        self._command = command
        self._timeout = timeout
        self._modes: Sequence[str] | None = None
        self._asking = asyncio.Lock()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @staticmethod
    def find() -> str | None:
        """Return where the command is, or None if it is not on the path."""
        return shutil.which("apertium")

    @property
    def name(self) -> str:
        return "apertium"

    async def route(self, source: str, target: str) -> list[str]:
        """Return the installed modes that lead from one language to the other, none if no way does.

        Raises:
            TranslationFailed: the command does not run.
        """
        async with self._asking:
            if self._modes is None:
                self._modes = (await self._run("-l")).split()
        return route(self._modes, source, target)

    async def translate(self, request: TranslationRequest, on_delta: OnDelta) -> Translation:  # noqa: ARG002  at once
        """Return the translation, or the text marked as untranslated if no word of it is known.

        Raises:
            TranslationFailed: no way leads to the target, or the command failed or took too long.
        """
        modes = await self.route(request.source, request.target)
        if not modes:
            raise TranslationFailed(f"apertium has no translation from {request.source} to {request.target} installed.")
        provider = f"apertium {' + '.join(modes)}"
        translated = request.text
        for mode in modes:
            translated, is_known = from_stream(await self._run("-f", "none", mode, text=to_stream(translated)))
            if not is_known:
                return untranslated(request, provider)
        return Translation(text=translated, source=request.source, target=request.target, provider=provider)

    async def close(self) -> None:
        """Nothing stays open yet."""

    async def _run(self, *arguments: str, text: str = "") -> str:
        async with self._turns:
            try:
                # In a session of its own, so that the whole pipeline can be ended.
                process = await asyncio.create_subprocess_exec(
                    self._command,
                    *arguments,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as error:
                raise TranslationFailed(f"apertium did not start: {error}.") from error
            try:
                async with asyncio.timeout(self._timeout):
                    output, complaint = await process.communicate(text.encode())
            except TimeoutError as error:
                raise TranslationFailed(f"apertium took longer than {self._timeout:g} seconds.") from error
            finally:
                await _end(process)
        if process.returncode:
            raise TranslationFailed(f"apertium failed: {complaint.decode(errors='replace').strip()[:200]}")
        return output.decode(errors="replace")


def route(modes: Sequence[str], source: str, target: str) -> list[str]:
    """Return the modes to run one after the other: a direct one, a regional one first, or two by way of Spanish."""
    direct = _direct(modes, source, target)
    if direct:
        return [direct]
    first, second = _direct(modes, source, _PIVOT), _direct(modes, _PIVOT, target)
    return [first, second] if first and second else []


def _direct(modes: Sequence[str], source: str, target: str) -> str | None:
    language, _, region = target.partition("-")
    wanted = [f"{language.lower()}_{region.upper()}", language.lower()] if region else [language.lower()]
    by_pair = {_pair(mode): mode for mode in modes}
    return next((by_pair[pair] for code in wanted if (pair := (base_language(source), code)) in by_pair), None)


def _pair(mode: str) -> tuple[str, str]:
    """Return the languages of a mode such as "spa-eng_US", by their two-letter codes: ("es", "en_US")."""
    source, _, target = mode.partition("-")
    language, underscore, region = target.partition("_")
    return _PACKAGE_CODES.get(source, source), _PACKAGE_CODES.get(language, language) + underscore + region


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
