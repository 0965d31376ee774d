"""Every small mistake in a rule pack: each key removed, each operator flipped; which are noticed?

    python tests/support/mutants.py                     # the shipped packs, all mutants
    python tests/support/mutants.py config/rules/cn-lpg.yaml

A mutant is noticed when it does not load or when the examples inside the pack fail.
"""

import copy
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocols.documents import DocumentError, parse
from rules_engine import examples
from rules_engine.pack import load

RULES = Path(__file__).parents[2] / "config" / "rules"
FLIPPED = {
    ">": ">=", ">=": ">", "<": "<=", "<=": "<", "==": "!=", "!=": "==",
    "&&": "||", "||": "&&", "!": "", "+": "-", "-": "+",
}  # fmt: skip
_OPERATOR = re.compile(r'"[^"]*"|>=|<=|==|!=|&&|\|\||[<>!+-]')
CITES = frozenset({"edition", "clause", "tighter", "basis"})
"""Keys that decide nothing: where a rule comes from, and which way a site may go unasked."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A pack with one mistake; `where` says which."""

    where: str
    pack: dict[str, Any]

    @property
    def noticed(self) -> bool:
        """Whether loading it or running its examples tells."""
        try:
            return bool(examples.run(load(json.dumps(self.pack), "mutant.yaml")))
        except DocumentError:
            return True

    @property
    def kind(self) -> str:
        """`decides`: what a rule says; `cites`: a citation; `proves`: something in an example."""
        if ".examples." in self.where:
            return "proves"
        return "cites" if self.where.rpartition(".")[2] in CITES else "decides"


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a pack. Each has one rule only: rules do not depend on each other."""
    pack = parse(path.read_text(encoding="utf-8"), str(path)).value
    rules = pack.pop("rules")
    for key in (*pack, "rules"):
        rest = {name: value for name, value in {**pack, "rules": rules}.items() if name != key}
        yield Mutant(f"{path.stem}.{key}", rest)
    for changed, where in without_one_key(pack["title"]):
        yield Mutant(f"{path.stem}.title.{where}", {**pack, "title": changed, "rules": rules})
    yield from _without_parameters(path.stem, pack, rules)
    for rule in rules:
        for changed, where in (*without_one_key(rule), *_flips(rule)):
            yield Mutant(f"{path.stem}.{rule['id']}.{where}", {**pack, "rules": [changed]})


def _without_parameters(
    name: str, pack: dict[str, Any], rules: list[dict[str, Any]]
) -> Iterator[Mutant]:
    """A parameter is noticed by the rules that read it, or by any when its meaning is in its name."""
    for changed, where in without_one_key(pack["parameters"]):
        parameter = where.split(".")[0]
        reading = [rule for rule in rules if f"param.{parameter}" in str(rule)]
        mutant = {**pack, "parameters": changed, "rules": reading or rules}
        yield Mutant(f"{name}.parameters.{where}", mutant)


def without_one_key(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, str]]:
    """`value` without each key at any depth, and the path of that key."""
    for at in _keys(value, path):
        changed = inner = copy.deepcopy(value)
        for part in at[:-1]:
            inner = inner[part]
        del inner[at[-1]]
        yield changed, ".".join(map(str, at))


def _keys(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from _keys(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _keys(item, (*path, index))


def _flips(rule: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for key in ("given", "when"):
        source = rule.get(key, "")
        for found in _OPERATOR.finditer(source):
            if found[0] in FLIPPED:
                flipped = source[: found.start()] + FLIPPED[found[0]] + source[found.end() :]
                yield {**rule, key: flipped}, f"{key} {found[0]} at {found.start()}"


def main() -> None:
    """Print the share of each pack, and every mutant that nobody noticed."""
    for path in [Path(name) for name in sys.argv[1:]] or sorted(RULES.glob("*.yaml")):
        made = list(mutants(path))
        survivors = [mutant for mutant in made if not mutant.noticed]
        share = 100 * (1 - len(survivors) / len(made))
        sys.stdout.write(f"{path.stem}: {share:.1f} % of {len(made)} mutants noticed\n")
        every, alive = (Counter(mutant.kind for mutant in some) for some in (made, survivors))
        for kind, count in every.items():
            sys.stdout.write(f"  {kind}: {count - alive[kind]} of {count}\n")
        sys.stdout.writelines(f"  survived: {m.where}\n" for m in survivors if m.kind == "decides")


if __name__ == "__main__":
    main()
