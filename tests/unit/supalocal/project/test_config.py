"""config.toml is read as the Supabase CLI reads it."""

import pytest

from supalocal.errors import ProjectError
from supalocal.project.config import Config, read_config


def test_settings_come_from_config_toml(tmp_path):
    """What is set there wins over the CLI's defaults; keys that mean nothing here are passed over."""
    config = tmp_path / "config.toml"
    config.write_text(
        "project_id = 'x'\n"
        "[api]\nport = 1\nschemas = ['public', 'api']\nextra_search_path = ['extensions']\nmax_rows = 5\n"
        "auto_expose_new_tables = false\n"
        "[db]\nport = 2\n[db.seed]\nenabled = false\nsql_paths = ['a.sql']\n[db.migrations]\nenabled = false\n"
        "[auth]\nsite_url = 'http://a.b'\nadditional_redirect_urls = ['c://d']\nenable_manual_linking = true\n"
        "enable_signup = false\nenable_anonymous_sign_ins = true\njwt_expiry = 60\n"
        "minimum_password_length = 8\nenable_refresh_token_rotation = false\nrefresh_token_reuse_interval = 0\n"
        "[auth.email]\nenabled = false\nenable_confirmations = true\n"
        "[auth.hook.custom_access_token]\nenabled = true\nuri = 'pg-functions://postgres/public/hook'\n"
        "[auth.web3.ethereum]\nenabled = true\n[studio]\nport = 3\n"
    )
    assert read_config(config) == Config(
        port=1,
        db_port=2,
        schemas=("public", "api"),
        extra_search_path=("extensions",),
        max_rows=5,
        auto_expose_new_tables=False,
        migrations_enabled=False,
        seed_enabled=False,
        seed_paths=("a.sql",),
        site_url="http://a.b",
        additional_redirect_urls=("c://d",),
        enable_signup=False,
        enable_anonymous_sign_ins=True,
        enable_manual_linking=True,
        enable_web3=True,
        jwt_expiry=60,
        minimum_password_length=8,
        enable_email_signup=False,
        enable_confirmations=True,
        enable_refresh_token_rotation=False,
        refresh_token_reuse_interval=0,
        custom_access_token_hook="pg-functions://postgres/public/hook",
    )


def test_an_older_name_of_a_setting_is_read(tmp_path):
    """Before CLI 3 `auth.email.enabled` was `enable_signup`."""
    config = tmp_path / "config.toml"
    config.write_text("[auth.email]\nenable_signup = false\n")
    assert read_config(config) == Config(enable_email_signup=False)


def test_a_value_may_stand_in_the_environment(tmp_path, monkeypatch):
    """`env(NAME)` is replaced by the variable, and by the default where it is not set."""
    config = tmp_path / "config.toml"
    config.write_text("[api]\nschemas = ['public']\nport = 'env(SUPALOCAL_UNSET)'\n[db.seed]\nsql_paths = 'env(SEEDS)'")
    monkeypatch.delenv("SUPALOCAL_UNSET", raising=False)
    monkeypatch.delenv("SEEDS", raising=False)
    assert read_config(config) == Config(schemas=("public",))


def test_the_environment_is_read_as_what_is_wanted(tmp_path, monkeypatch):
    """A number, a truth value or a list of names, as the CLI reads it."""
    config = tmp_path / "config.toml"
    config.write_text(
        "[api]\nport = 'env(PORT)'\nschemas = 'env(SCHEMAS)'\n[auth]\nenable_anonymous_sign_ins = 'env(ANYBODY)'"
    )
    monkeypatch.setenv("PORT", "1234")
    monkeypatch.setenv("SCHEMAS", "public,api")
    monkeypatch.setenv("ANYBODY", "true")
    assert read_config(config) == Config(port=1234, schemas=("public", "api"), enable_anonymous_sign_ins=True)
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(ProjectError, match=r"api.port must be a number, not 'many'"):
        read_config(config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[api\n", "no valid TOML"),
        ("[api]\nmax_rows = 'many'", "api.max_rows must be a number, not 'many'"),
        ("[api]\nmax_rows = true", "api.max_rows must be a number, not True"),
        ("[api]\nmax_rows = -1", "api.max_rows must be from 0 to"),
        ("[api]\nport = 65536", "api.port must be from 0 to 65535, not 65536"),
        ("[auth]\njwt_expiry = 0", "auth.jwt_expiry must be from 1 to"),
        ("[auth]\nenable_anonymous_sign_ins = 1", "auth.enable_anonymous_sign_ins must be true or false, not 1"),
        ("[api]\nschemas = []", "api.schemas must be a list of strings, at least 1"),
        ("[db]\nseed = true", "db.seed must be a table, not True"),
        ("api = 1", "api must be a table, not 1"),
        ("[api]\nschemas = 'public'", "api.schemas must be a list of strings"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, text, words):
    """A setting of the wrong type is refused with its file and key."""
    config = tmp_path / "config.toml"
    config.write_text(text)
    with pytest.raises(ProjectError, match=words):
        read_config(config)
