"""Every shipped map decodes the registers of its document into what they mean, scales into weighings."""

import json
from pathlib import Path
from typing import Any

import pytest

from protocols import register_totals, registers
from protocols.register_values import read
from protocols.register_weights import Site, needed, weigh
from protocols.registers import Profile, register_bytes

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads((ROOT / "tests/golden/profiles.json").read_text("utf-8"))
PROFILES = {
    profile.id: profile
    for path in sorted((ROOT / "config/profiles").glob("*.yaml"))
    for profile in [registers.load(path.read_text("utf-8"), path.name)]
}
SCALES = sorted(profile.id for profile in PROFILES.values() if profile.scale)
METERS = sorted(profile.id for profile in PROFILES.values() if profile.meter)


def answers(profile: Profile, vector: dict[str, Any], names: tuple[str, ...]) -> list[bytes]:
    cells = {int(n) - profile.base: int(word, 16) for n, word in vector["registers"].items()}
    return [
        register_bytes([cells.get(span.address + at, 0) for at in range(span.count)])
        for span in profile.plan(names)
    ]


@pytest.mark.parametrize("vector", GOLDEN, ids=lambda v: f"{v['profile']}-{v['about']}")
def test_registers_mean_what_the_document_says(vector: dict[str, Any]) -> None:
    assert vector["provenance"]
    profile = PROFILES[vector["profile"]]
    whole = register_totals.needed(profile) if profile.meter else ()
    names = (*(needed(profile) if profile.scale else whole), *vector["values"])
    reading = read(profile.plan(names), answers(profile, vector, names))
    assert {name: reading[name] for name in vector["values"]} == vector["values"]
    if profile.meter is not None:
        counted = register_totals.total(profile, reading, Site(**vector["site"]))
        assert {name: getattr(counted, name) for name in vector["total"]} == vector["total"]
    if profile.scale is None:
        return
    found = weigh(profile, reading, Site(**vector["site"]))
    assert {
        "gross_g": found.gross_g,
        "net_g": found.net_g,
        "stable": found.stable,
        "why": found.why,
    } == vector["weighing"]


@pytest.mark.parametrize("name", SCALES)
def test_every_scale_has_a_weighing_and_an_unknown_one(name: str) -> None:
    known = {v["weighing"]["gross_g"] is not None for v in GOLDEN if v["profile"] == name}
    assert known == {True, False}


@pytest.mark.parametrize("name", METERS)
def test_every_meter_has_a_total_and_an_unknown_one(name: str) -> None:
    known = {v["total"]["total_g"] is not None for v in GOLDEN if v["profile"] == name}
    assert known == {True, False}


def test_every_shipped_map_has_a_golden_decode() -> None:
    assert {vector["profile"] for vector in GOLDEN} == set(PROFILES)


def test_the_maps_that_were_promised_are_there() -> None:
    assert set(PROFILES) >= {
        *("reference-gate-v1", "hbm-wtx110-filler", "dini-argeo-dgt1s", "dini-argeo-dgt4x"),
        *("laumas-tlu", "siemens-wp251", "supmeter-bst106", "tuna-id551", "precise-dat400"),
    }
    assert {n for n, p in PROFILES.items() if "filler" in p.serves} == {"hbm-wtx110-filler"}
    assert {n for n, p in PROFILES.items() if "gate" in p.serves} == {"reference-gate-v1"}
    assert {n for n, p in PROFILES.items() if p.incomplete} == {"precise-dat400"}


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_map_says_where_it_is_from_and_what_nobody_has_seen(name: str) -> None:
    profile = PROFILES[name]
    assert len(profile.source) > 20
    assert profile.caveats
    assert profile.verified == (name == "reference-gate-v1")
    assert bool(profile.example) != bool(profile.incomplete)
