"""What a scale says that cannot be true: decimals that change, a weight that moves and is stable."""

from dataclasses import dataclass

from protocols.register_weights import Scaling

MOVES_MAX = 3
"""More moves than this in a row, each of them called stable, and `stable` is not believed."""
STILL_S = 1.0
SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class Constancy:
    """Unit and decimals must stay as they were when the device was opened."""

    _first: Scaling | None = None

    def doubt(self, scaling: Scaling) -> str:
        """What changed, empty when nothing did; believed again when it is as at the start."""
        first = self._first = self._first or scaling
        changes = [
            f"{name} changed while running, {was} to {now}"
            for name, was, now in (
                ("unit", first.unit, scaling.unit),
                ("decimals", first.decimals, scaling.decimals),
                ("scale of the device", first.watched, scaling.watched),
            )
            if was != now
        ]
        return "; ".join(changes)


@dataclass(slots=True)
class Standstill:
    """Notices a `stable` that is set while the weight moves: inverted in the map, or stuck.

    A move is a change beyond `noise_g` between two samples, both called stable. One jump between
    two polls is honest; more than MOVES_MAX, none of them STILL_S after the last, are not. Believed
    again once the device says unstable, or the weight rests.
    """

    noise_g: int
    _last_g: int | None = None
    _moves: int = 0
    _moved_ns: int = 0

    def doubt(self, gross_g: int, at_ns: int, *, stable: bool) -> str:
        """Why `stable` is not believed, empty when it is."""
        last_g, self._last_g = self._last_g, gross_g if stable else None
        if not stable or at_ns - self._moved_ns >= STILL_S * SECOND_NS:
            self._moves = 0
        if stable and last_g is not None and abs(gross_g - last_g) > self.noise_g:
            self._moves += 1
            self._moved_ns = at_ns
        if self._moves > MOVES_MAX:
            return f"stable is set while the weight moves, {last_g} to {gross_g} g"
        return ""
