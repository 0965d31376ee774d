"""`gatewayd profiles test`: a register map against itself and against a device made from it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatewayd.cli.common import (
    NO,
    config_option,
    directory,
    given_directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.errors import ConfigError
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.files import read_text
from gatewayd.settings.library import Library, load_profiles
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from gatewayd.settings.table import PluginError
from gatewayd.sim.map_trial import trial
from gatewayd.texts import Language
from gatewayd.texts import text as say
from protocols import registers
from protocols.documents import DocumentError, nearest_hint, parse
from protocols.register_proof import Finding
from protocols.registers import Profile

DETAIL_CHARS_MAX = 140
"""Longer outcomes, such as whole frames, are cut in the table; --json has them."""


@dataclass(frozen=True, slots=True)
class Tested:
    """One map and everything that was tried with it."""

    profile: Profile
    file: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(finding.ok for finding in self.findings)


@click.command()
@click.argument("what", nargs=-1, metavar="[FILE|ID]...")
@lang_option
@config_option
@json_option
@reports_errors
def test_profiles(what: Sequence[str], *, lang: Language | None, as_json: bool) -> None:
    """Put register maps on trial; exit 1 when one fails.

    Places, round trips and scaling are proven, then the real driver weighs a device that is made
    from the map and lies in every way it can: the weight must be unknown, never wrong or zero.
    No hardware; loopback only. Without FILE or ID: every map there is.

    \b
    gatewayd profiles test my-scale.yaml
    gatewayd profiles test laumas-tlu --json
    """  # noqa: D301 - click wants the backspace character itself
    report = Report()
    library = load_profiles(site_directory(), report)
    known = dict(_chosen(what, library, report))
    tested = [_tested(profile, file, library) for file, profile in known.items()]
    problems = [str(problem) for problem in sorted(set(report.problems))]
    ok = not problems and all(each.ok for each in tested)
    if as_json:
        print_json({"ok": ok, "profiles": [_as_json(t) for t in tested], "problems": problems})
    else:
        _print(tested, language(lang))
    if not ok:
        stop(NO, "\n".join(problems))


def site_directory() -> Path:
    """The config directory; without one the shipped maps stand alone."""
    try:
        return directory()
    except ConfigError:
        if given_directory() is not None:
            raise
        return shipped_dir()


def no_profile(name: str, library: Library) -> click.UsageError:
    """The error for an id that nobody has."""
    known = ", ".join(sorted(library.values))
    hint = nearest_hint(name, library.values)
    return click.UsageError(f"no profile {name!r}; known: {known}; {hint}".rstrip("; "))


def _chosen(what: Sequence[str], library: Library, report: Report) -> Iterable[tuple[str, Profile]]:
    """The maps that were asked for, by file; a broken file becomes problems."""
    for word in what or sorted(library.values):
        if word in library.values:
            yield str(library.paths[word]), library.values[word]
        elif Path(word).suffix == ".yaml" or Path(word).is_file():
            text = read_text(Path(word), report)
            try:
                if text is not None:
                    yield word, registers.load(text, word)
            except DocumentError as exc:
                report.extend(exc.problems)
        elif word not in library.names:
            raise no_profile(word, library)


def _tested(profile: Profile, file: str, library: Library) -> Tested:
    profiles = {**library.values, profile.id: profile}
    return Tested(profile, file, (*_example(profile, profiles), *asyncio.run(trial(profile))))


def _example(profile: Profile, profiles: Mapping[str, Any]) -> Iterable[Finding]:
    """The example of a map must be taken by its driver, as a device file would say it."""
    if profile.example:
        try:
            text = _objections(profile, profiles)
        except (ValueError, DocumentError, PluginError) as exc:
            text = str(exc)
        yield Finding("example", ok=not text, detail=text or profile.example)


def _objections(profile: Profile, profiles: Mapping[str, Any]) -> str:
    settings = parse(profile.example, "example").value
    if not isinstance(settings, dict) or settings.get("profile") != profile.id:
        return f"expected a mapping with profile: {profile.id}"
    driver = driver_table().get(str(settings.pop("driver", "")))
    made = driver.settings.model_validate(settings, strict=False)
    return "; ".join(driver.objections(made, profiles))


def _as_json(tested: Tested) -> dict[str, Any]:
    return {
        "id": tested.profile.id,
        "file": tested.file,
        "ok": tested.ok,
        "usable": not tested.profile.incomplete,
        "verified": tested.profile.verified,
        "checks": [
            {"check": finding.check, "ok": finding.ok, "detail": finding.detail}
            for finding in tested.findings
        ],
    }


def _print(tested: Sequence[Tested], lang: Language) -> None:
    console = Console(highlight=False)
    for each in tested:
        console.print(Text.assemble((each.profile.id, "bold"), f"  {each.file}"), soft_wrap=True)
        if each.profile.incomplete:
            what = f"{say('profiles.incomplete', lang)}: {each.profile.incomplete}"
            console.print(Text(f"    {what}", "yellow"), soft_wrap=True)
        table = Table("", say("profiles.check", lang), say("profiles.outcome", lang), box=None)
        for finding in each.findings:
            word = say("profiles.ok" if finding.ok else "profiles.failed", lang)
            style = "green" if finding.ok else "red"
            detail = Text(_short(finding.detail))
            table.add_row(Text(word, style), Text(finding.check), detail)
        console.print(table)


def _short(text: str) -> str:
    return text if len(text) <= DETAIL_CHARS_MAX else f"{text[:DETAIL_CHARS_MAX]}…"
