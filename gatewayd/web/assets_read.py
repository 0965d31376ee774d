"""The files of the page, as they ship inside the package: read once, served from memory."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, its media type, and a tag that changes with it."""

    body: bytes
    kind: str
    tag: str


def assets() -> Mapping[str, Asset]:
    """Every file by its path; `/` is the page itself."""
    found: dict[str, Asset] = {}
    for entry in files("gatewayd.web").joinpath("assets").iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix not in KINDS:
            continue
        body = entry.read_bytes()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        found["/" if entry.name == INDEX else f"/{entry.name}"] = Asset(body, KINDS[suffix], tag)
    return found
