from babelroom.timings import Timing, Timings, percentile


def test_the_summary_counts_calls_failures_and_retries():
    """Durations are milliseconds, by operation."""
    timings = Timings()
    timings.record("sessions.join", seconds=0.002, retries=0, failed=False)
    timings.record("sessions.join", seconds=0.004, retries=2, failed=True)
    assert timings.summary() == {"sessions.join": Timing(calls=2, failures=1, retries=2, p50=2.0, p95=4.0, max=4.0)}


def test_a_percentile_is_a_value_that_was_measured():
    """Nearest rank: of 1 to 100, the 95th percentile is 95."""
    values = [float(n) for n in range(100, 0, -1)]
    assert (percentile(values, 50), percentile(values, 95), percentile(values, 100)) == (50, 95, 100)
    assert percentile([7.0], 50) == 7
