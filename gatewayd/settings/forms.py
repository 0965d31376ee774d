"""The check forms: those that are shipped, and the station's own in their place."""

from collections.abc import Iterable, Mapping

from gatewayd.settings import sections
from gatewayd.settings.checks import FormSettings
from gatewayd.settings.files import folder, read_text
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from protocols.documents import Document, parse_leniently

FOLDER = "checks"


def load_forms(own: Iterable[Document], report: Report) -> Mapping[str, FormSettings]:
    """Every form by name: the shipped ones, and `own`, which win by name and say so.

    A form with a mistake is absent, and the report has the mistake. Raises ConfigError when the
    installation is damaged.
    """
    found = _forms(_shipped(report), report)
    for entry in sections.entries(own, FOLDER, report):
        form, shipped = sections.form(entry, report), found.pop(entry.name, None)
        if shipped not in {None, form}:
            report.warn(entry.mark(), f"form {entry.name!r} takes the place of the shipped one")
        if form is not None:
            found[entry.name] = form
    return found


def _shipped(report: Report) -> list[Document]:
    paths = folder(shipped_dir(), FOLDER, report)
    texts = ((path, read_text(path, report)) for path in paths)
    parsed = (parse_leniently(text, str(path)) for path, text in texts if text is not None)
    return [document for document, _ in parsed if document is not None]


def _forms(documents: Iterable[Document], report: Report) -> dict[str, FormSettings]:
    entries = sections.entries(documents, FOLDER, report)
    forms = {entry.name: sections.form(entry, report) for entry in entries}
    return {name: form for name, form in forms.items() if form is not None}
