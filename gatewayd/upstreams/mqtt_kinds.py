"""Which kinds of records a broker lets us publish: each has a topic, and rights are given by topic.

"Not authorized" may pass: somebody is just setting the rights. When it lasts while other kinds are
taken, it is this kind alone that is not wanted here, and it must not hold up the others for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from gatewayd.upstreams.mqtt_terms import Answer

NOT_AUTHORIZED: Final = 0x87
"""MQTT 5, 2.4."""
BARRED: Final = "{}; the broker takes other kinds of records, but no {} for {:g} s"


@dataclass(slots=True)
class Kinds:
    """What one connection has learned. `now_s` is monotonic; a kind is barred after `after_s`."""

    now_s: Callable[[], float]
    after_s: float
    _taken_s: dict[str, float] = field(default_factory=dict)
    _refused_s: dict[str, float] = field(default_factory=dict)

    def judged(self, kind: str, answer: Answer) -> Answer:
        """The broker's answer to a record of this kind; final when the kind is barred."""
        if answer.accepted:
            self._taken_s[kind] = self.now_s()
            self._refused_s.pop(kind, None)
        if answer.code != NOT_AUTHORIZED:
            return answer
        now_s = self.now_s()
        since_s = self._refused_s.setdefault(kind, now_s)
        others = any(at_s >= since_s for one, at_s in self._taken_s.items() if one != kind)
        if not others or not self.overdue(kind):
            return answer
        return replace(answer, text=BARRED.format(answer.text, kind, self.after_s), final=True)

    def overdue(self, kind: str) -> bool:
        """Whether a kind has been refused for so long that it is worth trying another one."""
        since_s = self._refused_s.get(kind)
        return since_s is not None and self.now_s() - since_s >= self.after_s
