"""Passwords of the page's users: made once for the file, and compared slowly and evenly."""

import hashlib
import hmac
import secrets

from gatewayd.settings.web import HASHED

COST = 2**15
"""scrypt: some 60 ms and 32 MiB a guess."""
MEMORY_BYTES_MAX = 64 * 1024 * 1024
SALT_BYTES = 16
NOBODY = "scrypt:" + "0" * 32 + ":" + "0" * 64
"""What a name that is not known is compared with, so that it takes as long as one that is."""


def made(password: str) -> str:
    """The line for `password:` of a user; takes tens of milliseconds."""
    salt = secrets.token_bytes(SALT_BYTES)
    return f"scrypt:{salt.hex()}:{_derived(password, salt).hex()}"


def matches(given: str, kept: str) -> bool:
    """Whether somebody said the right password. Tens of milliseconds: not for the loop."""
    if not HASHED.fullmatch(kept):
        salt = secrets.token_bytes(SALT_BYTES)
        return hmac.compare_digest(_derived(given, salt), _derived(kept, salt))
    _, salt_hex, derived = kept.split(":")
    return hmac.compare_digest(_derived(given, bytes.fromhex(salt_hex)), bytes.fromhex(derived))


def _derived(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=COST, r=8, p=1, maxmem=MEMORY_BYTES_MAX, dklen=32
    )
