"""Where the gateway leaves what the key of a request comes to."""

from aiohttp import web

APIKEY = web.RequestKey("apikey", str)
"""The caller's JWT, for Realtime; missing where the request brought no key."""

AUTHORIZATION = web.RequestKey("authorization", str)
"""The Authorization header that REST goes by; missing where there is none."""
