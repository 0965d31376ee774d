"""No text in any file crashes the loader: settings, or problems with places, nothing else."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.settings.load import examine
from tests.support.configs import VALID, write_config

TOKENS = [
    *("station", "store", "log", "upstreams", "devices", "rigs", "gun-1", "driver", "link", "tcp"),
    *("plc.modbus", "mqtt", "identify", "device", "gate", "permit", "rules", "cn-lpg", "poll_ms"),
    *(
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&x ",
        "*x",
        "!secret ",
        "!env ",
    ),
    *('"\\0"', "null", "true", "-1", "1e999", "99999999999999999999", '"', "'", "#", "\t", "\x00"),
]
TEXTS = st.lists(st.sampled_from(TOKENS), max_size=30).map("".join) | st.text(max_size=40)
FILES = st.sampled_from([*VALID, "secrets.yaml", "rules/own.yaml", "profiles/own.yaml"])


@st.composite
def cut_and_pasted(draw: st.DrawFn) -> tuple[str, str]:
    """A valid file with a stretch replaced by anything, or anything at all."""
    name = draw(FILES)
    text = VALID.get(name, "id: x\nversion: y\n")
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 40)))
    return name, text[:start] + draw(TEXTS) + text[end:]


@settings(max_examples=60)
@given(change=cut_and_pasted())
def test_no_text_crashes_the_loader(
    change: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    name, text = change
    directory = tmp_path_factory.mktemp("etc")
    data = text.encode("utf-8", "surrogatepass")
    write_config(directory, {name: data})
    if name == "secrets.yaml":
        Path(directory, name).chmod(0o600)
    examined = examine(directory, {})
    assert (examined.settings is None) == bool(examined.problems)
    for problem in (*examined.problems, *examined.warnings):
        assert str(problem).encode()
        assert problem.mark.origin.startswith(str(directory))
