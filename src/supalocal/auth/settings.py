"""What anybody may ask: health, settings, public keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from supalocal.auth.service import Service

_HEALTH = {
    "version": "v2.196.0",
    "name": "GoTrue",
    "description": "GoTrue is a user registration and authentication API",
}
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


async def health(_service: Service, _request: web.Request) -> web.Response:
    """That Auth is there, in the words that clients compare."""
    return web.json_response(_HEALTH)


async def settings(service: Service, _request: web.Request) -> web.Response:
    """Which ways to sign in there are."""
    config = service.config
    allowed = {"anonymous_users": config.enable_anonymous_sign_ins, "email": config.enable_email_signup, "phone": False}
    return web.json_response(
        {
            "external": dict.fromkeys(_PROVIDERS, False) | allowed,
            "disable_signup": not config.enable_signup,
            "mailer_autoconfirm": not config.enable_confirmations,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
            "saml_private_key_next_configured": False,
            "passkeys_enabled": False,
        }
    )


async def public_keys(_service: Service, _request: web.Request) -> web.Response:
    """None: tokens are signed with a shared secret."""
    return web.json_response({"keys": []}, headers={"Cache-Control": "public, max-age=600"})
