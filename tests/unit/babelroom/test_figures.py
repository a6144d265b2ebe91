"""`babelroom stats`: the table."""

from decimal import Decimal

from babelroom import Hop, MessageStatus, ModelUse, SessionStats
from babelroom.figures import lines


def stats(**figures):
    return SessionStats(**{"messages": {}, "hops": {}, "usage": (), "prices_as_of": "2025-06"} | figures)


def test_a_session_in_which_nothing_was_said():
    """One line."""
    assert list(lines(stats())) == ["0 messages\n"]


def test_messages_hops_and_models_have_a_line_each():
    """In the order of a message's way; a model without a price says so, and is not in the sum."""
    hop = Hop(messages=2, p50=1, p95=2, max=2)
    priced = ModelUse(model="gpt-4o-mini", input_tokens=100, output_tokens=20, cost=Decimal("0.000027"))
    unpriced = ModelUse(model="whisper-tiny", audio_seconds=3.5, cost=None)
    table = "".join(
        lines(
            stats(
                messages={MessageStatus.FAILED: 1, MessageStatus.DISPLAYED: 2},
                hops={"total": hop, "translate": hop},
                usage=(priced, unpriced),
            )
        )
    )
    assert [line.split() for line in table.splitlines() if line] == [
        ["3", "messages:", "2", "displayed,", "1", "failed"],
        ["ms", "messages", "p50", "p95", "max"],
        ["translate", "2", "1.0", "2.0", "2.0"],
        ["total", "2", "1.0", "2.0", "2.0"],
        ["model", "tokens", "in", "out", "audio", "s", "USD"],
        ["gpt-4o-mini", "100", "20", "0.0", "0.000027"],
        ["whisper-tiny", "0", "0", "3.5", "no", "price"],
        ["together", "0.000027"],
        ["Prices", "as", "of", "2025-06."],
    ]
