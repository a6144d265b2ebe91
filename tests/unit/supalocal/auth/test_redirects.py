"""Where a link may lead."""

import pytest

from supalocal.auth.redirects import is_allowed
from supalocal.project import Config

CONFIG = Config(
    site_url="https://app.example.com",
    additional_redirect_urls=("https://*-team.example.app/**", "myapp://callback", "http://localhost:300?"),
)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com/welcome",
        "http://app.example.com:8080",
        "http://127.0.0.1:5173/welcome",
        "http://[::1]:3000",
        "https://pr-7-team.example.app/a/b.html",
        "myapp://callback",
        "http://localhost:3001",
    ],
)
def test_what_is_allowed(url):
    """The site's host, this machine by its address, and what a pattern matches."""
    assert is_allowed(CONFIG, url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com",
        "http://10.0.0.1",
        "https://a.b-team.example.app/",
        "myapp://callback/more",
        "http://localhost:30011",
        "http://[",
        "https://app.example.com/\r\nSet-Cookie: a=b",
    ],
)
def test_what_is_not_allowed(url):
    """Another host; a `*` and a `?` stop at a dot, and a pattern matches the whole URL."""
    assert not is_allowed(CONFIG, url)
