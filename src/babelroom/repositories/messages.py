"""Messages: names of tables, columns and functions."""

from __future__ import annotations

from uuid import UUID

from pydantic import TypeAdapter

from babelroom.models import Message, MessageInsert, MessageStatus, MessageUpdate
from babelroom.repositories._gateway import Gateway

_MESSAGES = TypeAdapter(list[Message])
_REVS = TypeAdapter(list[dict[str, int]])


class MessageRepository:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def send(
        self,
        message_id: UUID,
        session_id: UUID,
        user_id: UUID,
        original: str,
        original_lang: str,
        target_lang: str | None,
        *,
        hold: float | None = None,
    ) -> Message:
        """With hold (seconds), workers leave it to us for so long."""
        arguments = {
            "id": str(message_id),
            "session_id": str(session_id),
            "user_id": str(user_id),
            "original": original,
            "original_lang": original_lang,
        }
        if target_lang is not None:
            arguments["target_lang"] = target_lang
        if hold is not None:
            arguments["hold"] = f"{hold:f} seconds"
        query = self._gateway.supabase.rpc("send_message", arguments)
        return await self._gateway.run("messages.send", query, Message.model_validate, idempotent=True)

    async def send_all(self, messages: list[MessageInsert]) -> list[Message]:
        """In one transaction, each with an id, all of the first one's session; the rows come in the same order."""
        arguments = {
            "session_id": str(messages[0].session_id),
            "messages": [
                message.model_dump(mode="json", exclude={"session_id"}, exclude_none=True) for message in messages
            ],
        }
        query = self._gateway.supabase.rpc("send_messages", arguments)
        return await self._gateway.run("messages.send_all", query, _MESSAGES.validate_python, idempotent=True)

    async def update(self, message_id: UUID, change: MessageUpdate) -> Message | None:
        query = self._gateway.supabase.table("messages").update(change.to_row()).eq("id", str(message_id))
        rows = await self._gateway.run("messages.update", query, _MESSAGES.validate_python, idempotent=True)
        return rows[0] if rows else None

    async def settle(self, message_id: UUID, change: MessageUpdate) -> Message | None:
        """Change it if it has no translation and has not failed; None: it has, or it is not there."""
        query = (
            self._gateway.supabase.table("messages")
            .update(change.to_row())
            .eq("id", str(message_id))
            .is_("translation", "null")
            .neq("status", MessageStatus.FAILED)
        )
        rows = await self._gateway.run("messages.settle", query, _MESSAGES.validate_python, idempotent=True)
        return rows[0] if rows else None

    async def mark_displayed(self, message_id: UUID) -> None:
        query = (
            self._gateway.supabase.table("messages")
            .update(MessageUpdate(status=MessageStatus.DISPLAYED).to_row())
            .eq("id", str(message_id))
            .neq("status", MessageStatus.DISPLAYED)  # so that a repeat makes no new rev
        )
        await self._gateway.run("messages.mark_displayed", query, _MESSAGES.validate_python, idempotent=True)

    async def get(self, message_id: UUID) -> Message | None:
        query = self._gateway.supabase.table("messages").select("*").eq("id", str(message_id))
        rows = await self._gateway.run("messages.get", query, _MESSAGES.validate_python, idempotent=True)
        return rows[0] if rows else None

    async def page(
        self, session_id: UUID, limit: int, *, before: int | None, after: int | None, latest: bool
    ) -> list[Message]:
        """By seq, rising; `latest` takes the page from the end of the range instead of its start."""
        query = self._gateway.supabase.table("messages").select("*").eq("session_id", str(session_id))
        if before is not None:
            query = query.lt("seq", before)
        if after is not None:
            query = query.gt("seq", after)
        query = query.order("seq", desc=latest).limit(limit)
        messages = await self._gateway.run("messages.page", query, _MESSAGES.validate_python, idempotent=True)
        return messages[::-1] if latest else messages

    async def since(self, session_id: UUID, rev: int, limit: int) -> list[Message]:
        """The states after rev, by rev, rising."""
        arguments = {"session_id": str(session_id), "rev": rev, "limit": limit}
        query = self._gateway.supabase.rpc("messages_since", arguments)
        return await self._gateway.run("messages.since", query, _MESSAGES.validate_python, idempotent=True)

    async def last_rev(self, session_id: UUID) -> int:
        query = (
            self._gateway.supabase.table("messages")
            .select("rev")
            .eq("session_id", str(session_id))
            .order("rev", desc=True)
            .limit(1)
        )
        rows = await self._gateway.run("messages.last_rev", query, _REVS.validate_python, idempotent=True)
        return rows[0]["rev"] if rows else 0
