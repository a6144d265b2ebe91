"""What is told of a running stack. The names of addresses and keys are those of the Supabase CLI's `status -o json`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supalocal.stack import Stack

_LABEL_WIDTH = 18


def of_stack(stack: Stack) -> dict[str, Any]:
    """Addresses and keys."""
    return {
        "API_URL": stack.url,
        "DB_URL": stack.db_url,
        "ADMIN_DB_URL": stack.admin_db_url,
        "PUBLISHABLE_KEY": stack.publishable_key,
        "SECRET_KEY": stack.secret_key,
        "ANON_KEY": stack.anon_key,
        "SERVICE_ROLE_KEY": stack.service_role_key,
        "JWT_SECRET": stack.keys.jwt_secret,
        "PID": os.getpid(),
    }


def as_json(facts: Mapping[str, Any]) -> str:
    """One line."""
    return json.dumps(facts) + "\n"


def as_lines(facts: Mapping[str, Any]) -> str:
    """A line for each, for people."""
    return "".join(f"  {name.replace('_', ' '):{_LABEL_WIDTH}}{value}\n" for name, value in facts.items())
