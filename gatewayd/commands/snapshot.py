"""The whole archive in chunks: kept as they come, in any order, and switched over at once.

A chunk with a mistake is not kept, so nothing of the snapshot counts until it comes again without.
What no chunk can know alone, a code or a tag that two rows have, refuses the whole snapshot.
"""

import asyncio
import hashlib
import json
import re
from dataclasses import asdict, replace
from typing import Any, Final

import apsw

from gatewayd.archive import given
from gatewayd.archive.given import CYLINDERS
from gatewayd.commands.office import Office
from gatewayd.commands.schemas import ROWS_A_CHUNK_MAX, Chunked, CylindersSnapshot
from gatewayd.commands.shelf import IDLE_S_MAX, About, Missing
from gatewayd.commands.terms import MISTAKES_SHOWN_MAX, Case, Later, Refusal, Reply, refuse
from gatewayd.errors import RejectedError, StoreError
from gatewayd.store import requests, rows
from gatewayd.store.beside import ImportOptions, import_staged
from gatewayd.store.chain import Issuer
from gatewayd.store.model import ImportCounts
from gatewayd.store.staging import Repeat, Staging
from gatewayd.upstreams.aside import aside

_TAGS: Final = "tag_uids"
_LINE = re.compile(r"row (\d+), column (\w+): (.*)")


async def snapshot(office: Office, asked: CylindersSnapshot, case: Case) -> Reply | Later:
    """Keep one chunk; with the last one switch the archive over, while others go on."""
    store = office.context.store
    refusal = _unwelcome(office, asked, case)
    if refusal is None:
        refusal = await asyncio.to_thread(_keep, office, asked, case.upstream)
    if refusal is not None:
        return await case.finish(store, refusal)
    missing = await asyncio.to_thread(office.shelf.missing, asked.chunks)
    if missing.count:
        quiet = replace(case, recorded=False)  # the last chunk speaks for all of them
        return await quiet.finish(store, _told(asked, missing, None))
    office.shelf.busy = True
    return Later(lambda: _switch_over(office, asked, case))


def _unwelcome(office: Office, asked: CylindersSnapshot, case: Case) -> Refusal | None:
    shelf, store = office.shelf, office.context.store
    if shelf.busy:
        return refuse("switching")
    newest = store.snapshot_version(case.upstream)
    if newest is not None and asked.source_version <= newest:
        return refuse("snapshot_old", given=asked.source_version, newest=newest)
    if asked.chunk > asked.chunks:
        return refuse("no_such_chunk", chunk=asked.chunk, chunks=asked.chunks)
    here = shelf.about()
    if here is None or here.upstream == case.upstream:
        return None
    idle_s = shelf.idle_s(office.context.clock.wall().timestamp())
    return None if idle_s > IDLE_S_MAX else refuse("shelf_taken", upstream=here.upstream)


def _keep(office: Office, asked: CylindersSnapshot, upstream: str) -> Refusal | None:
    """Check a chunk and keep it. In a thread. Raises StoreError."""
    if _digest(asked.rows) != asked.sha256:
        return refuse("sha256_differs", chunk=asked.chunk)
    columns = tuple(asked.columns or rows.CONTRACT_COLUMNS)
    lacking = [name for name in rows.CONTRACT_COLUMNS if name not in columns]
    if lacking or len(set(columns)) != len(columns) or not set(columns) <= set(CYLINDERS.columns):
        return refuse("columns_wrong", lacking=", ".join(lacking) or "-")
    taken = given.check(asked.rows, CYLINDERS, columns)
    foreign = [n for n, values in taken.rows.items() if not values.keys() <= set(columns)]
    mistakes = [{"chunk": asked.chunk, **each} for each in taken.mistakes]
    mistakes += [
        {"chunk": asked.chunk, "row": n, "column": None, "error": "names a column not in columns"}
        for n in foreign
    ]
    if mistakes:
        return refuse("chunk_refused", mistakes=tuple(mistakes), chunk=asked.chunk)
    about = About(upstream, asked.snapshot_id, asked.source_version, asked.chunks, columns)
    here = office.shelf.about()
    same = here is not None and (here.upstream, here.snapshot_id) == (upstream, about.snapshot_id)
    if same and here != about:
        return refuse("snapshot_differs", snapshot=asked.snapshot_id)
    office.shelf.begin(about)
    office.shelf.put(asked.chunk, [_stored(values, columns) for values in taken.rows.values()])
    return None


def _digest(chunk: list[Any]) -> str:
    """Row by row: in one piece it would hold up the loop for as long as it takes."""
    said = hashlib.sha256(b"[")
    for number, row in enumerate(chunk):
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        said.update(f"{',' if number else ''}{text}".encode())
    said.update(b"]")
    return said.hexdigest()


def _stored(values: dict[str, Any], columns: tuple[str, ...]) -> list[Any]:
    found = [rows.stored(values.get(name)) for name in columns]
    tags = columns.index(_TAGS)
    found[tags] = found[tags] or ""
    return found


def _told(asked: CylindersSnapshot, missing: Missing, counts: ImportCounts | None) -> Chunked:
    return Chunked(
        snapshot_id=asked.snapshot_id,
        chunk=asked.chunk,
        chunks=asked.chunks,
        switched=counts is not None,
        missing_count=missing.count,
        missing=list(missing.ranges),
        counts=None if counts is None else asdict(counts),
    )


async def _switch_over(office: Office, asked: CylindersSnapshot, case: Case) -> Reply:
    """Build and switch in a thread that a stopping daemon leaves behind: whole or not at all."""
    replies: list[Reply] = []

    def also(connection: apsw.Connection, counts: ImportCounts) -> None:
        store, version = office.floor.settings, asked.source_version
        issuer = Issuer(store.station.id, office.desk.zone)
        requests.switched(
            connection,
            case.upstream,
            asked.snapshot_id,
            source_version=version,
            at=rows.utc(case.at),
        )
        replies[:] = [case.settle(connection, issuer, _told(asked, Missing(0, ()), counts))]

    def work() -> None:
        _import(office, asked, also)

    try:
        await aside(work, done=lambda: None)
        await asyncio.to_thread(office.shelf.clear)
    except _MistakesError as exc:
        refusal = refuse("snapshot_refused", mistakes=exc.mistakes, count=exc.count)
        return await case.finish(office.context.store, refusal)
    finally:
        office.shelf.busy = False
    return replies[0]


class _MistakesError(RejectedError):
    """What is wrong with a snapshot as a whole."""

    def __init__(self, mistakes: list[dict[str, Any]], count: int) -> None:
        super().__init__(f"{count} mistakes")
        self.mistakes = tuple(mistakes)
        self.count = count


def _import(office: Office, asked: CylindersSnapshot, also: Any) -> None:
    """In a thread, on connections of its own. Raises StoreError, _MistakesError."""
    settings = office.floor.settings
    here = office.shelf.about()
    if here is None:
        raise StoreError(f"{office.shelf.folder}: the snapshot is gone; send it again")
    with Staging.open(settings.store_path) as staging:
        staging.begin(here.columns)
        code, tags = here.columns.index("code"), here.columns.index(_TAGS)
        for chunk in range(1, here.chunks + 1):
            for number, values in enumerate(office.shelf.take(chunk), start=1):
                row = (chunk - 1) * ROWS_A_CHUNK_MAX + number
                uids = rows.normal_uids(values[tags]) if values[tags] else ()
                staging.add(row, values[code], values, uids)
        staging.seal()
        count, repeats = staging.repeats(MISTAKES_SHOWN_MAX)
        if count:
            raise _MistakesError([_repeat(each) for each in repeats], count)
        options = ImportOptions(
            settings.station.id,
            replace=True,
            quota_mb=settings.store.quota_mb,
            source_version=asked.source_version,
            origin="snapshot",
            also=also,
        )
        try:
            import_staged(staging, options, clock=office.context.clock)
        except RejectedError as exc:
            mistakes = [
                _at(int(row), column, said) for row, column, said in _LINE.findall(str(exc))
            ]
            raise _MistakesError(mistakes, len(mistakes)) from exc


def _repeat(repeat: Repeat) -> dict[str, Any]:
    column = "code" if repeat.column == "code" else _TAGS
    first = _place(repeat.first)
    where = f"chunk {first['chunk']}, row {first['row']}"
    said = f"{repeat.value!r} is in {where} already; expected each once"
    return _at(repeat.row, column, said)


def _at(row: int, column: str, error: str) -> dict[str, Any]:
    return {**_place(row), "column": column, "error": error}


def _place(row: int) -> dict[str, int]:
    return {"chunk": (row - 1) // ROWS_A_CHUNK_MAX + 1, "row": (row - 1) % ROWS_A_CHUNK_MAX + 1}
