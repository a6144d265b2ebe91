"""Supabase Auth's part of the local stack."""

from supalocal.auth.api import AuthApi

__all__ = ["AuthApi"]
