"""Pipelines of apertium that stay: out of scripts, and the real ones where they are installed."""

import asyncio
import os
import select
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from support.apertium import COMMAND, NEEDS, FakeApertium, Held
from support.translators import translate

from babelroom import TranslationFailed
from babelroom.errors import ClientClosed
from babelroom.providers.apertium import Apertium
from babelroom.providers.apertium_pipeline import Pool, stages
from babelroom.providers.apertium_stream import to_stream

needs_apertium = pytest.mark.skipif(COMMAND is None, reason=NEEDS)

TEXTS = [
    "The house is white.",
    "Good morning",
    "By the way, it's John's car; isn't it?",
    "Zorbify flurble",
    "The red zorbify is white",
    "good morning\r\nthe red\ncar\n\n\tthe house\n",
    "a [bracket] and ] another [ one",
    "{name}, ^house/house$ \\ back\\slash ~ @home #tag *star*",
    "<b>The</b> house <br/> is &amp; white",
    "See https://a.example/b?c=d#e or write to me@a.example, please.",
    "😀 The 🏠 is white 😀",
    "你好,世界",
    "Привет, friends",
    ".",
    " ",
    "?!",
    "\n",
    "x",
    "3.14 and 10 %, 20 € (or more) ... and so on",
    "THE HOUSE IS WHITE. I HAVE BEEN THERE.",
    "I would have given it to him if he had asked me",
    "¿Dónde está la niña? ¡Aquí!",
    "Lo compré y se lo di; dámelo, por favor.",
    "A casa é branca. O menino não está em casa.",
    "los coches rojos de la mañana / el agua",
    'Mr. Smith (U.S.A.) said: "no".',
    "two  blanks   and\ttabs ",
    " it begins with a blank",
    "line one\u2028line two\x85line three",
    "The house is white. " * 500,
    "😀[{<" * 2_500,
]


@pytest.fixture
def fake(tmp_path):
    return FakeApertium(tmp_path)


@pytest.fixture
def held(tmp_path):
    return Held(tmp_path)


@pytest.fixture
async def apertium(fake):
    running = Apertium(fake.command)
    yield running
    await running.close()


@pytest.fixture
async def hasty(fake):
    """A try takes a second at most."""
    running = Apertium(fake.command, timeout=2)
    yield running
    await running.close()


async def say(apertium, text):
    return (await translate(apertium, text, "en", "es")).text


def test_a_mode_is_its_programs():
    """As the shell would start them for a text whose unknown words are to be marked."""
    script = "lt-proc -z '/a b/en.bin' | apertium-tagger -z -g $2 '/en.prob' | lt-proc -z $1 '/es.bin'"
    assert stages(script) == [
        ["lt-proc", "-z", "/a b/en.bin"],
        ["apertium-tagger", "-z", "-g", "/en.prob"],
        ["lt-proc", "-z", "-g", "/es.bin"],
    ]


@pytest.mark.parametrize(
    "script",
    [
        "",
        "lt-proc |",
        "lt-proc | sed s/a/b/",
        "-z",
        "lt-proc > /file",
        "lt-proc; lt-proc",
        "lt-proc $(id)",
        "lt-proc '",
    ],
)
def test_a_mode_of_something_else_is_refused(script):
    """What may not flush, and what only a shell can do."""
    with pytest.raises(ValueError, match=r"it is|No closing quotation"):
        stages(script)


async def test_texts_in_a_row_need_one_pipeline(fake, apertium):
    """It is asked again and again."""
    assert [await say(apertium, text) for text in ("one", "two", "three")] == ["one", "two", "three"]
    assert fake.starts == 1


async def test_texts_at_once_need_two_pipelines(fake, apertium):
    """The other texts wait, and each answer comes to its own caller."""
    texts = ["one", "two", "three", "four"]
    assert await asyncio.gather(*(say(apertium, text) for text in texts)) == texts
    assert fake.starts == 2


@pytest.mark.parametrize("trouble", ["exit 1", "exec sleep 60", "printf 'something else\\0'", "exec tr -d '\\0'"])
async def test_a_text_is_tried_again_on_a_new_pipeline(fake, hasty, trouble):
    """The first one ended, hung or was out of step."""
    fake.stage(f"[ $n = 1 ] && {{ {trouble}; }}\nexec cat")
    assert await say(hasty, "hello") == "hello"
    assert fake.starts == 2


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ("exit 1", "ended before it answered"),
        ("exec sleep 60", "longer than 1 seconds"),
        ("printf 'something else\\0'; exec cat", "something else than it was asked"),
    ],
)
async def test_the_second_failure_is_told(fake, hasty, trouble, sentence):
    """A text has two tries."""
    fake.stage(trouble)
    with pytest.raises(TranslationFailed, match=sentence):
        await say(hasty, "hello")
    assert fake.starts == 2


async def test_a_pipeline_that_ended_between_texts_is_replaced(fake, apertium, held):
    """By the next text, which does not notice."""
    fake.stage(f"[ $n = 1 ] || exec cat\nexec 3> {held.path}\nhead -c 13")
    taken, first = await asyncio.gather(held.taken(), say(apertium, "one"))
    await taken.left()
    assert (first, await say(apertium, "two"), fake.starts) == ("one", "two", 2)


async def test_a_program_that_is_missing_is_an_error():
    """No half of a pipeline stays."""
    pool = Pool("eng-spa", [["cat"], ["no-such-program"]], os.environ, timeout=1)
    with pytest.raises(TranslationFailed, match=r"did not start.*no-such-program"):
        await pool.translate("hello")
    assert children_named("cat") == []


async def test_a_text_larger_than_any_pipe_goes_through():
    """It is written while the answer is read."""
    pool = Pool("eng-spa", [["cat"], ["cat"]], os.environ, timeout=20)
    text = "x" * 2**20
    assert await pool.translate(text) == text
    await pool.close()


async def test_a_cancelled_text_takes_its_pipeline_along(fake, apertium, held):
    """With all that it started; the next text gets its own answer from a new one."""
    fake.stage(f"[ $n = 1 ] || exec cat\nexec 3> {held.path}\nsleep 60 | cat")
    task = asyncio.create_task(say(apertium, "one"))
    taken = await held.taken()
    task.cancel()
    await taken.left()
    assert await say(apertium, "two") == "two"
    assert task.cancelled()


async def test_nothing_is_left_of_pipelines_that_failed(fake, apertium):
    """Neither zombies nor open files."""
    fake.stage("exit 1")
    with pytest.raises(TranslationFailed):
        await say(apertium, "once, for what stays open anyway")
    before = open_files()
    for _ in range(5):
        with pytest.raises(TranslationFailed):
            await say(apertium, "hello")
    assert (open_files(), children_named("lt-proc")) == (before, [])


async def test_closing_ends_all_pipelines(fake, apertium, held):
    """Busy or not; who is waiting hears that the client is closed."""
    fake.stage(f"[ $n = 1 ] && exec cat\nexec 3> {held.path}\nexec sleep 60")
    await say(apertium, "one")
    before = asyncio.gather(*(say(apertium, text) for text in ("two", "three")), return_exceptions=True)
    taken = await held.taken()
    await apertium.close()
    await taken.left()
    assert [type(answer) for answer in await before] == [str, ClientClosed]
    assert children_named("cat", "lt-proc", "sleep") == []


async def test_a_closed_one_translates_no_more(apertium):
    """A mistake in the program, as with the client."""
    await say(apertium, "one")
    await apertium.close()
    await apertium.close()
    with pytest.raises(ClientClosed):
        await say(apertium, "two")


async def test_closing_in_the_middle_of_a_start_leaves_nothing(fake, apertium, held):
    """What was started for it is ended."""
    fake.mode.write_text("lt-proc" + " | lt-proc" * 20)
    fake.stage(f"exec 3> {held.path}\nexec cat")
    text = asyncio.create_task(say(apertium, "one"))
    taken = await held.taken()
    await apertium.close()
    await taken.left()
    with pytest.raises(ClientClosed):
        await text


SPEAKER = """
import asyncio, sys
from babelroom import TranslationRequest
from babelroom.providers.apertium import Apertium
async def main():
    apertium = Apertium(sys.argv[1])
    await apertium.translate(TranslationRequest("Hello", "en", "es"), print)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""


def speaker(command):
    """A program that translated a text, and neither closes its translator nor ends."""
    process = subprocess.Popen([sys.executable, "-c", SPEAKER, command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("end", [lambda process: process.stdin.close(), subprocess.Popen.kill], ids=["exits", "killed"])
async def test_pipelines_end_with_their_program(fake, held, end):
    """However it ends: what it wrote to is closed then."""
    fake.mode.write_text("lt-proc | lt-proc")
    fake.stage(f"exec 3> {held.path}\nexec cat")
    taken, process = await asyncio.gather(held.taken(), asyncio.to_thread(speaker, fake.command))
    with process:
        end(process)
        await taken.left()


@needs_apertium
def test_the_real_stages_end_with_their_program():
    """Each of them sees the end of its input."""
    with speaker(COMMAND) as process:
        stages = [os.pidfd_open(child.pid) for child in psutil.Process(process.pid).children()]
        process.kill()
        ended = [select.select([stage], [], [], 20)[0] for stage in stages]
    assert (len(ended) > 5, [stage for stage in stages if [stage] not in ended]) == (True, [])
    for stage in stages:
        os.close(stage)


@pytest.mark.parametrize(
    ("mode", "reason"), [(None, "No such file"), ("lt-proc | sed s/a/b/", "not known to answer at once: sed s/a/b/")]
)
async def test_a_mode_that_cannot_stay_starts_anew_for_each_text(fake, apertium, caplog, mode, reason):
    """Its file is missing, or what it runs is unknown; the log says so once."""
    fake.mode.unlink() if mode is None else fake.mode.write_text(mode)
    assert [await say(apertium, text) for text in ("one", "two")] == ["anew", "anew"]
    assert [reason in message for message in caplog.messages] == [True]


async def test_the_environment_says_where_the_modes_are(fake, apertium, monkeypatch, tmp_path):
    """By the command's own variable."""
    elsewhere = FakeApertium(tmp_path / "elsewhere")
    fake.mode.unlink()
    monkeypatch.setenv("APERTIUM_DATADIR", str(elsewhere.mode.parents[1]))
    assert await say(apertium, "hello") == "hello"


@pytest.fixture(scope="session")
async def real():
    running = Apertium(COMMAND)
    yield running
    await running.close()


def once(mode, stream):
    """What the command itself makes of it, started for this text alone."""
    command = [COMMAND, "-f", "none", mode]
    return subprocess.run(command, input=stream.encode(), capture_output=True, check=True).stdout.decode()


@needs_apertium
@pytest.mark.parametrize("mode", ["eng-spa", "es-pt"])
async def test_a_pipeline_that_stays_answers_as_one_that_is_started(real, mode):
    """Text after text: nothing of one is left in the next."""
    streams = [to_stream(text) for text in TEXTS]
    answers = [await real._through(mode, stream) for stream in streams]
    assert answers == [once(mode, stream) for stream in streams]


@needs_apertium
async def test_a_cancelled_text_leaves_the_others_in_step(real):
    """Every second one is cancelled, at different stages of its way."""
    await say(real, "Good morning")
    tasks = [asyncio.create_task(say(real, f"The number {number}")) for number in range(12)]
    for task in tasks[1::2]:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
    await asyncio.wait(tasks)
    assert [task.result() for task in tasks[::2]] == [f"El número {number}" for number in range(0, 12, 2)]


def open_files():
    return len(list(Path("/dev/fd").iterdir()))


def children_named(*names):
    """This process's own, ended ones that nobody waited for among them."""
    return [child for child in psutil.Process().children() if child.name() in names]
