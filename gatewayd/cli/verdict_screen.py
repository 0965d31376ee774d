"""A verdict for a terminal: one sentence, a table with rule, values and basis, and the texts.

The same for a verdict made now and for one that a record keeps.
"""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatewayd.texts import Language, text
from rules_engine.explain import headline, severity, sources, title
from rules_engine.retold import text_of
from rules_engine.template import shown
from rules_engine.verdict import Finding, PackRef, Verdict
from rules_engine.vocabulary import FACTS

COLUMNS = ("reason", "message", "values", "basis", "rule")

HASH_SHOWN = 12
"""Characters of a hash inside the table; the whole one stands below it."""
WIDE_COLUMNS = 132
"""A narrower terminal gets one row a line of a finding: five columns would break every name."""


def show(
    decided: Verdict, language: Language, console: Console | None = None, stage: str = "permit"
) -> None:
    """Print it; `console` None is the terminal, `stage` what was decided about."""
    console = console or Console(highlight=False)
    style = "bold green" if decided.allowed else "bold red"
    console.print(Text(headline(decided, language, stage), style=style))
    if decided.findings:
        wide = console.width >= WIDE_COLUMNS
        console.print(_wide(decided, language) if wide else _tall(decided, language))
    for line in sources(decided, language):
        console.print(Text(line, style="dim"), soft_wrap=True)


def _wide(decided: Verdict, language: Language) -> Table:
    """What a lawyer asks for: each reason, the values it rests on, its basis, rule and pack."""
    table = Table(show_lines=True)
    for key in COLUMNS:
        table.add_column(text(f"label.{key}", language), overflow="fold")
    for item in decided.findings:
        table.add_row(*map(Text, _told(item, decided, language)))
    return table


def _tall(decided: Verdict, language: Language) -> Table:
    """The same from top to bottom."""
    table = Table(show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for item in decided.findings:
        for key, told in zip(COLUMNS, _told(item, decided, language), strict=True):
            table.add_row(text(f"label.{key}", language), Text(told))
        table.add_section()
    return table


def _told(item: Finding, decided: Verdict, language: Language) -> tuple[str, ...]:
    """One finding, in the order of COLUMNS."""
    reason = f"{item.code}  {title(item.code, language)}\n{severity(item, language)}"
    said = item.message.zh if language == "zh" else item.message.en
    values = "\n".join(_value(name, value, language) for name, value in item.values.items())
    return reason, said, values, item.basis, "\n".join(_rule(item, decided.packs))


def _value(name: str, value: object, language: Language) -> str:
    """A value under its name in the rules, with what that name means."""
    fact = FACTS.get(name)
    meant = "" if fact is None else f"  ({fact.doc.zh if language == 'zh' else fact.doc.en})"
    return f"{name} = {shown(value, language)}{meant}"


def _rule(item: Finding, packs: tuple[PackRef, ...]) -> Iterator[str]:
    yield item.rule
    if found := text_of(item, packs):
        yield f"{found.id} {found.version}"
        yield f"sha256:{found.hash[:HASH_SHOWN]}"
