"""Secrets of the configuration: `!secret name` and `!env NAME`, looked up outside of it.

`!secret name` comes from the systemd credential `name`, else from `secrets.yaml` in the config
directory, which only its owner may read. `!env NAME` comes from the environment first, then from
the same two places. No message of this module ever contains a value.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from gatewayd.settings.files import read_text
from gatewayd.settings.report import Report
from protocols.documents import Document, DocumentError, Mark, Problem, Tagged, parse_leniently

SECRETS_FILE = "secrets.yaml"
CREDENTIALS = "CREDENTIALS_DIRECTORY"
TAGS = frozenset({"!secret", "!env"})
MASK = "********"


class Secrets:
    """Looks names up, and remembers every value it gave out so that it can be masked."""

    def __init__(self, directory: Path, environ: Mapping[str, str], report: Report) -> None:
        self._environ = environ
        self._report = report
        self._values: set[str] = set()
        self._resolved: set[Mark] = set()
        self.marks: set[Mark] = set()
        self._file = _secrets_file(directory / SECRETS_FILE, report)

    def resolve(self, tagged: Tagged, mark: Mark) -> str:
        """The value behind a tag; raises DocumentError when it is nowhere."""
        self.marks.add(mark)
        value = self._look_up(tagged, mark)
        if value is None:
            hint = f"add it to {SECRETS_FILE} (mode 0600) or as a systemd credential"
            what = f"{tagged.tag} {tagged.text!r} is not known"
            raise DocumentError([Problem(mark, what, _places(tagged), hint)])
        self._values.add(value)
        self._resolved.add(mark)
        return value

    def redact(self, problem: Problem) -> Problem:
        """The same problem without any secret value in its text."""
        if problem.mark in self._resolved:
            return Problem(problem.mark, _hide(problem.what, self._values), "", problem.hint)
        texts = (problem.what, problem.expected, problem.hint)
        return Problem(problem.mark, *(_hide(text, self._values) for text in texts))

    def _look_up(self, tagged: Tagged, mark: Mark) -> str | None:
        name = tagged.text
        if tagged.tag == "!env" and name in self._environ:
            return self._environ[name]
        credential = self._credential(name, mark)
        return self._file.get(name) if credential is None else credential

    def _credential(self, name: str, mark: Mark) -> str | None:
        folder = self._environ.get(CREDENTIALS)
        if not folder or not name or name != Path(name).name:
            return None
        path = Path(folder, name)
        try:
            text = path.read_bytes().decode() if path.is_file() else None
        except (OSError, ValueError):
            what = f"systemd credential {name!r} cannot be read as text"
            raise DocumentError([Problem(mark, what)]) from None
        return None if text is None else text.removesuffix("\n")


def _places(tagged: Tagged) -> str:
    here = "environment, " if tagged.tag == "!env" else ""
    return f"looked in {here}${CREDENTIALS}, {SECRETS_FILE}"


def _hide(text: str, values: set[str]) -> str:
    """Cut quoted values first, so that a short secret does not tear other words apart."""
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(repr(value), MASK)
        if len(value) >= len(MASK) // 2:
            text = text.replace(value, MASK)
    return text


def _secrets_file(path: Path, report: Report) -> Mapping[str, str]:
    """The flat `name: text` mapping of the secrets file; empty when there is none."""
    if not os.path.lexists(path):
        return {}
    mark = Mark(str(path))
    text = read_text(path, report)
    if text is None:
        return {}
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        hint = f"chmod 600 {path}"
        report.problem(mark, "others may read the secrets file", "mode 0600", hint)
    document, problems = parse_leniently(text, str(path))
    report.extend(Problem(problem.mark, "not a list of name: text") for problem in problems)
    return _texts(document, report) if document else {}


def _texts(document: Document, report: Report) -> Mapping[str, str]:
    if not isinstance(document.value, dict):
        report.problem(document.mark(), "not a list of name: text")
        return {}
    for name, value in document.value.items():
        if not isinstance(value, str):
            report.problem(document.mark((name,)), f"secret {name!r} is not text", "", "quote it")
    return {name: value for name, value in document.value.items() if isinstance(value, str)}
