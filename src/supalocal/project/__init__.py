"""A project's `supabase/` folder: its settings, its migrations and seed files, and how they are applied."""

from supalocal.project.config import Config
from supalocal.project.folder import Migration, Project

__all__ = ["Config", "Migration", "Project"]
