"""Who a UHFReader is, which dialect it speaks, and how it is brought into the configured state."""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.dialog import ASKED_TIMES_MAX
from drivers.rfid.uhfreader_line import ReaderLine
from drivers.rfid.uhfreader_memory import why
from drivers.rfid.uhfreader_settings import Settings
from protocols.readers import uhfreader
from protocols.readers.uhfreader import codes

POLL_Q = 4
POLL_SESSION = 0
"""2^4 slots suit a handful of tags; session 0 forgets at once, so a tag answers every round."""
PROBE_SCAN_100MS = 1
TYPES_18 = frozenset({0x09})
TYPES_288 = frozenset({0x0C, 0x0F, 0x10, 0x20, 0x26, 0x62, 0x8B})
"""Reader types of public captures and lists; any other type is probed."""
REFUSED = frozenset({codes.WRONG_LENGTH, codes.ILLEGAL_COMMAND, codes.WRONG_PARAMETER})
"""How a reader answers an inventory of the other dialect."""
_WORK_MODES: Mapping[uhfreader.Dialect, tuple[int, int]] = {
    "18": (codes.GET_WORK_MODE_18, codes.SET_WORK_MODE_18),
    "288": (codes.GET_WORK_MODE_288, codes.SET_WORK_MODE_288),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """What was found out about the reader; `info` is None for one that does not say who it is."""

    info: uhfreader.Info | None
    pushes: bool
    power_dbm: int | None


async def identify(line: ReaderLine, settings: Settings) -> Reader:
    """Find out who is there and bring it into the configured state; raises DriverError."""
    await line.dialog.drain()
    answer = await line.ask(codes.INFO)
    info = answer if isinstance(answer, uhfreader.Info) else None
    if info is not None:
        line.knows(info)
    line.dialect = await _find_dialect(line, settings, info)
    if settings.mode == "push":  # While it pushes it takes no power.
        power_dbm = await _set_power(line, settings, info)
        return Reader(info, await _set_work_mode(line, settings), power_dbm)
    pushes = await _set_work_mode(line, settings)
    return Reader(info, pushes, None if pushes else await _set_power(line, settings, info))


def asides(line: ReaderLine, reader: Reader) -> tuple[int, ...]:
    """Commands without effect that the reader answers beside its rounds and pushes."""
    get, _ = _WORK_MODES[line.dialect]
    told = ((codes.INFO, reader.info is not None), (get, line.tells_mode))
    return tuple(code for code, answers in told if answers)


async def _find_dialect(
    line: ReaderLine, settings: Settings, info: uhfreader.Info | None
) -> uhfreader.Dialect:
    """By settings, by type, else by trying: only a 288 understands 288 parameters.

    Clones that do not know the info command are found out by trying too.
    """
    if settings.dialect != "auto":
        return "18" if str(settings.dialect) == "18" else "288"
    if info is not None and info.type_code in TYPES_18 | TYPES_288:
        return "18" if info.type_code in TYPES_18 else "288"
    aim = uhfreader.Aim(0, uhfreader.ANTENNA_SELECTOR, PROBE_SCAN_100MS)
    probe = uhfreader.InventoryParams(POLL_Q, POLL_SESSION, aim=aim)
    times = 1 if info is None else ASKED_TIMES_MAX
    reply = await line.ask(codes.INVENTORY, uhfreader.encode_params(probe), times=times)
    if reply is not None:
        return "18" if reply.status in REFUSED else "288"
    for dialect, (get, _) in _WORK_MODES.items():  # A pushing reader answers only these.
        if isinstance(await line.ask(get, times=1), uhfreader.WorkMode):
            return dialect
    if info is None:
        raise line.dialog.lost(f"no UHF reader answers at address {line.address}")
    raise line.dialog.lost("reader of unknown type answers no inventory; set its dialect")


async def _set_work_mode(line: ReaderLine, settings: Settings) -> bool:
    """Bring the reader into the configured mode if it can; True when it pushes afterwards."""
    wanted = settings.mode == "push"
    get, tell = _WORK_MODES[line.dialect]
    found = await line.ask(get, times=1)
    line.tells_mode = found is not None
    if not isinstance(found, uhfreader.WorkMode) or found.answers != wanted:
        return wanted  # A model without work modes just does what it is used for.
    answer = await line.ask(tell, found.switched(pushing=wanted))
    done = answer is not None and answer.status == codes.OK
    return wanted if done else not wanted


async def _set_power(
    line: ReaderLine, settings: Settings, info: uhfreader.Info | None
) -> int | None:
    """Write the output power if the reader says another one; the power afterwards."""
    wanted = settings.power_dbm
    found = info.power_dbm if info is not None else None
    if wanted is None or found is None or found == wanted:
        return found
    answer = await line.ask(codes.SET_POWER, bytes((wanted,)))
    if answer is None or answer.status != codes.OK:
        text = f"the reader has {found} dBm and does not take power_dbm {wanted}: {why(answer)}"
        raise line.dialog.lost(text)
    return wanted


def describe(line: ReaderLine, settings: Settings, reader: Reader) -> str:
    """Who the reader says it is, and what it does not do."""
    info, mode = reader.info, "push" if reader.pushes else "poll"
    text = f"UHFReader of unknown type, dialect {line.dialect}, {mode}"
    if info is not None:
        version = f"{info.version[0]}.{info.version[1]}"
        power = info.power_dbm if reader.power_dbm is None else reader.power_dbm
        text = f"UHFReader type 0x{info.type_code:02X} version {version}"
        text += f", dialect {line.dialect}, address {info.address}, {power} dBm, {mode}"
    if line.dialect == "18":
        text += "; reports no antenna, serves antenna 1"
        text += ", and no TID" if settings.tid else ""
    if settings.power_dbm is not None and reader.power_dbm is None:
        text += "; power_dbm is not set, the reader does not tell or take it"
    return text
