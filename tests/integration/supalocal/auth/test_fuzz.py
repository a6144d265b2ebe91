"""Generated requests: whatever is sent, Auth answers, and leaves nothing open."""

import asyncio
import json
import random

import psycopg
import pytest

ENDPOINTS = [
    ("POST", "signup"),
    ("POST", "token?grant_type=password"),
    ("POST", "token?grant_type=refresh_token"),
    ("PUT", "user"),
    ("GET", "user"),
    ("POST", "logout?scope=local"),
    ("POST", "admin/users"),
    ("PUT", "admin/users/{user}"),
    ("DELETE", "admin/users/{user}"),
    ("POST", "admin/generate_link"),
    ("POST", "verify"),
    ("POST", "recover"),
    ("POST", "invite"),
    ("GET", "verify?type={text}&token={text}&redirect_to={text}"),
    ("GET", "admin/users?page={text}&per_page={text}&filter={text}"),
]
MEMBERS = [
    "email",
    "phone",
    "password",
    "data",
    "app_metadata",
    "user_metadata",
    "refresh_token",
    "type",
    "new_email",
    "token",
    "token_hash",
    "redirect_to",
    "id",
    "aud",
    "role",
    "password_hash",
    "email_confirm",
    "phone_confirm",
    "ban_duration",
    "should_soft_delete",
]
TEXTS = [
    "",
    "a",
    "GUEST@B.C",
    "x" * 200,
    "\0",
    "a\0@b.c",
    "\ud800",
    "é@é.é",
    "' or 1=1 --",
    "%s",
    "{}",
    "aaaaaaaaaaaa",
    "1h",
]
TEXTS += [
    "signup",
    "magiclink",
    "email_change_new",
    "none",
    "99999999999h",
    "9" * 5000,
    "00000000-0000-0000-0000-000000000000",
    "\n",
    "infinity",
    "-1",
    "0",
    "2",
]
VALUES = [*TEXTS, None, True, 0, 1.5, 10**30, [], ["a"], {}, {"a": None}, {"a": "\0"}, {"a": {"b": [1]}}]


class Guests:
    """Draws requests; users and tokens that answers bring are used again."""

    def __init__(self, stack, seed):
        self._stack, self._random = stack, random.Random(seed)  # noqa: S311  no secret
        self._users, self._tokens = ["1"], ["a.b.c"]

    def request(self):
        """Method, path, body and headers."""
        draw = self._random
        method, path = draw.choice(ENDPOINTS)
        path = path.format(user=draw.choice(self._users), text=draw.choice(TEXTS[1:4] + TEXTS[-8:]))
        body = {member: draw.choice(VALUES) for member in draw.sample(MEMBERS, draw.randint(0, 5))}
        if method == "POST" and draw.random() < 0.5:
            body |= {"email": f"guest{draw.randint(0, 999)}@example.com", "password": "secret1"}
        text = json.dumps(body)
        text = text if draw.random() < 0.95 else text[: draw.randint(0, len(text))]
        key = self._stack.secret_key if path.startswith("admin") else self._stack.publishable_key
        token = draw.choice(self._tokens) if draw.random() < 0.5 and not path.startswith("admin") else None
        return method, path, text, {"apikey": key}, token

    def learn(self, body):
        if isinstance(body, dict):
            self._tokens += [body["access_token"]] if "access_token" in body else []
            self._users += [body["id"]] if "id" in body else []


@pytest.mark.parametrize("seed", range(3))
async def test_no_request_fails_or_leaves_a_transaction_open(auth_stack, ask, seed):
    """No 500, eight at a time."""
    guests, failed = Guests(auth_stack, seed), []

    async def visit():
        method, path, text, headers, token = guests.request()
        answer = await ask(method, path, data=text, headers=headers, token=token, allow_redirects=False)
        guests.learn(answer.body)
        if answer.status >= 500:
            failed.append((method, path, text, answer))

    for _ in range(20):
        await asyncio.gather(*(visit() for _ in range(8)))
    assert failed == []
    with psycopg.connect(auth_stack.admin_db_url) as connection:
        states = connection.execute(
            "select state from pg_stat_activity where usename = 'supabase_auth_admin'"
        ).fetchall()
    assert set(states) <= {("idle",)}
