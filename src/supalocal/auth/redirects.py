"""Where a link may lead: to the project's site and what config.toml allows beside it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import web

    from supalocal.project import Config

_NAME = "redirect_to"
_WILDCARDS = {"**": ".*", "*": "[^./]*", "?": "[^./]"}
_PART = re.compile(r"\*\*|\*|\?|[^*?]+")


def redirect_target(config: Config, request: web.Request, in_body: str = "") -> str:
    """The URL that was asked for, or where the request came from, if it is allowed; else the site's."""
    wanted = (
        in_body,
        request.headers.get(_NAME, ""),
        request.query.get(_NAME, ""),
        request.headers.get("Referer", ""),
    )
    return next((url for url in wanted if url and is_allowed(config, url)), config.site_url)


def is_allowed(config: Config, wanted: str) -> bool:
    """Whether the URL is on the site's host, on this machine's own address, or matched by additional_redirect_urls."""
    if not wanted.isprintable():
        return False  # no header could hold it
    host, site = _host(wanted), _host(config.site_url)
    if host is not None and host == site:
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return any(_pattern(allowed).fullmatch(wanted) for allowed in config.additional_redirect_urls)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _pattern(glob: str) -> re.Pattern[str]:
    """`*` and `?` stop at a dot and a slash, `**` does not."""
    return re.compile("".join(_WILDCARDS.get(part) or re.escape(part) for part in _PART.findall(glob)), re.DOTALL)
