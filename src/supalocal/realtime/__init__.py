"""Supabase Realtime: websockets with changes of the database, broadcasts and presence.

`service` opens the doors, `socket` reads a client's frames (`frames`), `admission` lets it into a `channel`, and the
`hub` knows them all. A `room` passes on what its members send (`broadcast`, `presence`); `authorization` asks the
policies who may. `feed` keeps the stream from the database: `replication` reads it, `delivery` takes each change to
the `subscriptions` whose filters match (`matching`) and whose rights suffice (`visibility`).
"""

from supalocal.realtime.limits import Limits
from supalocal.realtime.service import Realtime

__all__ = ["Limits", "Realtime"]
