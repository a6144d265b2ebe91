"""A PostgREST-compatible HTTP API over Postgres.

`api` takes each request through the others: `token` says who asks, `request` what is asked (`query` with its `select`,
`filters`, `order` and `ranges`; `preferences`; `body` with its `csv_lines`). `plan` looks the names up in the `schema`:
`read` and its `embedding` for rows, `functions` for calls. `sql` writes the statement, `run` sends it as the caller's
role, `response` makes the answer, `errors` what is answered instead, in which parsers speak as `haskell` does.
`catalog` reads the schema, with its `relationships` and `views`; `cache` keeps it in step with the database, and
`prepared` keeps what was planned.
"""

from supalocal.rest.api import RestApi

__all__ = ["RestApi"]
