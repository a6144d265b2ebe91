"""The SDK's models are the types that the CLI generates from the database: names, types, nullability."""

import importlib.util
import sys
from datetime import datetime
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints

import psycopg
import pytest
from pydantic import JsonValue

from babelroom import models

TABLES = {
    "Sessions": (models.Session, models.SessionInsert, models.SessionUpdate),
    "SessionParticipants": (models.Participant, None, None),  # functions write it
    "Messages": (models.Message, models.MessageInsert, models.MessageUpdate),
    "UserActivity": (models.UserActivity, models.UserActivityInsert, models.UserActivityUpdate),
}
# A trigger sets them whatever a client sends: no payload offers them.
NUMBERS = {"seq", "rev"}
# The models are narrower than the database's types where JSON cannot be.
ON_THE_WIRE = {
    models.MessageStatus: str,
    models.ActivityType: str,
    models.PerformanceMetrics: JsonValue,
    models.MeteredMetrics: JsonValue,
    Any: JsonValue | None,
}


@pytest.fixture
def generate(supabase_cli, tmp_path, monkeypatch):
    """The module that `gen types` writes for a database."""

    def generate(url):
        path = tmp_path / "generated.py"
        path.write_text(supabase_cli.run("gen", "types", "--lang=python", "--schema=public", f"--remote={url}").stdout)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, path.stem, module)  # where its annotations, which are strings, are resolved
        spec.loader.exec_module(module)
        return module

    return generate


def on_the_wire(hint):
    """The model's type in the generator's words."""
    if get_origin(hint) is None:
        return ON_THE_WIRE.get(hint, hint)
    return Union[tuple(map(on_the_wire, get_args(hint)))]  # noqa: UP007  the parts are known at run time only


def not_null(hint):
    return Union[tuple(part for part in get_args(hint) if part is not type(None)) or (hint,)]  # noqa: UP007  same


def generated_row(kind):
    return {name: get_type_hints(kind)[name] for name in kind.__annotations__}


def row(model):
    return {name: on_the_wire(hint) for name, hint in get_type_hints(model).items() if name in model.model_fields}


def generated_payload(kind):
    """Each column, whether it must be given, and its type."""
    return {name: _read(hint) for name, hint in get_type_hints(kind, include_extras=True).items()}


def _read(hint):
    is_required = get_origin(hint) is not NotRequired
    while get_origin(hint) in {NotRequired, Annotated}:
        hint = get_args(hint)[0]
    return is_required, not_null(hint)


def payload(model):
    """As above; in a model None also stands for what is left out, so it says nothing of null."""
    hints = get_type_hints(model)
    return {
        name: (field.is_required(), not_null(on_the_wire(hints[name]))) for name, field in model.model_fields.items()
    }


def differences(generated):
    """What one side says and the other does not: (class, column, what the database says, what the model says)."""
    found = []
    for name, (read, insert, update) in TABLES.items():
        pairs = [("", generated_row(getattr(generated, f"Public{name}")), row(read))]
        for suffix, model in (("Insert", insert), ("Update", update)):
            if model is not None:
                theirs = generated_payload(getattr(generated, f"Public{name}{suffix}"))
                pairs.append((suffix, {key: theirs[key] for key in theirs if key not in NUMBERS}, payload(model)))
        for suffix, theirs, ours in pairs:
            found += [
                (name + suffix, column, theirs.get(column), ours.get(column))
                for column in sorted(theirs.keys() | ours.keys())
                if theirs.get(column) != ours.get(column)
            ]
    return found


def test_the_models_are_the_generated_types(generate, pushed):
    """Column by column, for rows and for what is written."""
    assert differences(generate(pushed)) == []


def test_every_table_has_its_model(generate, pushed):
    """A new table needs one, and a dropped one none."""
    kinds = [name for name in vars(generate(pushed)) if name.startswith("Public")]
    assert {name for name in kinds if not name.endswith(("Insert", "Update"))} == {f"Public{name}" for name in TABLES}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("add column added text", ("UserActivity", "added", str | None, None)),
        ("add column added int not null", ("UserActivity", "added", int, None)),
        ("drop column started_at", ("UserActivity", "started_at", None, datetime)),
        ("alter column started_at drop not null", ("UserActivity", "started_at", datetime | None, datetime)),
        ("alter column started_at type text", ("UserActivity", "started_at", str, datetime)),
    ],
)
def test_a_change_on_one_side_only_is_noticed(generate, debian, by_supalocal, change, expected):
    """An added or a missing column, another type, another nullability."""
    assert by_supalocal
    url = debian.copy("by_supalocal", "drifted")
    try:
        with psycopg.connect(url) as connection:
            connection.execute(f"alter table user_activity {change}")
        found = differences(generate(url))
    finally:
        debian.drop("drifted")
    assert found[0] == expected
