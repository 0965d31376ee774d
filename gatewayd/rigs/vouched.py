"""The platform's word on a fill, as the rigs know it: facts, findings, and what a record says of it.

A rig that asks for a voucher fills nothing without a yes. Who asks is `gatewayd/vouchers`; here is
what was asked and what came back, for each rig and the cylinder that stands there. An answer is of
one presence: when the cylinder has left, it is forgotten.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gatewayd.ids import new_id
from gatewayd.rigs import evidence
from gatewayd.rigs.model import Identity
from gatewayd.rigs.sources import Asked, FactSource
from gatewayd.settings.model import RigSettings
from gatewayd.settings.vouchers import VoucherSettings
from gatewayd.texts import text
from rules_engine.verdict import Finding, Message, Verdict

CODE = "VOUCHER_INVALID"
PENDING = "rig.voucher_pending"
"""The rule of the finding that the platform has not answered yet."""
BASIS = "voucher of the rig's file: the supervising platform allows the fill"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform said. `offline`: nothing that is a yes or a no; `reason` says it in words.

    `codes` are reason codes of gatewayd that its mapping gives to the platform's code.
    """

    valid: bool
    reason: str = ""
    code: str | None = None
    number: str | None = None
    station: str | None = None
    codes: tuple[str, ...] = ()
    offline: bool = False


@dataclass(slots=True)
class Ask:
    """One question: made once for a presence, with its id."""

    rig_id: str
    settings: VoucherSettings
    identity: Identity
    asked_at: datetime
    presence: int = 0
    id: str = field(default_factory=new_id)
    begun: bool = False
    answer: Answer | None = None
    answered_at: datetime | None = None

    @property
    def code(self) -> str:
        """The cylinder that it is about."""
        cylinder = self.identity.cylinder
        assert cylinder is not None, self
        return cylinder.code


class Vouchers:
    """What was asked for the cylinders that stand at rigs now; used on one loop."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._asks: dict[str, Ask] = {}

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`checks.voucher_valid`, once the platform has answered; the first time it is asked."""
        settings, cylinder = asked.rig.voucher, asked.identity.cylinder
        if settings is None or cylinder is None:
            return {}
        ask = self._asks.get(asked.rig_id)
        if ask is None or ask.code != cylinder.code or asked.presence not in {0, ask.presence}:
            if asked.sample is None:
                return {}  # Nobody stands there: judged in theory, or a fill that is long over.
            ask = Ask(asked.rig_id, settings, asked.identity, asked.wall, asked.presence)
            self._asks[asked.rig_id] = ask
            self.news.set()
        answer = ask.answer
        if answer is None:
            return {}
        today = asked.wall.astimezone(ZoneInfo(asked.station.timezone)).date()
        lenient = answer.offline and settings.lenient(today) is not None
        station = {} if answer.station is None else {"checks.voucher_station": answer.station}
        return {"checks.voucher_valid": answer.valid or lenient, **station}

    def waiting(self) -> Iterator[Ask]:
        """Questions that nobody has begun to ask."""
        self.news.clear()
        for ask in self._asks.values():
            if not ask.begun:
                ask.begun = True
                yield ask

    def answered(self, ask: Ask, answer: Answer, at: datetime) -> bool:
        """Keep an answer; False when its cylinder has left meanwhile."""
        if self._asks.get(ask.rig_id) is not ask:
            return False
        ask.answer, ask.answered_at = answer, at
        return True

    def only(self, standing: Mapping[str, str | None]) -> None:
        """Forget what was asked for cylinders that stand there no more; by rig, the code."""
        gone = [rig for rig, ask in self._asks.items() if standing.get(rig) != ask.code]
        for rig in gone:
            del self._asks[rig]

    def of(self, rig_id: str, code: object) -> Ask | None:
        """What was asked for this cylinder at this rig."""
        ask = self._asks.get(rig_id)
        return ask if ask is not None and ask.code == code else None


def vouch(
    rig_id: str,
    rig: RigSettings,
    sources: Iterable[FactSource],
    verdict: Verdict,
    facts: Mapping[str, Any],
) -> Verdict:
    """The verdict with the platform's word: no fill without it, whatever the packs say."""
    if rig.voucher is None:
        return verdict
    ask = _asked(sources, rig_id, facts.get("cylinder.code"))
    answer = None if ask is None else ask.answer
    valid = facts.get("checks.voucher_valid")
    if valid is None:
        return verdict if not verdict.allowed else _with(verdict, _pending(rig.voucher))
    if valid is True:
        today = facts.get("clock.today")
        loosened = () if answer is None else _loosened(answer, rig.voucher, today)
        return replace(verdict, findings=(*verdict.findings, *loosened))
    return _refused(verdict, answer or Answer(valid=False))


def record(
    rig_id: str, rig: RigSettings, sources: Iterable[FactSource], who: Identity, zone: ZoneInfo
) -> dict[str, Any]:
    """`voucher` of a record of a rig that asks for one; nothing for any other."""
    if rig.voucher is None:
        return {}
    code = None if who.cylinder is None else who.cylinder.code
    ask = _asked(sources, rig_id, code)
    answer = None if ask is None else ask.answer
    if ask is None or answer is None or ask.answered_at is None:
        told = dict.fromkeys(("valid", "number", "code", "reason", "asked_at", "answered_at"))
        return {"voucher": {"upstream": rig.voucher.upstream, **told, "offline": False}}
    return {
        "voucher": {
            "upstream": rig.voucher.upstream,
            "valid": answer.valid,
            "number": answer.number,
            "code": answer.code,
            "reason": answer.reason,
            "asked_at": evidence.stamp(ask.asked_at, zone),
            "answered_at": evidence.stamp(ask.answered_at, zone),
            "offline": answer.offline,
        }
    }


def _asked(sources: Iterable[FactSource], rig_id: str, code: object) -> Ask | None:
    known = next((each for each in sources if isinstance(each, Vouchers)), None)
    return None if known is None else known.of(rig_id, code)


def _pending(settings: VoucherSettings) -> Finding:
    words = {"upstream": settings.upstream, "within_s": settings.within_s}
    return Finding(CODE, "deny", _said("finding.voucher_pending", **words), BASIS, PENDING, words)


def _refused(verdict: Verdict, answer: Answer) -> Verdict:
    """The reason stands in the finding of the packs where they have one, else in one of its own."""
    values = {"reason": answer.reason or "-", "platform_code": answer.code}
    ours = Finding(
        CODE, "deny", _said("finding.voucher_invalid", **values), BASIS, "rig.voucher", values
    )
    told = any(each.code == CODE and each.severity == "deny" for each in verdict.findings)
    found = tuple(_explained(each, ours) for each in verdict.findings)
    extra = () if told else (ours,)
    known = {each.code for each in verdict.findings if each.severity == "deny"}
    codes = (_of_platform(code, values) for code in answer.codes if code not in known)
    return Verdict("deny", (*found, *extra, *codes), verdict.packs)


def _explained(found: Finding, ours: Finding) -> Finding:
    if found.code != CODE:
        return found
    message = Message(
        zh=f"{found.message.zh}。{ours.message.zh}", en=f"{found.message.en}. {ours.message.en}"
    )
    return replace(found, message=message, values={**found.values, **ours.values})


def _of_platform(code: str, values: Mapping[str, Any]) -> Finding:
    """What the platform itself says against the cylinder."""
    message = _said("finding.of_platform", **values)
    return Finding(code, "deny", message, BASIS, f"platform.{code.lower()}", dict(values))


def _loosened(answer: Answer, settings: VoucherSettings, today: date | None) -> tuple[Finding, ...]:
    """What stands in every verdict that goes without the platform's word."""
    how = settings.lenient(today)
    if answer.valid or how is None:
        return ()
    values = {
        "reason": answer.reason,
        "because": how.reason,
        "approved_by": how.approved_by,
        "until": how.allow_until,
    }
    message = _said("finding.voucher_offline", **values)
    return (Finding(CODE, "warn", message, BASIS, "site.voucher_invalid", values),)


def _with(verdict: Verdict, found: Finding) -> Verdict:
    return Verdict("deny", (*verdict.findings, found), verdict.packs)


def _said(key: str, **words: Any) -> Message:
    return Message(zh=text(key, "zh", **words), en=text(key, "en", **words))
