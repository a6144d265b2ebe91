"""Supabase Realtime: websockets with changes of the database, broadcasts and presence."""

from supalocal.realtime.limits import Limits
from supalocal.realtime.service import Realtime

__all__ = ["Limits", "Realtime"]
