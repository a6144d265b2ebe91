"""What becomes of a refresh token that a client brings."""

import pytest

from supalocal.auth.rotation import ActiveToken, Move, RefreshToken, decide

ACTIVE = ActiveToken("c", parent="b")


@pytest.mark.parametrize(
    ("brought", "active", "move"),
    [
        (RefreshToken("c", revoked=False, age=1e9), ACTIVE, Move.ROTATE),
        (RefreshToken("b", revoked=True, age=1e9), ACTIVE, Move.REPEAT),
        (RefreshToken("a", revoked=True, age=9.9), ACTIVE, Move.ROTATE),
        (RefreshToken("a", revoked=True, age=10.1), ACTIVE, Move.REFUSE),
        (RefreshToken("b", revoked=True, age=10.1), None, Move.REFUSE),
    ],
)
def test_a_token_is_used_once_but_for_a_lost_answer(brought, active, move):
    """The active one rotates, its parent gets it again, an older one is good for the interval only."""
    assert decide(brought, active, reuse_interval=10) is move
