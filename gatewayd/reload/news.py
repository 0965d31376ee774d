"""What people hear of a reload: the topic `config` of the board, alarms, and the log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatewayd.alarms.alarms import Alarms
from gatewayd.house import House
from gatewayd.logs import logger
from gatewayd.settings.load import Examined
from gatewayd.texts import text
from protocols.documents import Problem

CONFIG = "gateway"
"""The subject of alarms about the configuration as a whole."""
PROBLEMS_SHOWN_MAX = 20
"""Mistakes on the board and in the log; `gatewayd check` has all of them."""

log = logger("reload")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a valid configuration was not taken up: a text of the catalogue and its values."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def say(self) -> dict[str, str]:
        """In both languages."""
        return say(self.key, **self.values)


def say(key: str, **values: Any) -> dict[str, str]:
    """A text of the catalogue in both languages."""
    return {"zh": text(key, "zh", **values), "en": text(key, "en", **values)}


def rows(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems as `check --json` prints them."""
    return [
        {
            "file": problem.mark.origin,
            "line": problem.mark.line,
            "column": problem.mark.column,
            "what": problem.what,
            "expected": problem.expected,
            "hint": problem.hint,
        }
        for problem in problems
    ]


class News:
    """Posts `config` on the board; a mistake is told once, however often it is read again."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._alarms: Alarms = house.alarms
        self._trouble: dict[str, Any] | None = None
        self._told: object = None
        self._shown: dict[str, Any] = {}

    def started(self, examined: Examined) -> None:
        """The house was built from this; packs may have been wrong and be stood in for."""
        if not examined.failed_packs:
            self._good()
            return
        self._packs(examined)
        problems = [each for found in examined.failed_packs.values() for each in found]
        packs = ", ".join(sorted(examined.failed_packs))
        self._bad("packs", say("reload.packs", packs=packs), problems)
        self._alarms.clear("config_invalid", CONFIG)

    def invalid(self, examined: Examined) -> None:
        """The files are wrong: nothing of them was taken up."""
        problems = examined.problems
        assert problems, examined
        self._packs(examined)
        of_packs = {each for found in examined.failed_packs.values() for each in found}
        message = say("reload.invalid", count=len(problems), first=problems[0])
        self._bad("invalid", message, problems)
        if set(problems) <= of_packs:
            self._alarms.clear("config_invalid", CONFIG)
        else:
            self._alarms.raise_("config_invalid", CONFIG, detail=str(problems[0]))

    def refused(self, refusal: Refusal) -> None:
        """The files are valid, but cannot be taken up now."""
        self._clear_packs(set())
        self._bad("refused", refusal.say(), ())
        self._alarms.raise_("config_invalid", CONFIG, detail=refusal.say()["en"])

    def taken_up(self, examined: Examined) -> None:
        """The files are valid and are the target from now on."""
        assert not examined.problems, examined
        self._shown = {}
        self._good()

    def settled(self, waiting: Sequence[str], restart: Sequence[str]) -> None:
        """What is still to be done: rigs that finish first, values that need a restart."""
        if waiting:
            state, message = "waiting", say("reload.waiting", rigs=", ".join(waiting))
        elif restart:
            state, message = "applied", say("reload.restart", keys=", ".join(restart))
        else:
            state, message = "applied", say("reload.applied")
        picture = self._trouble or {"state": state, "message": message, "problems": []}
        self._show({**picture, "waiting": list(waiting), "restart": list(restart)})

    def _good(self) -> None:
        self._trouble = self._told = None
        self._clear_packs(set())
        self._alarms.clear("config_invalid", CONFIG)

    def _bad(self, state: str, message: dict[str, str], problems: Sequence[Problem]) -> None:
        shown = rows(problems[:PROBLEMS_SHOWN_MAX])
        self._trouble = {"state": state, "message": message, "problems": shown}
        if (state, message) == self._told:
            return
        self._told = (state, message)
        texts = [str(problem) for problem in problems[:PROBLEMS_SHOWN_MAX]]
        log.error("config.not_taken_up", state=state, why=message["en"], problems=texts)

    def _packs(self, examined: Examined) -> None:
        """An alarm for every pack that failed, over for those that no longer do."""
        for name, problems in examined.failed_packs.items():
            self._alarms.raise_("pack_failed", name, detail=str(problems[0]))
        self._clear_packs(set(examined.failed_packs))

    def _clear_packs(self, failed: set[str]) -> None:
        """Also those of an earlier life."""
        for alarm in self._alarms.standing:
            if alarm.kind == "pack_failed" and alarm.subject not in failed:
                self._alarms.clear(alarm.kind, alarm.subject)

    def _show(self, picture: dict[str, Any]) -> None:
        if self._shown and {**picture, "since": self._shown["since"]} == self._shown:
            return
        clock = self._house.context.clock
        self._shown = {**picture, "since": clock.wall().isoformat(timespec="milliseconds")}
        self._house.board.post("config", self._shown)
        log.info(
            "config.state",
            state=picture["state"],
            waiting=picture["waiting"] or None,
            restart=picture["restart"] or None,
        )
