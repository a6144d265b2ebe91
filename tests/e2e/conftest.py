"""The Supabase that the unmodified clients meet."""

from pathlib import Path

import pytest
from support import servers

import supalocal

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(scope="session")
def clients_stack(shared_server):
    """One Supabase with the project beside this file; a test keeps to rows and topics of its own."""
    if shared_server:
        shared_server.create("clients")
    db_url = shared_server and shared_server.url(servers.SUPERUSER, "clients")
    with supalocal.Stack(project=PROJECT, db_url=db_url).running() as running:
        yield running


@pytest.fixture(scope="session", params=["opaque", "jwt"])
def keys(request, clients_stack):
    """The public and the secret key, in either of their forms."""
    stack = clients_stack
    forms = {"opaque": (stack.publishable_key, stack.secret_key), "jwt": (stack.anon_key, stack.service_role_key)}
    return forms[request.param]
