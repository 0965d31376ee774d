"""What is peculiar to PostgreSQL; what every kind must do is in test_contract.py."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from gatewayd.upstreams.contract import Upstream
from gatewayd.upstreams.postgresql import UPSTREAM
from gatewayd.upstreams.postgresql_settings import PostgresqlSettings
from tests.support.certificates import make_certificates
from tests.support.outpost import STATION, Outpost, bodies, drained, running
from tests.support.postgres_server import GATEWAY, Postgres

URL = "postgresql://h/platform"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def table(server: Postgres) -> Iterator[Postgres]:
    server.make_table()
    yield server
    server.sql("DROP TABLE gatewayd_records CASCADE")


def to(server: Postgres, outpost: Outpost, **more: Any) -> Upstream:
    return outpost.upstream_of(UPSTREAM, **{"url": server.url, "username": GATEWAY, **more})


async def test_a_row_has_what_the_record_says(table: Postgres, outpost: Outpost) -> None:
    (record,) = await outpost.commit(1)
    upstream = to(table, outpost)
    async with running(upstream):
        await drained(upstream)
    found = table.sql("SELECT id, station, sequence, rig, kind, time FROM gatewayd_records")
    cells = found.strip().split("|")
    assert cells[:5] == [record.id, STATION, "1", "rig-1", "fill"]
    shown = table.sql("SET timezone TO 'Asia/Shanghai'; SELECT time FROM gatewayd_records")
    when = datetime.fromisoformat(json.loads(record.body)["time"])
    assert datetime.fromisoformat(shown.strip()) == when
    assert table.sql("SELECT data->>'地点' FROM gatewayd_fills") == "济南\n"


async def test_a_repeated_id_changes_nothing(table: Postgres, outpost: Outpost) -> None:
    committed = await outpost.commit(3)
    for name in ("platform", "again"):
        upstream = outpost.upstream_of(UPSTREAM, name=name, url=table.url, username=GATEWAY)
        async with running(upstream):
            await drained(upstream)
    assert table.bodies() == bodies(committed)


async def test_without_its_table_records_wait_and_the_text_says_what_to_do(
    server: Postgres, outpost: Outpost
) -> None:
    committed = await outpost.commit(2)
    upstream = to(server, outpost)
    async with running(upstream):
        await outpost.until_state("refused", error="config/upstreams/postgresql.sql")
        server.make_table()
        await drained(upstream)
    assert server.bodies() == bodies(committed)
    server.sql("DROP TABLE gatewayd_records CASCADE")


async def test_what_a_trigger_of_the_platform_refuses_is_a_dead_letter_with_its_words(
    table: Postgres, outpost: Outpost
) -> None:
    table.sql(
        "CREATE FUNCTION no_refusals() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.kind = 'refusal' THEN RAISE EXCEPTION 'we do not want refusals'; END IF; "
        "RETURN NEW; END $$; CREATE TRIGGER no_refusals BEFORE INSERT ON gatewayd_records "
        "FOR EACH ROW EXECUTE FUNCTION no_refusals()"
    )
    before = await outpost.commit(2)
    await outpost.commit(1, "refusal")
    after = await outpost.commit(2)
    upstream = to(table, outpost)
    async with running(upstream):
        await drained(upstream)
    assert table.bodies() == bodies(before + after)
    (letter,) = outpost.store.dead_letters("platform")
    assert "we do not want refusals" in letter.reason


@pytest.mark.parametrize(
    ("wrong", "text"),
    [({"username": "stranger"}, "stranger"), ({"url": "postgresql://127.0.0.1:1/p"}, "connect")],
)
async def test_who_is_not_let_in_is_told_and_waited_out(
    server: Postgres, outpost: Outpost, wrong: dict[str, str], text: str
) -> None:
    await outpost.commit(1)
    async with running(to(server, outpost, **wrong)):
        await outpost.until_state("down", error=text)
    assert outpost.store.cursor("platform") == 0


async def test_a_server_without_tls_where_tls_is_asked_gets_nothing(
    server: Postgres, outpost: Outpost
) -> None:
    await outpost.commit(1)
    files = make_certificates(outpost.directory / "authority")
    async with running(to(server, outpost, tls={"ca_file": str(files.ca)})):
        await outpost.until_state("down", error="rejected SSL")


async def test_a_missing_certificate_file_is_named(server: Postgres, outpost: Outpost) -> None:
    async with running(to(server, outpost, tls={"ca_file": "no.pem"})):
        await outpost.until_state("down", error=str(outpost.directory / "no.pem"))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"url": "mysql://h/p"}, "expected postgresql://"),
        ({"url": "postgresql://h"}, "names no database"),
        ({"url": "postgresql://h/a/b"}, "names no database"),
        ({"url": "postgresql://u:p@h/p"}, "!secret"),
        ({"url": "postgresql://h:0/p"}, "expected postgresql://"),
        ({"url": "postgresql://h/p?sslmode=disable"}, "expected tls"),
        ({"table": "a; DROP TABLE b"}, "pattern"),
        ({"table": "a.b.c"}, "pattern"),
        ({"username": ""}, "at least 1"),
    ],
)
def test_wrong_settings_are_refused_with_what_was_expected(
    wrong: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ValidationError, match=hint):
        PostgresqlSettings.model_validate_json(
            json.dumps({"url": URL, "username": "gateway", **wrong})
        )
