"""What is the same for every endpoint: the forms of errors, headers, what anybody may ask."""

import pytest


@pytest.mark.parametrize("version", ["2024-01-01", "2025-06-30"])
async def test_an_error_has_a_word_for_a_code_since_2024(ask, version):
    """And the answer says in which version it speaks."""
    answer = await ask("GET", "user", token="x.y.z", version=version)
    assert answer.body.keys() == {"code", "message"}
    assert answer.headers["X-Supabase-Api-Version"] == "2024-01-01"
    assert answer.headers["x-sb-error-code"] == answer.body["code"] == "bad_jwt"


@pytest.mark.parametrize("version", [None, "2023-12-31", "tomorrow", "2024-13-01"])
async def test_an_error_has_a_number_for_a_code_before(ask, version):
    """And for a version that is none."""
    answer = await ask("GET", "user", token="x.y.z", version=version)
    assert (answer.body["code"], answer.body["error_code"]) == (403, "bad_jwt")
    assert "X-Supabase-Api-Version" not in answer.headers
    assert answer.headers["x-sb-error-code"] == "bad_jwt"


async def test_a_failure_has_an_id_in_the_old_form(ask, postgres):
    """What the log would be searched for."""
    await postgres.execute("create function refuse() returns trigger language plpgsql as 'begin return old.no; end'")
    await postgres.execute("create trigger refusing before insert on auth.users for each row execute function refuse()")
    try:
        answer = await ask("POST", "signup", {}, version=None)
    finally:
        await postgres.execute("drop trigger refusing on auth.users")
        await postgres.execute("drop function refuse")
    assert (answer.status, answer.body["error_code"]) == (500, "unexpected_failure")
    assert len(answer.body["error_id"]) == 36


async def test_settings_tell_the_truth(ask):
    """What the project allows, and nothing that there is not."""
    told = (await ask("GET", "settings")).body
    allowed = [name for name, can in told["external"].items() if can]
    assert (sorted(allowed), len(told["external"])) == (["anonymous_users", "email"], 26)
    assert (told["disable_signup"], told["mailer_autoconfirm"]) == (False, True)


async def test_there_are_no_public_keys(ask):
    """Tokens are signed with the shared secret."""
    answer = await ask("GET", ".well-known/jwks.json")
    assert (answer.status, answer.body) == (200, {"keys": []})
    assert answer.headers["Cache-Control"] == "public, max-age=600"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "otp"),
        ("POST", "magiclink"),
        ("POST", "resend"),
        ("GET", "authorize"),
        ("POST", "factors"),
        ("GET", "signup"),
        ("DELETE", "user"),
        ("POST", "user/identities"),
    ],
)
async def test_what_is_missing_is_named(ask, method, path):
    """422 with method and path."""
    answer = await ask(method, path)
    message = f"{method} /auth/v1/{path} is not supported by supalocal."
    assert (answer.status, answer.body) == (422, {"code": "not_supported", "message": message})


async def test_a_browser_may_read_what_clients_need(ask):
    """The version that an error speaks, and how many users there are."""
    answer = await ask("GET", "user", token="x", headers={"Origin": "http://localhost:5173"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Supabase-Api-Version" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("body", [b"[]", b"{", b"nonsense", b'{"data": NaN}', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(ask, body):
    """Whatever it is, and never with a 500."""
    answer = await ask("POST", "signup", data=body)
    assert (answer.status, answer.body["code"]) == (400, "bad_json")
