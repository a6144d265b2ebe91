"""What the database's own settings change."""

import pytest

from supalocal.rest.configuration import Configuration


@pytest.mark.parametrize(
    ("setting", "text", "field", "value"),
    [
        ("db_schemas", 'public, "my api"', "schemas", ("public", "my api")),
        ("db_extra_search_path", "extensions", "extra_search_path", ("extensions",)),
        ("db_max_rows", "25", "max_rows", 25),
        ("db_anon_role", "visitor", "anon_role", "visitor"),
        ("db_aggregates_enabled", "true", "aggregates", True),
        ("db_plan_enabled", "on", "plans", True),
        ("db_pre_request", "private.check_request", "pre_request", ("private", "check_request")),
        ("db_pre_request", "check_request", "pre_request", ("check_request",)),
        ("db_tx_end", "rollback", "transaction_end", "rollback"),
    ],
)
def test_a_setting_replaces_the_projects_own(setting, text, field, value):
    """Each is known by the name that PostgREST gives it."""
    assert getattr(Configuration().overridden({setting: text}), field) == value


@pytest.mark.parametrize(
    ("setting", "text"), [("db_max_rows", "many"), ("db_tx_end", "never"), ("db_schemas", " "), ("db_pool", "7")]
)
def test_what_cannot_be_read_changes_nothing(setting, text):
    """Nor does a setting that means nothing here."""
    assert Configuration().overridden({setting: text}) == Configuration()


@pytest.mark.parametrize(
    ("setting", "preferred", "keeps"),
    [
        ("commit", "rollback", True),
        ("commit-allow-override", "rollback", False),
        ("commit-allow-override", None, True),
        ("rollback", "commit", False),
        ("rollback-allow-override", "commit", True),
        ("rollback-allow-override", None, False),
    ],
)
def test_a_client_ends_a_transaction_only_where_it_may(setting, preferred, keeps):
    """`Prefer: tx=` is heard if the setting allows it."""
    assert Configuration(transaction_end=setting).keeps(preferred) == keeps
