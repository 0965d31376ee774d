"""`gatewayd shifts`: whether records and totalisers agree, shift by shift."""

import json

import click

from gatewayd.cli.common import config_option, directory, json_option, print_json, reports_errors
from gatewayd.settings.site import load_site
from gatewayd.store.reads import Reader

SHIFTS_DEFAULT = 20
SHIFTS_MAX = 10_000


@click.command()
@click.option("--rig", metavar="RIG", help="Only this rig.")
@click.option(
    "--limit", type=click.IntRange(1, SHIFTS_MAX), default=SHIFTS_DEFAULT, show_default=True
)
@config_option
@json_option
@reports_errors
def shifts(rig: str | None, *, limit: int, as_json: bool) -> None:
    """Show closed shifts, the newest last: grams of the records against the gate's totaliser.

    \b
    gatewayd shifts --rig rig-1
    """  # noqa: D301 - click wants the backspace character itself
    with Reader.open(load_site(directory()).store_path) as store:
        records = store.newest_records(limit=limit, kind="reconciliation", rig=rig)
    found = [json.loads(record.body)["data"] for record in records]
    if as_json:
        print_json({"shifts": found})
        return
    for data in found:
        mark = "  " if data["agrees"] else "! "
        click.echo(
            f"{mark}{data['rig_id']:<12} {data['from']} - {data['to']}  {data['fills']:>4} fills "
            f"{data['net_g']:>9} g  totaliser {data['flowed_g']:>9} g  difference "
            f"{data['difference_g']:>6} g  (limit {data['limit_g']} g)"
        )
    click.echo(f"{len(found)} shifts", err=True)
