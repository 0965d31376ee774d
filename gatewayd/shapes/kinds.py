"""Every kind of record, listed once: what is stored, mapped and published names them from here."""

from typing import Final, Literal, TypeAlias, get_args

RecordKind: TypeAlias = Literal[
    "fill",
    "refusal",
    "alarm",
    "session",
    "check",
    "batch",
    "acknowledgement",
    "hold",
    "lock",
    "command",
    "clock",
    "movement",
    "reconciliation",
    "witness",
    "issue",
    "inspection",
    "repair",
]

KINDS: Final[tuple[RecordKind, ...]] = get_args(RecordKind)
