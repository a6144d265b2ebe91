"""The endpoints below `/auth/v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from supalocal.auth.answers import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from supalocal.project import Config

_PROVIDERS = (
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "snapchat",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "keycloak",
    "kakao",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "spotify",
    "slack",
    "slack_oidc",
    "workos",
    "twitch",
    "twitter",
    "zoom",
)
_HEALTH = {
    "version": "v2.196.0",
    "name": "GoTrue",
    "description": "GoTrue is a user registration and authentication API",
}


class AuthApi:
    """Answers what is below `/auth/v1`; what is not supported is refused by its name."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._answers: dict[tuple[str, str], Callable[[], web.Response]] = {
            ("GET", "health"): lambda: web.json_response(_HEALTH),
            ("GET", "settings"): lambda: web.json_response(self._settings()),
            ("GET", ".well-known/jwks.json"): _jwks,
        }

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request; its path below `/auth/v1/` is `match_info["path"]`."""
        method = "GET" if request.method == "HEAD" else request.method
        answer = self._answers.get((method, request.match_info.get("path", "").strip("/")))
        if answer is not None:
            return answer()
        what = f"{request.method} {request.path}"
        return refusal(request, status=501, code="not_supported", message=f"{what} is not supported by supalocal.")

    def _settings(self) -> dict[str, Any]:
        return {
            "external": dict.fromkeys(_PROVIDERS, False)
            # Sign-in itself is not supported yet, whatever config.toml allows.
            | {"anonymous_users": False, "email": False, "phone": False},
            "disable_signup": not self._config.enable_signup,
            "mailer_autoconfirm": True,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
            "saml_private_key_next_configured": False,
            "passkeys_enabled": False,
        }


def _jwks() -> web.Response:
    """Public keys only, and a shared secret is none."""
    return web.json_response({"keys": []}, headers={"Cache-Control": "public, max-age=600"})
