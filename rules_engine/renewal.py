"""Packs read again while rigs run: a pack that fails leaves the last good one in force, and says so.

Pure: whoever watches the files calls `attempt` for each and `renew` with all, puts `packs` in force
between two judgements, and raises `alarms`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from protocols.documents import DocumentError, Problem
from rules_engine import examples
from rules_engine.pack import Pack, load
from rules_engine.verdict import Message


@dataclass(frozen=True, slots=True)
class Renewal:
    """The packs in force from now on. `failed` are mistakes by pack id, also of packs kept."""

    packs: Mapping[str, Pack]
    changed: tuple[str, ...]
    kept: tuple[str, ...]
    gone: tuple[str, ...]
    failed: Mapping[str, tuple[Problem, ...]]

    @property
    def alarms(self) -> tuple[Message, ...]:
        """One sentence a pack that failed: what is in force instead, and the first mistake."""
        return tuple(self._alarm(name) for name in sorted(self.failed))

    def _alarm(self, name: str) -> Message:
        problem = self.failed[name][0]
        if name in self.kept:
            version = self.packs[name].version
            return Message(
                f"规则包 {name} 有误，仍按上一个有效版本 {version} 判定：{problem}",
                f"rule pack {name} is wrong, its last good version {version} still decides: {problem}",
            )
        return Message(
            f"规则包 {name} 有误且没有可用的旧版本，引用它的工位禁止充装：{problem}",
            f"rule pack {name} is wrong and has no version to fall back on; rigs that name it "
            f"refuse: {problem}",
        )


def attempt(text: str, origin: str, base: Pack | None = None) -> Pack | tuple[Problem, ...]:
    """The pack in `text` with every example holding, or all its mistakes."""
    try:
        pack = load(text, origin, base)
    except DocumentError as exc:
        return tuple(exc.problems)
    failures = examples.wrong(pack)
    return tuple(Problem(each.mark, each.said, each.wanted) for each in failures) or pack


def renew(
    current: Mapping[str, Pack], attempts: Mapping[str, Pack | tuple[Problem, ...]]
) -> Renewal:
    """What decides after `attempts`, each by pack id; a pack that is not among them is gone."""
    failed = {name: got for name, got in attempts.items() if not isinstance(got, Pack)}
    good = {name: got for name, got in attempts.items() if isinstance(got, Pack)}
    kept = tuple(sorted(name for name in failed if name in current))
    packs = {**good, **{name: current[name] for name in kept}}
    changed = sorted(
        name for name, pack in good.items() if name not in current or current[name].ref != pack.ref
    )
    return Renewal(
        packs=dict(sorted(packs.items())),
        changed=tuple(changed),
        kept=kept,
        gone=tuple(sorted(current.keys() - attempts.keys())),
        failed=failed,
    )


def withheld(pack_id: str) -> Pack:
    """A pack that denies everything: what decides when a text is wrong and no good one is known."""
    pack = load(_WITHHELD.format(id=pack_id), f"{pack_id}.withheld")
    return replace(pack, rules=tuple(replace(rule, code="RULE_BROKEN") for rule in pack.rules))


_WITHHELD = """
id: {id}
version: 0.0.0
title: {{zh: "规则包 {id} 不可用", en: "rule pack {id} cannot be used"}}
basis: default deny
rules:
  - id: withheld
    code: NOT_ENABLED
    severity: deny
    stage: receive
    when: rig.id != ""
    message:
      zh: "规则包 {id} 有误且没有可用的旧版本，禁止充装"
      en: "rule pack {id} is wrong and no good version of it is known: nothing is filled"
    basis: {{document: "GB/T 38059-2019; gatewayd"}}
    verified: true
    examples: [{{facts: {{rig.id: rig-1}}, expect: hold}}]
"""
