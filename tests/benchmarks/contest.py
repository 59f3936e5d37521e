"""Two contenders taking turns, and what their medians say; and what somebody took beside what it may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

ROW: Final = "{:<58} {:>9} {:>9} {:>7}  {:<17} {}"


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who does the same work: `run` does it once and gives how much per second."""

    name: str
    run: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Contest:
    """What two contenders reached, turn by turn, and how many times the yardstick ours is to reach."""

    ours: str
    yardstick: str
    rates: tuple[tuple[float, float], ...]
    target: float

    @property
    def ratio(self) -> float:
        """The median over the turns: what else the machine does slows both contenders of one turn."""
        return median(ours / yardstick for ours, yardstick in self.rates)

    def show(self) -> None:
        """Print one row."""
        each = [ours / yardstick for ours, yardstick in self.rates]
        print(
            ROW.format(
                f"{self.ours} / {self.yardstick}",
                f"{median(ours for ours, _ in self.rates):.0f}/s",
                f"{median(yardstick for _, yardstick in self.rates):.0f}/s",
                f"{self.ratio:.2f}",
                f"({min(each):.2f} to {max(each):.2f})",
                f"reach {self.target:g}: {'yes' if self.ratio >= self.target else 'NO'}",
            ),
            flush=True,
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """What somebody took, in seconds or megabytes, and how many times the yardstick it may be at most."""

    name: str
    took: float
    yardstick: float
    unit: str
    most: float = 1
    remark: str = ""

    def show(self) -> None:
        """Print one row."""
        ratio = self.took / self.yardstick
        print(
            ROW.format(
                self.name,
                f"{self.took:.1f} {self.unit}",
                f"{self.yardstick:.1f} {self.unit}",
                f"{ratio:.2f}",
                self.remark,
                f"at most {self.most:g}: {'yes' if ratio <= self.most else 'NO'}",
            ),
            flush=True,
        )


def take_turns(ours: Contender, yardstick: Contender, *, turns: int, target: float) -> Contest:
    """Let both warm up, then run them one after the other, each turn in the other order."""
    for contender in (ours, yardstick):
        contender.run()
    rates = []
    for turn in range(turns):
        if turn % 2:
            there = yardstick.run()
            rates.append((ours.run(), there))
        else:
            here = ours.run()
            rates.append((here, yardstick.run()))
    return Contest(ours.name, yardstick.name, tuple(rates), target)
