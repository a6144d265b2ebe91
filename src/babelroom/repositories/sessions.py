"""Sessions and their participants: names of tables, columns and functions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from babelroom.models import Participant, Session, Usage
from babelroom.repositories._gateway import Gateway
from babelroom.results import SessionFigures

_CODE = TypeAdapter(str)
_FLAG = TypeAdapter(bool)
_SESSIONS = TypeAdapter(list[Session])
_PARTICIPANTS = TypeAdapter(list[Participant])


class SessionRepository:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def generate_code(self) -> str:
        query = self._gateway.supabase.rpc("generate_unique_session_code")
        return await self._gateway.run("sessions.generate_code", query, _CODE.validate_python, idempotent=True)

    async def exists(self, code: str) -> bool:
        query = (
            self._gateway.supabase.table("sessions")
            .select("id")
            .eq("code", code)
            .eq("is_active", value=True)
            .gt("expires_at", "now")  # Postgres reads "now" by its own clock
            .limit(1)
        )
        return await self._gateway.run("sessions.exists", query, bool, idempotent=True)

    async def by_code(self, code: str) -> Session | None:
        query = (
            self._gateway.supabase.table("sessions")
            .select("*")
            .eq("code", code)
            .eq("is_active", value=True)
            .gt("expires_at", "now")  # as above
            .limit(1)
        )
        rows = await self._gateway.run("sessions.by_code", query, _SESSIONS.validate_python, idempotent=True)
        return rows[0] if rows else None

    async def create(self, request_id: UUID) -> Session:
        query = self._gateway.supabase.rpc("create_session", {"request_id": str(request_id)})
        return await self._gateway.run("sessions.create", query, Session.model_validate, idempotent=True)

    async def join(self, code: str, user_id: UUID, lang: str) -> Session:
        query = self._gateway.supabase.rpc("join_session", {"code": code, "user_id": str(user_id), "lang": lang})
        return await self._gateway.run("sessions.join", query, Session.model_validate, idempotent=True)

    async def join_unnamed(self, code: str) -> Session:
        query = self._gateway.supabase.rpc("join_session", {"code": code})
        return await self._gateway.run("sessions.join", query, Session.model_validate, idempotent=False)

    async def leave(self, session_id: UUID, user_id: UUID) -> None:
        query = self._gateway.supabase.rpc("leave_session", {"session_id": str(session_id), "user_id": str(user_id)})
        await self._gateway.run("sessions.leave", query, _nothing, idempotent=True)

    async def leave_unnamed(self, session_id: UUID) -> None:
        query = self._gateway.supabase.rpc("leave_session", {"session_id": str(session_id)})
        await self._gateway.run("sessions.leave", query, _nothing, idempotent=False)

    async def touch(self, session_id: UUID, user_id: UUID) -> bool:
        arguments = {"session_id": str(session_id), "user_id": str(user_id)}
        query = self._gateway.supabase.rpc("touch_participant", arguments)
        return await self._gateway.run("sessions.touch", query, _FLAG.validate_python, idempotent=True)

    async def extend(self, session_id: UUID, duration: timedelta) -> Session:
        arguments = {"session_id": str(session_id), "duration": f"{duration.total_seconds():f} seconds"}
        query = self._gateway.supabase.rpc("extend_session", arguments)
        return await self._gateway.run("sessions.extend", query, Session.model_validate, idempotent=False)

    async def close(self, session_id: UUID) -> Session:
        query = self._gateway.supabase.rpc("close_session", {"session_id": str(session_id)})
        return await self._gateway.run("sessions.close", query, Session.model_validate, idempotent=True)

    async def get(self, session_id: UUID) -> Session | None:
        query = self._gateway.supabase.table("sessions").select("*").eq("id", str(session_id))
        rows = await self._gateway.run("sessions.get", query, _SESSIONS.validate_python, idempotent=True)
        return rows[0] if rows else None

    async def is_live(self, session_id: UUID) -> bool:
        query = (
            self._gateway.supabase.table("sessions")
            .select("id")
            .eq("id", str(session_id))
            .eq("is_active", value=True)
            .gt("expires_at", "now")  # by Postgres' clock
        )
        return await self._gateway.run("sessions.is_live", query, bool, idempotent=True)

    async def present(self, session_id: UUID) -> list[Participant]:
        query = (
            self._gateway.supabase.table("session_participants")
            .select("*")
            .eq("session_id", str(session_id))
            .is_("left_at", "null")
            .eq("is_away", value=False)
            .order("joined_at")
        )
        return await self._gateway.run("sessions.participants", query, _PARTICIPANTS.validate_python, idempotent=True)

    async def stats(self, session_id: UUID) -> SessionFigures:
        query = self._gateway.supabase.rpc("session_stats", {"session_id": str(session_id)})
        return await self._gateway.run("sessions.stats", query, _figures, idempotent=True)

    async def ping(self) -> None:
        query = self._gateway.supabase.table("sessions").select("*").order("id").limit(1)
        await self._gateway.run("sessions.ping", query, _SESSIONS.validate_python, idempotent=True)


def _figures(answer: Any) -> SessionFigures:
    usage = [Usage.model_validate(used, by_name=True) for used in answer["usage"]]
    return SessionFigures(messages=answer["messages"], hops=answer["hops"], usage=tuple(usage))


def _nothing(_: Any) -> None:
    """What a call returns whose answer does not matter."""
