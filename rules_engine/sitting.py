"""One judgement made again and again while only the scale moves: the rest of it is prepared once.

While gas flows the rules of stage `fill` are judged at every sample. The cylinder, the rig, the
station and the day are those of the permit; what moves is what the scale says.
"""

from rules_engine.engine import fits, judge_usable, usable
from rules_engine.facts import Facts
from rules_engine.pack_model import Pack
from rules_engine.verdict import Stage, Verdict

MOVING = frozenset({"scale.gross_g", "scale.net_g", "scale.stable"})
"""What may move. No derived fact and no limit follows from any of them."""


class Sitting:
    """`judge(scale)` says what `engine.judge(packs, {**facts, **scale}, stage)` says."""

    def __init__(self, packs: tuple[Pack, ...], facts: Facts, stage: Stage) -> None:
        self.packs = packs
        self._facts, self._stage = dict(facts), stage
        self._known, self._wrong = usable(packs, {**facts, **dict.fromkeys(MOVING)})
        self._last: tuple[Facts, Verdict] | None = None

    def judge(self, scale: Facts) -> Verdict:
        """The verdict by what the scale says now: every one of MOVING, None for what is unknown.

        A scale that says the same as the last time is answered the same.
        """
        assert scale.keys() == MOVING, sorted(scale)
        if self._last is None or not _same(self._last[0], scale):
            self._last = dict(scale), self._judge(scale)
        return self._last[1]

    def _judge(self, scale: Facts) -> Verdict:
        told = {name: value for name, value in scale.items() if value is not None}
        wrong = [name for name, value in told.items() if not fits(name, value)]
        moved = {name: value for name, value in told.items() if name not in wrong}
        return judge_usable(
            self.packs,
            self._facts,
            self._stage,
            known={**self._known, **moved},
            wrong=[*self._wrong, *wrong],
        )


def _same(one: Facts, other: Facts) -> bool:
    """Whether each value is the same, of the same type: to Python, True and 1.0 equal 1."""
    return all(one[name] == other[name] and type(one[name]) is type(other[name]) for name in MOVING)
