"""Files that are missing, misnamed, unreadable or too large are told by path; nothing is skipped."""

import os
from pathlib import Path

import pytest

from gatewayd.settings.files import FILES_MAX
from gatewayd.settings.load import ConfigProblemsError, examine, load
from protocols.documents import DOCUMENT_BYTES_MAX
from tests.support.configs import GATEWAY, write_config


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def problems(directory: Path = Path("etc")) -> list[str]:
    return [str(problem) for problem in examine(directory).problems]


def test_a_missing_gateway_yaml_is_told_by_path() -> None:
    write_config(Path("etc"), {"gateway.yaml": None})
    assert problems() == ["etc/gateway.yaml:0:0: cannot be read: No such file or directory"]


def test_a_missing_directory_is_told_by_path() -> None:
    assert "nowhere:0:0: cannot be read: No such file or directory" in problems(Path("nowhere"))


def test_load_raises_everything_at_once_and_keeps_it_structured() -> None:
    write_config(Path("etc"), {"gateway.yaml": "stations: {}\nstore: {quota_mb: 1}\n"})
    with pytest.raises(ConfigProblemsError) as caught:
        load(Path("etc"))
    assert str(caught.value).splitlines() == [str(p) for p in caught.value.problems]
    assert [str(p.mark) for p in caught.value.problems] == [
        "etc/gateway.yaml:1:1",
        "etc/gateway.yaml:1:1",
        "etc/gateway.yaml:2:9",
    ]


def test_load_gives_settings_with_an_absolute_store_beside_the_config(tmp_path: Path) -> None:
    settings = load(write_config(Path("etc")))
    assert settings.store_path == tmp_path / "etc/gatewayd.db"
    assert set(settings.devices) == {"gun-1", "gun-2", "qr-1", "scale-1", "scale-2"}
    assert settings.devices["scale-1"].driver.name == "plc.modbus"
    assert set(settings.rigs) == {"rig-1", "rig-2"}
    assert set(settings.packs) == {"cn-lpg"}
    assert "reference-gate-v1" in settings.profiles
    assert settings.upstreams["platform"].driver == "mqtt"
    assert [i.require for i in settings.rigs["rig-1"].identify] == [True, False]


def test_not_utf8_is_told_at_the_byte() -> None:
    latin = GATEWAY.encode().replace(b"platform", b"pl\xe4tform")
    write_config(Path("etc"), {"gateway.yaml": latin})
    assert problems() == [
        "etc/gateway.yaml:4:5: not UTF-8 text; save the file as UTF-8 in your editor"
    ]


def test_a_byte_order_mark_is_no_mistake() -> None:
    write_config(Path("etc"), {"gateway.yaml": b"\xef\xbb\xbf" + GATEWAY.encode()})
    assert problems() == []


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    write_config(Path("etc"), {"devices/huge.yaml": "# " + "x" * DOCUMENT_BYTES_MAX})
    assert problems() == [f"etc/devices/huge.yaml:0:0: larger than {DOCUMENT_BYTES_MAX} bytes"]


def test_too_many_files_are_refused() -> None:
    write_config(Path("etc"))
    for number in range(FILES_MAX):
        (Path("etc/rigs") / f"{number}.yaml").touch()
    assert f"etc/rigs:0:0: more than {FILES_MAX} files" in problems()


def test_a_symlink_loop_is_told_by_path() -> None:
    write_config(Path("etc"))
    Path("etc/devices/loop.yaml").symlink_to("loop.yaml")
    Path("etc/profiles").symlink_to("profiles")
    found = problems()
    assert "etc/devices/loop.yaml:0:0: cannot be read: Too many levels of symbolic links" in found
    assert "etc/profiles:0:0: cannot be read: Too many levels of symbolic links" in found


def test_a_file_that_fails_while_it_is_read_is_told_by_path() -> None:
    write_config(Path("etc"))
    Path("etc/rigs/broken.yaml").symlink_to("/proc/self/mem")  # its first byte is an I/O error
    assert problems() == ["etc/rigs/broken.yaml:0:0: cannot be read: Input/output error"]


def test_a_pipe_or_folder_in_place_of_a_file_does_not_hang() -> None:
    write_config(Path("etc"))
    os.mkfifo("etc/rigs/pipe.yaml")
    Path("etc/devices/folder.yaml").mkdir()
    assert problems() == [
        "etc/devices/folder.yaml:0:0: not a file; a text file",
        "etc/rigs/pipe.yaml:0:0: not a file; a text file",
    ]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rigs/rig-9.yml", "a name that ends in .yaml"),
        ("rigs/rig-9.yaml.copy", "a name that ends in .yaml"),
        ("gatway.yaml", "did you mean 'gateway.yaml'?"),
        ("gateway.yml", "did you mean 'gateway.yaml'?"),
        ("device/rig-9.yaml", "did you mean 'devices'?"),
    ],
)
def test_a_file_nobody_would_read_is_told(name: str, hint: str) -> None:
    write_config(Path("etc"), {name: "rigs: {}"})
    (problem,) = problems()
    assert "would never be read" in problem
    assert hint in problem


@pytest.mark.parametrize(
    "name",
    [
        "all.yaml~",
        ".all.yaml.swp",
        "#all.yaml#",
        ".#all.yaml",
        "all.yaml.bak",
        "README.md",
        "all.yaml.dpkg-old",
        "all.yaml.rpmnew",
        ".gitkeep",
    ],
)
def test_leftovers_of_editors_and_upgrades_are_ignored(name: str) -> None:
    write_config(Path("etc"), {f"rigs/{name}": "{", f"devices/{name}": "{"})
    assert problems() == []


def test_the_store_and_its_journal_may_live_beside_the_config() -> None:
    write_config(Path("etc"), {"gatewayd.db": "x", "gatewayd.db-wal": "x", "notes.txt": "x"})
    assert problems() == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a", "etc/rigs/all.yaml:1:1: not a mapping; key: rigs"),
        ("rigs: [a]", "etc/rigs/all.yaml:1:1: rigs: not a mapping; name: {...}"),
        ("rigs: {rig-1: 7}", "etc/rigs/all.yaml:1:8: rig-1: not a mapping; key: value settings"),
        (
            "rig: {}",
            "etc/rigs/all.yaml:1:1: unknown key 'rig'; known keys: rigs; did you mean 'rigs'?",
        ),
    ],
)
def test_a_file_of_another_shape_is_told_at_its_place(text: str, problem: str) -> None:
    write_config(Path("etc"), {"rigs/all.yaml": text})
    assert problems() == [problem]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "rigs: {}\n"])
def test_an_empty_file_declares_nothing(text: str) -> None:
    write_config(Path("etc"), {"rigs/empty.yaml": text})
    assert problems() == []


@pytest.mark.parametrize("section", ["security"])
def test_sections_of_later_versions_stay_empty(section: str) -> None:
    write_config(Path("etc"), {"gateway.yaml": f"{GATEWAY}{section}: {{}}\n"})
    assert problems() == []
    write_config(Path("etc"), {"gateway.yaml": f"{GATEWAY}{section}: {{port: 1}}\n"})
    assert problems() == [f"etc/gateway.yaml:5:1: {section} has no settings in this version"]
