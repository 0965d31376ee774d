"""`gatewayd conformance`: what an upstream team runs against its own subscriber."""

import asyncio

import click
from pydantic import ValidationError

from gatewayd.cli.common import NO, config_option, json_option, print_json, reports_errors, stop
from gatewayd.conformance.kit import Kit, Result
from gatewayd.upstreams.mqtt_settings import MqttSettings

STATION = "conformance"
CHECKLIST = """\
Your subscriber must end up with, below {root}:
  1. {records} records, each once, however often it came: tell them by `id` ({published} were published)
  2. in order of `sequence`, as UTF-8: SHA-256 of every payload and a line feed = {bodies}
                                       SHA-256 of every id and a line feed      = {ids}
  3. the chain whole: `prevhash` of each is `hash` of the one before, though an alarm came early
  4. `status` shown offline between two lives (the will), and offline at the end
  5. {retained} retained topics, and none where an empty message came (alarms/rig-1)
{confirmed}"""


@click.command()
@click.argument("url")
@click.option("--station", default=STATION, show_default=True, help="Station id in the topics.")
@click.option("--prefix", default="gatewayd/v1", show_default=True)
@click.option("--mqtt", "version", type=click.Choice(["5", "3.1.1"]), default="5")
@click.option("--username", help="As the broker wants it.")
@click.option("--password", envvar="GATEWAYD_PASSWORD", help="Better in GATEWAYD_PASSWORD.")
@click.option(
    "--ack-within",
    "within_s",
    type=click.FloatRange(1, 600),
    help="Your side confirms on {prefix}/{station}/ack: wait so many seconds without any news.",
)
@config_option
@json_option
@reports_errors
def conformance(
    *,
    url: str,
    station: str,
    prefix: str,
    version: str,
    username: str | None,
    password: str | None,
    within_s: float | None,
    as_json: bool,
) -> None:
    """Publish a fixed set to the broker at URL, and say what your subscriber must have afterwards.

    Every kind of record and topic, duplicates, an alarm that overtakes, all kinds of letters, the
    largest record, retained states, a cut with its will, a restart with the same ids. Start your
    subscriber first. With --ack-within your confirmations are counted: exit 0 when none is missing.

    \b
    gatewayd conformance mqtt://127.0.0.1:1883
    gatewayd conformance mqtt://127.0.0.1:1883 --ack-within 10 --json
    """  # noqa: D301 - click wants the backspace character itself
    said = {"url": url, "prefix": prefix, "version": version}
    said |= {"username": username} if username else {}
    said |= {"password": password} if password else {}
    try:
        settings = MqttSettings.model_validate(said)
    except ValidationError as exc:
        raise click.UsageError("; ".join(error["msg"] for error in exc.errors())) from exc
    kit = Kit(settings, station, lambda step: click.echo(step, err=True))
    result = asyncio.run(kit.run(within_s))
    if as_json:
        print_json(result.as_json())
    else:
        click.echo(_checklist(result))
    if not result.ok:
        stop(NO)


def _checklist(result: Result) -> str:
    expected, confirmed = result.expected, ""
    if result.confirmed is not None:
        word = "ok" if result.ok else "MISSING"
        confirmed = f"  6. {word}: {result.confirmed} of {expected.records} records confirmed\n"
    return CHECKLIST.format(
        root=result.root,
        records=expected.records,
        published=result.published,
        bodies=expected.sha256_bodies,
        ids=expected.sha256_ids,
        retained=len(result.retained),
        confirmed=confirmed,
    ).rstrip()
