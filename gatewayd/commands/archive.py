"""A few entries of the archive or of the list of operators, each row judged by itself."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import apsw

from gatewayd.archive import given
from gatewayd.archive.given import CYLINDERS, OPERATORS, Kind, Taken
from gatewayd.commands.office import Office
from gatewayd.commands.schemas import CylindersUpsert, OperatorsUpsert, RowAnswer, Upserted
from gatewayd.commands.terms import Case, Reply, Said, refuse
from gatewayd.errors import RejectedError
from gatewayd.store import people, rows
from gatewayd.store.chain import Issuer
from gatewayd.store.merge import upsert
from gatewayd.store.people_model import Operator
from gatewayd.store.people_rows import OPERATOR_COLUMNS

_KNOWN = "SELECT code, version, source_version FROM cylinders WHERE code IN ({})"


async def upsert_cylinders(office: Office, asked: CylindersUpsert, case: Case) -> Reply:
    """Rows without a mistake go into the archive, together, with the record and the reply."""
    taken = await _checked(asked.rows, CYLINDERS)
    store = office.context.store

    def work(connection: apsw.Connection, issuer: Issuer) -> Reply:
        outcomes = _into_archive(connection, taken, asked.source_version, case)
        return case.settle(connection, issuer, _told(asked.rows, taken, outcomes, "code"))

    return await store.commit(work)


async def upsert_operators(office: Office, asked: OperatorsUpsert, case: Case) -> Reply:
    """As for cylinders; a card that belongs to somebody else refuses the whole request."""
    checked = await _checked(asked.rows, OPERATORS)
    store = office.context.store

    def work(connection: apsw.Connection, issuer: Issuer) -> Reply:
        taken = given.lacking(checked, OPERATORS, _listed(connection).keys())
        outcomes = _into_list(connection, taken)
        return case.settle(connection, issuer, _told(asked.rows, taken, outcomes, "id"))

    try:
        return await store.commit(work)
    except RejectedError as exc:
        return await case.finish(store, refuse("card_taken", why=str(exc)))


async def _checked(raw: Sequence[Any], kind: Kind) -> Taken:
    return await asyncio.to_thread(given.check, raw, kind)


def _told(raw: Sequence[Any], taken: Taken, outcomes: Mapping[int, str], key: str) -> Said:
    """Every row's fate; with one refused the request is not ok, and says what was done."""
    wrong: dict[int, list[dict[str, Any]]] = {}
    for mistake in taken.mistakes:
        wrong.setdefault(mistake["row"], []).append(dict(mistake))
    answers = [
        RowAnswer(
            row=number,
            key=_key(one, key),
            outcome=outcomes.get(number, "refused"),
            mistakes=wrong.get(number, []),
        )
        for number, one in enumerate(raw, start=1)
    ]
    counts = dict(Counter(answer.outcome for answer in answers))
    result = Upserted(counts=counts, rows=answers)
    if not wrong:
        return result
    values = {"refused": counts["refused"], "rows": len(answers)}
    return refuse("rows_refused", mistakes=tuple(taken.mistakes), result=result, **values)


def _key(raw: Any, key: str) -> str | None:
    value = raw.get(key) if isinstance(raw, dict) else None
    return value[:64] if isinstance(value, str) else None


def _groups(taken: Taken) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    """Rows by the columns that they name: what a row does not name stays as it is."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for values in taken.rows.values():
        groups.setdefault(tuple(sorted(values)), []).append(values)
    return groups


def _into_archive(
    connection: apsw.Connection, taken: Taken, source_version: int | None, case: Case
) -> dict[int, str]:
    codes = [values["code"] for values in taken.rows.values()]
    before = _known(connection, codes)
    late = _late(connection, source_version, case.upstream)
    for columns, group in _groups(taken).items():
        entries = [_row(values) for values in group if values["code"] in before or not late]
        if entries:
            at = rows.utc(case.at)
            upsert(
                connection,
                entries,
                columns=columns,
                replace=False,
                at=at,
                source_version=source_version,
            )
    after = _known(connection, codes)
    return {
        number: _outcome(before.get(v["code"]), after.get(v["code"]), source_version)
        for number, v in taken.rows.items()
    }


def _row(values: Mapping[str, Any]) -> rows.Row:
    stored = {name: rows.stored(value) for name, value in values.items()}
    stored["tag_uids"] = stored.get("tag_uids") or ""
    return tuple(stored.get(name) for name in rows.CYLINDER_COLUMNS)


def _known(connection: apsw.Connection, codes: Sequence[str]) -> dict[str, tuple[int, int | None]]:
    sql = _KNOWN.format(", ".join("?" * len(codes)))
    return {code: (version, source) for code, version, source in connection.execute(sql, codes)}


def _late(connection: apsw.Connection, source_version: int | None, upstream: str) -> bool:
    """Whether a newer snapshot of this platform has been: what it left out is gone for good."""
    sql = "SELECT source_version FROM snapshots WHERE upstream = ?"
    newest = connection.execute(sql, (upstream,)).get
    return source_version is not None and newest is not None and source_version < newest


def _outcome(
    before: tuple[int, int | None] | None,
    after: tuple[int, int | None] | None,
    source_version: int | None,
) -> str:
    if after is None:
        return "outdated"
    if before is None:
        return "added"
    if before[0] != after[0]:
        return "updated"
    known = before[1]
    older = source_version is not None and known is not None and source_version < known
    return "outdated" if older else "unchanged"


def _into_list(connection: apsw.Connection, taken: Taken) -> dict[int, str]:
    before = _listed(connection)
    for columns, group in _groups(taken).items():
        operators = [Operator(**_clean(values)) for values in group]
        people.upsert_operators(connection, operators, replace=False, columns=columns)
    after = _listed(connection)
    outcomes = {}
    for number, values in taken.rows.items():
        name = values["id"]
        same = "unchanged" if before.get(name) == after[name] else "updated"
        outcomes[number] = "added" if name not in before else same
    return outcomes


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """An unknown list is an empty one."""
    lists = {"media", "roles", "cards"}
    return {n: () if v is None and n in lists else v for n, v in values.items()}


def _listed(connection: apsw.Connection) -> dict[str, tuple[str | int | date | None, ...]]:
    sql = f"SELECT {', '.join(OPERATOR_COLUMNS)} FROM operators"  # noqa: S608 - our names
    return {row[0]: row for row in connection.execute(sql)}
