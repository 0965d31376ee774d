"""The totaliser of a filler: followed over its wraps, and not believed when it goes backwards."""

from dataclasses import dataclass, field
from fractions import Fraction

from protocols.masses import GRAMS
from protocols.register_commands import Totaliser
from protocols.register_values import Reading
from protocols.register_weights import Scaling, UnknownMassError, mass_g
from protocols.registers import Profile


@dataclass(slots=True)
class FillerTotal:
    """What ever flowed, while the link is open; `name` None = the device counts nothing."""

    profile: Profile
    name: str | None
    _sum: int = 0
    _follows: Totaliser = field(init=False)

    def __post_init__(self) -> None:
        """A map tells where its counter wraps; without a word it never does."""
        point = None if self.name is None else self.profile.points[self.name]
        self._follows = Totaliser(None if point is None else point.wraps_at)

    def doubt(self, reading: Reading) -> str:
        """Why nothing of this reading is believed: gas never flows back. It goes on from there."""
        if self.name is None or self._floats:
            return ""
        raw, before = int(reading[self.name]), self._follows.last
        moved = self._follows.feed(raw)
        self._sum = raw if before is None or moved is None else self._sum + moved
        if moved is None:
            return f"the totaliser went back from {before}: {reading.shown(self.name)}"
        return ""

    def grams(self, reading: Reading, scaling: Scaling | None) -> int | None:
        """All of it with its wraps; None where there is none, or its scale is not known."""
        if self.name is None:
            return None
        if not self.profile.points[self.name].mass:
            return self._sum
        if scaling is None:
            return None
        if self._floats:
            try:
                total_g = mass_g(self.profile, reading, self.name, scaling)
            except UnknownMassError:
                return None
        else:  # More than any scale weighs: a total has no other bound than its register.
            total_g = round(Fraction(self._sum, 10**scaling.decimals) * GRAMS[scaling.unit])
        return total_g if total_g >= 0 else None

    @property
    def _floats(self) -> bool:
        return self.name is not None and self.profile.points[self.name].type == "float32"
