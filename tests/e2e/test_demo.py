"""`babelroom demo` as a newcomer runs it: a process of its own."""

import asyncio
import os
import re
import shutil
import signal
import sys

import pytest
from support import sound
from support.openai_server import Answer, ghost, hears

APERTIUM = shutil.which("apertium")

UNSEEN = "en\tThe train to Lisbon leaves at seven\nes\tMi hermana vive cerca del puerto\nen\tGood morning\n"

SPOKEN = {
    "01-en.wav": (
        "english",
        "Good morning, Ana. Your cat is on my balcony.",
        "Buenos días, Ana. Tu gato está en mi balcón.",
    ),
    "02-es.webm": ("spanish", "Lo siento mucho. ¿Qué está haciendo ahora?", "I'm so sorry. What is it doing now?"),
    "03-en.mp3": ("english", "It is sleeping in the sun.", "Está durmiendo al sol."),
}
"""Recordings: the language, what is said, and what it is for the other side."""


@pytest.fixture
def run(tmp_path):
    """Run the demo with just these variables set, far from the checkout's own .env files; without apertium."""

    async def run(*options, given="", **variables):
        process = await start(*options, **variables)
        async with asyncio.timeout(60):
            out, err = await process.communicate(given.encode())
        return process.returncode, out.decode(), err.decode()

    async def start(*options, **variables):
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import sys; from babelroom.cli import main; sys.exit(main())", "demo", *options,
            cwd=tmp_path, env={"PATH": str(tmp_path), "HOME": str(tmp_path), **variables},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    run.start = start
    return run


@pytest.fixture
def project(stack):
    """The variables that name the tests' own Supabase."""
    return {"SUPABASE_URL": stack.url, "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key}


@pytest.fixture
def recordings(tmp_path):
    """A folder of real sound, spoken by espeak-ng: the lines above as three kinds of file."""
    spoken, folder = tmp_path / "spoken", tmp_path / "recordings"
    spoken.mkdir()
    folder.mkdir()
    for name, (_, text, _) in SPOKEN.items():
        path = sound.speak(text, name[3:5], spoken)
        extension = name.rpartition(".")[2]
        (path if extension == "wav" else sound.convert(path, extension)).rename(folder / name)
    return folder


@pytest.fixture
def interpreted(openai_server):
    """The variables of an OpenAI that hears by the kind of file, and whose translations grow slowly enough to watch."""
    by_kind = {name.rpartition(".")[2]: spoken for name, spoken in SPOKEN.items()}
    translations = {text: translation for _, text, translation in SPOKEN.values()}

    def hear(asked):
        language, text, _ = by_kind[asked.file.name.rpartition(".")[2]]
        return hears(text, language=language).transcript

    openai_server.answer = Answer(transcript=hear, text=lambda asked: translations[asked.text], pause=0.05)
    return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": openai_server.url}


async def test_the_demo_needs_nothing(run):
    """Without a project, a key or a translator it starts a Supabase, plays its conversation, and all of it arrives."""
    code, out, err = await run()
    assert (code, err) == (0, "")
    assert "SUPABASE_URL is not set: starting a local Supabase" in out
    assert "en | has joined; the other person speaks es" in out
    assert "es | sees that en is typing" in out
    assert "es | #1 reads: ¡Hola! Creo que tu gato está en mi balcón." in out
    assert "es | #16 has been displayed" in out
    assert re.search(r"^total( +\d+\.\d){3}$", out, re.MULTILINE)
    assert out.endswith("All 16 messages arrived: once, in order, translated and displayed.\n")


async def test_the_demo_plays_on_the_project_that_is_set(run, project, database):
    """SUPABASE_URL is used; the messages are there afterwards, with their metrics, and both have left."""
    code, out, _ = await run("--langs", "pt,en", **project)
    assert code == 0
    session_code = re.search(r"The session's code is (\d{4})", out)[1]
    rows = database.execute(
        """select m.status, m.original_lang, m.target_lang, m.performance_metrics, s.user_count from public.messages m
           join public.sessions s on s.id = m.session_id
           where s.id = (select id from public.sessions where code = %s order by created_at desc limit 1)
           order by m.seq""",
        (session_code,),
    ).fetchall()
    assert [row[:3] for row in rows] == [("displayed", "pt", "en"), ("displayed", "en", "pt")] * 8
    assert {len(row[3]) for row in rows} == {9}  # the eight, and what models used
    assert {row[4] for row in rows} == {0}


async def test_untranslated_lines_arrive_marked_and_are_counted(run, project):
    """What no translator knows is delivered all the same, and the demo says so and exits 1."""
    code, out, _ = await run("--input", "-", given=UNSEEN, **project)
    assert code == 1
    assert "es | #1 reads: [en] The train to Lisbon leaves at seven" in out
    assert "es | #3 reads: Buenos días" in out
    assert "2 of 3 messages could not be translated (lines of the input: 1, 2)" in out


@pytest.mark.skipif(
    APERTIUM is None, reason="apertium is not installed: apt install apertium apertium-eng-spa apertium-es-pt"
)
async def test_text_that_nobody_has_seen_is_translated_by_apertium(run, project):
    """On standard input, with a real translator."""
    code, out, _ = await run("--input", "-", given=UNSEEN, **project, PATH=os.environ["PATH"])
    assert (code, out.splitlines()[-1]) == (0, "All 3 messages arrived: once, in order, translated and displayed.")
    assert "From en to es translates apertium (eng-spa)." in out


async def test_any_script_arrives(run, project):
    """Emoji, Japanese, a byte order mark, and a terminal's own commands, which are shown and not obeyed."""
    lines = ["en\tHello", "ja\t日本語 😀", "en\ta\x1b[2Jb"]
    code, out, _ = await run("--input", "-", given="\ufeff" + "\n".join(lines), **project)
    assert "en | #2 reads: [ja] 日本語 😀\n" in out
    assert "ja | #3 reads: [en] a␛[2Jb\n" in out
    assert out.splitlines()[-1].startswith("3 of 3 messages could not be translated")
    assert code == 1


async def test_the_longest_lines_arrive(run, project):
    """10,000 characters, and the translation may be longer than that."""
    given = f"en\t{'long ' * 2_000}\nes\tHola\n"
    _, out, _ = await run("--input", "-", given=given, **project)
    assert out.splitlines()[-1].startswith("1 of 2 messages could not be translated")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("en\tHi\nno tab\n", "babelroom: Line 2 has no tab: write language<TAB>text. Got 'no tab'.\n"),
        ("", "babelroom: The input holds no line of a conversation: write language<TAB>text, one line a turn.\n"),
    ],
)
async def test_malformed_input_is_one_sentence(run, given, sentence):
    """Nothing is started for it."""
    assert await run("--input", "-", given=given) == (2, "", sentence)


async def test_a_project_that_does_not_answer_is_one_sentence(run):
    """The demo gives up within its deadline."""
    code, _, err = await run(
        SUPABASE_URL="http://127.0.0.1:9", SUPABASE_PUBLISHABLE_KEY="sb_publishable_x", BABELROOM_DEADLINE="1"
    )
    assert code == 1
    assert err.startswith("babelroom: Supabase did not answer")
    assert err.count("\n") == 1


async def test_a_url_without_a_key_is_one_sentence(run):
    """It is not taken for a wish to play locally."""
    code, _, err = await run(SUPABASE_URL="http://127.0.0.1:9")
    assert (code, err) == (
        1,
        "babelroom: SUPABASE_URL is set, but no key: set SUPABASE_PUBLISHABLE_KEY too, or neither.\n",
    )


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
async def test_it_can_be_stopped(run, project, sent):
    """Ctrl-C ends it cleanly, without a traceback."""
    process = await run.start("--typing", "30", **project)
    while b"the other person speaks" not in await process.stdout.readline():
        pass
    process.send_signal(sent)
    async with asyncio.timeout(10):
        _, err = await process.communicate()
    assert (process.returncode, err) == (130, b"babelroom: Stopped.\n")


async def test_a_reader_that_goes_away_is_no_traceback(run, project):
    """As `babelroom demo | head -1` does."""
    process = await run.start(**project)
    await process.stdout.readline()
    process.stdout._transport.close()
    async with asyncio.timeout(30):
        assert (await process.wait(), await process.stderr.read()) == (1, b"")


@sound.needs_sound
async def test_recordings_are_transcribed_translated_and_displayed(run, project, recordings, interpreted):
    """Of each kind of file; what was said arrives with what it is for the other side."""
    code, out, err = await run("--audio", str(recordings), **project, **interpreted)
    assert (code, err) == (0, "")
    for place, (name, (_, text, translation)) in enumerate(SPOKEN.items(), 1):
        speaker = name[3:5]
        listener = "es" if speaker == "en" else "en"
        assert f"{listener} | sees that {speaker} is recording\n" in out
        assert f"{speaker} | #{place} says:  {text} (queued)\n" in out
        assert f"{listener} | #{place} reads: {translation}\n" in out
        assert f"{speaker} | #{place} has been displayed\n" in out
    assert out.endswith("All 3 messages arrived: once, in order, translated and displayed.\n")


@sound.needs_sound
async def test_the_listener_sees_a_translation_grow(run, project, recordings, interpreted):
    """Each line is a beginning of what is read in the end."""
    _, out, _ = await run("--audio", str(recordings), **project, **interpreted)
    for place, (_, _, translation) in enumerate(SPOKEN.values(), 1):
        grown = re.findall(rf"^(?:en|es) \| #{place} grows: (.+)$", out, re.MULTILINE)
        assert len(grown) > 1
        assert all(translation.startswith(text) for text in grown)
        assert grown == sorted(grown, key=len)


@sound.needs_sound
async def test_the_table_of_recordings_has_all_hops(run, project, recordings, interpreted):
    """In the order of a message's way, in ms: the two seconds of each recording are in no other part of it."""
    _, out, _ = await run("--audio", str(recordings), **project, **interpreted)
    table = re.findall(r"^(\w+) +(\d+\.\d) +\d+\.\d +\d+\.\d$", out, re.MULTILINE)
    assert [name for name, _ in table] == ["record", "transcribe", "translate", "deliver", "total"]
    assert float(table[0][1]) == pytest.approx(2_000, abs=1)


@sound.needs_sound
async def test_the_files_are_sent_as_they_are(run, project, recordings, interpreted, openai_server):
    """Byte for byte, one after the other, in the language of their name."""
    await run("--audio", str(recordings), **project, **interpreted)
    heard = [asked for asked in openai_server.requests if asked.file]
    assert [asked.file.data for asked in heard] == [(recordings / name).read_bytes() for name in SPOKEN]
    assert [asked.form["language"] for asked in heard] == [["en"], ["es"], ["en"]]


@sound.needs_sound
async def test_a_recording_in_which_nobody_speaks_is_told(run, project, recordings, interpreted, openai_server):
    """The others arrive; the demo says which one did not, and exits 1."""
    openai_server.then(ghost())
    code, out, _ = await run("--audio", str(recordings), **project, **interpreted)
    assert code == 1
    assert "Line 1 of the input could not be understood. The recording holds silence or noise" in out
    assert f"en | #1 reads: {SPOKEN['02-es.webm'][2]}\n" in out
    assert "1 of 3 lines were not said.\n" in out


async def test_recordings_without_a_key_are_one_sentence(run, tmp_path):
    """Nothing is started: there is nobody who could hear them."""
    for name in SPOKEN:
        (tmp_path / name).touch()
    code, out, err = await run("--audio", str(tmp_path))
    assert (code, out) == (1, "")
    assert err == (
        "babelroom: Recordings are transcribed by OpenAI, or by a server that speaks its protocol: set OPENAI_API_KEY, "
        "and OPENAI_BASE_URL for a server of your own.\n"
    )


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "babelroom: The folder . holds no recording: name them such as 01-en.wav and 02-es.webm.\n"),
        (
            ["hello.wav"],
            "babelroom: The name of hello.wav does not tell its place and its language: call it such as 01-en.wav.\n",
        ),
        (["1-en.wav", "01-es.wav"], "babelroom: 01-es.wav and 1-en.wav have the same place: number every turn once.\n"),
        (
            ["01-en.wav"],
            "babelroom: Every line is in en: say which language the other person speaks, such as --langs en,es.\n",
        ),
    ],
    ids=["empty", "name", "place", "one language"],
)
async def test_a_folder_that_is_no_conversation_is_one_sentence(run, tmp_path, names, sentence):
    """Also with a key, and before anything is started."""
    for name in names:
        (tmp_path / name).touch()
    assert await run("--audio", ".", OPENAI_API_KEY="sk-test") == (2, "", sentence)
