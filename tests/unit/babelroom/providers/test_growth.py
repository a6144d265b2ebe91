"""A growing text: what is told of it, whatever the attempts at it say."""

from hypothesis import given
from hypothesis import strategies as st

from babelroom.providers.growth import Growth

# Few letters, so that attempts agree for a while and part.
attempts = st.lists(st.lists(st.text("ab \n", max_size=4), max_size=6), max_size=4)


def told_of(texts):
    """The parts that are told while each attempt's text grows by its chunks."""
    parts = []
    growth = Growth(parts.append)
    for chunks in texts:
        for end in range(len(chunks) + 1):
            growth.grow("".join(chunks[:end]))
    return parts


@given(attempts)
def test_what_is_told_begins_the_text_of_an_attempt(texts):
    """After each part, all parts joined begin what some attempt says, without the white space around it."""
    parts = told_of(texts)
    wholes = ["".join(chunks).lstrip() for chunks in texts]
    for end in range(len(parts) + 1):
        told = "".join(parts[:end])
        assert not told or any(whole.startswith(told) for whole in wholes)


@given(attempts)
def test_each_part_says_something(texts):
    """No part is empty, and neither end of what is told is white."""
    parts = told_of(texts)
    assert all(part.strip() for part in parts)
    assert "".join(parts) == "".join(parts).strip()


@given(st.lists(st.text("ab \n", max_size=4), max_size=6))
def test_one_attempt_is_told_whole(chunks):
    """Without a retry the parts are the text."""
    assert "".join(told_of([chunks])) == "".join(chunks).strip()


def test_a_second_attempt_is_told_from_where_it_goes_beyond():
    """It repeats what was told, and goes on."""
    assert told_of([["Hola ", "a todos"], ["Ho", "la a", " todos", " ustedes"]]) == ["Hola", " a todos", " ustedes"]


def test_a_second_attempt_that_says_something_else_is_not_told():
    """What was told stays as it is."""
    assert told_of([["Hola"], ["Buenos", " días"]]) == ["Hola"]
