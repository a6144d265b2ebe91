"""Recordings: real files of every kind are known by their first bytes, anything else is refused with a sentence."""

import io
from pathlib import Path

import pytest
from support import sound

from babelroom.audio import MAX_BYTES, Audio, read
from babelroom.errors import InvalidAudio

LINE = "The train leaves at nine."
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """A wav that says a line."""
    return sound.speak(LINE, "en", tmp_path_factory.mktemp("sound"))


@sound.needs_sound
@pytest.mark.parametrize("extension", sound.EXTENSIONS)
def test_a_file_is_known_by_its_first_bytes(spoken, extension):
    """Whatever it is called: what ffmpeg makes is what is read."""
    path = sound.convert(spoken, extension)
    nameless = path.rename(path.with_suffix(".bin"))
    assert read(nameless) == Audio(nameless.read_bytes(), extension)


@sound.needs_sound
def test_a_wav_is_known(spoken):
    """As espeak-ng writes it."""
    assert read(spoken) == Audio(spoken.read_bytes(), "wav")


@sound.needs_sound
@pytest.mark.parametrize(
    "options",
    [
        ("-id3v2_version", "0", "-write_xing", "0"),
        ("-id3v2_version", "4"),
        ("-id3v2_version", "0", "-ar", "16000"),
        ("-id3v2_version", "0", "-ar", "8000"),
    ],
    ids=["no tag", "ID3", "MPEG-2", "MPEG-2.5"],
)
def test_an_mp3_is_known_with_and_without_a_tag(spoken, options):
    """By ID3, or by the first frame, whichever of the three versions of MPEG audio it is."""
    assert read(sound.convert(spoken, "mp3", *options)).format == "mp3"


@sound.needs_sound
@pytest.mark.parametrize("extension", ["aac", "aiff", "au"])
def test_other_sound_is_refused(spoken, extension):
    """Speech services do not take it."""
    with pytest.raises(InvalidAudio, match="begins with"):
        read(sound.convert(spoken, extension))


@sound.needs_sound
@pytest.mark.parametrize("extension", sound.EXTENSIONS)
def test_converting_keeps_the_length(spoken, extension):
    """The recordings that other tests build on are as long as the line that was spoken."""
    assert sound.seconds(sound.convert(spoken, extension)) == pytest.approx(sound.seconds(spoken), abs=0.1)


@pytest.mark.parametrize("recording", [WAV, bytearray(WAV), memoryview(WAV), io.BytesIO(WAV)], ids=type)
def test_bytes_and_open_files_are_read(recording):
    """In whichever shape they are at hand."""
    assert read(recording) == Audio(WAV, "wav")


@pytest.mark.parametrize("named", [str, Path])
def test_a_path_is_read(tmp_path, named):
    """As text or as a Path."""
    path = tmp_path / "recording"
    path.write_bytes(WAV)
    assert read(named(path)) == Audio(WAV, "wav")


def test_a_file_on_disk_is_read(tmp_path):
    """Open for reading bytes, as `open(path, "rb")` gives it."""
    (tmp_path / "recording").write_bytes(WAV)
    with (tmp_path / "recording").open("rb") as file:
        assert read(file) == Audio(WAV, "wav")


class Pipe(io.RawIOBase):
    """Gives a little at a time, without end or until its `length`; a program that reads too far is told so."""

    def __init__(self, length=None):
        self._left = length
        self._given = 0

    def read(self, size=-1):
        part = WAV if not self._given else bytes(min(size, 2**20))
        if self._left is not None:
            part = part[: self._left]
            self._left -= len(part)
        self._given += len(part)
        if size < 0 or self._given > 2 * MAX_BYTES:
            raise OSError("read too far")
        return part


def test_a_pipe_is_read_to_its_end():
    """It gives a little at a time."""
    assert len(read(Pipe(5 * 2**20)).data) == 5 * 2**20


def test_its_name_says_its_kind():
    """Servers know a file by its extension."""
    assert read(WAV).filename == "recording.wav"


@pytest.mark.parametrize(
    ("recording", "complaint"),
    [
        (b"", "is empty"),
        (b"Hello, this is text.", "begins with 48 65 6c 6c 6f"),
        (b"RIFF\x24\x00\x00\x00AVI LIST", "begins with"),
        (b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00", "begins with"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00", "begins with"),
        (b"\xff", "begins with ff"),
        (b"\xff\xfe\x00\x00", "begins with"),
        (WAV.ljust(MAX_BYTES + 1, b"\0"), "larger: cut it"),
        ("missing.wav", "cannot be read"),
        ("a\0b", "cannot be read"),
        (io.StringIO("text"), "gives str: open it for reading bytes"),
        (None, "cannot be read"),
        (42, "cannot be read"),
    ],
    ids=lambda value: f"{value!r:.30}",
)
def test_what_is_no_recording_is_refused(recording, complaint):
    """With a sentence that says what it is instead."""
    with pytest.raises(InvalidAudio, match=complaint):
        read(recording)


def test_a_recording_of_the_very_limit_is_read():
    """25 MB are allowed."""
    assert len(read(WAV.ljust(MAX_BYTES, b"\0")).data) == MAX_BYTES


def test_a_file_that_is_too_large_is_not_read_to_its_end():
    """What never ends, or a film that was given by mistake, does not fill the memory."""
    with pytest.raises(InvalidAudio, match="larger: cut it"):
        read(Pipe())


@pytest.mark.parametrize("name", ["a folder", "closed"])
def test_what_cannot_be_read_is_refused(tmp_path, name):
    """A folder has no bytes, and a closed file gives none any more."""
    recording = tmp_path
    if name == "closed":
        recording = io.BytesIO(WAV)
        recording.close()
    with pytest.raises(InvalidAudio, match="cannot be read"):
        read(recording)


@sound.needs_sound
def test_silence_is_as_long_as_asked(tmp_path):
    """Other tests build on it."""
    assert sound.seconds(sound.silence(1.5, tmp_path)) == pytest.approx(1.5, abs=0.01)
