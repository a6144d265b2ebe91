"""Hashes."""

import pytest

from supalocal.auth import passwords

BY_PGCRYPTO = "$2a$06$MH80WCg1Pdb06hQxO59zB.uEVESQ3Kyy6xKzKYAF/60GGF/0hpJZ6"


async def test_a_password_matches_its_hash():
    """And no other one does."""
    stored = await passwords.hashed("correct horse")
    assert stored.startswith("$2a$10$")
    assert await passwords.matches("correct horse", stored)
    assert not await passwords.matches("correct hors", stored)


async def test_pgcryptos_hashes_are_read():
    """As `crypt('correct horse', gen_salt('bf'))` of a seed file gave it."""
    assert await passwords.matches("correct horse", BY_PGCRYPTO)
    assert passwords.is_hash(BY_PGCRYPTO)


@pytest.mark.parametrize("stored", ["", "x", "$2a$10$short", "$argon2id$v=19$m=65536$x$y"])
async def test_nothing_matches_what_is_no_hash(stored):
    """An anonymous user has ''."""
    assert not await passwords.matches("", stored)
    assert not passwords.is_hash(stored)
