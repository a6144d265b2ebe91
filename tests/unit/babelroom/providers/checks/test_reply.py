"""The check of replies: translations pass, rough ones too; answers, obedience and refusals do not."""

import asyncio
import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lines import everyday, injections

from babelroom.providers.apertium import Apertium
from babelroom.providers.checks.reply import fault, is_running_on
from babelroom.providers.prompt import messages
from babelroom.results import Tone, TranslationRequest

EVERYDAY, INJECTIONS = everyday(), injections()
OBEYED = [(line, reply) for line, obeying in INJECTIONS for reply in obeying]
DIRECTIONS = list(itertools.permutations(("en", "es", "pt"), 2))
LONGER = "Yesterday we went to the market, and it was closed because of the rain."
LONGER_ES = "Ayer fuimos al mercado, y estaba cerrado por la lluvia."


def request(text, source="en", target="es", **options):
    return TranslationRequest(text, source, target, **options)


@pytest.mark.parametrize(("line", "reply"), OBEYED, ids=lambda value: f"{value!r:.60}")
def test_who_obeys_is_caught(line, reply):
    """What a fooled model replies, in the language of the text, of the partner, or in English."""
    assert fault(request(line.text, line.source, line.target), reply)


@pytest.mark.parametrize("line", [line for line, _ in INJECTIONS], ids=lambda line: f"{line.text!r:.60}")
def test_an_injection_may_be_translated(line):
    """What people say about instructions is said, and not done."""
    assert fault(request(line.text, line.source, line.target), line.translation) is None


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_what_people_say_every_day_passes(source, target):
    """Short and long, questions and orders, apologies, numbers, slang and talk of computers."""
    lines = [line for line in EVERYDAY if (line.source, line.target) == (source, target)]
    faults = {line: fault(request(line.text, source, target), line.translation) for line in lines}
    assert [(line, found) for line, found in faults.items() if found] == []


async def test_apertium_passes():
    """A rough translator with words of its own: at most one in two hundred of its real lines is refused."""
    command = Apertium.find()
    if command is None:
        pytest.skip("apertium translates the lines: on Debian and Ubuntu, apt install apertium-eng-spa apertium-es-pt.")
    apertium = Apertium(command, timeout=120)
    translated = await asyncio.gather(*(apertium_lines(apertium, *pair) for pair in DIRECTIONS))
    await apertium.close()
    refused = [(asked, text) for asked, text in itertools.chain(*translated) if fault(asked, text)]
    assert len(refused) <= len(EVERYDAY) / 200, refused


async def apertium_lines(apertium, source, target):
    """Each everyday line as a request, with apertium's translation of it; all go through the pipeline at once."""
    lines = [line.text for line in EVERYDAY if (line.source, line.target) == (source, target) and "\n" not in line.text]
    whole = await apertium.translate(request("\n".join(lines), source, target), lambda _: None)
    return zip((request(line, source, target) for line in lines), whole.text.split("\n"), strict=True)


@pytest.mark.parametrize("reply", ["", "  \n", "...", "¡!"])
def test_an_empty_reply_is_none(reply):
    """Whatever it is made of."""
    assert fault(request("Good morning to you"), reply)


@pytest.mark.parametrize(
    ("text", "reply", "why"),
    [
        (LONGER, LONGER_ES + " Es una pena." * 12, "far too long"),
        (LONGER, "Ayer llovía.", "far too short"),
        ("Are you coming?", "Ya voy.", "is no question"),
        ("what is the capital of france", "La capital de Francia es París", "asks nothing"),
        ("Are you tired?", "Sí, ¿y tú?", "answers before it asks"),
        ("The code is QWxhZGRpbjpvcGVu", "El código es Aladdin:open", "lost a code"),
        ("15 times 3 is what I need", "15 por 3 son 45, lo que necesito", "a number that the text lacks"),
        (LONGER, LONGER, "the text itself"),
        (LONGER, "We went to the market yesterday, but they had closed because it rained.", "is in en and not in es"),
        (LONGER, "Hier nous sommes allés au marché, et il était fermé à cause de la pluie.", "is in fr and not in es"),
        (LONGER, "Ontem nós fomos ao mercado, e ele estava fechado por causa da chuva.", "is in pt and not in es"),
        (LONGER, "Вчера мы ходили на рынок, и он был закрыт из-за дождя.", "not in the script of es"),
        (LONGER, "- Ayer fuimos al mercado\n- Estaba cerrado por la lluvia", "is a list"),
        (LONGER, "**Ayer** fuimos al mercado, y estaba cerrado por la lluvia.", "is markdown"),
        (LONGER, '{"translation": "Ayer fuimos al mercado, y estaba cerrado."}', "is data"),
        (LONGER, "Ayer fuimos\nal mercado,\ny estaba cerrado\npor la lluvia.", "has more lines"),
        (LONGER, "I can't help with that, but " + LONGER_ES, "refuses"),
        (LONGER, "Traducción: " + LONGER_ES, "names the translation"),
        (LONGER, "Claro, aquí tienes la traducción. " + LONGER_ES, "announces something"),
    ],
)
def test_a_fault_is_told_in_a_sentence(text, reply, why):
    """Whoever reads why a message failed learns what was wrong with the reply."""
    told = fault(request(text), reply)
    assert told
    assert why in told
    assert told.startswith("The reply ")
    assert told.endswith(".")


@pytest.mark.parametrize("firm", [False, True])
def test_a_leak_of_our_instructions_is_caught(firm):
    """Six words of them in a row are enough."""
    asked = request("Dice que no le han dado ningún trabajo todavía, y que espera.", "es", "en")
    instructions = messages(asked, firm=firm)[0]["content"].split()
    assert fault(asked, f"It says {' '.join(instructions[-8:])}.") == "The reply holds the translator's instructions."


@pytest.mark.parametrize(
    ("target", "reply"),
    [
        ("fr", "Hier nous sommes allés au marché, et il était fermé à cause de la pluie."),
        ("de", "Gestern waren wir auf dem Markt, und er war wegen des Regens geschlossen."),
        ("ja", "昨日市場に行きましたが、雨で閉まっていました。"),
        ("ru", "Вчера мы ходили на рынок, и он был закрыт из-за дождя."),
        ("zh-Hant", "昨天我們去了市場因為下雨關門了。"),
        ("nl", "Gisteren zijn we naar de markt geweest, maar die was dicht vanwege de regen."),
        ("tlh", "wa'Hu' Daq wIghoS 'ej SoQmoH SIS."),
    ],
)
def test_other_languages_pass(target, reply):
    """Their words are unknown, and speak for nothing."""
    assert fault(request(LONGER, target=target), reply) is None


@pytest.mark.parametrize("target", ["fr", "de", "ja", "ru", "nl"])
@pytest.mark.parametrize(
    "reply", ["I'm sorry, but I can't assist with that.", "Sure! Here is the translation:", LONGER]
)
def test_in_other_languages_too_english_talk_is_caught(target, reply):
    """Models refuse, announce and echo in English."""
    assert fault(request(LONGER, target=target), reply)


@pytest.mark.parametrize("reply", ["«Hola, Ana.»", '"Hola, Ana."', "Hola, Ana. 👋", "¡Hola, Ana! 😊"])
def test_quotes_and_an_emoji_are_no_fault(reply):
    """The tone may ask for one, and models like to quote."""
    assert fault(request("Hi, Ana.", tone=Tone.FUN), reply) is None


def test_a_glossary_may_make_a_translation_longer():
    """Its terms are the user's."""
    full = "Instituto Nacional de Estadística y Geografía de los Estados Unidos Mexicanos, antes Dirección General"
    assert fault(request("INEGI", glossary={"INEGI": full}), full) is None


def test_running_on_is_told_while_the_reply_comes():
    """Half a translation is none too long, and a poem is before it ends."""
    poem = "El mar azul canta sin cesar, " * 8
    cuts = [is_running_on(request("Write me a poem"), poem[:length]) for length in range(0, len(poem), 20)]
    assert cuts == sorted(cuts)
    assert (cuts[0], cuts[-1]) == (False, True)


@pytest.mark.parametrize("line", EVERYDAY[::7], ids=lambda line: f"{line.text!r:.40}")
def test_no_beginning_of_a_translation_runs_on(line):
    """It is asked again for each part that comes."""
    assert not is_running_on(request(line.text, line.source, line.target), line.translation)


@given(st.text(), st.text(), st.sampled_from(["en", "es", "pt-BR", "ja", "tlh"]))
def test_any_reply_to_any_text_is_judged(text, reply, target):
    """Whatever characters they are made of."""
    assert isinstance(fault(request(text, target=target), reply), str | None)


@pytest.mark.parametrize("part", ["\n", " ", "a@", "1,", '"a', "- a\n", "<", "¡", "am a ", "**a", "1234567890"])
def test_judging_takes_time_by_length_alone(part):
    """A text that is made to be slow, as long as any may be, is judged in less than a second."""
    text = (part * 10_000)[:10_000]
    started = time.process_time()
    fault(request(f"hello? {text}"), f"hola? 7{text}")
    assert time.process_time() - started < 1
