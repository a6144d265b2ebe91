"""Runs the jobs of pg_cron's SQL interface where the extension is supalocal's stand-in."""

from supalocal.cron.service import Cron

__all__ = ["Cron"]
