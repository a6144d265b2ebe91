"""What the secret key may do with users."""

import pytest

from .conftest import PASSWORD, SEEDED, unused_email


@pytest.fixture
def admin(ask, auth_stack):
    """Sends a request with the secret key."""

    async def send(method, path="", json=None, **more):
        key = {"apikey": auth_stack.secret_key}
        return await ask(method, f"admin/users{path}", json, headers=key, **more)

    return send


@pytest.fixture
async def user(admin):
    """A confirmed user."""
    body = {"email": unused_email(), "password": PASSWORD, "email_confirm": True}
    return (await admin("POST", json=body)).body


async def test_a_user_is_made_as_the_body_says(admin, sign_in):
    """Unconfirmed until told otherwise, with one's own metadata and an identity."""
    email = unused_email()
    body = {"email": email, "password": PASSWORD, "user_metadata": {"a": 1}, "app_metadata": {"roles": ["x"]}}
    answer = await admin("POST", json=body)
    user = answer.body
    assert (answer.status, user["email"], user["role"]) == (200, email, "authenticated")
    assert user["user_metadata"] == {"a": 1}
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"], "roles": ["x"]}
    assert "email_confirmed_at" not in user
    assert (await sign_in(email)).body["code"] == "email_not_confirmed"
    confirmed = await admin("PUT", f"/{user['id']}", {"email_confirm": True})
    assert confirmed.body["user_metadata"] == {"a": 1, "email_verified": True}
    assert (await sign_in(email)).status == 200


async def test_id_role_phone_and_hash_may_be_chosen(admin, sign_in):
    """As when users are moved from elsewhere."""
    wanted = "a0000000-0000-4000-8000-000000000001"
    email = unused_email()
    crypted = "$2a$06$MH80WCg1Pdb06hQxO59zB.uEVESQ3Kyy6xKzKYAF/60GGF/0hpJZ6"
    body = {"id": wanted, "email": email, "phone": "+1 555 0100", "role": "editor", "password_hash": crypted}
    made = (await admin("POST", json=body | {"email_confirm": True, "phone_confirm": True})).body
    assert (made["id"], made["phone"], made["role"]) == (wanted, "15550100", "editor")
    assert made["app_metadata"] == {"provider": "email", "providers": ["email", "phone"]}
    assert made["phone_confirmed_at"]
    assert (await sign_in(email)).body["user"]["id"] == wanted
    await admin("DELETE", f"/{wanted}")


async def test_users_are_listed_by_pages(admin, user):
    """Newest first, counted and linked in the headers that clients read."""
    first = await admin("GET", "?page=1&per_page=1")
    assert [found["id"] for found in first.body["users"]] == [user["id"]]
    assert first.body["aud"] == "authenticated"
    total = int(first.headers["X-Total-Count"])
    next_page, last_page = first.headers["Link"].split(", ")
    assert next_page == '</admin/users?page=2&per_page=1>; rel="next"'
    assert last_page == f'</admin/users?page={total}&per_page=1>; rel="last"'
    assert len((await admin("GET", f"?per_page={total + 1}")).body["users"]) == total
    assert (await admin("GET", "?page=1000")).body["users"] == []
    assert [found["email"] for found in (await admin("GET", "?filter=seeded")).body["users"]] == [SEEDED]
    assert (await admin("GET", "?per_page=0")).status == 400


async def test_a_user_is_found_by_id(admin, user):
    """With identities."""
    found = await admin("GET", f"/{user['id']}")
    assert (found.status, found.body["identities"][0]["user_id"]) == (200, user["id"])


async def test_a_user_is_changed_as_the_body_says(admin, user, sign_in):
    """Address, password, role and both kinds of metadata at once."""
    email = unused_email()
    body = {
        "email": email,
        "password": "another one",
        "role": "editor",
        "user_metadata": {"a": 1},
        "app_metadata": {"b": 2},
    }
    changed = (await admin("PUT", f"/{user['id']}", body)).body
    assert (changed["email"], changed["role"]) == (email, "editor")
    assert changed["user_metadata"]["a"] == 1
    assert changed["app_metadata"]["b"] == 2
    assert changed["identities"][0]["email"] == email
    assert (await sign_in(email, "another one")).status == 200


async def test_a_ban_keeps_a_user_out(admin, user, sign_in):
    """For as long as it says, or until it is lifted."""
    banned = await admin("PUT", f"/{user['id']}", {"ban_duration": "1h30m"})
    assert banned.body["banned_until"]
    assert (await sign_in(user["email"])).body["code"] == "user_banned"
    await admin("PUT", f"/{user['id']}", {"ban_duration": "none"})
    assert (await sign_in(user["email"])).status == 200


async def test_a_deleted_user_takes_along_what_references_them(admin, user, sign_in, ask, postgres):
    """Sessions, identities, and the project's own rows `on delete cascade`."""
    session = (await sign_in(user["email"])).body
    removed = await admin("DELETE", f"/{user['id']}")
    assert (removed.status, removed.body) == (200, {})
    assert (await ask("GET", "user", token=session["access_token"])).body["code"] == "user_not_found"
    for table, column in [("profiles", "id"), ("auth.sessions", "user_id"), ("auth.identities", "user_id")]:
        found = await postgres.execute(f"select count(*) from {table} where {column} = %s", [user["id"]])
        assert await found.fetchone() == (0,)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "", {}, 400, "validation_failed"),
        ("POST", "", {"email": SEEDED}, 422, "email_exists"),
        ("POST", "", {"email": "a@b.c", "password": "x", "password_hash": "y"}, 400, "validation_failed"),
        ("POST", "", {"email": "a@b.c", "password_hash": "y"}, 500, "unexpected_failure"),
        ("POST", "", {"email": "a@b.c", "ban_duration": "for ever"}, 400, "validation_failed"),
        ("POST", "", {"email": "a@b.c", "id": "1"}, 400, "validation_failed"),
        ("POST", "", {"phone": "abc"}, 400, "validation_failed"),
        ("POST", "", {"email": "a@b.c", "user_metadata": {"name": "nobody"}}, 500, "unexpected_failure"),
        ("GET", "/1", None, 404, "validation_failed"),
        ("GET", "/00000000-0000-4000-8000-000000000000", None, 404, "user_not_found"),
        ("DELETE", "/00000000-0000-4000-8000-000000000000", None, 404, "user_not_found"),
        ("POST", "/00000000-0000-4000-8000-000000000000/factors", None, 422, "not_supported"),
    ],
)
async def test_a_request_may_be_refused(admin, method, path, body, status, code):
    """Status and code of the real server."""
    answer = await admin(method, path, body)
    assert (answer.status, answer.body["code"]) == (status, code)


async def test_a_soft_deletion_is_not_supported(admin, user):
    """And said so, not done otherwise."""
    answer = await admin("DELETE", f"/{user['id']}", {"should_soft_delete": True})
    assert (answer.status, answer.body["code"]) == (422, "not_supported")
    assert "should_soft_delete" in answer.body["message"]


async def test_only_the_secret_key_is_let_in(ask, anonymous, auth_stack):
    """In either form; neither the publishable key nor a user."""
    refused = {"code": "not_admin", "message": "User not allowed"}
    for token in (auth_stack.anon_key, (await anonymous())["access_token"]):
        answer = await ask("GET", "admin/users", token=token)
        assert (answer.status, answer.body) == (403, refused)
    assert (await ask("GET", "admin/users", token=auth_stack.service_role_key)).status == 200
