"""The first record of a store that took the place of a damaged one: an alarm that stands."""

from typing import Final

from gatewayd.alarms import words
from gatewayd.alarms.catalogue import KINDS
from gatewayd.ids import new_id
from gatewayd.store.model import RecordDraft, StoredAlarm
from gatewayd.store.rebirth import Damage, Remedy

LOST_SHOWN_MAX: Final = 8
"""Stretches of lost records that are named in the text; all are in the store."""
LOCKED: Final = "数据库损坏，锁定状态丢失 / store damaged, it is not known which rigs were locked"


def remedy(station_id: str, rigs: tuple[str, ...]) -> Remedy:
    """What a station does about a damaged store."""
    return Remedy(lambda damage: told(damage, station_id), rigs, LOCKED)


def told(damage: Damage, station_id: str) -> RecordDraft:
    """The alarm, with what is missing now."""
    carried = damage.carried
    kind = KINDS["store_damaged"]
    shown = carried.lost[:LOST_SHOWN_MAX]
    more = " ..." if len(carried.lost) > len(shown) else ""
    lost = ", ".join(f"{first}-{last}" for first, last in shown) + more
    detail = (
        f"{damage.file}; records taken over: {carried.records}, lost: {lost or 'none'}; "
        f"not taken over: {', '.join(carried.groups_lost) or 'none'}; {damage.why}"
    )
    values = {
        "file": damage.file,
        "records": carried.records,
        "lost": [list(ends) for ends in shown],
        "not_taken_over": list(carried.groups_lost),
        "last_sequence": carried.last,
        "last_sequence_sure": carried.sure,
    }
    alarm = StoredAlarm(
        kind.name, "store", "", kind.severity, damage.at, new_id(), 1, detail, values
    )
    words.say(kind, "store", detail)
    return words.draft(alarm, "raised", station_id=station_id, at=damage.at)
