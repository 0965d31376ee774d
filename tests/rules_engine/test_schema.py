"""The JSON Schema for editors is the model that loads the file."""

import copy
import json

import jsonschema
import pytest

from protocols.documents import parse
from rules_engine.pack_file import json_schema
from tests.support.rules import CN_LPG

SHIPPED = CN_LPG.parents[1] / "schema" / "rules.schema.json"


def test_the_shipped_schema_is_the_one_of_the_model() -> None:
    assert json.loads(SHIPPED.read_text(encoding="utf-8")) == json_schema()


def test_the_first_line_of_the_pack_points_to_the_schema() -> None:
    first = CN_LPG.read_text(encoding="utf-8").splitlines()[0]
    prefix = "# yaml-language-server: $schema="
    assert first.startswith(prefix)
    assert (CN_LPG.parent / first.removeprefix(prefix)).resolve() == SHIPPED


def test_the_schema_accepts_the_pack_and_refuses_a_slip() -> None:
    value = parse(CN_LPG.read_text(encoding="utf-8"), "cn-lpg.yaml").value
    jsonschema.validate(value, json_schema())
    for key, wrong in (("code", "OVERDU"), ("severity", "fatal"), ("surplus", 1)):
        slipped = copy.deepcopy(value)
        slipped["rules"][0][key] = wrong
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(slipped, json_schema())
