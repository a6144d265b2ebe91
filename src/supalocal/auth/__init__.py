"""Supabase Auth's part of the local stack.

`api` names every endpoint once: `signup` makes users, `signin` checks passwords, `rotation` takes refresh tokens,
`account` is what users do with themselves and `admin` what the secret key does with them. Below these, `caller` finds
out who asks, `sessions` opens and ends sessions, `users` reads and writes rows, `claims` signs and checks tokens.
"""

from supalocal.auth.api import AuthApi

__all__ = ["AuthApi"]
