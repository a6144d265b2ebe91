"""Debian's apertium, a rough but real translator that needs no network: English, Spanish and Portuguese."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from babelroom.errors import ClientClosed, TranslationFailed
from babelroom.languages import base_language
from babelroom.providers import OnDelta, untranslated
from babelroom.providers.apertium_pipeline import Pool, stages
from babelroom.providers.apertium_stream import from_stream, holds_term, to_stream
from babelroom.results import Translation, TranslationRequest

logger = logging.getLogger("babelroom")

_PIVOT = "es"
_PACKAGE_CODES = {"eng": "en", "spa": "es", "por": "pt"}
_AT_ONCE = 2
"""Where a mode starts anew for each text, that is ten processes and most of a core while they run."""


class Apertium:
    """Keeps a pool of pipelines for each mode that it used, until it is closed.

    Which modes there are is asked once, before the first text. A mode that cannot stay is started anew for each text.
    Apertium knows neither tone nor context. The terms to keep and those of the glossary are carried through as what
    the pipeline does not look at: whole words, written as they are given.
    """

    def __init__(self, command: str, *, timeout: float = 20.0) -> None:
        """Take the command's path and the seconds that one text may take in one mode."""
        self._command = command
        self._programs = Path(command).resolve().parent
        self._timeout = timeout
        self._modes: Sequence[str] | None = None
        self._asking = asyncio.Lock()
        self._pools: dict[str, Pool | None] = {}
        self._opening = asyncio.Lock()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._is_closed = False

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
                self._modes = (await self._run(self._command, "-l")).split()
        return route(self._modes, source, target)

    async def translate(self, request: TranslationRequest, on_delta: OnDelta) -> Translation:  # noqa: ARG002  at once
        """Return the translation, or the text marked as untranslated if no word of it is known.

        Raises:
            TranslationFailed: no way leads to the target, or the command failed or took too long.
            ClientClosed: this was closed, before or meanwhile.
        """
        modes = await self.route(request.source, request.target)
        if not modes:
            raise TranslationFailed(f"apertium has no translation from {request.source} to {request.target} installed.")
        provider = f"apertium {' + '.join(modes)}"
        translated = request.text
        terms = {term: term for term in request.keep} | dict(request.glossary)
        for mode in modes:
            translated, is_known = from_stream(await self._through(mode, to_stream(translated, terms)))
            terms = {term: term for term in terms.values()}
            if not is_known and not holds_term(translated, terms):
                return untranslated(request, provider)
        return Translation(text=translated, source=request.source, target=request.target, provider=provider)

    async def close(self) -> None:
        """End all pipelines. Closing twice does nothing."""
        self._is_closed = True
        for pool in self._pools.values():
            if pool:
                await pool.close()

    async def _through(self, mode: str, stream: str) -> str:
        async with self._opening:
            if mode not in self._pools:
                self._pools[mode] = await self._open(mode)
        if self._is_closed:
            raise ClientClosed
        pool = self._pools[mode]
        return await (pool.translate(stream) if pool else self._run(self._command, "-f", "none", mode, text=stream))

    async def _open(self, mode: str) -> Pool | None:
        try:
            file = self._modes_folder / f"{mode}.mode"
            file.read_bytes()  # whether it is there: the program that reads it does not say
            script = await self._run(str(self._programs / "apertium-wblank-mode"), "-z", str(file))
            # Two tries share the time.
            return Pool(mode, stages(script), self._environment, timeout=self._timeout / 2)
        except (OSError, ValueError, TranslationFailed) as reason:
            logger.warning("apertium's mode %s starts anew for each text, which is slow: %s", mode, reason)
            return None

    @property
    def _modes_folder(self) -> Path:
        # As the command finds it: its own prefix holds the data too, unless its variable says otherwise.
        data = os.environ.get("APERTIUM_DATADIR") or self._programs.parent / "share" / "apertium"
        return Path(data) / "modes"

    @property
    def _environment(self) -> dict[str, str]:
        # As the command sets it; a locale that is not installed would end most stages.
        search = f"{self._programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return os.environ | {"PATH": search, "LC_ALL": "C.UTF-8"}

    async def _run(self, command: str, *arguments: str, text: str = "") -> str:
        async with self._turns:
            try:
                # In a session of its own, so that the whole pipeline can be ended.
                process = await asyncio.create_subprocess_exec(
                    command,
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
