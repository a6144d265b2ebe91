"""What the delivery of changes knows of a channel."""

from typing import Protocol


class Subscriber(Protocol):
    """Who gets changes. All sending is immediate."""

    @property
    def is_open(self) -> bool:
        """Whether it still gets anything."""

    def subscribe(self) -> None:
        """Start making its subscriptions, anew where it has some."""

    def send_change(self, ids: list[int], data: str) -> None:
        """Take a change that concerns these bindings; `data` is JSON text."""

    def disconnect(self, code: int, reason: str) -> None:
        """Close its whole socket, so that the client connects and joins again."""
