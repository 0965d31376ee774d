"""What a person sees of the demo: a live table on a terminal, a line a record elsewhere."""

import asyncio
import io
import signal
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gatewayd.sim.demo import Demo, Summary
from gatewayd.texts import Language, text
from rules_engine.explain import title

LINES_SHOWN = 8
"""How many of the last records stand under the table."""

BAR_WIDTH = 24
PICTURE_WIDTH = 118
COLUMNS = (("rig", 2), ("state", 3), ("cylinder", 5), ("verdict", 8), ("net", 7), ("gross", 3))
"""Columns of the table and how the width is shared."""

COLOURS = {
    "locked": "dim",
    "identifying": "cyan",
    "judging": "cyan",
    "permitted": "blue",
    "filling": "bold green",
    "settling": "green",
    "refused": "bold red",
    "fault": "bold magenta",
}


class Screen:
    """Shows a demo. `quiet` leaves stdout to one JSON object and shows progress on stderr."""

    def __init__(
        self, language: Language, *, quiet: bool = False, picture: Path | None = None
    ) -> None:
        self._language = language
        self._picture = picture
        self._liveliest: Group | None = None
        self._liveliness = 1
        self._console = Console(stderr=quiet, highlight=False)
        self._lines: deque[Text] = deque(maxlen=LINES_SHOWN)
        self._live: Live | None = None

    def begin(self, demo: Demo) -> None:
        """Say where to look."""
        station = f"gatewayd/v1/{demo.spec.station_id}"
        for key, value in (
            ("demo.config", str(demo.directory)),
            ("demo.page", demo.page_url),
            ("demo.broker", f"{demo.broker_url}  {station}/#"),
            ("demo.seed", str(demo.spec.seed)),
        ):
            self._console.print(Text.assemble((f"{self._say(key)}: ", "bold"), value))

    def live(self) -> AbstractContextManager[object]:
        """The live table, where there is a terminal."""
        if not self._console.is_terminal:
            return nullcontext()
        self._live = Live(console=self._console, refresh_per_second=8, transient=False)
        return self._live

    def on_interrupt(self, loop: asyncio.AbstractEventLoop, then: Callable[[], None]) -> None:
        """Ctrl-C, or a closed terminal, ends the demo in order, with its summary."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, then)

    def record(self, record: dict[str, Any]) -> None:
        """A record arrived at the subscriber."""
        line = self._line(record)
        self._lines.append(line)
        if self._live is None:
            self._console.print(line, soft_wrap=True)

    def look(self, demo: Demo) -> None:
        """Draw the table anew."""
        if self._live is None and self._picture is None:
            return
        drawn = Group(self._table(demo), self._last(demo))
        if self._live is not None:
            self._live.update(drawn)
        liveliness = len({r["state"] for r in demo.audience.rigs.values()} & {"filling", "refused"})
        if liveliness >= self._liveliness:
            self._liveliest, self._liveliness = drawn, liveliness

    def _table(self, demo: Demo) -> Table:
        audience = demo.audience
        table = Table(expand=True, title=f"{demo.spec.name} {demo.spec.station_id}")
        for key, ratio in COLUMNS:
            table.add_column(self._say(f"label.{key}"), ratio=ratio, overflow="fold")
        for name in sorted(audience.rigs):
            table.add_row(*self._row(name, audience.rigs[name], audience.weights.get(name, {})))
        return table

    def _last(self, demo: Demo) -> Panel:
        audience = demo.audience
        counts = Text.assemble(
            (f"{self._say('demo.fills')} {len(audience.of_kind('fill'))}   ", "green"),
            (f"{self._say('demo.refusals')} {len(audience.of_kind('refusal'))}   ", "red"),
            (f"{self._say('demo.delivered')} {len(audience.records)}", "bold"),
        )
        return Panel(Group(*self._lines) if self._lines else Text(""), title=counts)

    def save_picture(self) -> None:
        """The liveliest screen of the run as an SVG, for a page or a report."""
        if self._picture is None or self._liveliest is None:
            return
        console = Console(record=True, width=PICTURE_WIDTH, file=io.StringIO(), highlight=False)
        console.print(self._liveliest)
        console.save_svg(str(self._picture), title="gatewayd demo")

    def _row(self, name: str, rig: dict[str, Any], weight: dict[str, Any]) -> tuple[Any, ...]:
        state = str(rig["state"])
        shown = Text(self._say(f"rig.{state}"), style=COLOURS[state])
        who = rig["cylinder"] or {}
        code = who.get("code") or who.get("tag_uid") or ""
        cylinder = f"{code}\n{who.get('model') or ''}".strip()
        gross_g = weight.get("gross_g")
        gross = "" if gross_g is None else f"{gross_g / 1000:.2f} kg"
        return name, shown, cylinder, self._verdict(rig), self._bar(rig, weight), gross

    def _verdict(self, rig: dict[str, Any]) -> Text:
        if rig["fault"]:
            return Text(str(rig["fault"]), style="magenta")
        if rig["findings"]:
            found = rig["findings"][0]
            reason = f"{found['code']} {title(found['code'], self._language)}"
            return Text(f"{reason}\n{found['message'][self._language]}", style="red")
        if rig["verdict"] is None:
            return Text("")
        return Text(self._say(f"verdict.{rig['verdict']}"), style="green")

    @staticmethod
    def _bar(rig: dict[str, Any], weight: dict[str, Any]) -> Text:
        target_g, net_g = rig["target_g"], weight.get("net_g", 0)
        if not target_g:
            return Text("")
        done = min(BAR_WIDTH, max(0, round(BAR_WIDTH * net_g / target_g)))
        return Text.assemble(
            ("█" * done, "green"),
            ("░" * (BAR_WIDTH - done), "dim"),
            f"\n{net_g / 1000:.2f} / {target_g / 1000:.2f} kg",
        )

    def _line(self, record: dict[str, Any]) -> Text:
        data = record["data"]
        head = f"{record['time'][11:19]} #{record['sequence']:<4} {data['rig_id']:<6} "
        who = data.get("cylinder") or {}
        code = str(who.get("code") or who.get("tag_uid") or "")
        kind = record["type"].split(".")[1]
        if kind == "fill":
            said = self._say(f"outcome.{data['outcome']}")
            net = f"{data['net_g'] / 1000:.2f} kg"
            return Text.assemble(head, (f"{said} ", "green"), f"{code} {net}")
        if kind == "refusal":
            codes = [f["code"] for f in data["verdict"]["findings"] if f["severity"] == "deny"]
            named = ", ".join(f"{c} {title(c, self._language)}" for c in codes)
            said = self._say("rig.refused")
            return Text.assemble(head, (f"{said} ", "red"), f"{code} {named}")
        message = data["message"][self._language]
        return Text.assemble(head, (f"{self._say('demo.alarm')} ", "bold red"), message)

    def summary(self, summary: Summary) -> None:
        """The end: what was done, and whether it all adds up."""
        say = partial(self._console.print, soft_wrap=True)
        say()
        say(f"fills: {summary.fills}")
        say(f"refusals: {summary.refusals}")
        say(f"records received: {summary.records_received}")
        say(_counts({**summary.outcomes, **summary.reasons}))
        yes_no = self._say("demo.yes" if summary.sequence_gap_free else "demo.no")
        say(f"{self._say('demo.gap_free')}: {yes_no}")
        pair = f"{summary.sum_net_g} g / {summary.totaliser_g} g"
        say(f"{self._say('demo.masses')}: {pair}")
        for problem in summary.problems:
            say(Text(problem, style="bold red"))
        verdict = "demo.ok" if summary.ok else "demo.not_ok"
        say(Text(self._say(verdict), style="bold green" if summary.ok else "bold red"))

    def _say(self, key: str) -> str:
        return text(key, self._language)


def _counts(counted: dict[str, int]) -> str:
    return "  ".join(f"{name} {count}" for name, count in counted.items())
