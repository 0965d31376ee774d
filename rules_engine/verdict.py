"""The answer of a judgement: allow or deny, with every finding (contract §9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["deny", "warn", "observe"]
Decision = Literal["allow", "deny"]


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
class PackRef:
    """Which text decided: pack id, its version, and the SHA-256 of the text in lower-case hex."""

    id: str
    version: str
    hash: str

    def as_json(self) -> dict[str, Any]:
        """The shape of contract §9."""
        return {"id": self.id, "version": self.version, "hash": self.hash}


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
