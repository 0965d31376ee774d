"""Shipped packs and profiles are there; a site's own never silently take their place."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from gatewayd.settings.lapsed import warnings
from gatewayd.settings.library import load_profiles
from gatewayd.settings.load import examine, load
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from tests.support.configs import GATEWAY, RIGS, write_config

CN_LPG = (shipped_dir() / "rules/cn-lpg.yaml").read_text(encoding="utf-8")
GATE = (shipped_dir() / "profiles/reference-gate-v1.yaml").read_text(encoding="utf-8")


def problems(directory: Path, changes: dict[str, str]) -> list[str]:
    found = examine(write_config(directory, changes)).problems
    return [str(problem).replace(f"{directory}/", "") for problem in found]


def with_line(text: str, line: str) -> str:
    return text.replace("\nid: ", f"\n{line}\nid: ", 1)


def test_a_changed_copy_of_a_shipped_pack_must_say_that_it_replaces_it(tmp_path: Path) -> None:
    changed = CN_LPG + "# ours\n"
    (problem,) = problems(tmp_path, {"rules/own.yaml": changed})
    assert problem.startswith("rules/own.yaml:")
    assert "id 'cn-lpg' is shipped with gatewayd; say replaces: cn-lpg, or" in problem


def test_a_pack_that_says_replaces_is_the_one_in_force(tmp_path: Path) -> None:
    changed = with_line(CN_LPG, "replaces: cn-lpg")
    settings = load(write_config(tmp_path, {"rules/own.yaml": changed}))
    assert settings.packs["cn-lpg"].origin == str(tmp_path / "rules/own.yaml")
    shipped = load(write_config(tmp_path / "b")).packs["cn-lpg"]
    assert settings.packs["cn-lpg"].ref.hash != shipped.ref.hash


def test_a_plain_copy_changes_nothing_and_is_a_warning(tmp_path: Path) -> None:
    examined = examine(write_config(tmp_path, {"rules/cn-lpg.yaml": CN_LPG}))
    assert examined.settings is not None
    (warning,) = examined.warnings
    assert warning.what == "a copy of the shipped 'cn-lpg'"


def test_the_shipped_folder_itself_is_no_copy() -> None:
    """A checkout is used as `-c config`."""
    examined = examine(shipped_dir())
    assert examined.problems == ()
    assert not any("copy" in warning.what for warning in examined.warnings)


def test_a_pack_of_the_site_stands_beside_the_shipped_one(tmp_path: Path) -> None:
    own = CN_LPG.replace("\nid: cn-lpg", "\nid: our-lpg", 1)
    rigs = RIGS.replace("rules: [cn-lpg]", "rules: [our-lpg, cn-lpg]", 1)
    settings = load(write_config(tmp_path, {"rules/own.yaml": own, "rigs/all.yaml": rigs}))
    assert set(settings.packs) == {"cn-lpg", "our-lpg"}


def test_two_files_of_the_site_never_share_an_id(tmp_path: Path) -> None:
    own = CN_LPG.replace("\nid: cn-lpg", "\nid: our-lpg", 1)
    (problem,) = problems(tmp_path, {"rules/a.yaml": own, "rules/b.yaml": own})
    assert problem.startswith("rules/b.yaml:")
    assert "id 'our-lpg' exists twice; first at rules/a.yaml:" in problem


def test_a_broken_pack_is_told_even_when_no_rig_uses_it(tmp_path: Path) -> None:
    own = CN_LPG.replace("\nid: cn-lpg", "\nid: our-lpg", 1).replace("\nversion:", "\nversio:", 1)
    found = problems(tmp_path, {"rules/own.yaml": own})
    assert any("unknown key 'versio'" in problem for problem in found)


@pytest.mark.parametrize("text", ["rules: [", "- a", "", "id: 7"])
def test_a_text_that_is_no_pack_is_told_by_its_path(tmp_path: Path, text: str) -> None:
    found = problems(tmp_path, {"rules/own.yaml": text})
    assert found
    assert all(problem.startswith("rules/own.yaml:") for problem in found)


def test_a_changed_copy_of_a_shipped_profile_needs_an_id_of_its_own(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"profiles/own.yaml": GATE + "# ours\n"})
    assert "id 'reference-gate-v1' is shipped with gatewayd; give it an id of its own" in problem


def test_a_profile_of_the_site_is_found(tmp_path: Path) -> None:
    own = GATE.replace("\nid: reference-gate-v1", "\nid: our-gate", 1)
    assert own != GATE
    settings = load(write_config(tmp_path, {"profiles/own.yaml": own}))
    assert {"our-gate", "reference-gate-v1"} <= set(settings.profiles)


SITE = """\
id: our-lpg
version: "1"
title: {zh: 本站, en: ours}
extends: cn-lpg
parameters:
  tare_deny_small_g: {value: 800, unit: g, source: ours, verified: false}
"""
OURS = RIGS.replace("rules: [cn-lpg]", "rules: [our-lpg]")
OVERRIDE = """\
override: {rule: fill-count, reason: recount, approved_by: Li Si, until: 2026-12-31}
"""
OWN_RULE = """\
rules:
  - id: not-ours
    code: NOT_OWN
    severity: deny
    when: cylinder.owner != station.id
    message: {zh: 不是本站气瓶, en: not ours}
    basis: {document: ours}
    verified: true
    examples:
      - {facts: {cylinder.owner: "1", station.id: "2"}, expect: hold}
      - {facts: {cylinder.owner: "1", station.id: "1"}, expect: clear}
"""


def test_a_pack_of_the_site_extends_a_shipped_one(tmp_path: Path) -> None:
    settings = load(write_config(tmp_path, {"rules/own.yaml": SITE, "rigs/all.yaml": OURS}))
    own, law = settings.packs["our-lpg"], (shipped_dir() / "rules/cn-lpg.yaml")
    assert own.ref.extends is not None
    assert own.ref.extends.hash == sha256(law.read_bytes()).hexdigest()
    assert own.parameters["tare_deny_small_g"].value == 800
    assert "cn-lpg.overdue" in {rule.name for rule in own.rules}


def test_a_pack_of_the_same_id_may_extend_the_shipped_one(tmp_path: Path) -> None:
    settings = load(write_config(tmp_path, {"rules/own.yaml": SITE.replace("our-lpg", "cn-lpg")}))
    assert settings.packs["cn-lpg"].ref.extends is not None


def test_what_loosens_the_law_is_refused_without_an_override_and_told_with_one(
    tmp_path: Path,
) -> None:
    looser = SITE.replace("800", "1200")
    (found,) = problems(tmp_path, {"rules/own.yaml": looser, "rigs/all.yaml": OURS})
    assert found.startswith("rules/own.yaml:6:")
    assert "only an override may loosen it" in found
    told = examine(write_config(tmp_path, {"rules/own.yaml": SITE + OVERRIDE})).warnings
    assert [str(warning).rpartition("own.yaml:")[2] for warning in told] == [
        "1:1: our-lpg: loosens fill-count through 2026-12-31: recount; approved by Li Si"
    ]


def test_an_override_is_told_through_its_last_day_and_is_over_the_day_after(tmp_path: Path) -> None:
    files = {"rules/own.yaml": SITE + OVERRIDE, "rigs/all.yaml": OURS}
    examined = examine(write_config(tmp_path, files))
    for wall, told in (
        ("2026-12-31T23:59:59+08:00", "loosens fill-count through 2026-12-31"),
        ("2027-01-01T00:00:00+08:00", "the override of fill-count ended on 2026-12-31"),
    ):
        (found,) = warnings(examined, datetime.fromisoformat(wall))
        assert told in found.what
        assert "approved by Li Si" in str(found)


def test_a_stale_archive_that_was_let_pass_in_writing_is_told_to_be_over(tmp_path: Path) -> None:
    offline = "stale: warn, hours_max: 8, reason: line down, approved_by: Li Si, until: 2026-12-31"
    gateway = f"{GATEWAY}archive: {{stale_after_h: 24, offline: {{{offline}}}}}\n"
    examined = examine(write_config(tmp_path, {"gateway.yaml": gateway}))
    assert warnings(examined, datetime(2026, 12, 31, 15, 59, tzinfo=UTC)) == examined.warnings
    (found,) = warnings(examined, datetime(2026, 12, 31, 16, 0, tzinfo=UTC))
    assert "a stale archive refuses again" in found.what


def test_only_a_shipped_pack_can_be_extended(tmp_path: Path) -> None:
    found = problems(
        tmp_path, {"rules/own.yaml": SITE.replace("extends: cn-lpg", "extends: cn-lgp")}
    )
    assert any("no shipped pack 'cn-lgp' to extend" in problem for problem in found)


def test_a_pack_whose_examples_fail_is_refused(tmp_path: Path) -> None:
    wrong = CN_LPG.replace("\nid: cn-lpg", "\nid: our-lpg", 1).replace(
        "expect: clear", "expect: hold", 1
    )
    (found,) = problems(tmp_path, {"rules/own.yaml": wrong})
    assert "example: our-lpg.code-unknown said clear; expected hold" in found


def test_a_pack_that_extends_one_is_proven_by_its_own_examples(tmp_path: Path) -> None:
    good = {"rules/own.yaml": SITE + OWN_RULE, "rigs/all.yaml": OURS}
    settings = load(write_config(tmp_path, good))
    assert "our-lpg.not-ours" in {rule.name for rule in settings.packs["our-lpg"].rules}
    wrong = SITE + OWN_RULE.replace("expect: clear", "expect: hold")
    (found,) = problems(tmp_path / "wrong", {"rules/own.yaml": wrong})
    assert "example: our-lpg.not-ours said clear; expected hold" in found


@pytest.mark.parametrize("kind", ["rules", "profiles"])
def test_a_shipped_file_is_named_after_its_id(kind: str) -> None:
    """So that a start reads only those that somebody named."""
    files = list((shipped_dir() / kind).glob("*.yaml"))
    assert len(files) >= 5
    for file in files:
        assert f"\nid: {file.stem}\n" in file.read_text(encoding="utf-8")


def test_a_shipped_map_that_nobody_wants_is_a_name_and_is_not_read(tmp_path: Path) -> None:
    own = GATE.replace("\nid: reference-gate-v1", "\nid: our-gate", 1)
    directory = write_config(tmp_path, {"profiles/own.yaml": own})
    found = load_profiles(directory, Report(), wanted={"laumas-tlu"})
    assert set(found.values) == {"laumas-tlu", "our-gate"}
    assert found.names == set(load_profiles(directory, Report()).values)
