"""Hashes as Supabase Auth and pgcrypto's crypt(..., gen_salt('bf')) write them, made and compared in a thread."""

from __future__ import annotations

import asyncio
import re

import bcrypt

from supalocal.auth.rules import LONGEST_PASSWORD

_ROUNDS = 10  # as Supabase Auth
_HASH = re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}", re.ASCII)


async def hashed(password: str) -> str:
    """The bcrypt hash of a password of at most LONGEST_PASSWORD bytes."""
    salt = bcrypt.gensalt(_ROUNDS, prefix=b"2a")
    return (await asyncio.to_thread(bcrypt.hashpw, password.encode(), salt)).decode()


async def matches(password: str, stored: str) -> bool:
    """Whether the password is the one of the stored hash; no password matches what is no bcrypt hash."""
    return await asyncio.to_thread(_matches, password.encode()[:LONGEST_PASSWORD], stored.encode())


def is_hash(stored: str) -> bool:
    """Whether a text can be the hash of a password."""
    return _HASH.fullmatch(stored) is not None


def _matches(password: bytes, stored: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, stored)
    except ValueError:
        return False
