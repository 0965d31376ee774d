"""With a mistake somewhere else a rig is still locked, a cylinder held, an alarm and a record read."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.errors import ConfigError
from gatewayd.settings.site import load_site
from gatewayd.store.reads import Reader
from tests.rigs.bench import LEGAL
from tests.support.configs import write_config
from tests.support.stores import open_store

WHO = ("--reason", "leak", "--by", "Li Si")
BROKEN = (
    {"rules/own.yaml": "id: ["},
    {"devices/x.yaml": "devices: {x: {driver: no.such}}\n"},
    {"rigs/x.yaml": "rigs: {x: {medium: BEER}}\n"},
    {"upstreams.yaml": "what: is this\n"},
)


@pytest.fixture(params=range(len(BROKEN)))
async def site(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A station with a store, whose files went bad afterwards."""
    directory = write_config(tmp_path)
    store = open_store(directory)
    await store.import_cylinders([LEGAL], replace=True)
    await store.close()
    for name, text in BROKEN[request.param].items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def run(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-c", str(site)])


async def test_what_cannot_wait_does_not_wait_for_the_configuration(site: Path) -> None:
    assert run(site, "check").exit_code == 1
    for words in (
        ("lock", "rig-1", *WHO),
        ("hold", LEGAL.code, *WHO),
        ("retire", "9999999999", *WHO),
        ("unlock", "rig-1", *WHO),
        ("holds",),
        ("retired",),
        ("alarms",),
        ("shifts",),
        ("records", "list"),
        ("records", "verify"),
        ("trace", LEGAL.code),
    ):
        done = run(site, *words)
        assert done.exit_code == 0, (words, done.output, done.stderr)
    with Reader.open(site / "gatewayd.db") as store:
        assert [record.kind for record in store.records()] == ["lock", "hold", "hold", "lock"]
        assert [each.code for each in store.open_holds(limit=9)] == [LEGAL.code]


def test_a_rig_that_is_misspelt_is_refused_while_the_rigs_can_be_read(tmp_path: Path) -> None:
    site = write_config(tmp_path)
    refused = run(site, "lock", "rig-9", *WHO)
    assert refused.exit_code == 1
    assert "rig-1" in refused.stderr
    (site / "rigs/bad.yaml").write_text("rigs: [", encoding="utf-8")
    assert run(site, "lock", "rig-9", *WHO).exit_code == 0, "nobody knows what rigs there are"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("station: [", "gateway.yaml:"),
        ("log: {}\n", "section 'station' is missing"),
        ("- station\n", "no settings here"),
        ('station: {id: "1"}\nstore: {path: !secret nowhere}\n', "nowhere"),
    ],
)
def test_whose_store_it_is_must_be_said(tmp_path: Path, text: str, said: str) -> None:
    site = write_config(tmp_path, {"gateway.yaml": text})
    with pytest.raises(ConfigError, match=said):
        load_site(site)
