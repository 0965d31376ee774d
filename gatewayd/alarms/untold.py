"""Alarms whose record is committed with another one that could not be kept, and is made anew."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gatewayd.alarms.alarms import Alarms
from gatewayd.store.model import RecordDraft


def raised_with(
    alarms: Alarms,
    untold: tuple[RecordDraft, ...],
    kind: str,
    subject: str,
    *,
    detail: str,
    values: Mapping[str, Any],
    rig_id: str = "",
) -> tuple[RecordDraft, ...]:
    """Raise an alarm for a record that takes another's place; `untold` are the alarms of that one.

    They stand and were never recorded: without them an alarm would be shown that no record knows.
    """
    raised = alarms.raised(kind, subject, detail=detail, values=values, rig_id=rig_id)
    same = {"detail": detail, "values": dict(values)}
    told = tuple(_told_as(each, same) if each.data["code"] == kind else each for each in untold)
    return told if raised is None else (*told, raised)


def _told_as(draft: RecordDraft, same: Mapping[str, Any]) -> RecordDraft:
    assert draft.alarm is not None, draft
    return replace(draft, data={**draft.data, **same}, alarm=replace(draft.alarm, **same))
