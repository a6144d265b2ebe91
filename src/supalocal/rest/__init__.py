"""A PostgREST-compatible HTTP API over Postgres."""

from supalocal.rest.api import RestApi

__all__ = ["RestApi"]
