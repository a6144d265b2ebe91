"""A folder of recordings as a conversation."""

import pytest

from babelroom.demo.conversation import BadConversation
from babelroom.demo.recordings import read_folder


@pytest.fixture
def folder(tmp_path):
    """Make a folder of empty files."""

    def make(*names):
        for name in names:
            (tmp_path / name).touch()
        return str(tmp_path)

    return make


@pytest.mark.parametrize(
    "names",
    [
        ("01-en.wav", "02-es.webm", "10-en.mp3"),
        ("1_en_hello.ogg", "2_es_answer.m4a", "10_en.mp4"),
        ("en-1.wav", "es-02.wav", "en10.flac"),
        ("1. en.wav", "2 es.WAV", "10.en.wav"),
    ],
)
def test_a_name_tells_place_and_language(folder, names):
    """By number, not by name; other files are left alone."""
    conversation = read_folder(folder(*names, "notes.txt", ".hidden"), None)
    assert [(line.number, line.language, line.recording.name) for line in conversation.lines] == [
        (1, "en", names[0]), (2, "es", names[1]), (10, "en", names[2]),
    ]  # fmt: skip


def test_a_region_belongs_to_the_language(folder):
    """As in BCP 47."""
    assert read_folder(folder("01-pt-BR.wav", "02-en.wav"), None).languages == ("pt-BR", "en")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ((), "holds no recording"),
        (("hello.wav",), "The name of hello.wav does not tell its place and its language: call it such as 01-en.wav."),
        (("01-en.wav", "1-es.wav"), "have the same place"),
        (("01-en.wav",), "say which language the other person speaks"),
        (("01-en.wav", "02-es.wav", "03-pt.wav"), "two people, two languages"),
    ],
)
def test_what_is_no_conversation_is_one_sentence(folder, names, sentence):
    """It says what to do."""
    with pytest.raises(BadConversation, match=sentence):
        read_folder(folder(*names), None)


def test_a_folder_that_is_not_there_says_so(tmp_path):
    """Nothing is started for it."""
    with pytest.raises(BadConversation, match="cannot be read"):
        read_folder(str(tmp_path / "nowhere"), None)
