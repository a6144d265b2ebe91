"""Where the gateway leaves the key that a request brought."""

from aiohttp import web

APIKEY = web.RequestKey("apikey", str)
"""The caller's JWT, for Realtime; missing where the request brought no key."""
