"""What scripts/scale measures is what the SDK sends and the migrations define."""

import re
import subprocess
import sys

import pytest

# Nobody calls them often, or on tables that grow.
NOT_MEASURED = {"cleanup_job_runs", "schedule_cleanup"}
# Realtime's, which asks the database nothing of ours.
BROADCASTS = {"partials.send"}


@pytest.fixture
def measured(root):
    """The names without their notes."""
    command = [sys.executable, "-m", "tests.scale", "--list"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return {line.partition(",")[0] for line in listed.stdout.splitlines()}


def test_every_operation_of_the_sdk_is_measured(root, measured):
    """Each name under which the repositories send something."""
    repositories = (root / "src/babelroom/repositories").glob("[a-z]*.py")
    sent = {
        name for path in repositories for name in re.findall(r'\.(?:run|broadcast)\(\s*"([^"]+)"', path.read_text())
    }
    assert sent - BROADCASTS == {name for name in measured if "." in name}


def test_every_function_of_the_queue_and_the_clean_up_is_measured(root, measured):
    """Each function of those two migrations that is no trigger's."""
    (queue,) = (root / "supabase/migrations").glob("*_queue.sql")
    (cleanup,) = (root / "supabase/migrations").glob("*_cleanup.sql")
    defined = set(re.findall(r"create function public\.(\w+)", queue.read_text() + cleanup.read_text()))
    assert defined - NOT_MEASURED == {name for name in measured if "." not in name}
