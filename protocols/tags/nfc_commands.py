"""Commands to NFC Forum Type 2 tags (NTAG, MIFARE Ultralight), as bytes and in words.

Source: NXP NTAG213/215/216 data sheet §10. A read answers 16 bytes from its page on and starts
again at page 0 behind the last page; a write takes one page of 4 bytes.
"""

PAGE_BYTES = 4
READ_BYTES = 16
ACK = 0x0A
"""The four bits with which a tag confirms a write."""
READ, WRITE, GET_VERSION, FAST_READ, PASSWORD = 0x30, 0xA2, 0x60, 0x3A, 0x1B


def read(page: int) -> bytes:
    """Read 16 bytes from `page` on."""
    return bytes((READ, page))


def write(page: int, data: bytes) -> bytes:
    """Write the 4 bytes of `page`."""
    assert len(data) == PAGE_BYTES, data
    return bytes((WRITE, page)) + data


def describe(command: bytes) -> str:
    """A tag command in words, empty when it is none of these."""
    match list(command):
        case [0x60]:
            return "GET_VERSION"
        case [0x30, page]:
            return f"READ page {page}"
        case [0xA2, page, *data] if len(data) == PAGE_BYTES:
            return f"WRITE page {page}: {bytes(data).hex()}"
        case [0x3A, first, last]:
            return f"FAST_READ pages {first} to {last}"
        case [0x1B, *password] if len(password) == PAGE_BYTES:
            return "PWD_AUTH"
    return ""
