"""What a rig file asks of people, checked against the forms that there are."""

from collections.abc import Mapping

from gatewayd.settings.checks import FormSettings
from gatewayd.settings.model import RigSettings
from gatewayd.settings.report import Report
from gatewayd.settings.sections import Entry
from protocols.documents import nearest_hint

STAGES = {"precheck": "prefill", "postcheck": "postfill"}
"""The key of a rig and the stage that its form must have."""


def check_people(
    entry: Entry, rig: RigSettings | None, forms: Mapping[str, FormSettings], report: Report
) -> None:
    """Forms that exist and suit, an operator who can log in, a batch where a form needs one.

    References are read from the raw text, so that a rig with another mistake still reports them.
    """
    for key, stage in STAGES.items():
        asked = entry.raw.get(key)
        name = asked.get("form") if isinstance(asked, dict) else None
        if isinstance(name, str):
            _form(entry, (key, stage), forms, report)
    if rig is None:
        return
    _waits(entry, rig, report)
    _roles(entry, rig, forms, report)


def _form(
    entry: Entry, asked: tuple[str, str], forms: Mapping[str, FormSettings], report: Report
) -> None:
    key, stage = asked
    name, mark = entry.raw[key]["form"], entry.mark(key, "form")
    form = forms.get(name)
    if form is None:
        known = f"known: {', '.join(sorted(forms)) or 'none; see checks/*.yaml'}"
        what = f"{entry.name}: check form {name!r} does not exist"
        report.problem(mark, what, known, nearest_hint(name, forms))
    elif form.stage != stage:
        suiting = sorted(each for each, other in forms.items() if other.stage == stage)
        report.problem(
            mark,
            f"{entry.name}: {key} names {name!r}, which is a {form.stage} form",
            f"{stage} forms: {', '.join(suiting) or 'none'}",
        )


def _waits(entry: Entry, rig: RigSettings, report: Report) -> None:
    """Waiting for what nobody is asked for would be waiting for nothing."""
    for key in ("operator", *STAGES):
        asked = getattr(rig, key)
        if asked is not None and asked.wait_s and not asked.required:
            report.problem(
                entry.mark(key, "wait_s"),
                f"{entry.name}: {key}.wait_s without required",
                "required: true, or no wait_s",
            )


def _roles(
    entry: Entry, rig: RigSettings, forms: Mapping[str, FormSettings], report: Report
) -> None:
    """A form that only some may answer needs somebody who is logged in or named at the desk."""
    for key in STAGES:
        asked = getattr(rig, key)
        form = forms.get(asked.form) if asked is not None else None
        if form is None or rig.operator is not None:
            continue
        if form.who or any(item.who for item in form.items):
            report.warn(
                entry.mark(key, "form"),
                f"{entry.name}: {asked.form!r} names who may answer, and nobody can log in here",
                "operator: {device: ...}",
                "until then every answer at the desk must name its operator",
            )
