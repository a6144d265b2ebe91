"""Activity: names of tables, columns and functions."""

from __future__ import annotations

from uuid import UUID

from pydantic import TypeAdapter

from babelroom.models import UserActivity, UserActivityInsert
from babelroom.repositories._gateway import Gateway

_ACTIVITIES = TypeAdapter(list[UserActivity])


class ActivityRepository:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def upsert(self, activity: UserActivityInsert) -> None:
        query = self._gateway.supabase.table("user_activity").upsert(
            activity.to_row(), on_conflict="session_id,user_id"
        )
        await self._gateway.run("activity.update", query, _ACTIVITIES.validate_python, idempotent=True)

    async def current(self, session_id: UUID) -> list[UserActivity]:
        query = self._gateway.supabase.rpc("get_session_activities", {"session_id": str(session_id)})
        return await self._gateway.run("activity.current", query, _ACTIVITIES.validate_python, idempotent=True)
