"""Operator texts of a reload and of `config plan`: key -> (zh, en)."""

from typing import Final

RELOAD: Final[dict[str, tuple[str, str]]] = {
    "reload.applied": ("配置已生效", "the configuration is in force"),
    "reload.waiting": (
        "新配置已接受；工位 {rigs} 充装结束后生效",
        "the new configuration is taken up; rigs {rigs} finish their fill first",
    ),
    "reload.restart": (
        "以下更改需重启 gatewayd 才生效：{keys}",
        "these changes wait for a restart of gatewayd: {keys}",
    ),
    "reload.invalid": (
        "配置有 {count} 处错误，全部未采用，仍按原配置运行；第一处：{first}",
        (
            "the configuration has {count} mistakes; nothing of it was taken up, what ran runs on; the "
            "first: {first}"
        ),
    ),
    "reload.packs": (
        "规则包 {packs} 有误，按上一个有效版本判定，没有的则禁止充装",
        (
            "rule packs {packs} are wrong: their last good version decides, where there is none nothing "
            "is filled"
        ),
    ),
    "reload.stranded": (
        "未采用新配置：要删除的工位 {rig} 还有未结的许可 {no}，其联锁不在线；请恢复联锁并等许可结清",
        (
            "nothing was taken up: rig {rig} is to be removed, but its permit {no} is not settled and its "
            "gate is lost; bring the gate back and let it settle"
        ),
    ),
    "reload.cannot_make": (
        "未采用新配置：{part} 无法创建：{error}",
        "nothing was taken up: {part} cannot be made: {error}",
    ),
    "plan.none": ("与正在运行的配置相同", "the same as what runs"),
    "plan.unknown": (
        "此数据库上从未运行过 gatewayd；以下全部为新增",
        "gatewayd never ran on this store; everything below is new",
    ),
    "plan.added": ("新增", "added"),
    "plan.removed": ("删除", "removed"),
    "plan.changed": ("更改", "changed"),
    "plan.rigs": ("重新开始的工位：{rigs}", "rigs that begin anew: {rigs}"),
    "plan.waiting": (
        "现在不空闲、先完成的工位：{rigs}",
        "of these, not at rest now and finishing first: {rigs}",
    ),
    "plan.rules.same": (
        "规则与参数均无变化（只有注释、示例或版本不同）",
        "no rule or parameter differs: only comments, examples or the version",
    ),
    "plan.rules.unknown": (
        "之前的文本无法读取，不能逐条比较",
        "the earlier text cannot be read, so nothing can be compared",
    ),
    "plan.kind.rule": ("规则", "rule"),
    "plan.kind.parameter": ("参数", "parameter"),
    "plan.kind.override": ("放宽", "override of"),
    "plan.looser.yes": ("！放宽", "! looser"),
    "plan.looser.maybe": ("！可能放宽，请核对", "! may be looser: look at it"),
    "plan.part.code": ("原因代码", "reason code"),
    "plan.part.severity": ("严重程度", "severity"),
    "plan.part.stage": ("阶段", "stage"),
    "plan.part.given": ("前提", "given"),
    "plan.part.applies_if_known": ("已知时适用", "applies if known"),
    "plan.part.when": ("条件", "when"),
    "plan.part.message.zh": ("中文说明", "Chinese message"),
    "plan.part.message.en": ("英文说明", "English message"),
    "plan.part.basis": ("依据", "basis"),
    "plan.part.verified": ("已核对", "verified"),
    "plan.part.value": ("数值", "value"),
    "plan.part.unit": ("单位", "unit"),
    "plan.part.source": ("来源", "source"),
    "plan.part.tighter": ("收紧方向", "tighter"),
    "plan.part.until": ("有效至", "until"),
    "plan.part.reason": ("理由", "reason"),
    "plan.part.approved_by": ("批准人", "approved by"),
    "plan.severity.deny": ("拒绝", "deny"),
    "plan.severity.warn": ("警告", "warn"),
    "plan.severity.observe": ("观察", "observe"),
    "plan.needs_restart": ("需重启才生效", "waits for a restart"),
    "plan.stopped": (
        "gatewayd 现在没有运行；与上次运行的配置比较",
        "gatewayd does not run now; compared with what ran last",
    ),
}
