"""Which jobs are due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from supalocal.cron.timetable import Job, Timetable

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
MINUTELY = Job(1, "* * * * *", "select 1", "postgres", "postgres")
HOURLY = Job(2, "0 * * * *", "select 2", "postgres", "postgres")


def timetable(*jobs):
    made = Timetable()
    made.update(jobs, NOW)
    return made


def test_the_next_time_is_the_earliest():
    """Of all jobs."""
    assert timetable(HOURLY, MINUTELY).next_due() == NOW.replace(minute=1, second=0)


def test_without_jobs_nothing_is_due():
    """Nor ever will be."""
    assert timetable().next_due() is None


def test_a_due_job_is_taken_once():
    """Then it waits for its next time."""
    times = timetable(MINUTELY, HOURLY)
    due = times.next_due()
    assert times.take_due(due) == [MINUTELY]
    assert times.take_due(due) == []
    assert times.next_due() == due + timedelta(minutes=1)


def test_what_was_missed_is_not_made_up_for():
    """After an hour's sleep a minutely job runs once."""
    times = timetable(MINUTELY)
    late = NOW + timedelta(hours=1)
    assert times.take_due(late) == [MINUTELY]
    assert times.next_due() == late.replace(minute=1, second=0)


def test_a_change_of_the_command_moves_no_time():
    """The new command runs when the old one would have."""
    times = timetable(HOURLY)
    due = times.next_due()
    changed = replace(HOURLY, command="select 3")
    times.update([changed], due)
    assert times.take_due(due) == [changed]


def test_a_new_schedule_counts_from_now():
    """The old time is forgotten."""
    times = timetable(MINUTELY)
    times.update([replace(MINUTELY, schedule="10 seconds")], NOW)
    assert times.next_due() == NOW + timedelta(seconds=10)


def test_a_job_that_is_gone_is_not_due():
    """Unscheduled or deactivated."""
    times = timetable(MINUTELY)
    times.update([], NOW)
    assert (times.next_due(), times.job(MINUTELY.jobid)) == (None, None)


def test_jobs_of_the_start_are_told_apart():
    """They have no time."""
    reboot = replace(HOURLY, schedule="@reboot")
    times = timetable(reboot)
    assert (times.at_start(), times.next_due()) == ([reboot], None)
