"""The function of a project that has the last word on what a token claims."""

import jwt
import pytest

URI = "pg-functions://postgres/public/token_hook"


@pytest.fixture
async def hooked(configured, ask, postgres):
    """Signs in anonymously where the hook is the given body."""
    server = await configured(enable_anonymous_sign_ins=True, custom_access_token_hook=URI)

    async def sign_in(body):
        await postgres.execute(
            f"create function token_hook(event jsonb) returns jsonb language plpgsql as $$ {body} $$"
        )
        return await ask("POST", "signup", {}, stack=server), server

    yield sign_in
    await postgres.execute("drop function token_hook")


async def test_a_hook_adds_a_claim(hooked, ask):
    """By `jsonb_set`, as in the guide to roles; it learns how the user signed in, and is asked at each refresh."""
    answer, server = await hooked(
        "begin return jsonb_set(event, '{claims,told}', event - 'claims'); end"  # the event without the claims
    )
    again = await ask(
        "POST", "token?grant_type=refresh_token", {"refresh_token": answer.body["refresh_token"]}, stack=server
    )
    for session, method in ((answer.body, "anonymous"), (again.body, "token_refresh")):
        claims = jwt.decode(session["access_token"], options={"verify_signature": False})
        assert claims["told"] == {"user_id": claims["sub"], "authentication_method": method}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            """begin return '{"error": {"http_code": 403, "message": "Not today"}}'; end""",
            403,
            "Not today",
        ),
        ("""begin return '{"error": {"message": "Broken"}}'; end""", 500, "Broken"),
        ("begin raise 'no'; end", 500, f"Error running hook URI: {URI}"),
        ("begin perform pg_sleep(60); return event; end", 500, f"Error running hook URI: {URI}"),
        (
            "begin return event #- '{claims,sub}'; end",
            500,
            "output claims do not conform to the expected schema: \n- (root): sub is required\n",
        ),
    ],
)
async def test_a_hook_may_refuse_or_fail(hooked, body, status, message):
    """Then nobody signs in."""
    answer, _ = await hooked(body)
    assert (answer.status, answer.body["message"]) == (status, message)


async def test_a_hook_elsewhere_is_not_supported(configured, ask):
    """Only functions of the database are called."""
    server = await configured(enable_anonymous_sign_ins=True, custom_access_token_hook="https://example.com/hook")
    answer = await ask("POST", "signup", {}, stack=server)
    message = "The custom access token hook https://example.com/hook is not supported by supalocal."
    assert (answer.status, answer.body) == (422, {"code": "not_supported", "message": message})
