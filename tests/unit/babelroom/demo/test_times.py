"""The table of times."""

from babelroom.demo.times import Summary, Times, summarize


def test_each_part_of_the_way_has_its_row():
    """p50, p95 and max are values that were measured."""
    times = [Times(send=n, translate=2.0 * n, deliver=3.0 * n, end_to_end=6.0 * n) for n in range(1, 101)]
    assert summarize(times) == [
        Summary("send", 50, 95, 100),
        Summary("translate", 100, 190, 200),
        Summary("deliver", 150, 285, 300),
        Summary("end to end", 300, 570, 600),
    ]


def test_without_a_message_there_is_no_table():
    """Nothing arrived, nothing was measured."""
    assert summarize([]) == []
