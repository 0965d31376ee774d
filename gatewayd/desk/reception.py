"""Cards and printed codes at the rigs: who is shown, what it means, and telling the rig why not.

Hears every device. A card counts at the operator device of a rig; a code of our own, `GW:...`, at
that device and at everything that identifies there. Nothing here is ever taken for a cylinder.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.contract import CodeRead, Reading, TagRead
from gatewayd.clock import SECOND, Clock
from gatewayd.desk.desk import Desk
from gatewayd.desk.forms import all_good
from gatewayd.desk.sessions import masked
from gatewayd.desk.terms import Answers, By, No, no
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.rigs.cards import PREFIX
from gatewayd.rigs.model import NOBODY, Identity
from gatewayd.settings.checks import Answer, FormSettings, NumberItem
from gatewayd.settings.model import Settings
from gatewayd.store.store import Store

HEARD_MAX = 64
"""Cards and codes that wait; at the limit a new one is dropped: its owner shows it again."""
AWAY_S = 2
"""A card that was not read for so long was taken away: its next read is a new showing."""
SHOWN_MAX = 512
"""Cards and codes whose last read is remembered; at the limit all are forgotten."""
NUMBER_S = 1.0
"""How often batches that number themselves are looked at."""


@dataclass(frozen=True, slots=True)
class _Listening:
    """Which rigs take cards at a device (with antenna, None = any), and which take our codes."""

    cards: Mapping[str, tuple[tuple[str, int | None], ...]]
    codes: Mapping[str, tuple[str, ...]]
    cylinders: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Heard:
    """One showing, and who stood at the rigs then: it may wait while others are served."""

    read: TagRead | CodeRead
    here: Mapping[str, Identity]


class Reception:
    """One a daemon. `take` never waits; `run` asks the desk, one showing after the other."""

    def __init__(self, desk: Desk, store: Store, clock: Clock) -> None:
        self._desk = desk
        self._store = store
        self._clock = clock
        self._log = logger("desk")
        self._heard: asyncio.Queue[_Heard] = asyncio.Queue(maxsize=HEARD_MAX)
        self._shown: dict[tuple[str, str], int] = {}
        self._by: Settings | None = None
        self._listening = _Listening({}, {}, frozenset())

    # --- what devices say: plain calls ---

    def take(self, reading: Reading) -> None:
        """One reading of any device; only a card or code that was not there just now is kept."""
        if not isinstance(reading, TagRead | CodeRead):
            return
        listening, text = self._listens(), _text(reading)
        ours = isinstance(reading, CodeRead) and text.upper().startswith(PREFIX)
        if reading.device not in (listening.codes if ours else listening.cards):
            return
        if self._is_new(reading.device, text, reading.at_ns) and not self._heard.full():
            here = {rig_id: self._desk.standing(rig_id) for rig_id in self._desk.rigs}
            self._heard.put_nowait(_Heard(reading, here))

    def device(self, name: str, state: str) -> None:
        """A device changed its state: nothing of ours."""

    def _is_new(self, device: str, text: str, at_ns: int) -> bool:
        last_ns = self._shown.get((device, text))
        if last_ns is None and len(self._shown) >= SHOWN_MAX:
            self._shown.clear()
        self._shown[device, text] = at_ns
        return last_ns is None or at_ns - last_ns >= AWAY_S * SECOND

    def _listens(self) -> _Listening:
        """Worked out anew when other settings are in force."""
        settings = self._desk.settings
        if settings is not self._by:
            self._by, self._listening = settings, _listening(settings)
        return self._listening

    # --- what follows from it ---

    async def run(self) -> None:
        """Serve cards and codes, and number batches, until cancelled."""
        await self._desk.number_batches()
        while True:
            try:
                async with asyncio.timeout(NUMBER_S):
                    heard = await self._heard.get()
            except TimeoutError:
                await self._desk.number_batches()
            else:
                await self._serve(heard)

    async def _serve(self, heard: _Heard) -> None:
        read = heard.read
        text = _text(read)
        if isinstance(read, CodeRead) and text.upper().startswith(PREFIX):
            await self._code(read.device, text, heard.here)
            return
        if read.device in self._listens().cylinders and not self._is_card(text):
            return  # A cylinder at a device that serves for both.
        antenna = read.antenna if isinstance(read, TagRead) else None
        by = By(masked(text), "card" if isinstance(read, TagRead) else "code")
        for rig_id, wanted in self._listens().cards.get(read.device, ()):
            if wanted is None or antenna is None or wanted == antenna:
                self._tell(rig_id, await self._desk.log_in(rig_id, card=text, by=by))

    def _is_card(self, text: str) -> bool:
        try:
            return self._store.operator_of_card(text) is not None
        except StoreError:
            return False

    async def _code(self, device: str, text: str, here: Mapping[str, Identity]) -> None:
        """`GW:LOGOUT`, `GW:CHECK:<form>:OK`, or `GW:CHECK:<form>:<item>:<answer>`."""
        rigs = self._listens().codes.get(device, ())
        words = text[len(PREFIX) :].split(":")
        by = By(text[:64], "code")
        if [word.upper() for word in words] == ["LOGOUT"]:
            for rig_id in rigs:
                self._tell(rig_id, await self._desk.log_out(rig_id, by=by))
            return
        if len(rigs) > 1:
            for rig_id in rigs:
                self._tell(rig_id, no("shared_device", device=device))
            return
        for rig_id in rigs:
            answers = self._answers(rig_id, words)
            told: object = answers
            if not isinstance(answers, No):
                who = here.get(rig_id, NOBODY)
                told = await self._desk.answer_check(answers, by=by, here=who)
            self._tell(rig_id, told)

    def _answers(self, rig_id: str, words: list[str]) -> Answers | No:
        """What a printed code answers; scanners may send it in capitals."""
        if len(words) not in (3, 4) or words[0].upper() != "CHECK":
            return no("bad_code", scanned=":".join(words)[:64])
        name, rest = words[1].lower(), [word.lower() for word in words[2:]]
        form = self._desk.settings.checks.get(name)
        if form is None:
            known = ", ".join(self._desk.settings.checks)
            return no("no_form", form=name, known=known)
        if not form.device or (rest == ["ok"] and not form.by_codes()):
            return no("not_by_code", form=name)
        if rest == ["ok"]:
            return Answers(rig_id, name, all_good(form))
        if len(rest) != 2:  # noqa: PLR2004 - item and answer
            return no("bad_code", scanned=":".join(words)[:64])
        return Answers(rig_id, name, {rest[0]: _typed(form, rest[0], rest[1])})

    def _tell(self, rig_id: str, answer: object) -> None:
        """A refusal is shown at the rig; anything else shows by itself."""
        if not isinstance(answer, No):
            return
        self._log.warning("desk.refused", rig=rig_id, code=answer.code)
        rig = self._desk.rigs.get(rig_id)
        if rig is not None:
            rig.people.notice(answer.code, answer.message)


def _text(read: TagRead | CodeRead) -> str:
    return read.uid if isinstance(read, TagRead) else read.text


def _typed(form: FormSettings, item_id: str, word: str) -> Answer:
    """A number where the form asks for one; anything else is for the desk to refuse."""
    number = any(item.id == item_id and isinstance(item, NumberItem) for item in form.items)
    return int(word) if number and word.isdecimal() and len(word) < 10 else word  # noqa: PLR2004 - digits


def _listening(settings: Settings) -> _Listening:
    cards: dict[str, list[tuple[str, int | None]]] = {}
    codes: dict[str, dict[str, None]] = {}
    cylinders = {item.device for rig in settings.rigs.values() for item in rig.identify}
    for rig_id, rig in settings.rigs.items():
        for item in rig.identify:
            codes.setdefault(item.device, {})[rig_id] = None
        if rig.operator is None or rig.operator.device is None:
            continue
        cards.setdefault(rig.operator.device, []).append((rig_id, rig.operator.antenna))
        codes.setdefault(rig.operator.device, {})[rig_id] = None
    return _Listening(
        {device: tuple(rigs) for device, rigs in cards.items()},
        {device: tuple(rigs) for device, rigs in codes.items()},
        frozenset(cylinders),
    )
