"""A committed record for a terminal: what happened to which cylinder, and the verdict as it was.

Everything comes from the record itself, so it reads the same when packs and archive are long gone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from gatewayd.cli import verdict_screen
from gatewayd.retelling import gist_of, kind_of, stage_of
from gatewayd.texts import TEXTS, Language, text
from rules_engine.retold import verdict
from rules_engine.template import shown
from rules_engine.vocabulary import FACTS

MASSES = (
    "tare_stamped_g",
    "tare_g",
    "residual_g",
    "target_g",
    "limit_gross_g",
    "gross_end_g",
    "net_g",
    "total_before_g",
    "total_after_g",
)
JUDGED = frozenset({"fill", "refusal"})


def show(envelope: Mapping[str, Any], language: Language, console: Console | None = None) -> None:
    """Print a record for a person; `console` None is the terminal."""
    console = console or Console(highlight=False)
    for line in lines(envelope, language):
        console.print(Text(line), soft_wrap=True)
    told = envelope["data"].get("verdict")
    kind = kind_of(envelope)
    if told is not None and "packs" in told:
        verdict_screen.show(verdict(told), language, console, stage_of(envelope))
    elif kind in JUDGED:
        console.print(Text(text("record.not_judged", language), style="bold red"))
    sealed = f"sha256:{envelope['hash']}  ← {envelope['prevhash']}"
    console.print(Text(sealed, style="dim"), soft_wrap=True)


def lines(envelope: Mapping[str, Any], language: Language) -> Iterator[str]:
    """Which record, which cylinder, what became of it."""
    kind, data = kind_of(envelope), envelope["data"]
    named = text(f"record.{kind}", language) if f"record.{kind}" in TEXTS else kind
    where = envelope["source"].removeprefix("/stations/")
    yield f"#{envelope['sequence']}  {named}  {envelope['time']}  {where}  {envelope['id']}"
    cylinder = data.get("cylinder")
    if isinstance(cylinder, Mapping):
        known = {name: value for name, value in cylinder.items() if value not in (None, [])}
        label = text("label.cylinder", language)
        told = (_column(name, value, language) for name, value in known.items())
        yield f"{label}: {'  '.join(told)}"
    if kind != "refusal" and (gist := gist_of(envelope, language)):
        yield gist
    masses = {name: data[name] for name in MASSES if data.get(name) is not None}
    if kind == "fill" and masses:
        yield "  ".join(f"{name}={value}" for name, value in masses.items())


def _column(name: str, value: object, language: Language) -> str:
    """A column of the archive as it was, in the reader's language, with its unit."""
    fact = FACTS.get(f"cylinder.{name}")
    unit = f" {fact.unit}" if fact is not None and fact.unit else ""
    called = fact.doc.zh if fact is not None and language == "zh" else name
    return f"{called}={shown(value, language)}{unit}"
