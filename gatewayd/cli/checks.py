"""`gatewayd checks`: the check forms in force, and a sheet of their printed codes for the wall."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

import click

from gatewayd.cli.common import (
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
)
from gatewayd.cli.usage import misused
from gatewayd.desk.printed import PrintedCode, printed_codes, unprinted
from gatewayd.errors import GatewayError
from gatewayd.settings.checks import FormSettings
from gatewayd.settings.load import load
from gatewayd.settings.model import Settings
from gatewayd.texts import Language, text
from rules_engine.verdict import Message

STYLE = """\
body{font:14pt sans-serif;margin:10mm}h1{font-size:20pt;margin:0 0 4mm}
div{display:flex;gap:6mm;align-items:center;border:1mm solid #888;margin:0 0 5mm;padding:3mm;
break-inside:avoid}div.good{border-color:#080}div.bad{border-color:#c00}
p{margin:0 0 2mm}b{font-size:18pt}code{font-size:10pt}small{color:#555}
"""


@click.group()
@config_option
def checks() -> None:
    """Check forms: what is in force, and their codes as a sheet for the wall.

    \b
    gatewayd checks list
    gatewayd checks print lpg-prefill -o lpg-prefill.html
    """  # noqa: D301 - click wants the backspace character itself


@checks.command("list")
@lang_option
@config_option
@json_option
@reports_errors
def list_(lang: Language | None, *, as_json: bool) -> None:
    """List the check forms, each with its items and the rigs that ask for it.

    \b
    gatewayd checks list
    """  # noqa: D301 - click wants the backspace character itself
    settings = load(directory())
    if as_json:
        shown = [
            {
                "form": name,
                "stage": form.stage,
                "scope": form.scope,
                "title": {"zh": form.title.zh, "en": form.title.en},
                "items": [item.id for item in form.items],
                "rigs": _rigs(settings, name),
                "codes": [each.text for each in printed_codes(name, form)],
            }
            for name, form in settings.checks.items()
        ]
        print_json({"forms": shown})
        return
    chosen = language(lang)
    for name, form in settings.checks.items():
        asked = ", ".join(_rigs(settings, name)) or "-"
        title = form.title.zh if chosen == "zh" else form.title.en
        click.echo(f"{name}  {title}  {text('checks.rigs', chosen)}: {asked}")
        for item in form.items:
            click.echo(f"    {item.id:<14} {item.text.zh if chosen == 'zh' else item.text.en}")


def _rigs(settings: Settings, form: str) -> list[str]:
    """The rigs that ask for this form."""
    return [
        name
        for name, rig in settings.rigs.items()
        if form in {asked.form for asked in (rig.precheck, rig.postcheck) if asked is not None}
    ]


@checks.command("print")
@click.argument("form")
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page for the printer (HTML); default: blocks on the terminal.",
)
@lang_option
@config_option
@json_option
@reports_errors
def print_(form: str, file: Path | None, lang: Language | None, *, as_json: bool) -> None:
    """Print the codes of FORM: all in order, and each answer that fails the check.

    Hang the sheet up beside the rig; the scanner there takes its codes. The page opens in any
    browser and needs no network. Print it at 100 %, not fitted to the page.

    \b
    gatewayd checks print lpg-prefill
    gatewayd checks print lpg-prefill -o lpg-prefill.html
    """  # noqa: D301 - click wants the backspace character itself
    forms = load(directory()).checks
    if form not in forms:
        raise misused("no_form", form=form, known=", ".join(forms))
    found = printed_codes(form, forms[form])
    if not found:
        raise misused("form_without_codes", form=form)
    if file is not None:
        _save(file, _page(form, forms[form], found))
    if as_json:
        codes = [
            {"text": one.text, "good": one.good, "asks": _both(one.asks), "says": _both(one.says)}
            for one in found
        ]
        print_json({"form": form, "codes": codes, "file": None if file is None else str(file)})
    elif file is not None:
        click.echo(text("checks.printed", language(lang), file=file, count=len(found)))
    else:
        _show(forms[form], found, language(lang))


def _both(words: Message | None) -> dict[str, str] | None:
    return None if words is None else {"zh": words.zh, "en": words.en}


def _said(words: Message, chosen: Language) -> str:
    return words.zh if chosen == "zh" else words.en


def _show(form: FormSettings, found: tuple[PrintedCode, ...], chosen: Language) -> None:
    # The library is only for who prints: no other command pays for it.
    from gatewayd.cli import qr  # noqa: PLC0415 - see above

    for one in found:
        question = "" if one.asks is None else f"{_said(one.asks, chosen)}  "
        click.echo(f"{question}{_said(one.says, chosen)}\n{one.text}\n{qr.blocks(one.text)}")
    for words in unprinted(form):
        click.echo(f"{text('checks.no_code', chosen)}: {_said(words, chosen)}")


def _page(name: str, form: FormSettings, found: tuple[PrintedCode, ...]) -> str:
    """A whole page in both languages: whoever reads it at night may know only one."""
    return "\n".join(
        (
            f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{escape(name)}</title>',
            f"<style>{STYLE}</style><h1>{escape(form.title.zh)} / {escape(form.title.en)}</h1>",
            *map(_card, found),
            *_left_out(form),
            "</html>\n",
        )
    )


def _card(one: PrintedCode) -> str:
    from gatewayd.cli import qr  # noqa: PLC0415 - only for who prints

    shade = {True: "good", False: "bad", None: "none"}[one.good]
    asks = (
        ""
        if one.asks is None
        else f"<p>{escape(one.asks.zh)}<br><small>{escape(one.asks.en)}</small></p>"
    )
    says = f"<p><b>{escape(one.says.zh)}</b> {escape(one.says.en)}</p>"
    code = f"<code>{escape(one.text)}</code>"
    return f'<div class="{shade}">{qr.svg(one.text)}<section>{asks}{says}{code}</section></div>'


def _left_out(form: FormSettings) -> Iterator[str]:
    for words in unprinted(form):
        told = f"{text('checks.no_code', 'zh')} / {text('checks.no_code', 'en')}"
        yield f"<p>{told}: {escape(words.zh)} / {escape(words.en)}</p>"


def _save(file: Path, page: str) -> None:
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as exc:
        raise GatewayError(f"{file}: cannot be written: {exc.strerror or exc}") from exc
