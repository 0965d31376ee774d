"""The tag layouts of `tags/*.yaml`: compiled, their examples run, before anything uses them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from gatewayd.settings import sections
from gatewayd.settings.files import folder, read_text
from gatewayd.settings.model import Settings
from gatewayd.settings.report import ConfigProblemsError, Report
from protocols.decode import FORMATS
from protocols.documents import Document, parse_leniently
from protocols.tags.layout import Layout, compile_layout

FOLDER = "tags"


def layout_named(settings: Settings, device: str) -> str | None:
    """The name of the layout that a device is to read tags by; None where it is asked for none."""
    made = settings.devices.get(device)
    return getattr(made.settings, "memory", None) if made is not None else None


def layout_of(settings: Settings, device: str) -> Layout | None:
    """The layout by which a device is to read what tags hold; None where it is asked for none.

    Raises KeyError where the layout is not there: to read nothing then would be to believe every tag.
    """
    named = layout_named(settings, device)
    return settings.layouts[named] if named else None


def load_layouts(documents: Iterable[Document], report: Report) -> Mapping[str, Layout]:
    """Every layout by name; one that is wrong, or whose examples come out otherwise, is absent."""
    found: dict[str, Layout] = {}
    for entry in sections.entries(documents, FOLDER, report):
        settings = sections.layout(entry, report)
        if settings is None:
            continue
        if entry.name in FORMATS:
            what = f"layout {entry.name!r} has the name of a format of gatewayd"
            report.problem(entry.mark(), what, "a name of its own", "gatewayd formats lists them")
            continue
        layout = compile_layout(entry.name, settings)
        wrong = tuple(layout.wrong_examples())
        for number, said in wrong:
            mark = entry.mark("examples", number)
            report.problem(mark, f"{entry.name}: example {number + 1} {said}")
        if not wrong:
            found[entry.name] = layout
    return found


def layouts_of(directory: Path) -> Mapping[str, Layout]:
    """The layouts of a config directory by themselves; raises ConfigProblemsError with all of it."""
    report = Report()
    documents = []
    for path in folder(directory, FOLDER, report):
        text = read_text(path, report)
        if text is None:
            continue
        document, problems = parse_leniently(text, str(path))
        report.blame(problems)
        documents += [] if document is None else [document]
    layouts = load_layouts(documents, report)
    if report.problems:
        raise ConfigProblemsError(report.problems)
    return layouts
