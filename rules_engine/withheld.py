"""What decides in the place of a pack whose text is wrong and of which no good one is known."""

from dataclasses import replace

from rules_engine.pack import Pack, load


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
