"""How figures are printed: one line each, with the bound that they are held to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import median

_LABEL = 46


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def held(label: str, value: float, unit: str, *, most: float | None = None, least: float | None = None) -> bool:
    """Print a figure and whether it keeps its bound."""
    keeps = (most is None or value <= most) and (least is None or value >= least)
    bound = f"at most {most:g}" if most is not None else f"at least {least:g}"
    say(f"{'ok  ' if keeps else 'FAIL'}  {label:{_LABEL}}{value:10,.2f} {unit:6} {bound}")
    return keeps


def told(label: str, value: float, unit: str) -> None:
    """Print a figure that is there for comparison."""
    say(f"      {label:{_LABEL}}{value:10,.2f} {unit}".rstrip())


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that is at least as large as that share of all."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f} / {median(values):.2f} / {max(values):.2f}"
