"""Real stores made small, and the values that go into them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gatewayd.clock import ManualClock
from gatewayd.ids import new_id
from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.chain import Head, broken, head_of
from gatewayd.store.model import Permit, RecordDraft
from gatewayd.store.reads import Reads
from gatewayd.store.store import Store

STATION = "3701000042"
ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)


def open_store(
    folder: Path, *, quota_mb: int = 64, busy_ms: int = 200, clock: ManualClock | None = None
) -> Store:
    """The store of the test station in `folder`; a small quota and a short patience."""
    return Store.open(
        folder / "gatewayd.db",
        station_id=STATION,
        zone=ZONE,
        clock=clock or ManualClock(NOON),
        quota_mb=quota_mb,
        busy_ms=busy_ms,
    )


def draft(
    kind: RecordKind = "fill",
    *,
    rig_id: str = "rig-1",
    record_id: str | None = None,
    data: Mapping[str, Any] | None = None,
    counts_fill_of: str | None = None,
    total_after_g: int | None = None,
) -> RecordDraft:
    """A record about to be committed."""
    return RecordDraft(
        id=record_id or new_id(),
        kind=kind,
        rig_id=rig_id,
        time=NOON,
        data={"net_g": 14_500} if data is None else data,
        counts_fill_of=counts_fill_of,
        total_after_g=total_after_g,
    )


def permit(rig_id: str = "rig-1", permit_no: int = 1) -> Permit:
    """A right to fill 14.5 kg."""
    return Permit(
        id=new_id(),
        record_id=new_id(),
        rig_id=rig_id,
        permit_no=permit_no,
        cylinder_code="3701000001",
        target_g=14_500,
        limit_gross_g=31_000,
        tare_g=16_500,
        lease_ms=2_000,
        total_before_g=1_000,
        fills_before=7,
        issued_at=NOON,
        expires_at=NOON + timedelta(seconds=120),
        judged={"cylinder": {"code": "3701000001"}, "verdict": {"decision": "allow"}},
    )


def chain_breaks(store: Reads) -> list[str]:
    """Every reason why the chain of a store is not whole; empty when it is."""
    head, problems = Head(), []
    for record in store.records(limit=1_000_000):
        problem = broken(record, head)
        problems += [] if problem is None else [problem]
        head = head_of(record)
    if head.sequence != store.highest_sequence_given():
        problems.append("the tail is missing")
    return problems
