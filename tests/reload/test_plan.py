"""What a reload would change, said beforehand: pictures compared, secrets never shown."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.parts import devices_of, profile_of
from gatewayd.reload.jobs import adopted, jobs
from gatewayd.settings.layouts import layout_of
from gatewayd.settings.load import Examined, examine
from gatewayd.settings.model import Settings
from gatewayd.settings.picture import fingerprint, new_salt, picture
from gatewayd.settings.plan import apply, difference, plan
from tests.support import tag_layouts
from tests.support.configs import DEVICES, GATEWAY, RIGS, write_config

SALT = "00" * 16
values = st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.text("ab", max_size=2))
parts = st.sampled_from(
    ["station", "store", "devices/a", "devices/b", "rigs/x", "upstreams/p", "rules/r"]
)
pictures = st.dictionaries(
    parts, st.dictionaries(st.sampled_from("abc"), values, min_size=1), max_size=7
)


@given(pictures)
def test_a_picture_differs_from_itself_in_nothing(one: Mapping[str, Any]) -> None:
    assert plan(one, one).changes == ()
    assert plan(one, one).rigs == ()


@given(pictures, pictures)
def test_every_difference_together_leads_from_one_picture_to_the_other(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    changes = tuple(difference(old, new))
    assert apply(old, changes, new) == new
    for change in changes:
        assert change.values, change
        before, after = old.get(change.part, {}), new.get(change.part, {})
        assert all(before.get(v.key) == v.old and after.get(v.key) == v.new for v in change.values)


def read(folder: Path, changes: Mapping[str, str | None] | None = None) -> Examined:
    folder.mkdir()
    found = examine(write_config(folder, changes), {})
    assert found.problems == ()
    return found


def settings(found: Examined) -> Settings:
    assert found.settings is not None
    return found.settings


EDITS: dict[str, tuple[dict[str, str | None], set[str], list[str]]] = {
    "a poll": (
        {"devices/all.yaml": DEVICES.replace("unit: 1,", "unit: 1, poll_ms: 90,")},
        {"rig-1"},
        [],
    ),
    "a reader": ({"devices/all.yaml": DEVICES.replace("31:6000", "33:6000")}, {"rig-2"}, []),
    "a rig": ({"rigs/all.yaml": RIGS.replace("rig-2:", "rig-3:")}, {"rig-2", "rig-3"}, []),
    "a reader moves": (
        {
            "rigs/all.yaml": RIGS.replace("}, {device: qr-1}]", "}]").replace(
                "gun-2}]", "gun-2}, {device: qr-1}]"
            )
        },
        {"rig-1", "rig-2"},
        [],
    ),
    "the name": (
        {"gateway.yaml": GATEWAY.replace("media: [LPG]", "media: [LPG], name: other")},
        {"rig-1", "rig-2"},
        [],
    ),
    "the id": (
        {"gateway.yaml": GATEWAY.replace("3701000042", "3701000043")},
        set(),
        ["station.id"],
    ),
    "the store": ({"gateway.yaml": GATEWAY.replace("gatewayd.db", "o.db")}, set(), ["store.path"]),
    "an upstream": ({"gateway.yaml": GATEWAY.replace("gatewayd/v1", "other/v1")}, set(), []),
    "nothing": ({"gateway.yaml": GATEWAY + "# a comment\n"}, set(), []),
}


@pytest.mark.parametrize("edit", EDITS)
def test_the_plan_names_the_rigs_that_the_jobs_exchange(tmp_path: Path, edit: str) -> None:
    changes, rigs, restart = EDITS[edit]
    before, after = read(tmp_path / "old"), read(tmp_path / "new", changes)
    found = plan(picture(before, SALT), picture(after, SALT), ["rig-2"])
    assert set(found.rigs) == rigs
    assert list(found.restart) == restart
    assert set(found.waiting) == rigs & {"rig-2"}
    old, new = settings(before), settings(after)
    todo = jobs(old, adopted(old, new), made_with(old))
    assert set().union(*(job.rigs for job in todo)) == rigs
    assert bool(found.changes) == (edit != "nothing")


ASKED = DEVICES.replace('31:6000"}', '31:6000"}, memory: site-tag')
TAGS = json.dumps({"tags": {tag_layouts.NAME: tag_layouts.settings()}})
OTHER_TAGS = json.dumps({"tags": {tag_layouts.NAME: tag_layouts.settings(blank="nothing")}})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"devices/all.yaml": ASKED, "tags/site.yaml": TAGS}),
        ({"devices/all.yaml": ASKED, "tags/site.yaml": TAGS}, {}),
        (
            {"devices/all.yaml": ASKED, "tags/site.yaml": TAGS},
            {"devices/all.yaml": ASKED, "tags/site.yaml": OTHER_TAGS},
        ),
    ],
    ids=["is asked for", "is asked for no more", "is read by another layout"],
)
def test_a_reader_whose_memory_changes_is_exchanged_with_its_rigs(
    tmp_path: Path, before: dict[str, str | None], after: dict[str, str | None]
) -> None:
    """A rig that judged by one layout what was read by another would believe the wrong bytes."""
    assert ASKED != DEVICES
    one, other = read(tmp_path / "old", before), read(tmp_path / "new", after)
    found = plan(picture(one, SALT), picture(other, SALT), [])
    old, new = settings(one), settings(other)
    kept = adopted(old, new)
    todo = jobs(old, kept, made_with(old))
    reader = {name for name in new.rigs if "gun-2" in devices_of(new.rigs[name])}
    assert reader
    assert found.restart == ()
    assert set(found.rigs) == reader
    assert set().union(*(job.rigs for job in todo)) == reader
    assert {name for job in todo for name in job.devices} == {"gun-2"}
    assert layout_of(kept, "gun-2") is new.layouts.get(tag_layouts.NAME)


def made_with(running: Settings) -> dict[str, object]:
    found: dict[str, object] = {f"rigs/{name}": running.station for name in running.rigs}
    return found | {f"devices/{n}": profile_of(running, n) for n in running.devices}


def test_a_changed_secret_is_seen_and_never_shown(tmp_path: Path) -> None:
    gateway = GATEWAY.replace("}\n", "}\n", 1).replace(
        "prefix: gatewayd/v1}", "prefix: gatewayd/v1, username: u, password: !env SECRET}"
    )
    write_config(tmp_path, {"gateway.yaml": gateway})
    old = picture(examine(tmp_path, {"SECRET": "tea-leaves"}), SALT)
    new = picture(examine(tmp_path, {"SECRET": "coffee-beans"}), SALT)
    (change,) = plan(old, new).changes
    ((value),) = change.values
    assert (change.part, value.key) == ("upstreams/platform", "password")
    assert value.old == value.new == "********"
    for told in (repr(old), repr(new), repr(change.as_json())):
        assert "tea-leaves" not in told
        assert "coffee-beans" not in told
    assert plan(old, picture(examine(tmp_path, {"SECRET": "tea-leaves"}), SALT)).changes == ()


NOT_FOR_A_RELOAD = {"directory", "store_path", "layouts"}
"""Where the files are, what follows from another value, and what only `decode` reads."""


def test_every_field_of_the_settings_is_in_the_picture(tmp_path: Path) -> None:
    points = "points: {gate: {kind: receiving, identify: [{device: gun-9}]}}\n"
    gun = '  gun-9: {driver: rfid.uhfreader, link: {tcp: "192.168.1.39:6000"}}\n'
    page = 'web: {listen: "127.0.0.1:8080"}\n'
    files = {"points/all.yaml": points, "devices/all.yaml": DEVICES + gun}
    found = read(tmp_path / "all", {**files, "gateway.yaml": GATEWAY + page})
    seen = {part.partition("/")[0] for part in picture(found, SALT)}
    named = {"rules" if f.name == "packs" else f.name for f in fields(Settings)}
    assert named - NOT_FOR_A_RELOAD <= seen


def test_equal_secrets_look_alike_under_one_salt_only() -> None:
    one, other = new_salt(), new_salt()
    assert fingerprint("a", one) == fingerprint("a", one) != fingerprint("b", one)
    assert fingerprint("a", one) != fingerprint("a", other)
