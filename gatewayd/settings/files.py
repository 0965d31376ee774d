"""The files of a config directory: which there are, and their text or what is wrong with them."""

import re
from collections.abc import Iterator
from pathlib import Path

from gatewayd.settings.report import Report
from protocols.documents import DOCUMENT_BYTES_MAX, Mark, nearest_hint

GATEWAY_FILE = "gateway.yaml"
FOLDERS = ("devices", "rigs", "rules", "profiles", "checks", "points", "tags", "upstreams")
FOLDERS_KNOWN = (*FOLDERS, "schema", "plc")
FILES_KNOWN = (GATEWAY_FILE, "secrets.yaml")
FILES_MAX = 1000
"""Files a folder may hold; more is a mistake, not a station."""

_IGNORED = re.compile(
    r"\..*|.*~|#.*#|.*\.(md|sql|bak|old|orig|swp|tmp|rpmnew|rpmsave|dpkg-[a-z]+|ucf-[a-z]+)",
    re.IGNORECASE,
)
"""Editor backups, leftovers of package upgrades, hidden files, and guides."""


def read_text(path: Path, report: Report) -> str | None:
    """The text of one file, without a byte-order mark; None after adding the problem."""
    mark = Mark(str(path))
    try:
        if path.exists() and not path.is_file():
            report.problem(mark, "not a file", "a text file")
            return None
        with path.open("rb") as stream:
            data = stream.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as exc:
        report.problem(mark, f"cannot be read: {exc.strerror or exc}")
        return None
    if len(data) > DOCUMENT_BYTES_MAX:
        report.problem(mark, f"larger than {DOCUMENT_BYTES_MAX} bytes")
        return None
    return _decoded(data, mark, report)


def _decoded(data: bytes, mark: Mark, report: Report) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        head = data[: exc.start]
        at = Mark(mark.origin, head.count(b"\n") + 1, exc.start - head.rfind(b"\n"))
        report.problem(at, "not UTF-8 text", "", "save the file as UTF-8 in your editor")
        return None


def folder(directory: Path, name: str, report: Report) -> Iterator[Path]:
    """The YAML files of one folder by name; anything else in it is a problem, not a surprise."""
    try:
        paths = sorted((directory / name).iterdir())
    except FileNotFoundError:
        return
    except OSError as exc:
        report.problem(Mark(str(directory / name)), f"cannot be read: {exc.strerror or exc}")
        return
    if len(paths) > FILES_MAX:
        report.problem(Mark(str(directory / name)), f"more than {FILES_MAX} files")
        return
    for path in paths:
        if _IGNORED.fullmatch(path.name):
            continue
        if path.suffix == ".yaml":
            yield path
        else:
            _not_read(path, "a name that ends in .yaml", "rename or remove it", report)


def strangers(directory: Path, report: Report) -> None:
    """Misspelt folders and files beside gateway.yaml, which nobody would ever read."""
    try:
        paths = sorted(directory.iterdir())
    except OSError as exc:
        report.problem(Mark(str(directory)), f"cannot be read: {exc.strerror or exc}")
        return
    for path in paths:
        if _IGNORED.fullmatch(path.name):
            continue
        if path.is_dir() and path.name not in FOLDERS_KNOWN:
            hint = nearest_hint(path.name, FOLDERS)
            if hint:
                _not_read(path, f"folders: {', '.join(FOLDERS)}", hint, report)
        elif path.suffix in {".yaml", ".yml"} and path.name not in FILES_KNOWN:
            hint = nearest_hint(path.name, FILES_KNOWN)
            _not_read(path, f"{GATEWAY_FILE} or a folder: {', '.join(FOLDERS)}", hint, report)


def _not_read(path: Path, expected: str, hint: str, report: Report) -> None:
    report.problem(Mark(str(path)), "would never be read", expected, hint)
