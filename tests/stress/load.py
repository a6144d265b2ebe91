"""How much each scenario is asked to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    participants: int = 1_000
    taken_codes: int = 0  # of the 10,000, before the creators begin
    messages: int = 5_000
    seconds: float = 30.0  # of typing; writers write for a third of it
    soak_seconds: float = 300.0
    streamed: int = 10_000  # messages of each conversation that is followed
    translated: int = 1_080  # messages that wait for a team
    team: int = 8  # worker processes


SHORT = Load(taken_codes=9_000, messages=1_000, seconds=5.0, soak_seconds=30.0, streamed=600, translated=324, team=3)
