"""What speaks for and against a way to read a device: only what its map can prove. Pure.

Known constants weigh most, then codes and bits that exist, then masses that a scale can have. Zeros
prove nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gatewayd.commission.asking import Answer
from gatewayd.commission.maps import Mapped
from gatewayd.commission.points import Look, Row
from protocols.heads import HeadError, uid_of
from protocols.masses import DECIMALS_MAX, MassError, float_grams, grams
from protocols.register_file import CodedDecimals, CodedUnit
from protocols.register_totals import counted
from protocols.register_values import Reading
from protocols.register_weights import UnknownMassError, scaling_of

PLAUSIBLE_G_MAX = 2_000_000
"""No scale at a filling station carries more than 2 t; `capacity_g` says it better."""
COUNTED_G_MAX = 1_000_000_000_000
"""A million tonnes is a long life of a meter; a wrong order of words shows more, or nothing."""
CONSTANT, MOVES, CODE, BITS, MASS, AT_REST, ANSWERED = 10, 8, 3, 2, 2, 2, 1
REFUSED, NOT_ANSWERED, STANDS_STILL, NO_CODE, NO_BITS, NO_MASS, NO_UID = 3, 2, 3, 6, 4, 4, 3
ALARM, ALARMS_MAX, LOW_BYTE_FIRST = 1, 3, 3
"""How much each weighs, for and against."""
STRONG = MOVES
"""A single reason of this weight proves a map; plausible masses alone never do."""
HEARTBEAT = "heartbeat"
GATE_MASSES = frozenset({"gross_g", "net_g", "tare_g", "last_net_g"})
"""Contract names of a gate's registers."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One reason; `points` below 0 speaks against."""

    points: int
    zh: str
    en: str


def evidence(device: Mapped, looks: Sequence[Look]) -> tuple[Proof, ...]:
    """Every reason in some looks at one device, the same map read the same way."""
    last = looks[-1]
    return (
        *(_answered(answer) for answer in last.answers),
        *_constants(device, last),
        *_codes(device, last),
        *_health(device, looks),
        *(proof for row in last.rows for proof in _row(device, last, row)),
        *_beat(looks),
        *_uid(device, last),
    )


def score(proofs: Sequence[Proof]) -> int:
    """The sum of it."""
    return sum(proof.points for proof in proofs)


def _answered(answer: Answer) -> Proof:
    at = f"{answer.span.table} {answer.span.points[0].number}"
    if answer.data is not None:
        return Proof(ANSWERED, f"{at} 有应答", f"{at} is answered")
    if answer.exception:
        return Proof(-REFUSED, f"{at} 被拒绝：{answer.refusal}", f"{at}: {answer.refusal}")
    return Proof(-NOT_ANSWERED, f"{at} 无应答", f"{at} is not answered")


def _constants(device: Mapped, seen: Look) -> Iterator[Proof]:
    """Numbers that the map knows beforehand, or the range they must be in."""
    for unknown in device.profile.unknown_when:
        row = _row_of(seen, unknown.when)
        if unknown.outside is None or row is None or unknown.when not in row.values:
            continue
        low, high = unknown.outside.low, unknown.outside.high
        value, known = int(row.values[unknown.when]), low == high
        wanted = str(low) if known else f"{low}..{high}"
        if low <= value <= high:
            points = CONSTANT if known else ANSWERED
            yield Proof(points, f"{row.shown}，正是 {wanted}", f"{row.shown}, is {wanted}")
        elif device.own_map:  # a module whose watchdog was never set is no other module
            text = (f"{row.shown}，应为 {wanted}", f"{row.shown}, must be {wanted}")
            yield Proof(-CONSTANT, *text)


def _codes(device: Mapped, seen: Look) -> Iterator[Proof]:
    mass = device.profile.mass
    for coded in (mass.unit, mass.decimals) if mass is not None else ():
        if not isinstance(coded, CodedUnit | CodedDecimals):
            continue
        row = _row_of(seen, coded.from_)
        if row is None or coded.from_ not in row.values:
            continue
        known = coded.codes or dict.fromkeys(range(DECIMALS_MAX + 1))
        if row.values[coded.from_] in known:
            yield Proof(CODE, f"{row.shown} 是已知代码", f"{row.shown} is a known code")
        else:
            yield Proof(-NO_CODE, f"{row.shown} 不是已知代码", f"{row.shown} is no known code")


def _health(device: Mapped, looks: Sequence[Look]) -> Iterator[Proof]:
    """A scale at rest is stable, and a healthy one has few alarms at once."""
    last, scale = looks[-1], device.profile.scale
    values = {name: value for row in last.rows for name, value in row.values.items()}
    alarms = [
        unknown.when
        for unknown in device.profile.unknown_when
        if unknown.outside is None and not unknown.is_ and values.get(unknown.when)
    ]
    if alarms:
        names = ", ".join(alarms)
        yield Proof(-ALARM * min(len(alarms), ALARMS_MAX), f"报警：{names}", f"alarms: {names}")
    if scale is None or not values.get(scale.stable):
        return
    gross = {row.words for each in looks if (row := _row_of(each, scale.gross)) is not None}
    if len(gross) == 1 and None not in gross:
        yield Proof(AT_REST, "静止且报告稳定", "at rest, and says that it is stable")


def low_byte_first() -> Proof:
    """Against bytes the other way round: Modbus Application Protocol 1.1b3, 4.2, has none."""
    text = ("Modbus 规定高字节在前", "Modbus sends the high byte of a register first")
    return Proof(-LOW_BYTE_FIRST, *text)


def _row(device: Mapped, seen: Look, row: Row) -> Iterator[Proof]:
    if row.words is None or not any(row.words):
        return
    if row.point.type == "bits" and not row.point.spare_ignored:
        if row.values:
            yield Proof(BITS, f"{row.shown} 各位都有定义", f"{row.shown} has known bits only")
        else:
            yield Proof(-NO_BITS, f"{row.shown} 有未定义的位", f"{row.shown} has unknown bits")
    if row.point.mass or row.point.name in GATE_MASSES:
        grams_, limit_g = _grams(device, seen, row), _limit_g(device)
        if grams_ is None or grams_ == 0 or abs(grams_) > limit_g:
            shown = "?" if grams_ is None else f"{grams_} g"
            text = (f"{row.shown} 不像重量（{shown}）", f"{row.shown} is no likely mass ({shown})")
            yield Proof(-NO_MASS, *text)
        else:
            shown = f"{grams_} g"
            text = (f"{row.shown} 像重量（{shown}）", f"{row.shown} is a likely mass ({shown})")
            yield Proof(MASS, *text)


def _limit_g(device: Mapped) -> int:
    """More than this no scale of the station carries, and no meter ever counted."""
    if device.profile.meter is not None:
        return COUNTED_G_MAX
    return device.capacity_g or PLAUSIBLE_G_MAX


def _grams(device: Mapped, seen: Look, row: Row) -> int | None:
    """The mass without the map's own doubts about it, which are judged by themselves."""
    value = int(row.values[row.point.name])
    if not row.point.mass:
        return value
    values = {name: each for other in seen.rows for name, each in other.values.items()}
    points = {other.point.name: other.point for other in seen.rows}
    words = {other.point.name: other.words for other in seen.rows if other.words is not None}
    try:
        scaling = scaling_of(device.profile, Reading(values, words, points), device.site)
        if device.profile.meter is not None:
            return counted(row.point, value, scaling)[0]
        if row.point.type == "float32":
            return float_grams(value, scaling.unit)
        return grams(value, scaling.unit, scaling.decimals)
    except (MassError, UnknownMassError, KeyError):
        return None


def _beat(looks: Sequence[Look]) -> Iterator[Proof]:
    """A gate's heartbeat moves while its program runs."""
    rows = [row for each in looks if (row := _row_of(each, HEARTBEAT)) is not None and row.values]
    if len(rows) < 2:  # noqa: PLR2004 - a move needs two
        return
    if len({row.words for row in rows}) > 1:
        yield Proof(MOVES, f"{rows[-1].shown}，在变化", f"{rows[-1].shown}, moves")
    else:
        yield Proof(-STANDS_STILL, f"{rows[-1].shown}，不变化", f"{rows[-1].shown}, stands still")


def _uid(device: Mapped, seen: Look) -> Iterator[Proof]:
    if device.profile.head is None:
        return
    values = {name: int(value) for row in seen.rows for name, value in row.values.items()}
    try:
        uid = uid_of(device.profile.head, values)
    except HeadError as exc:
        yield Proof(-NO_UID, f"不是标签数据：{exc}", f"no tag can be there: {exc}")
        return
    if uid:
        yield Proof(CODE, f"标签 {uid.hex().upper()}", f"a tag, {uid.hex().upper()}")


def _row_of(seen: Look, name: str) -> Row | None:
    return next((row for row in seen.rows if name in row.point.names), None)
