"""A mode of apertium that stays: its stages are started once, and asked one text after the other.

The command `apertium -z` would do, but for the two gawk scripts that it puts around a mode in Debian 12: they hold an
answer back until the next request comes. So the stages run without them. `apertium-wblank-mode`, which the command asks
too, says what they are; each reads and writes up to a NUL.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from babelroom.errors import ClientClosed, TranslationFailed

_FLUSHING = {
    "apertium-interchunk",
    "apertium-postchunk",
    "apertium-pretransfer",
    "apertium-tagger",
    "apertium-transfer",
    "apertium-wblank-attach",
    "apertium-wblank-detach",
    "lrx-proc",
    "lt-proc",
}
"""What is known to hand on its output at each NUL."""
_SHELL = set("();<>|&$`")
_AT_ONCE = 2
_LONGEST = 2**22
"""Bytes of an answer: far more than any text of 10,000 characters becomes."""

Stage = Sequence[str]
"""A program and its arguments."""


def stages(script: str) -> Sequence[Stage]:
    """Return the programs of a mode, as apertium-wblank-mode writes them: a line of shell.

    Raises:
        ValueError: it is more than a row of programs, or one of them may keep its output to itself.
    """
    line = shlex.shlex(script, posix=True, punctuation_chars=True)
    line.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in line:
        if word == "|":
            found.append([])
        elif word == "$1":
            found[-1].append("-g")  # write unknown words with their mark
        elif _SHELL.isdisjoint(word):
            found[-1].append(word)
        elif word != "$2":  # nothing, as ambiguity is not to be shown
            raise ValueError(f"it is more than programs in a row: {word}")
    unknown = [" ".join(stage) for stage in found if not stage or PurePath(stage[0]).name not in _FLUSHING]
    if unknown:
        raise ValueError(f"it is not known to answer at once: {unknown[0]}")
    return found


class Pool:
    """The pipelines of a mode: one, and a second one while the first is busy."""

    def __init__(self, mode: str, stages: Sequence[Stage], environment: Mapping[str, str], *, timeout: float) -> None:
        """Take what to run, and the seconds that one try may take."""
        self._mode = mode
        self._stages = stages
        self._environment = environment
        self._timeout = timeout
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._idle: list[_Pipeline] = []
        self._running: set[_Pipeline] = set()
        self._is_closed = False

    async def translate(self, stream: str) -> str:
        """Return what the mode makes of a text, both in apertium's stream format.

        Raises:
            TranslationFailed: two pipelines, one after the other, ended, took too long or answered something else.
            ClientClosed: the pool was closed, before or meanwhile.
        """
        async with self._turns:
            try:
                return await self._ask(await self._take(), stream)
            except TranslationFailed:
                # The pipeline may have been at fault, or killed by the system; a new one tells.
                return await self._ask(await self._start(), stream)

    async def close(self) -> None:
        """End all pipelines. Closing twice does nothing."""
        self._is_closed = True
        await asyncio.gather(*(self._end(pipeline) for pipeline in list(self._running)))

    async def _take(self) -> _Pipeline:
        while self._idle:
            pipeline = self._idle.pop()
            if pipeline.is_running:
                return pipeline
            await self._end(pipeline)
        return await self._start()

    async def _start(self) -> _Pipeline:
        self._check_open()
        pipeline = _Pipeline(self._mode)
        try:
            await pipeline.start(self._stages, self._environment)
            self._check_open()
        except BaseException:
            await pipeline.end()
            raise
        self._running.add(pipeline)
        return pipeline

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClientClosed

    async def _ask(self, pipeline: _Pipeline, stream: str) -> str:
        try:
            answer = await pipeline.ask(stream, self._timeout)
        except BaseException:
            # An answer that nobody waits for must not become that of the next text.
            await self._end(pipeline)
            raise
        if pipeline in self._running:
            self._idle.append(pipeline)
        return answer

    async def _end(self, pipeline: _Pipeline) -> None:
        self._running.discard(pipeline)
        await pipeline.end()


class _Pipeline:
    """The stages as processes of this one, in a process group of their own: they end when this process does."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._processes: list[subprocess.Popen[bytes]] = []
        self._answers = asyncio.StreamReader(limit=_LONGEST)
        self._pipes: tuple[asyncio.WriteTransport, asyncio.ReadTransport] | None = None
        self._count = 0

    @property
    def is_running(self) -> bool:
        return self._pipes is not None and not any(pipe.is_closing() for pipe in self._pipes)

    async def start(self, stages: Sequence[Stage], environment: Mapping[str, str]) -> None:
        """Start the stages and connect them. Whatever happens, `end` is to follow.

        Raises:
            TranslationFailed: a program is not there, or the system has no room for it.
        """
        try:
            for stage in stages:
                self._spawn(stage, environment)
                await asyncio.sleep(0)  # each takes some milliseconds, and others wait for this loop
        except OSError as error:
            raise TranslationFailed(f"apertium did not start: {error}.") from error
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(self._answers)
        requests, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, self._processes[0].stdin)
        answers, _ = await loop.connect_read_pipe(lambda: protocol, self._processes[-1].stdout)
        self._pipes = requests, answers

    async def ask(self, stream: str, seconds: float) -> str:
        """Return the answer to a text; after any error the pipeline is of no more use.

        Raises:
            TranslationFailed: it ended, took too long or answered something else.
        """
        if self._pipes is None:
            raise TranslationFailed("apertium was ended.")
        self._count += 1
        mark = f"[{self._count}]"  # is carried through, and shows that the answer is to this text
        # The transport writes while the answer is read: neither side waits for the other with its hands full.
        self._pipes[0].write(f"{stream}{mark}\0".encode())
        try:
            async with asyncio.timeout(seconds):
                answer = (await self._answers.readuntil(b"\0")).decode(errors="replace")
        except TimeoutError as error:
            raise TranslationFailed(f"apertium took longer than {seconds:g} seconds.") from error
        except asyncio.IncompleteReadError as error:
            raise TranslationFailed(
                f"apertium ended before it answered: `echo hello | apertium {self._mode}` may show why."
            ) from error
        except asyncio.LimitOverrunError as error:
            raise TranslationFailed("apertium's answer has no end.") from error
        if not answer.endswith(f"{mark}\0"):
            raise TranslationFailed("apertium answered something else than it was asked.")
        return answer.removesuffix(f"{mark}\0")

    async def end(self) -> None:
        """Kill all stages, and leave nothing of them behind. Ending twice does nothing."""
        processes, self._processes = self._processes, []
        if not processes:
            return
        self._close_pipes(processes)
        # The first one was not waited for yet: its number is still that of this group.
        os.killpg(processes[0].pid, signal.SIGKILL)
        await asyncio.to_thread(_wait_for, processes)

    def _spawn(self, stage: Stage, environment: Mapping[str, str]) -> None:
        before = self._processes[-1] if self._processes else None
        process = subprocess.Popen(  # noqa: S603  the programs are apertium's own
            stage,
            stdin=before.stdout if before else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
            process_group=self._processes[0].pid if before else 0,
        )
        self._processes.append(process)
        if before and before.stdout:
            before.stdout.close()

    def _close_pipes(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        if self._pipes:
            requests, answers = self._pipes
            if not requests.is_closing():  # abort() of one that has lost its pipe is an error in Python 3.11
                requests.abort()  # what was not written yet is not to be written any more
            answers.close()
            return
        for pipe in (processes[0].stdin, processes[-1].stdout):  # ended before they were connected
            if pipe:
                pipe.close()


def _wait_for(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.wait()
