"""The endpoints below `/auth/v1`, each named once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import psycopg
from aiohttp import web
from psycopg_pool import AsyncConnectionPool

from supalocal.auth import account, admin, links, settings, signin, signup, verification
from supalocal.auth.caller import require_admin
from supalocal.auth.claims import Signer
from supalocal.auth.errors import AuthError, error_answer, unexpected, unsupported
from supalocal.auth.service import Service

if TYPE_CHECKING:
    from supalocal.project import Config

_POOL_MAX = 4
_IDLE_SECONDS = 60.0
_ADMIN = "admin/"
_ONE = "/{id}"
_ENDPOINTS: dict[tuple[str, str], Callable[[Service, web.Request], Awaitable[web.Response]]] = {
    ("GET", "health"): settings.health,
    ("GET", "settings"): settings.settings,
    ("GET", ".well-known/jwks.json"): settings.public_keys,
    ("POST", "signup"): signup.sign_up,
    ("POST", "token"): signin.token,
    ("GET", "verify"): verification.follow,
    ("POST", "verify"): verification.verify,
    ("POST", "invite"): links.invite,
    ("POST", "recover"): links.recover,
    ("POST", "sso"): signin.sso,
    ("GET", "user"): account.show,
    ("PUT", "user"): account.update,
    ("GET", "user/identities/authorize"): account.link,
    ("DELETE", "user/identities/{id}"): account.link,
    ("POST", "logout"): account.sign_out,
    ("POST", "admin/generate_link"): links.generate_link,
    ("GET", "admin/users"): admin.list_users,
    ("POST", "admin/users"): admin.create_user,
    ("GET", "admin/users/{id}"): admin.show_user,
    ("PUT", "admin/users/{id}"): admin.update_user,
    ("DELETE", "admin/users/{id}"): admin.remove_user,
}
_EXPOSED = "X-Total-Count, Link, X-Supabase-Api-Version"
_log = logging.getLogger(__name__)


class AuthApi:
    """Answers what is below `/auth/v1`; what is not supported is refused by its name.

    `dsn` logs in as `supabase_auth_admin`, `issuer` is the URL of Auth itself. Connections are opened when somebody
    asks for them and closed when nobody does any more.
    """

    def __init__(self, dsn: str, config: Config, *, jwt_secret: str, issuer: str) -> None:
        self._pool = AsyncConnectionPool[Any](
            dsn, min_size=0, max_size=_POOL_MAX, max_idle=_IDLE_SECONDS, open=False, kwargs={"autocommit": True}
        )
        signer = Signer(jwt_secret, issuer, config.jwt_expiry, config.custom_access_token_hook)
        self._service = Service(self._pool, config, signer)

    async def start(self) -> None:
        """Be ready to connect."""
        await self._pool.open()

    async def close(self) -> None:
        """End the connections."""
        await self._pool.close()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request; its path below `/auth/v1/` is `match_info["path"]`."""
        try:
            answer = await self._answer(request)
        except AuthError as error:
            if isinstance(error.__cause__, psycopg.Error):
                _log.warning("%s: %s", error.message, error.__cause__)
            answer = error_answer(request, error)
        except psycopg.Error:
            _log.exception("The database refused %s %s", request.method, request.path)
            answer = error_answer(request, unexpected())
        answer.headers["Access-Control-Expose-Headers"] = _EXPOSED
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        method = "GET" if request.method == "HEAD" else request.method
        path = request.match_info.get("path", "").strip("/")
        if path.startswith(_ADMIN):
            require_admin(request, self._service)
        parent, _, last = path.rpartition("/")
        endpoint = _ENDPOINTS.get((method, path)) or (_ENDPOINTS.get((method, parent + _ONE)) if last else None)
        if endpoint is None:
            raise unsupported(f"{request.method} {request.path}")
        return await endpoint(self._service, request)
