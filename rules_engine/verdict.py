"""The answer of a judgement: allow or deny, with every finding (contract §9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Severity = Literal["deny", "warn", "observe"]
Decision = Literal["allow", "deny"]
Stage = Literal["receive", "prefill", "permit", "fill", "postfill", "dispatch"]
STRICTNESS: tuple[Severity, ...] = ("observe", "warn", "deny")


def weaker(new: Severity, old: Severity) -> bool:
    """Whether a rule of severity `new` refuses or warns less than one of `old`."""
    return STRICTNESS.index(new) < STRICTNESS.index(old)


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence for the person at the rig, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that holds: `code` is a reason of contract §8, `values` the facts it read."""

    code: str
    severity: Severity
    message: Message
    basis: str
    rule: str
    values: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The shape of contract §8 and §9."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": {"zh": self.message.zh, "en": self.message.en},
            "basis": self.basis,
            "rule": self.rule,
            "values": dict(self.values),
        }


@dataclass(frozen=True, slots=True)
class Override:
    """A site's licence to loosen a rule or `param.<name>` of the law through the day `until`."""

    rule: str
    reason: str
    approved_by: str
    until: date

    def in_force(self, today: date | None) -> bool:
        """Whether it still counts; on a day that nobody knows it does not."""
        return today is not None and today <= self.until

    def as_json(self, *, applied: bool) -> dict[str, Any]:
        """As a record keeps it: what was loosened, why, by whom, until when, and if it counted."""
        return {
            "rule": self.rule,
            "reason": self.reason,
            "approved_by": self.approved_by,
            "until": self.until.isoformat(),
            "applied": applied,
        }


@dataclass(frozen=True, slots=True)
class PackRef:
    """Which text decided: pack id, its version, and the SHA-256 of the text in lower-case hex.

    `extends` names the shipped text under a site's, `overrides` what the site loosened; `today` is
    the day of the judgement, None when nothing was judged.
    """

    id: str
    version: str
    hash: str
    extends: "PackRef | None" = None
    overrides: tuple[Override, ...] = ()
    today: date | None = None

    def as_json(self) -> dict[str, Any]:
        """The shape of contract §9; `extends` and `overrides` only where there are any."""
        shape: dict[str, Any] = {"id": self.id, "version": self.version, "hash": self.hash}
        if self.extends is not None:
            shape["extends"] = self.extends.as_json()
        if self.overrides:
            shape["overrides"] = [
                each.as_json(applied=each.in_force(self.today)) for each in self.overrides
            ]
        return shape


@dataclass(frozen=True, slots=True)
class Verdict:
    """Allow or deny, and why. Deny wins: an allow carries no finding of severity deny."""

    decision: Decision
    findings: tuple[Finding, ...]
    packs: tuple[PackRef, ...]

    def __post_init__(self) -> None:
        """An allow with a deny in it must never exist."""
        denied = any(finding.severity == "deny" for finding in self.findings)
        assert denied == (self.decision == "deny"), self

    @property
    def allowed(self) -> bool:
        """Whether gas may flow."""
        return self.decision == "allow"

    def as_json(self) -> dict[str, Any]:
        """The shape of contract §9."""
        return {
            "decision": self.decision,
            "findings": [finding.as_json() for finding in self.findings],
            "packs": [pack.as_json() for pack in self.packs],
        }
