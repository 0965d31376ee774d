"""The first record of a store that took the place of a damaged one: an alarm that stands."""

from datetime import datetime
from typing import Any, Final

from gatewayd.alarms import words
from gatewayd.alarms.catalogue import KINDS
from gatewayd.ids import new_id
from gatewayd.store.carry import Carried
from gatewayd.store.model import RecordDraft, StoredAlarm
from gatewayd.store.rebirth import Damage, Remedy
from gatewayd.store.restoring import Restored

LOST_SHOWN_MAX: Final = 8
"""Stretches of lost records that are named in the text; all are in the store."""
LEFT_OUT: Final = "; 跳过的编号，不知旧库编到哪里 / left out, nobody knows how far it had counted: "
LOCKED: Final = (
    "数据库损坏，锁定、不合格检查或报警丢失，见报警 / store damaged: locks, failed checks or alarms are lost, "
    "see its alarm"
)


def remedy(station_id: str, rigs: tuple[str, ...]) -> Remedy:
    """What a station does about a damaged store."""
    return Remedy(lambda damage: told(damage, station_id), rigs, LOCKED)


def told(damage: Damage, station_id: str) -> RecordDraft:
    """The alarm of a damaged store, with what is missing now."""
    detail = f"{damage.file}; {_missing(damage.carried)}; {damage.why}"
    values = {"file": damage.file, **_values(damage.carried)}
    words.say(KINDS["store_damaged"], "store", detail)
    return _draft("store_damaged", detail, values, station_id, damage.at)


def restored(found: Restored, station_id: str, *, by: str) -> RecordDraft:
    """The alarm of a restore, with what is missing now."""
    backup, replaced = found.backup, found.replaced or "-"
    detail = (
        f"{by}; 备份至 / backup through {backup.head.sequence}; 被替换的库 / replaced store: "
        f"{replaced}; 此后的记录 / records made since: {found.replaced_records}; "
        f"{_missing(found.carried)}"
    )
    values = {
        "by": by,
        "backup_records": backup.records,
        "backup_through": backup.head.sequence,
        "replaced": found.replaced,
        "replaced_records": found.replaced_records,
        **_values(found.carried),
    }
    return _draft("store_restored", detail, values, station_id, found.at)


def _missing(carried: Carried) -> str:
    shown = carried.known_lost[:LOST_SHOWN_MAX]
    more = " ..." if len(carried.known_lost) > len(shown) else ""
    lost = ", ".join(f"{first}-{last}" for first, last in shown) + more
    out = carried.left_out
    skipped = f"{LEFT_OUT}{out[0]}-{out[1]}" if out is not None else ""
    groups = ", ".join(carried.groups_lost)
    older = ", ".join(carried.groups_older)
    tail = f"; 撕裂之前的 / from before the tear: {older}" if older else ""
    found = f"记录 / records: {carried.records}, 缺失 / lost: {lost or '-'}{skipped}"
    return f"{found}; 未带过来 / not taken over: {groups or '-'}{tail}"


def _values(carried: Carried) -> dict[str, Any]:
    return {
        "records": carried.records,
        "lost": [list(ends) for ends in carried.lost[:LOST_SHOWN_MAX]],
        "left_out": carried.left_out,
        "not_taken_over": list(carried.groups_lost),
        "from_before_the_tear": list(carried.groups_older),
        "last_sequence": carried.last,
        "last_sequence_sure": carried.sure,
    }


def _draft(
    name: str, detail: str, values: dict[str, Any], station_id: str, at: datetime
) -> RecordDraft:
    kind = KINDS[name]
    alarm = StoredAlarm(name, "store", "", kind.severity, at, new_id(), 1, detail, values)
    return words.draft(alarm, "raised", station_id=station_id, at=at)
