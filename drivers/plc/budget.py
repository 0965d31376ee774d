"""What a wire's time goes into: computed from bytes, and measured over the last WINDOW_S."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.links import Link, SerialLink
from protocols.modbus import PDU_BYTES_MAX

WINDOW_S = 10
"""How far back the measured budget looks."""
RTU_BYTES_MAX = 3 + PDU_BYTES_MAX
"""The longest RTU frame: unit, PDU, CRC."""


def miss_s(link: Link, *, within_s: float, sent: int) -> float:
    """How long a wire is taken by a request of `sent` bytes that nobody answers in `within_s`.

    A serial line is then kept quiet as long again, for the answer that may still come.
    """
    if isinstance(link, SerialLink):
        return sent * link.char_s() + 2 * within_s
    return within_s


def lock_wait_s_max(
    link: Link, *, within_s: float, sent: int = RTU_BYTES_MAX, requests: int = 1
) -> float:
    """The longest a lock waits before it goes out on an open wire: the bound of safety.

    `within_s` is the longest timeout of any unit on the wire, `sent` the longest request. One
    request may be in flight, and on a serial line the silence it leaves; nothing else goes first
    but other locks, each of which is then the request in flight. `requests` is how many a turn
    may hold: 2 where an output is a bit of a register, which is read, changed and written.
    """
    answered_s = within_s + (sent * link.char_s() if isinstance(link, SerialLink) else 0.0)
    return (requests - 1) * answered_s + miss_s(link, within_s=within_s, sent=sent)


@dataclass(frozen=True, slots=True)
class UnitShare:
    """One unit's part of the window: shares of its time, 0..1, and how many requests.

    `missed` is the part of `used` that brought no usable answer; `misses` of `asked` did not.
    """

    used: float
    missed: float
    asked: int
    misses: int


@dataclass(frozen=True, slots=True)
class Budget:
    """Where the time of a wire went: `used` and `spare` add up to 1.

    `resting` are units that are asked only now and then because they do not answer.
    """

    wire: str
    used: float
    spare: float
    by_unit: Mapping[int, UnitShare]
    resting: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnitTotal:
    """What one unit took of a wire since that was opened: requests, misses among them, seconds."""

    asked: int
    misses: int
    used_s: float


@dataclass(slots=True)
class _Spent:
    used_s: float = 0.0
    missed_s: float = 0.0
    asked: int = 0
    misses: int = 0


@dataclass(slots=True)
class _Slice:
    """One second."""

    number: int
    units: dict[int, _Spent] = field(default_factory=dict)


class Meter:
    """Adds up what every unit takes of the wire, second by second."""

    def __init__(self, now_s: float) -> None:
        self._began_s = now_s
        self._slices: deque[_Slice] = deque(maxlen=WINDOW_S + 1)
        self._ever: dict[int, _Spent] = {}

    def note(self, unit: int, now_s: float, busy_s: float, *, missed: bool) -> None:
        """One request took the wire for `busy_s`, up to `now_s` and the silence after it."""
        slices, number = self._slices, int(now_s)
        if not slices or slices[-1].number != number:
            slices.append(_Slice(number))
        units = slices[-1].units
        for spent in (
            units.get(unit) or units.setdefault(unit, _Spent()),
            self._ever.get(unit) or self._ever.setdefault(unit, _Spent()),
        ):
            spent.used_s += busy_s
            spent.asked += 1
            if missed:
                spent.missed_s += busy_s
                spent.misses += 1

    def totals(self) -> Mapping[int, UnitTotal]:
        """What each unit took since the wire was opened."""
        ever = self._ever.items()
        return {unit: UnitTotal(each.asked, each.misses, each.used_s) for unit, each in ever}

    def budget(self, wire: str, now_s: float, resting: tuple[int, ...]) -> Budget:
        """The shares of the last WINDOW_S seconds, or of as long as the wire is open."""
        first = int(now_s) - WINDOW_S
        window_s = max(now_s - max(self._began_s, float(first)), 1e-3)
        totals: dict[int, _Spent] = {}
        for each in self._slices:
            if each.number >= first:
                _add(totals, each.units)
        by_unit = {
            unit: UnitShare(
                min(1.0, spent.used_s / window_s),
                min(1.0, spent.missed_s / window_s),
                spent.asked,
                spent.misses,
            )
            for unit, spent in sorted(totals.items())
        }
        used = min(1.0, sum(share.used for share in by_unit.values()))
        return Budget(wire, used, 1.0 - used, by_unit, resting)


def _add(totals: dict[int, _Spent], units: Mapping[int, _Spent]) -> None:
    for unit, spent in units.items():
        total = totals.setdefault(unit, _Spent())
        total.used_s += spent.used_s
        total.missed_s += spent.missed_s
        total.asked += spent.asked
        total.misses += spent.misses
