"""What reading and writing the memory of a Gen2 tag has in common, whatever reader does it."""

from drivers.contract import Bank, DriverError, MemoryArea

BANKS: dict[Bank, int] = {"reserved": 0, "epc": 1, "tid": 2, "user": 3}
"""Bank numbers of EPC Gen2 (GS1 EPC Gen2 v2, 6.3.2.1)."""
PASSWORD_MAX = 0xFFFF_FFFF
WORD_BYTES = 2
_PC_WORD = 1
_EPC_WORD = 2


def the_one(seen: set[bytes], wanted: str) -> bytes:
    """The tag to access: the wanted one, or the only one there is. Raises DriverError."""
    shown = ", ".join(sorted(uid.hex().upper() for uid in seen))
    if wanted:
        uid = uid_bytes(wanted)
        if uid not in seen:
            raise DriverError(f"tag {wanted} is not in the field; seen: {shown or 'none'}")
        return uid
    if not seen:
        raise DriverError("no tag in the field")
    if len(seen) > 1:
        raise DriverError(f"several tags in the field: {shown}; name one or move the others away")
    return next(iter(seen))


def uid_bytes(uid: str) -> bytes:
    """A tag's uid as bytes. Raises DriverError when it is no hex."""
    try:
        return bytes.fromhex(uid)
    except ValueError as exc:
        raise DriverError(f"uid {uid!r} is not hex") from exc


def check(area: MemoryArea, *, words_max: int, start_max: int = 0xFF) -> None:
    """Refuse an area that no command can name; raises DriverError."""
    if not 1 <= area.count <= words_max:
        raise DriverError(f"{area.count} words; this reader takes 1 to {words_max} at once")
    if not 0 <= area.start <= start_max:
        raise DriverError(f"word {area.start}; this reader addresses words 0 to {start_max}")
    if not 0 <= area.password <= PASSWORD_MAX:
        raise DriverError("an access password has 32 bits")


def check_write(area: MemoryArea, data: bytes, *, words_max: int, start_max: int = 0xFF) -> None:
    """As `check`, and the data must fill the area and the tag be named."""
    check(area, words_max=words_max, start_max=start_max)
    if not area.uid:
        raise DriverError("a write must name its tag: uid is empty")
    if len(data) != WORD_BYTES * area.count:
        raise DriverError(f"{len(data)} bytes for {area.count} words of 2 bytes")
    if area.bank == "tid":
        raise DriverError("the TID of a tag is written by its maker only")


def epc_after(epc: bytes, area: MemoryArea, data: bytes) -> bytes:
    """The EPC by which a tag answers after a write: writing the EPC bank may change it.

    The length of the EPC is in its PC (word 1, bits 15..11), which may be overwritten too.
    """
    if area.bank != "epc":
        return epc
    whole = bytearray(2 * WORD_BYTES) + epc
    whole[_PC_WORD * WORD_BYTES] = len(epc) // WORD_BYTES << 3
    start = area.start * WORD_BYTES
    whole += bytes(max(0, start + len(data) - len(whole)))
    whole[start : start + len(data)] = data
    words = whole[_PC_WORD * WORD_BYTES] >> 3
    return bytes(whole[_EPC_WORD * WORD_BYTES : (_EPC_WORD + words) * WORD_BYTES])
