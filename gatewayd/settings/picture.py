"""A configuration as a flat picture, part by part: every value, secrets as fingerprints only.

What runs is kept as such a picture, so that `config plan` can say what a reload would change also
beside the daemon. A secret is in it as a slow, salted hash: enough to see that it changed.
"""

import hashlib
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from gatewayd.mapping.mapping import Tongue
from gatewayd.settings.effective import told
from gatewayd.settings.layouts import layout_of
from gatewayd.settings.load import Examined
from gatewayd.settings.mapped import MappedSettings
from gatewayd.settings.secrets import MASK

Picture: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By part (`station`, `devices/gun-1`, `rules/cn-lpg`): JSON values by dotted key.

A secret is `{"secret": fingerprint}`.
"""

NAMED = frozenset({"devices", "rigs", "upstreams"})
"""Sections whose entries are parts of their own."""
SECRET = "secret"  # noqa: S105 - the word, not one
SALT_BYTES = 16
COST = 2**14
"""scrypt: some 30 ms and 16 MiB a guess, for who has stolen the store."""


def new_salt() -> str:
    """A salt; only pictures of one salt can be compared."""
    return secrets.token_hex(SALT_BYTES)


def picture(examined: Examined, salt: str) -> dict[str, dict[str, Any]]:
    """The picture of a valid configuration, with packs and register maps by their hash.

    Takes tens of milliseconds a secret: not for the loop.
    """
    settings = examined.settings
    assert settings is not None, "only a valid configuration has a picture"
    parts: dict[str, dict[str, Any]] = {}
    for keys, value, raw in told(examined):
        head = 2 if keys[0] in NAMED else 1
        part = "/".join(str(key) for key in keys[:head])
        seen = {SECRET: fingerprint(str(raw), salt)} if value.secret else value.value
        parts.setdefault(part, {})[".".join(str(key) for key in keys[head:])] = seen
    for name, upstream in settings.upstreams.items():
        if isinstance(upstream.settings, MappedSettings) and upstream.settings.tongue is not None:
            parts[f"upstreams/{name}"] |= _spoken(upstream.settings.tongue, salt)
    for name, pack in settings.packs.items():
        below = pack.ref.extends.hash if pack.ref.extends else None
        parts[f"rules/{name}"] = {"version": pack.version, "hash": pack.ref.hash, "extends": below}
    for name, form in settings.checks.items():
        parts[f"checks/{name}"] = {"hash": _hash(form.model_dump_json())}
    for name, device in settings.devices.items():
        layout = layout_of(settings, name)
        if layout is not None:
            parts[f"tags/{layout.id}"] = {"hash": layout.hash}
        part = f"profiles/{getattr(device.settings, 'profile', None)}"
        source = examined.sources.get(part)
        if source is not None:
            parts[part] = {"hash": _hash(source.text)}
    return parts


def _spoken(tongue: Tongue, salt: str) -> dict[str, Any]:
    """What the mapping of an upstream is made of."""
    hidden = {SECRET: fingerprint("\n".join(tongue.hidden), salt)} if tongue.hidden else None
    return {"mapping.hash": tongue.mapping.hash, "mapping.secrets": hidden}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(256)
def fingerprint(value: str, salt: str) -> str:
    """What stands for a secret; equal secrets under one salt have one."""
    return hashlib.scrypt(value.encode(), salt=salt.encode(), n=COST, r=8, p=1, dklen=16).hex()


def shown(value: Any) -> Any:
    """A value of a picture as a person may see it."""
    return MASK if isinstance(value, dict) and SECRET in value else value
