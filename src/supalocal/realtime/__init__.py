"""Supabase Realtime: websockets with changes of the database and broadcasts."""

from supalocal.realtime.service import Realtime

__all__ = ["Realtime"]
