"""A stack with a project as tutorials write it: profiles by trigger, notes of one's own, seeded users."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx
import psycopg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from psycopg.conninfo import make_conninfo
from support import servers

import supalocal
from supabase import AsyncClient, AsyncClientOptions, acreate_client
from supalocal.auth import AuthApi
from supalocal.keys import JWT_SECRET
from supalocal.project import Config

PASSWORD = "correct horse"  # noqa: S105  a test's own
SEEDED = "seeded@example.com"
MIGRATION = """
create extension if not exists pgcrypto with schema extensions;

create table profiles (id uuid primary key references auth.users on delete cascade, name text);
create function handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.raw_user_meta_data ->> 'name' = 'nobody' then
    raise exception 'nobody is no name' using hint = 'Choose another one.';
  end if;
  insert into public.profiles values (new.id, new.raw_user_meta_data ->> 'name');
  return new;
end
$$;
drop trigger if exists on_auth_user_created on auth.users;
create trigger on_auth_user_created after insert on auth.users for each row execute function handle_new_user();

create table notes (id int primary key, owner uuid default auth.uid() references auth.users on delete cascade);
alter table notes enable row level security;
create policy "everybody's own" on notes for all to authenticated using (owner = auth.uid());
alter publication supabase_realtime add table notes;
"""
SEED = f"""
insert into auth.users (
  instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
  created_at, updated_at, confirmation_token, email_change, email_change_token_new, recovery_token
) values (
  '00000000-0000-0000-0000-000000000000', '5eed0000-0000-4000-8000-000000000001', 'authenticated', 'authenticated',
  '{SEEDED}', crypt('{PASSWORD}', gen_salt('bf')), now(), '{{"provider": "email", "providers": ["email"]}}', '{{}}',
  now(), now(), '', '', '', ''
);
insert into auth.identities (
  id, user_id, provider_id, identity_data, provider, last_sign_in_at, created_at, updated_at
) values (
  gen_random_uuid(), '5eed0000-0000-4000-8000-000000000001', '5eed0000-0000-4000-8000-000000000001',
  '{{"sub": "5eed0000-0000-4000-8000-000000000001", "email": "{SEEDED}"}}', 'email', now(), now(), now()
);
"""
_numbers = count()


def unused_email():
    return f"user{next(_numbers)}@example.com"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A `supabase/` folder."""
    folder = tmp_path_factory.mktemp("auth") / "supabase"
    (folder / "migrations").mkdir(parents=True)
    (folder / "migrations/20240101000000_tutorial.sql").write_text(MIGRATION)
    (folder / "seed.sql").write_text(SEED)
    (folder / "config.toml").write_text("[auth]\nenable_anonymous_sign_ins = true\n")
    return folder


@pytest.fixture(scope="session")
async def auth_stack(project, shared_server):
    """One stack for the run, with anonymous sign-in."""
    if shared_server:
        shared_server.copy("template0", "auth")
    db_url = shared_server and shared_server.url(servers.SUPERUSER, "auth")
    async with supalocal.Stack(project, db_url=db_url) as running:
        yield running


@pytest.fixture
async def configured(auth_stack):
    """Serves Auth once more on the same database, with other settings; its URL and key come back."""
    opened = AsyncExitStack()

    async def serve(**settings):
        dsn = make_conninfo(auth_stack.db_url, user="supabase_auth_admin")
        api = AuthApi(dsn, Config(**settings), jwt_secret=JWT_SECRET, issuer="http://127.0.0.1/auth/v1")
        await api.start()
        opened.push_async_callback(api.close)
        application = web.Application()
        application.router.add_route("*", "/auth/v1/{path:.*}", api.handle)
        server = await opened.enter_async_context(TestServer(application))
        return SimpleNamespace(url=str(server.make_url("/")).rstrip("/"), publishable_key=auth_stack.anon_key)

    async with opened:
        yield serve


@pytest.fixture
async def postgres(auth_stack):
    """The database as migrations see it."""
    async with await psycopg.AsyncConnection.connect(auth_stack.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def ask(auth_stack, http):
    """Sends a request to Auth; `token` is the bearer's, `version` the API version of the error's form."""

    async def send(method, path, json=None, *, token=None, version="2024-01-01", stack=auth_stack, **more):
        headers = {"apikey": stack.publishable_key, **more.pop("headers", {})}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"X-Supabase-Api-Version": version} if version else {}
        if json is not None:
            more["json"] = json
        async with http.request(method, f"{stack.url}/auth/v1/{path}", headers=headers, **more) as answer:
            body = await answer.json() if answer.content_type == "application/json" else await answer.read()
            return Answer(answer.status, body, answer.headers)

    return send


@pytest.fixture
def sign_up(ask):
    """The session of a new user with an address."""

    async def register(email=None, **more):
        answer = await ask("POST", "signup", {"email": email or unused_email(), "password": PASSWORD, **more})
        assert answer.status == 200, answer.body
        return answer.body

    return register


@pytest.fixture
def anonymous(ask):
    """The session of a new user without one."""

    async def enter(**data):
        answer = await ask("POST", "signup", {"data": data})
        assert answer.status == 200, answer.body
        return answer.body

    return enter


@pytest.fixture
def sign_in(ask):
    """The answer to an address and a password."""

    async def enter(email, password=PASSWORD):
        return await ask("POST", "token?grant_type=password", {"email": email, "password": password})

    return enter


@pytest.fixture
def refresh(ask):
    """The answer to a refresh token."""

    async def exchange(token):
        return await ask("POST", "token?grant_type=refresh_token", {"refresh_token": token})

    return exchange


@pytest.fixture
async def client(auth_stack):
    """Unmodified supabase-py, with the publishable key unless told otherwise."""
    opened = []

    async def connect(key=auth_stack.publishable_key, url=auth_stack.url) -> AsyncClient:
        transport = httpx.AsyncClient()
        made = await acreate_client(url, key, AsyncClientOptions(httpx_client=transport))
        opened.append((made, transport))
        return made

    yield connect
    for made, transport in opened:
        if made.auth._refresh_token_timer:
            made.auth._refresh_token_timer.cancel()
        await made.remove_all_channels()
        await made.realtime.close()
        await transport.aclose()
