import re

import pytest

from babelroom import errors

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BabelroomError)]


def test_the_tree_in_the_docstring_is_the_tree_in_the_code():
    """Each class is drawn one level below its base class."""
    drawn: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ([│ ├└─]*)(\w+)( {2,}.*)?$", line):
            depth = len(match[1]) // 4
            path = [*path[:depth], match[2]]
            drawn[match[2]] = path[-2] if depth else None
    assert drawn == {
        kind.__name__: None if kind is errors.BabelroomError else kind.__bases__[0].__name__ for kind in CLASSES
    }


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_a_message_of_its_own(kind):
    """The class docstring is what the user reads when nothing better is known."""
    assert str(kind()).rstrip(".") == kind.__doc__.strip().rstrip(".")


def test_a_supabase_error_reads_as_message_details_and_hint():
    """What Postgres said in detail and hint reaches the reader."""
    error = errors.Conflict("No free session code", code="PT409", status=409, details="All are in use.", hint="Wait.")
    assert str(error) == "No free session code. All are in use. Wait."


@pytest.mark.parametrize(("error", "expected"), [
    (errors.ConnectionFailed(), True),
    (errors.Unavailable(), True),
    (errors.Conflict(), False),
    (errors.SessionExpired(), False),
    (errors.DeadlineExceeded(), False),
    (ValueError(), False),
])  # fmt: skip
def test_only_passing_trouble_is_transient(error, expected):
    """Sending again helps against a lost connection, not against a refusal."""
    assert errors.is_transient(error) is expected


def test_using_a_closed_client_is_a_mistake_of_the_program():
    """ClientClosed cannot be caught together with what may go wrong at run time."""
    assert issubclass(errors.ClientClosed, RuntimeError)
    assert not issubclass(errors.ClientClosed, errors.BabelroomError)
