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
from rules_engine.verdict import Finding, PackRef, Verdict

HASH_SHOWN = 12
"""Characters of a hash inside the table; the whole one stands below it."""


def show(decided: Verdict, language: Language, console: Console | None = None) -> None:
    """Print it; `console` None is the terminal."""
    console = console or Console(highlight=False)
    style = "bold green" if decided.allowed else "bold red"
    console.print(Text(headline(decided, language), style=style))
    if decided.findings:
        console.print(_table(decided, language))
    for line in sources(decided, language):
        console.print(Text(line, style="dim"), soft_wrap=True)


def _table(decided: Verdict, language: Language) -> Table:
    """What a lawyer asks for: each reason, the values it rests on, its basis, rule and pack."""
    table = Table(show_lines=True)
    for key in ("reason", "message", "values", "basis", "rule"):
        table.add_column(text(f"label.{key}", language), overflow="fold")
    for item in decided.findings:
        values = "\n".join(f"{name} = {value}" for name, value in item.values.items())
        said = item.message.zh if language == "zh" else item.message.en
        reason = f"{item.code}\n{title(item.code, language)}\n{severity(item, language)}"
        rule = "\n".join(_rule(item, decided.packs))
        table.add_row(reason, said, values, item.basis, rule)
    return table


def _rule(item: Finding, packs: tuple[PackRef, ...]) -> Iterator[str]:
    yield item.rule
    if found := text_of(item, packs):
        yield f"{found.id} {found.version}"
        yield f"sha256:{found.hash[:HASH_SHOWN]}"
