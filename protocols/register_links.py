"""The names that sections of a register map refer to: whether they exist and are of the right kind."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from protocols.documents import Document, Path, Problem, nearest_hint
from protocols.register_block import Point
from protocols.register_file import CodedDecimals, CodedUnit, ProfileFile
from protocols.register_plan import plan

BIT = "a bit"
FIELD = "a number"
MASS = "a mass"
WRITABLE = "a writable point"
COMMAND = "a command"
SIGNED = ("int16", "int32", "float32", "int64", "float64")


@dataclass(frozen=True, slots=True)
class Link:
    """One reference: where it stands, the name, and the kinds it may be."""

    path: Path
    name: str
    kinds: tuple[str, ...]


def links(document: Document, file: ProfileFile, loaded: Mapping[str, Point]) -> list[Problem]:
    """Problems between the sections and the points of a map whose points are right."""
    kinds = _kinds(file)
    found = [_broken(document, link, kinds) for link in _links(file)]
    return [
        *(problem for problem in found if problem is not None),
        *_masses(document, file),
        *_roles(document, file),
        *_unverified(document, file),
        *_apart(document, file, loaded),
    ]


def _kinds(file: ProfileFile) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = {name: {COMMAND} for name in file.commands}
    for name, point in file.points.items():
        mine = kinds.setdefault(name, set())
        mine |= {MASS} if point.mass else {BIT} if point.type == "bit" else {FIELD}
        mine |= {WRITABLE} if point.writable else set()
        kinds |= {bit: {BIT} for bit in point.bits}
        kinds |= {field: {FIELD} for field in point.fields}
    return kinds


def _broken(document: Document, link: Link, kinds: Mapping[str, set[str]]) -> Problem | None:
    mark = document.mark(link.path)
    expected = " or ".join(link.kinds)
    if link.name not in kinds:
        return Problem(
            mark, f"no {link.name!r} in this map", expected, nearest_hint(link.name, kinds)
        )
    if not kinds[link.name] & set(link.kinds):
        return Problem(mark, f"{link.name!r} is {' and '.join(sorted(kinds[link.name]))}", expected)
    return None


def _links(file: ProfileFile) -> Iterator[Link]:
    for name, point in file.points.items():
        if point.negative is not None:
            yield Link(("points", name, "negative"), point.negative, (BIT, FIELD))
    for key in ("unit", "decimals"):
        coded = getattr(file.mass, key, None)
        if isinstance(coded, CodedUnit | CodedDecimals):
            yield Link(("mass", key, "from"), coded.from_, (FIELD,))
    if file.mass is not None:
        yield from (Link(("mass", "watch"), name, (FIELD,)) for name in file.mass.watch)
    for i, unknown in enumerate(file.unknown_when):
        yield Link(("unknown_when", i, "when"), unknown.when, (BIT, FIELD, MASS))
        yield from (Link(("unknown_when", i, "of"), name, (MASS,)) for name in unknown.of)
    yield from _scale(file)
    yield from _filler(file)
    yield from _meter(file)
    for name, command in file.commands.items():
        at = ("commands", name)
        yield from (Link((*at, "writes", point), point, (WRITABLE,)) for point in command.writes)
        yield from (Link((*at, "parameters"), point, (WRITABLE,)) for point in command.parameters)
        for key, bit in (("confirm", command.confirm), ("ok", command.ok)):
            if bit is not None:
                yield Link((*at, key), bit, (BIT,))


def _scale(file: ProfileFile) -> Iterator[Link]:
    if file.scale is not None:
        yield Link(("scale", "gross"), file.scale.gross, (MASS,))
        yield Link(("scale", "stable"), file.scale.stable, (BIT,))
        if file.scale.net is not None:
            yield Link(("scale", "net"), file.scale.net, (MASS,))


def _meter(file: ProfileFile) -> Iterator[Link]:
    if file.meter is not None:
        yield Link(("meter", "total"), file.meter.total, (MASS,))
        if file.meter.overflow is not None:
            yield Link(("meter", "overflow"), file.meter.overflow, (MASS,))


def _filler(file: ProfileFile) -> Iterator[Link]:
    filler = file.filler
    if filler is None:
        return
    for key, kind in (("target", WRITABLE), ("limit", WRITABLE), ("total", MASS)):
        name = getattr(filler, key)
        if name is not None:
            yield Link(("filler", key), name, (kind,))
            yield Link(("filler", key), name, (MASS,))
    for key in ("start", "stop", "apply"):
        command = getattr(filler, key)
        if command is not None:
            yield Link(("filler", key), command, (COMMAND,))
    yield Link(("filler", "done"), filler.done, (BIT,))
    groups: Iterable[tuple[str, tuple[str, ...]]] = (
        ("running", filler.running),
        ("valve_open", filler.valve_open),
        ("alarms", filler.alarms),
    )
    for key, names in groups:
        yield from (Link(("filler", key), name, (BIT,)) for name in names)


def _masses(document: Document, file: ProfileFile) -> Iterator[Problem]:
    """A mass needs a scale, a sign at most once, and a handshake something to wait for."""
    for name, point in file.points.items():
        if point.mass and file.mass is None:
            what = f"{name}: nothing says how masses are scaled"
            yield Problem(document.mark(("points", name, "mass")), what, "a mass section")
        if point.negative is not None and (not point.mass or point.type in SIGNED):
            what = f"{name}: negative is for masses without a sign of their own"
            yield Problem(document.mark(("points", name, "negative")), what)
    for name, command in file.commands.items():
        if (command.kind == "handshake") != (command.confirm is not None):
            mark = document.mark(("commands", name, "kind"))
            yield Problem(mark, f"{name}: `confirm` and `kind: handshake` go together")
        if command.ok is not None and command.confirm is None:
            mark = document.mark(("commands", name, "ok"))
            yield Problem(mark, f"{name}: `ok` is for `kind: handshake`")


def _roles(document: Document, file: ProfileFile) -> Iterator[Problem]:
    mark = document.mark(("serves",))
    if file.filler is not None and file.scale is None:
        yield Problem(document.mark(("filler",)), "a filler also weighs", "a scale section")
    if file.meter is not None and (file.scale is not None or file.filler is not None):
        yield Problem(document.mark(("meter",)), "a meter weighs nothing", "a map of its own")
    sections = (("scale", file.scale), ("filler", file.filler), ("meter", file.meter))
    for role, section in sections:
        if section is not None and role not in file.serves and file.incomplete is None:
            yield Problem(
                mark, f"a map with a {role} section serves as {role}", f"{role} in serves"
            )
    for role, section in sections[1:]:
        if role in file.serves and section is None:
            yield Problem(mark, f"serves as {role} without a {role} section")
    if "identify" in file.serves and file.head is None:
        yield Problem(mark, "identifies without a head section")
    if file.incomplete is not None and file.serves:
        yield Problem(mark, "an incomplete map serves nothing", "serves: []")


def _unverified(document: Document, file: ProfileFile) -> Iterator[Problem]:
    seen = [file.verified, *(point.verified for point in file.points.values())]
    doubtful = not all((*seen, *(command.verified for command in file.commands.values())))
    if doubtful != bool(file.unverified):
        mark = document.mark(("unverified",))
        yield Problem(mark, "`verified: false` and `unverified`, what nobody has seen, go together")


def _apart(document: Document, file: ProfileFile, loaded: Mapping[str, Point]) -> Iterator[Problem]:
    """A sign read at another moment than its mass belongs to another mass; so does an overflow."""
    spans = plan((p for p in loaded.values() if _readable(file, p)), file.limits, base=file.base)
    owner = {name: point for point in loaded.values() for name in point.names}
    for name, point in file.points.items():
        sign = owner.get(point.negative or "")
        if sign is not None and not any(
            span.covers(loaded[name]) and span.covers(sign) for span in spans
        ):
            mark = document.mark(("points", name, "negative"))
            yield Problem(mark, f"{name}: its sign {point.negative!r} is in another request")
    meter = file.meter
    parts = () if meter is None else [loaded.get(n or "") for n in (meter.total, meter.overflow)]
    both = [part for part in parts if part is not None]
    if both and not any(all(span.covers(part) for part in both) for span in spans):
        yield Problem(document.mark(("meter", "overflow")), "overflow is in another request")


def _readable(file: ProfileFile, point: Point) -> bool:
    return not (point.writable and file.areas == "separate")
