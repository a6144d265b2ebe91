"""OpenAI's transcriber, against a real server on loopback: what goes out, and what the answer means."""

import shutil
import subprocess

import openai
import pytest
from support.openai_server import Answer, File, garbage, ghost, hears, refuses

from babelroom import NothingSaid, Segment, TranscriptionFailed
from babelroom.audio import Audio, read
from babelroom.models import Usage
from babelroom.providers.openai import OpenAI
from babelroom.providers.openai_transcriber import OpenAITranscriber, last_turns

AUDIO = Audio(b"RIFF\0\0\0\0WAVE", "wav")
CODECS = {
    "wav": (),
    "mp3": ("-c:a", "libmp3lame"),
    "webm": ("-c:a", "libopus"),
    "m4a": ("-c:a", "aac"),
    "ogg": ("-c:a", "libopus"),
    "flac": (),
}
KINDS = {
    "wav": {"audio/x-wav", "audio/wav"},
    "mp3": {"audio/mpeg"},
    "webm": {"video/webm", "audio/webm"},
    "m4a": {"audio/mp4", "audio/mp4a-latm", "audio/x-m4a", "audio/m4a"},
    "ogg": {"audio/ogg"},
    "flac": {"audio/flac", "audio/x-flac"},
}


@pytest.fixture
async def connect(openai_settings):
    """Make a transcriber whose settings are changed; its connection is closed at the end."""
    opened = []

    def connect(**changes):
        connection = OpenAI(openai_settings.model_copy(update={"translation_deadline": 3.0, **changes}))
        opened.append(connection)
        return OpenAITranscriber(connection)

    yield connect
    for connection in opened:
        await connection.close()


@pytest.fixture
def transcriber(connect):
    return connect()


async def test_a_recording_becomes_a_transcript(openai_server, transcriber):
    """Text, language, seconds and segments come back, with who heard it and what it took."""
    openai_server.answer = hears(" Hola, Ana.", {"text": " Hola, Ana.", "end": 1.5}, language="spanish", duration=1.75)
    transcript = await transcriber.transcribe(AUDIO, None, ())
    segment = Segment(start=0.0, end=1.5, text=" Hola, Ana.", no_speech_prob=0.01, avg_logprob=-0.2)
    assert (transcript.text, transcript.language, transcript.duration) == ("Hola, Ana.", "es", 1.75)
    assert transcript.segments == (segment,)
    assert (transcript.provider, transcript.model) == ("openai an-ear", "an-ear")
    assert transcript.usage == Usage(model="an-ear", audio_seconds=1.75)


async def test_the_request_asks_for_segments(openai_server, transcriber):
    """The file under its name, the language without its region, and the last turns."""
    await transcriber.transcribe(AUDIO, "pt-BR", ("Tudo bem?", "Tudo."))
    asked = openai_server.requests[0]
    assert asked.form == {
        "model": ["an-ear"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["segment"],
        "temperature": ["0"],
        "language": ["pt"],
        "prompt": ["Tudo bem? Tudo."],
    }
    assert (asked.file.name, asked.file.data) == ("recording.wav", AUDIO.data)
    assert asked.headers["Authorization"] == "Bearer a-key"


async def test_what_is_not_known_is_not_sent(openai_server, transcriber):
    """Without a language and turns there are no such fields."""
    await transcriber.transcribe(AUDIO, None, ())
    assert openai_server.requests[0].form.keys().isdisjoint({"language", "prompt"})


@pytest.mark.parametrize(
    ("asked", "detected", "language"),
    [
        (None, "english", "en"),
        (None, "pt", "pt"),
        ("pt-BR", "portuguese", "pt-BR"),
        ("pt-BR", "spanish", "es"),
        ("pt-BR", "klingon", "pt-BR"),
        (None, "klingon", "und"),
    ],
)
async def test_the_language_is_the_detected_one(openai_server, transcriber, asked, detected, language):
    """Whisper's name becomes a tag; a tag of the same language that was asked for says more."""
    openai_server.answer = hears("Hi, Ana.", language=detected)
    assert (await transcriber.transcribe(AUDIO, asked, ())).language == language


async def test_models_without_segments_are_asked_for_json(openai_server, connect):
    """gpt-4o's transcribers know nothing else; seconds and tokens are those of their usage."""
    transcriber = connect(transcription_model="gpt-4o-mini-transcribe")
    openai_server.answer = Answer(
        transcript={"text": "Hi, Ana.", "usage": {"type": "tokens", "input_tokens": 20, "output_tokens": 5}}
    )
    transcript = await transcriber.transcribe(AUDIO, "en", ())
    form = openai_server.requests[0].form
    assert (form["response_format"], "timestamp_granularities[]" in form) == (["json"], False)
    assert (transcript.language, transcript.duration, transcript.segments) == ("en", None, ())
    assert transcript.usage == Usage(model="gpt-4o-mini-transcribe", input_tokens=20, output_tokens=5)

    openai_server.answer = Answer(transcript={"text": "Hi, Ana.", "usage": {"type": "duration", "seconds": 3}})
    assert (await transcriber.transcribe(AUDIO, "en", ())).duration == 3.0

    openai_server.answer = Answer(transcript={"text": "Hi, Ana."})
    assert (await transcriber.transcribe(AUDIO, "en", ())).usage is None


@pytest.mark.parametrize("answer", [ghost(), hears(""), hears("  ")], ids=["ghost", "empty", "blank"])
async def test_silence_is_no_speech(openai_server, transcriber, answer):
    """Words that Whisper makes of silence are nobody's."""
    openai_server.answer = answer
    with pytest.raises(NothingSaid):
        await transcriber.transcribe(AUDIO, "en", ())


@pytest.mark.parametrize(
    "trouble", [refuses(503), refuses(429), garbage(), garbage(b'{"words": []}', "application/json")], ids=range(4)
)
async def test_passing_trouble_is_met_again(openai_server, transcriber, trouble):
    """The recording is sent whole a second time."""
    openai_server.then(trouble)
    await transcriber.transcribe(AUDIO, "en", ())
    assert [asked.file.data for asked in openai_server.requests] == [AUDIO.data] * 2


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (refuses(401), "OPENAI_API_KEY"),
        (refuses(403), "may not use the model an-ear"),
        (refuses(404), "BABELROOM_TRANSCRIPTION_MODEL"),
        (refuses(429, code="insufficient_quota"), "quota"),
        (refuses(400), "This is error 400"),
    ],
    ids=["key", "forbidden", "unknown", "quota", "refused"],
)
async def test_a_refusal_says_what_to_fix(openai_server, transcriber, answer, sentence):
    """The sentences of a translation, about the model that hears."""
    openai_server.answer = answer
    with pytest.raises(TranscriptionFailed, match=sentence) as failure:
        await transcriber.transcribe(AUDIO, "en", ())
    assert isinstance(failure.value.__cause__, openai.APIStatusError)


async def test_a_hung_attempt_leaves_time_for_another(openai_server, transcriber):
    """Without a byte for 60 % of the deadline, the recording is sent again."""
    openai_server.then(Answer(delay=60))
    assert (await transcriber.transcribe(AUDIO, "en", ())).text == "Hello, how are you?"


async def test_a_server_that_is_too_slow_says_so(openai_server, connect):
    """The deadline holds for recordings too."""
    openai_server.answer = Answer(delay=60)
    with pytest.raises(TranscriptionFailed, match="in time"):
        await connect(translation_deadline=0.3).transcribe(AUDIO, "en", ())


def test_turns_go_along_as_far_as_whisper_reads():
    """The last ones, each whole, 600 characters at most."""
    assert last_turns(["a" * 590, "b" * 9, "c"]) == "b" * 9 + " c"
    assert last_turns(["a" * 300, "b" * 299]) == f"{'a' * 300} {'b' * 299}"
    assert last_turns(["a" * 601]) == ""
    assert last_turns([]) == ""


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """A sentence that espeak-ng speaks, as a file of wav."""
    if not (shutil.which("espeak-ng") and shutil.which("ffmpeg")):
        pytest.skip("needs espeak-ng and ffmpeg: apt install espeak-ng ffmpeg")
    spoken = tmp_path_factory.mktemp("speech") / "spoken.wav"
    subprocess.run(["espeak-ng", "-v", "en", "-w", spoken, "Good morning, how are you?"], check=True, timeout=30)  # noqa: S607
    return spoken


@pytest.mark.parametrize("file_format", CODECS)
async def test_a_real_recording_arrives_whole(openai_server, transcriber, speech, file_format):
    """Each kind of file, made by ffmpeg, under the name and the media type that tell what it is."""
    made = speech.with_name(f"made.{file_format}")
    command = ["ffmpeg", "-v", "error", "-y", "-i", speech, *CODECS[file_format], made]
    subprocess.run(command, check=True, timeout=30)  # noqa: ASYNC221  nothing else runs
    await transcriber.transcribe(read(made), "en", ())
    file = openai_server.requests[0].file
    assert file == File(f"recording.{file_format}", file.kind, made.read_bytes())
    assert file.kind in KINDS[file_format]
