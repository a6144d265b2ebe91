"""Silence: what speech models make of it goes, what people say stays."""

import pytest

from babelroom.providers.checks.silence import heard
from babelroom.results import Segment


def said(text, no_speech_prob=None, avg_logprob=None):
    return Segment(start=0, end=1, text=text, no_speech_prob=no_speech_prob, avg_logprob=avg_logprob)


def heard_alone(text, *numbers):
    return heard(text, [said(text, *numbers)])


SPEECH, SILENCE, DOUBT, UNSURE = (0.02, -0.2), (0.8, -1.3), (0.7, -0.4), (0.1, -1.2)


@pytest.mark.parametrize(
    "text",
    [
        "Subtitles by the Amara.org community",
        " Subtítulos realizados por la comunidad de Amara.org",
        "Legendas pela comunidade Amara.org",
        "Untertitel der Amara.org-Community",
        "Sous-titres réalisés para la communauté d'Amara.org",
        "Thanks for watching!",
        "Thank you for watching.",
        "Thanks for watching! Thanks for watching!",
        "Thanks for watching! Please subscribe to my channel.",
        "Please subscribe to our channel and hit the bell.",
        "¡Suscríbete al canal!",
        "¡Gracias por ver el video!",
        "Obrigado por assistir!",
        "Inscreva-se no canal.",
        "[Music]",
        "[BLANK_AUDIO]",
        "(silence)",
        "(Música)",
        "*clapping*",
        "♪",
        "♪♪♪",
        "...",
        "…",
        " . ",
        "",
        "ご視聴ありがとうございました",
        "Продолжение следует...",
        "字幕由Amara.org社区提供",
    ],
)
@pytest.mark.parametrize("numbers", [(), SPEECH, SILENCE])
def test_ghosts_are_never_heard(text, numbers):
    """Credits, farewells of videos and annotations go whatever the numbers are."""
    assert heard_alone(text, *numbers) == ""


@pytest.mark.parametrize(
    "text", ["Thank you.", "you", "Bye.", "Bye bye!", "Gracias.", "Obrigado.", "OK", "Tchau!", "Thank you. Bye."]
)
class TestWhatPeopleSayAndSilenceToo:
    """Short everyday phrases, which a model hears in silence as well."""

    @pytest.mark.parametrize("numbers", [(), SPEECH])
    def test_is_heard_without_a_sign_of_silence(self, text, numbers):
        """Without numbers, or with those of speech, a person said it."""
        assert heard_alone(text, *numbers) == text

    @pytest.mark.parametrize("numbers", [SILENCE, DOUBT, UNSURE, (0.6, None), (None, -1.4)])
    def test_is_not_heard_with_one(self, text, numbers):
        """One doubtful number is enough."""
        assert heard_alone(text, *numbers) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for the soup.",
        "Thanks for watching the children!",
        "Gracias por ver a mi madre.",
        "Bye, see you at nine.",
        "I subscribe to the newspaper.",
        "Música, por favor.",
        "Subtítulos en español, por favor.",
        "The film has subtitles by a friend.",
        "(laughs) You are right.",
        "42",
        "Ya.",
    ],
)
@pytest.mark.parametrize("numbers", [(), SPEECH, DOUBT])
def test_speech_is_heard(text, numbers):
    """What only resembles a ghost stays, though one number be doubtful."""
    assert heard_alone(text, *numbers) == text


@pytest.mark.parametrize("numbers", [(0.61, -1.01), (0.99, -3.0)])
def test_whispers_rule_of_silence_goes_for_any_words(numbers):
    """Probably nobody spoke, and the words are unsure."""
    assert heard_alone("The train leaves at nine.", *numbers) == ""


def test_what_is_left_of_a_text_are_the_segments_that_were_said():
    """A ghost at the end goes, and what was said before it stays."""
    segments = [said(" Where are you?", *SPEECH), said(" I am here.", *SPEECH), said(" Thank you.", *SILENCE)]
    assert heard(" Where are you? I am here. Thank you.", segments) == "Where are you? I am here."


def test_segments_without_blanks_are_joined_by_one():
    """Some engines cut them off."""
    assert heard("Hello Ana. Bye. [Music]", [said("Hello Ana."), said("Bye."), said("[Music]")]) == "Hello Ana. Bye."


def test_a_text_stays_as_it_is_if_nothing_went():
    """White space and all."""
    assert heard("  Two  blanks ", [said("Two"), said("blanks")]) == "  Two  blanks "


@pytest.mark.parametrize(("text", "left"), [("Thanks for watching!", ""), ("Thank you.", "Thank you."), ("...", "")])
def test_a_text_without_segments_is_one(text, left):
    """It has no numbers: only what nobody says in a conversation goes."""
    assert heard(text, []) == left
