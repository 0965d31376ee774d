"""`gatewayd retire`, `reinstate`, `retired`: codes and tags that may name no cylinder again.

Works with or without a running daemon; a running one refuses the next scan (RETIRED_CODE).
"""

from zoneinfo import ZoneInfo

import click

from gatewayd.cli.common import (
    NO,
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.ordering import by_option, carried_out, given
from gatewayd.cli.usage import misused
from gatewayd.rigs.evidence import stamp
from gatewayd.rigs.identity import plain_code, plain_uid
from gatewayd.settings.site import load_site
from gatewayd.store import retired as store_retired
from gatewayd.store.orders import Done
from gatewayd.store.reads import Reader
from gatewayd.store.retired import Kind
from gatewayd.texts import Language, text

LISTED_MAX = 10_000
"""Codes and tags listed at once, the newest first."""

reason_option = click.option("--reason", required=True, help="Why; recorded.")
uid_option = click.option("--uid", is_flag=True, help="CODE is a tag's uid or EPC in hex.")


def _carry_out(
    what: str,
    code: str,
    reason: str,
    by: str,
    *,
    uid: bool,
    lang: Language | None,
    as_json: bool,
) -> Done:
    """Retire or reinstate one code, and say what became of it."""
    settings = load_site(directory())
    kind: Kind = "uid" if uid else "code"
    subject = plain_uid(code) if uid else plain_code(code)
    if not subject:
        raise misused("no_uid", uid=code)
    spoken = language(lang)
    ordered = given(subject, by, reason, spoken)
    work = store_retired.retire(kind) if what == "retire" else store_retired.reinstate(kind)
    done = carried_out(work, ordered, settings)
    if as_json:
        print_json({"kind": kind, "value": subject, "changed": done.changed, "known": done.known})
        return done
    told = f"order.{what}" if done.changed else f"order.{what}.already"
    click.echo(text(told, spoken, subject=subject))
    if not done.known:
        click.echo(text("order.retire.unknown", spoken, subject=subject), err=True)
    return done


@click.command()
@click.argument("code")
@uid_option
@reason_option
@by_option
@lang_option
@config_option
@json_option
@reports_errors
def retire(
    code: str, reason: str, by: str, *, uid: bool, lang: Language | None, as_json: bool
) -> None:
    """Take CODE out of use for good: it is refused (RETIRED_CODE) wherever it appears.

    For a label that was stolen, copied or torn off. CODE is the code or what a scanner read; with
    --uid a tag. Only what is named is retired, not the other codes and tags of its cylinder.

    \b
    gatewayd retire 3701000110100001 --reason "label was copied" --by "Li Si"
    gatewayd retire --uid E280689400005005B2210861 --reason "tag torn off" --by "Li Si"
    """  # noqa: D301 - click wants the backspace character itself
    _carry_out("retire", code, reason, by, uid=uid, lang=lang, as_json=as_json)


@click.command()
@click.argument("code")
@uid_option
@reason_option
@by_option
@lang_option
@config_option
@json_option
@reports_errors
def reinstate(
    code: str, reason: str, by: str, *, uid: bool, lang: Language | None, as_json: bool
) -> None:
    """Take a retired CODE back into use, whoever retired it; exit 1 when it is not retired.

    \b
    gatewayd reinstate 3701000110100001 --reason "retired by mistake" --by "Li Si"
    """  # noqa: D301 - click wants the backspace character itself
    if not _carry_out("reinstate", code, reason, by, uid=uid, lang=lang, as_json=as_json).changed:
        stop(NO)


@click.command()
@click.argument("code", required=False)
@lang_option
@config_option
@json_option
@reports_errors
def retired(code: str | None, *, lang: Language | None, as_json: bool) -> None:
    """List the codes and tags that are out of use, the newest first; with CODE only what names it.

    CODE is a code, or a tag's uid. Exit 1 when CODE is not retired.

    \b
    gatewayd retired
    gatewayd retired 3701000110100001 --json
    """  # noqa: D301 - click wants the backspace character itself
    settings = load_site(directory())
    zone = ZoneInfo(settings.station.timezone)
    with Reader.open(settings.store_path) as store:
        found = store.retired_all(None if code is None else plain_code(code), limit=LISTED_MAX)
        if code is not None and not found:
            found = store.retired_all(plain_uid(code), limit=LISTED_MAX)
    if as_json:
        rows = [
            {
                "kind": one.kind,
                "value": one.value,
                "code": one.code,
                "reason": one.reason,
                "since": stamp(one.retired_at, zone),
            }
            for one in found
        ]
        print_json({"retired": rows})
    for one in () if as_json else found:
        of = "" if one.code == one.value else f"  ({one.code})"
        kind = text(f"retired.{one.kind}", language(lang))
        click.echo(f"{kind:<4} {one.value}{of}  {stamp(one.retired_at, zone)}  {one.reason}")
    if not as_json:
        click.echo(text("order.retired", language(lang), count=len(found)), err=True)
    if code is not None and not found:
        stop(NO)
