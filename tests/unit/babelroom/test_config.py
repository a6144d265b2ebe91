import re

import pytest

from babelroom.config import VARIABLES, Settings
from babelroom.errors import ConfigurationError, MissingCredentials

URL = "http://127.0.0.1:54321"
KEY = "sb_publishable_for-tests"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    """No variable of ours is set, and the folder has no env file."""
    for name in (name for names in VARIABLES.values() for name in names):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_env_example_lists_exactly_what_settings_read(root):
    """A variable is documented if and only if it is read."""
    listed = re.findall(r"^#? ?([A-Z][A-Z_]+)=", (root / ".env.example").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(name for names in VARIABLES.values() for name in names)


def test_the_environment_beats_env_local_which_beats_env(monkeypatch, tmp_path):
    """Each source fills in only what the ones before it left open."""
    (tmp_path / ".env").write_text(
        f"SUPABASE_URL=http://env\nSUPABASE_KEY={KEY}-env\nOPENAI_BASE_URL=http://env\nBABELROOM_DEADLINE=7\n"
    )
    (tmp_path / ".env.local").write_text(f"SUPABASE_URL=http://local\nSUPABASE_KEY={KEY}-local\n")
    monkeypatch.setenv("SUPABASE_URL", URL)
    settings = Settings.load()
    assert settings.supabase_url == URL
    assert settings.supabase_key.get_secret_value() == f"{KEY}-local"
    assert settings.openai_base_url == "http://env"
    assert settings.deadline == 7


def test_the_front_ends_variables_work(monkeypatch):
    """An existing front end's .env with the VITE_ names needs no change."""
    monkeypatch.setenv("VITE_SUPABASE_URL", URL)
    monkeypatch.setenv("VITE_SUPABASE_ANON_KEY", "a.b.c")
    settings = Settings.load()
    assert (settings.supabase_url, settings.supabase_key.get_secret_value()) == (URL, "a.b.c")


def test_the_publishable_key_beats_the_older_names(monkeypatch):
    """The first name in the list wins."""
    monkeypatch.setenv("SUPABASE_URL", URL)
    monkeypatch.setenv("SUPABASE_ANON_KEY", "a.b.c")
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", f"  {KEY}\n")
    assert Settings.load().supabase_key.get_secret_value() == KEY


def test_arguments_beat_the_environment_as_a_pair(monkeypatch):
    """Neither half of the environment's pair is mixed in."""
    monkeypatch.setenv("SUPABASE_URL", "http://elsewhere")
    monkeypatch.setenv("SUPABASE_KEY", "a.b.c")
    settings = Settings.load(url=f"{URL}/", key=KEY)
    assert (settings.supabase_url, settings.supabase_key.get_secret_value()) == (URL, KEY)
    with pytest.raises(ConfigurationError, match="together"):
        Settings.load(url=URL)


def test_missing_credentials_warn_and_dummy_values_stand_in():
    """A missing key does not crash at start; it says what to set."""
    with pytest.warns(UserWarning, match="SUPABASE_URL is not set"):
        settings = Settings.load()
    assert not settings.has_credentials


@pytest.mark.parametrize("url", ["localhost:54321", "ftp://host", "http://host/rest/v1", "http://", "postgresql://x"])
def test_a_malformed_url_says_what_it_should_be(url):
    """The address of the project, without a path."""
    with pytest.raises(ConfigurationError, match="without a path"):
        Settings.load(url=url, key=KEY)


@pytest.mark.parametrize("key", ["secret", "a.b", "sb_publishable_", "two words.b.c"])
def test_a_malformed_key_says_what_it_should_be_and_does_not_show_it(key):
    """Half a key is caught before the server sees it; no key is ever printed."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(url=URL, key=key)
    assert key not in str(caught.value).replace("sb_publishable_...", "")


def test_keys_are_not_in_the_repr():
    """Settings may be logged."""
    assert KEY not in repr(Settings.load(url=URL, key=KEY))


def test_a_malformed_number_names_the_setting(monkeypatch):
    """BABELROOM_DEADLINE=soon is a clear error."""
    monkeypatch.setenv("BABELROOM_DEADLINE", "soon")
    with pytest.raises(ConfigurationError, match="deadline"):
        Settings.load(url=URL, key=KEY)


def test_a_worker_acts_by_the_secret_key(monkeypatch):
    """No public key need be set; either name will do."""
    monkeypatch.setenv("SUPABASE_URL", URL)
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "a.b.c")
    settings = Settings.load_secret()
    assert (settings.supabase_url, settings.supabase_key.get_secret_value()) == (URL, "a.b.c")


def test_settings_change_to_the_secret_key():
    """A client with it is another client; the first settings stay as they are."""
    settings = Settings.load(url=URL, key=KEY, supabase_secret_key="sb_secret_x")
    assert settings.with_secret_key().supabase_key.get_secret_value() == "sb_secret_x"
    assert settings.supabase_key.get_secret_value() == KEY


def test_no_secret_key_is_one_sentence(monkeypatch):
    """Which says what to set, and whence it comes."""
    monkeypatch.setenv("SUPABASE_URL", URL)
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", KEY)
    with pytest.raises(ConfigurationError, match="set SUPABASE_SECRET_KEY"):
        Settings.load_secret()
    with pytest.raises(ConfigurationError, match="set SUPABASE_SECRET_KEY"):
        Settings.load().with_secret_key()


def test_a_worker_without_a_url_is_one_sentence(monkeypatch):
    """It starts no local Supabase."""
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret_x")
    with pytest.raises(MissingCredentials, match="SUPABASE_URL is not set"):
        Settings.load_secret()


def test_a_malformed_secret_key_is_not_shown():
    """Nor sent anywhere."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(url=URL, key=KEY, supabase_secret_key="half a key")
    assert "half a key" not in str(caught.value)
