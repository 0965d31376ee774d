"""Checksums of the wire protocols, one name each; the check value is the result for b"123456789"."""

import binascii
import functools
import operator

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def mcrf4xx(data: bytes) -> int:
    """CRC-16/MCRF4XX (check 0x6F91): reflected polynomial 0x8408, init 0xFFFF, no final xor.

    It is the mirror image of the CRC the standard library computes in C, so mirror the bytes in
    and the result out: twenty times faster than a loop, and a busy reader needs that.
    """
    mirrored = binascii.crc_hqx(data.translate(_REVERSED), 0xFFFF)
    return _REVERSED[mirrored & 0xFF] << 8 | _REVERSED[mirrored >> 8]


def xmodem(data: bytes) -> int:
    """CRC-16/XMODEM (check 0x31C3): polynomial 0x1021, init 0; GM65 scanner modules."""
    return binascii.crc_hqx(data, 0)


def sum16c(data: bytes) -> int:
    """Two's complement of the 16-bit sum, so that data and sum add up to 0; Zebra SSI."""
    return -sum(data) & 0xFFFF


def lrc8(data: bytes) -> int:
    """Two's complement of the 8-bit sum (check 0x23), so that all adds up to 0; R2000, PN532."""
    return -sum(data) & 0xFF


def tm_shift(data: bytes) -> int:
    """The CRC of ThingMagic, TransCore and Silion (check 0xA69D): polynomial 0x1021, init 0xFFFF.

    The vendor's guide calls it CCITT, but its loop shifts the bits in at the bottom of the
    register and never appends the sixteen zeros: it is the remainder of 0xFFFF and the data. The
    C routine does append them, so the last two bytes are added outside of it.
    """
    dividend = b"\xff\xff" + data
    return binascii.crc_hqx(dividend[:-2], 0) ^ int.from_bytes(dividend[-2:])


def genibus(data: bytes) -> int:
    """CRC-16/GENIBUS (check 0xD64E): polynomial 0x1021, init and final xor 0xFFFF.

    The CRC of an EPC Gen2 tag over its PC and EPC (GS1 EPC Gen2 v2, annex F).
    """
    return binascii.crc_hqx(data, 0xFFFF) ^ 0xFFFF


def sum8(data: bytes) -> int:
    """Low byte of the sum of all bytes; M100 family."""
    return sum(data) & 0xFF


def x25(data: bytes) -> int:
    """CRC-16/X-25 (check 0x906E): mcrf4xx with a final xor of 0xFFFF; the ISO 15693 air frame."""
    return mcrf4xx(data) ^ 0xFFFF


def xor8(data: bytes) -> int:
    """All bytes xored (check 0x31); iDTRONIC, AA..BB and TI HF readers, MIFARE and ATR bytes."""
    return functools.reduce(operator.xor, data, 0)
