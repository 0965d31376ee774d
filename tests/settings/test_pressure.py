"""A rig for compressed or dissolved gas says at `check` what its gate cannot supervise."""

from pathlib import Path

import pytest

from gatewayd.settings.load import examine
from gatewayd.settings.pressure import BY_PRESSURE
from rules_engine.vocabulary import MEDIA
from tests.support.configs import DEVICES, write_config
from tests.support.rules import RULES

GATEWAY = 'station: {id: "3701000042"}\nstore: {path: gatewayd.db}\n'
RIG = """\
rigs:
  rig-1:
    medium: %s
    identify: [{device: gun-1}]
    scale: scale-1
    gate: scale-1
    rules: [%s]
"""


def told(folder: Path, medium: str, more: str = "", pack: str = "cn-industrial") -> tuple[str, str]:
    """The problems and warnings about the medium of the rig."""
    files = {
        "gateway.yaml": GATEWAY,
        "devices/all.yaml": DEVICES,
        "rigs/all.yaml": RIG % (medium, pack) + more,
    }
    found = examine(write_config(folder, files), environ={})
    return tuple(
        "\n".join(str(each) for each in some if "medium" in each.what or medium in each.what)
        for some in (found.problems, found.warnings)
    )  # type: ignore[return-value]  # two texts


@pytest.mark.parametrize("medium", sorted(BY_PRESSURE))
def test_compressed_gas_needs_a_filling_pressure_and_is_warned_of(
    tmp_path: Path, medium: str
) -> None:
    problems, warnings = told(tmp_path, medium)
    assert "without fill_pressure_kpa every cylinder is refused" in problems
    problems, warnings = told(tmp_path, medium, "    fill_pressure_kpa: 15000\n")
    assert problems == ""
    assert "nobody supervises the pressure" in warnings


def test_a_pack_that_does_not_ask_for_it_gets_the_warning_alone(tmp_path: Path) -> None:
    problems, warnings = told(tmp_path, "O2", pack="eu-adr")
    assert problems == ""
    assert "nobody supervises the pressure" in warnings


def test_acetylene_is_warned_of(tmp_path: Path) -> None:
    problems, warnings = told(tmp_path, "C2H2")
    assert problems == ""
    assert "neither solvent nor pressure" in warnings


@pytest.mark.parametrize("medium", ["LPG", "CO2", "NH3"])
def test_what_is_filled_by_mass_needs_no_word(tmp_path: Path, medium: str) -> None:
    assert told(tmp_path, medium) == ("", "")


def test_the_packs_name_the_same_media() -> None:
    named = "[" + ", ".join(
        f'"{medium}"' for medium in ("O2", "N2", "AR", "H2", "HE", "AIR", "CNG")
    )
    assert set(BY_PRESSURE) <= MEDIA
    assert {each.strip('["') for each in named.split('", ')} == set(BY_PRESSURE)
    assert named in (RULES / "cn-industrial.yaml").read_text(encoding="utf-8")
