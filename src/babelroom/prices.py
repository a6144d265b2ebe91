"""What models cost: a dated table, which a user can replace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Self

from babelroom.errors import ConfigurationError
from babelroom.models import Usage

_MILLION = Decimal(1_000_000)
_PRICED_BY = {
    "input_tokens": _MILLION,
    "output_tokens": _MILLION,
    "audio_seconds": Decimal(60),
    "characters": _MILLION,
}
"""How much of each unit the table's price is for."""

_HEADER = ["model", "unit", "usd"]
_AS_OF = re.compile(r"# as of (?P<date>[^;]+)")
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_USD = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Prices:
    as_of: str
    """When the prices were these, such as "2025-06"."""
    by_model: Mapping[str, Mapping[str, Decimal]]
    """US dollars by model and unit: for a million tokens or characters, or for a minute of audio."""

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Return the prices of the file, or without one the bundled ones.

        Raises:
            ConfigurationError: the file cannot be read, or a line of it is malformed.
        """
        if path is None:
            return cls._of(resources.files("babelroom").joinpath("prices.tsv").read_text("utf-8"), "prices.tsv")
        try:
            return cls._of(path.read_text("utf-8-sig"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"The price table {path} cannot be read: {error}") from error

    def cost(self, usage: Usage) -> Decimal | None:
        """Return US dollars, or None where the table has no price for the model or for a unit that was used.

        A dated snapshot, such as "gpt-4o-mini-2024-07-18", costs what its model does unless it has prices of its own.
        """
        prices = self.by_model.get(usage.model) or self.by_model.get(_SNAPSHOT.sub("", usage.model))
        used = {unit: amount for unit in _PRICED_BY if (amount := Decimal(str(getattr(usage, unit))))}
        if prices is None or not used.keys() <= prices.keys():
            return None
        return sum((prices[unit] * amount / _PRICED_BY[unit] for unit, amount in used.items()), Decimal(0))

    @classmethod
    def _of(cls, text: str, name: str) -> Self:
        lines = text.splitlines()
        dated = _AS_OF.match(lines[0]) if lines else None
        if dated is None:
            raise ConfigurationError(f"{name}, line 1: say when the prices were these, as in '# as of 2025-06'.")
        rows = [(place, line) for place, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
        if not rows or rows[0][1].split("\t") != _HEADER:
            place = rows[0][0] if rows else len(lines)
            raise ConfigurationError(f"{name}, line {place}: the columns are model, unit and usd, with tabs between.")
        by_model: dict[str, dict[str, Decimal]] = {}
        for place, line in rows[1:]:
            model, unit, usd = _row(line, f"{name}, line {place}")
            if unit in by_model.setdefault(model, {}):
                raise ConfigurationError(f"{name}, line {place}: {model} has its price for {unit} already.")
            by_model[model][unit] = usd
        return cls(dated["date"].strip(), by_model)


def _row(line: str, place: str) -> tuple[str, str, Decimal]:
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) != len(_HEADER) or not cells[0]:
        raise ConfigurationError(f"{place}: a row is a model, a unit and US dollars, with tabs between.")
    model, unit, usd = cells
    if unit not in _PRICED_BY:
        raise ConfigurationError(f"{place}: a unit is {', '.join(_PRICED_BY)}. Got {unit!r:.40}.")
    if not _USD.fullmatch(usd):
        raise ConfigurationError(f"{place}: a price is a number such as 0.15. Got {usd!r:.40}.")
    return model, unit, Decimal(usd)
