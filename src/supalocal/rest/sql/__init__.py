"""The one room where SQL is written. Names are quoted; values are parameters, always.

A plan becomes one statement. The database builds the body, so that values look as PostgreSQL prints them.
"""

from supalocal.rest.sql.statement import main_statement, plan_rows_statement
from supalocal.rest.sql.text import Statement, first_statement, quoted, settings_statement

__all__ = ["Statement", "first_statement", "main_statement", "plan_rows_statement", "quoted", "settings_statement"]
