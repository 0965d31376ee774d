"""What a person sees of the points of a device: a table, raw registers beside their meaning."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from drivers.contract import Trouble
from gatewayd.commission.maps import Mapped
from gatewayd.commission.points import Look, Row
from gatewayd.texts import Language
from gatewayd.texts import text as say


def table(device: Mapped, seen: Look, lang: Language) -> RenderableType:
    """The points of one look, and the weight or the total they make."""
    title = say(
        "points.title",
        lang,
        profile=device.profile.id,
        unit=device.unit,
        requests=len(seen.answers),
    )
    heads = [say(f"points.{key}", lang) for key in ("point", "register", "raw", "meaning", "doc")]
    grid = Table(*heads, box=None, pad_edge=False)
    for row in seen.rows:
        meaning = Text(_meaning(row, lang), style="yellow" if row.why else "")
        grid.add_row(
            Text(row.point.name, "bold"),
            Text(row.place),
            Text(row.raw),
            meaning,
            Text(row.point.doc, "dim"),
        )
    return Group(Text(title, "bold"), grid, *_weight(seen, lang), *_total(seen, lang))


def watched(
    device: Mapped, seen: Look, found: tuple[Trouble, ...], lang: Language
) -> RenderableType:
    """One frame of the refreshing table: points, and what is wrong with them now."""
    wrong = [Text(f"! {each.zh if lang == 'zh' else each.en}", "yellow") for each in found]
    return Group(table(device, seen, lang), *wrong, Text(say("points.watching", lang), "dim"))


def _meaning(row: Row, lang: Language) -> str:
    if row.words is None:
        return say("points.not_read", lang, why=row.why)
    if row.why:
        return say("points.unknown", lang, why=row.why)
    if row.mass_g is not None:
        return f"{row.mass_g} g"
    value = row.values[row.point.name]
    if row.point.type == "bit":
        return say("points.on" if value else "points.off", lang)
    if row.point.type == "bits":
        fields = [f"{name}={number}" for name, number in row.fields.items()]
        return " ".join((*row.set_bits, *fields)) or say("points.none", lang)
    return f"{value} {row.unit}".rstrip()


def _weight(seen: Look, lang: Language) -> list[Text]:
    found = seen.weighing
    if found is None:
        return []
    if found.gross_g is None:
        return [Text(say("points.unknown", lang, why=found.why), "yellow")]
    stable = say("points.stable" if found.stable else "points.moving", lang)
    return [Text(say("points.weight", lang, gross=found.gross_g, stable=stable), "green")]


def _total(seen: Look, lang: Language) -> list[Text]:
    found = seen.total
    if found is None:
        return []
    if found.total_g is None:
        return [Text(say("points.unknown", lang, why=found.why), "yellow")]
    told = say("points.total", lang, total=found.total_g, step=found.step_g)
    return [Text(told, "green")]
