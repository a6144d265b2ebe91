"""The price table: exact sums, and a sentence for each line that cannot be read."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babelroom.errors import ConfigurationError
from babelroom.models import Usage
from babelroom.prices import Prices

BUNDLED = Prices.load()
HEADER = "# as of 2031-05; US dollars\nmodel\tunit\tusd\n"
AMOUNTS = st.integers(0, 10**9)


@pytest.fixture
def table(tmp_path):
    """Writes a price table and returns its path."""

    def write(text):
        path = tmp_path / "prices.tsv"
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(model="gpt-4o-mini", input_tokens=1_000_000), "0.15"),
        (Usage(model="gpt-4o-mini", input_tokens=200, output_tokens=50), "0.00006"),
        (Usage(model="whisper-1", audio_seconds=90), "0.009"),
        (Usage(model="tts-1", characters=1_000), "0.015"),
        (Usage(model="gpt-4o-mini"), "0"),
    ],
)
def test_a_use_costs_what_the_table_says(usage, dollars):
    """Tokens and characters by the million, audio by the minute."""
    assert BUNDLED.cost(usage) == Decimal(dollars)


def test_a_snapshot_costs_what_its_model_does():
    """The date at a model's end is that of a version."""
    snapshot = Usage(model="gpt-4o-mini-2024-07-18", input_tokens=1_000_000)
    assert BUNDLED.cost(snapshot) == Decimal("0.15")


def test_a_snapshot_may_have_prices_of_its_own(table):
    """What the table names exactly comes first."""
    prices = Prices.load(table(HEADER + "m\tcharacters\t1\nm-2030-01-01\tcharacters\t2\n"))
    assert prices.cost(Usage(model="m-2030-01-01", characters=1_000_000)) == Decimal(2)


@pytest.mark.parametrize(
    "usage",
    [
        Usage(model="llama-3", input_tokens=5),
        Usage(model="gpt-4o-mini-search", input_tokens=5),
        Usage(model="llama-3"),
        Usage(model="gpt-4o-mini", audio_seconds=1),
    ],
)
def test_what_has_no_price_has_no_cost(usage):
    """Neither a model that the table lacks, nor a unit that it prices for others only."""
    assert BUNDLED.cost(usage) is None


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_costs_add_up(first_in, first_out, second_in, second_out):
    """Two uses cost together what one of both amounts does, to the last digit."""
    uses = [
        Usage(model="gpt-4o-mini", input_tokens=first_in, output_tokens=first_out),
        Usage(model="gpt-4o-mini", input_tokens=second_in, output_tokens=second_out),
        Usage(model="gpt-4o-mini", input_tokens=first_in + second_in, output_tokens=first_out + second_out),
    ]
    first, second, both = map(BUNDLED.cost, uses)
    assert first + second == both


@given(st.decimals(0, 100, places=4), AMOUNTS)
def test_a_price_is_read_exactly(usd, characters):
    """No binary fraction comes between the file and the sum."""
    prices = Prices("now", {"m": {"characters": usd}})
    assert prices.cost(Usage(model="m", characters=characters)) == usd * characters / 1_000_000


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_longer_costs_no_less(seconds, more):
    """Whatever the seconds are, cost rises with them."""
    shorter, longer = sorted([seconds, more])
    costs = [BUNDLED.cost(Usage(model="whisper-1", audio_seconds=length)) for length in (shorter, longer)]
    assert costs == sorted(costs)


def test_the_bundled_table_is_dated_and_has_the_defaults():
    """Each default model has a price."""
    assert BUNDLED.as_of == "2025-06"
    assert {"gpt-4o-mini", "whisper-1", "tts-1"} <= BUNDLED.by_model.keys()


def test_a_table_of_ones_own_replaces_the_bundled_one(table):
    """Comments and empty lines may stand between."""
    prices = Prices.load(table(HEADER + "\n# ours\nllama-3\tinput_tokens\t0.05\n"))
    assert prices == Prices("2031-05", {"llama-3": {"input_tokens": Decimal("0.05")}})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: say when"),
        ("model\tunit\tusd\n", "line 1: say when"),
        ("# as of 2031-05\n", "line 1: the columns"),
        ("# as of 2031-05\nmodel,unit,usd\n", "line 2: the columns"),
        (HEADER + "m\tinput_tokens\n", "line 3: a row"),
        (HEADER + "m\tinput_tokens\t1\t2\n", "line 3: a row"),
        (HEADER + "m\tminutes\t1\n", "line 3: a unit"),
        (HEADER + "m\tcharacters\t1\nn\tcharacters\t-1\n", "line 4: a price"),
        (HEADER + "m\tcharacters\tNaN\n", "line 3: a price"),
        (HEADER + "m\tcharacters\t1\nm\tcharacters\t2\n", "line 4: m has its price"),
    ],
)
def test_a_malformed_table_is_refused_by_its_line(table, text, complaint):
    """Whoever wrote the table is told where to look."""
    with pytest.raises(ConfigurationError, match=complaint):
        Prices.load(table(text))


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    """A file that is not there, or not text, is a setting to mend."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Prices.load(tmp_path / "missing.tsv")
    (tmp_path / "binary.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Prices.load(tmp_path / "binary.tsv")
