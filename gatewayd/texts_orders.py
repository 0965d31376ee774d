"""What holding and locking say, (zh, en) by key; a part of the catalogue in `texts.py`."""

from typing import Final

ORDERS: Final[dict[str, tuple[str, str]]] = {
    "label.rule": ("规则", "rule"),
    "lock.mixup": (
        "控制器计数 {total_g} g 与另一工位上次记录相同（{rigs}）：接线或地址可能互换，核对后解锁",
        "the PLC counts {total_g} g, as another rig's did ({rigs}): exchanged? look, then unlock",
    ),
    "order.hold": (
        "气瓶 {subject} 已锁定",
        "cylinder {subject} is held",
    ),
    "order.hold.already": (
        "气瓶 {subject} 已因同一原因锁定，无变化",
        "cylinder {subject} was held for this reason already; nothing changed",
    ),
    "order.release": (
        "气瓶 {subject} 已解除锁定",
        "cylinder {subject} is released",
    ),
    "order.release.already": (
        "气瓶 {subject} 没有被锁定",
        "nothing holds cylinder {subject}",
    ),
    "order.unknown": (
        "档案中没有 {subject}；建档后即为锁定状态",
        "the archive does not know {subject}; it is held as soon as it does",
    ),
    "order.lock": (
        "工位 {subject} 已锁定；运行中的网关立即关阀",
        "rig {subject} is locked; a running gateway closes it at once",
    ),
    "order.lock.already": (
        "工位 {subject} 已因同一原因锁定，无变化",
        "rig {subject} was locked for this reason already; nothing changed",
    ),
    "order.unlock": (
        "工位 {subject} 已解锁",
        "rig {subject} is unlocked",
    ),
    "order.unlock.already": (
        "工位 {subject} 没有被锁定",
        "rig {subject} is not locked",
    ),
    "order.retire": (
        "{subject} 已停用，不得再用于任何气瓶",
        "{subject} is retired and may name no cylinder again",
    ),
    "order.retire.already": (
        "{subject} 早已停用，无变化",
        "{subject} was retired already; nothing changed",
    ),
    "order.retire.unknown": (
        "档案中没有 {subject}；以后出现也会被拒绝",
        "the archive does not know {subject}; it is refused should it ever come",
    ),
    "order.reinstate": (
        "{subject} 已恢复使用",
        "{subject} is back in use",
    ),
    "order.reinstate.already": (
        "{subject} 没有被停用",
        "{subject} is not retired",
    ),
    "order.retired": (
        "停用的编码和标签 {count} 个",
        "{count} codes and tags are retired",
    ),
    "checks.printed": ("{file}：{count} 个二维码", "{file}: {count} codes"),
    "checks.rigs": ("工位", "rigs"),
    "checks.no_code": ("读数须手工录入，无二维码", "read it off and enter it; there is no code"),
    "holds.rig": ("工位", "rig"),
    "holds.code": ("气瓶", "code"),
    "holds.import": ("档案导入", "import"),
    "retired.code": ("编码", "code"),
    "retired.uid": ("标签", "uid"),
    "order.listed": (
        "锁定气瓶 {holds} 只，锁定工位 {locks} 个",
        "{holds} holds of cylinders, {locks} locked rigs",
    ),
    "desk.bad_words": (
        "{what} 为空、超过 {most} 个字或含控制字符；请写明对象、何人、何因",
        "{what} is empty, longer than {most} characters or not plain text; say what, who and why",
    ),
    "desk.not_held": (
        "气瓶 {subject} 没有被锁定",
        "nothing holds cylinder {subject}",
    ),
    "desk.not_locked": (
        "工位 {subject} 没有被锁定",
        "rig {subject} is not locked",
    ),
}
"""Holds of cylinders and locks of rigs."""

TELLING: Final[dict[str, tuple[str, str]]] = {
    "record.fill": ("充装", "fill"),
    "record.refusal": ("拒绝充装", "refusal"),
    "record.alarm": ("报警", "alarm"),
    "record.check": ("检查", "check"),
    "record.session": ("登录", "session"),
    "record.batch": ("批次", "batch"),
    "record.acknowledgement": ("确认", "acknowledgement"),
    "record.clock": ("时钟", "clock"),
    "record.hold": ("气瓶锁定", "hold"),
    "record.command": ("平台命令", "command of a platform"),
    "record.lock": ("工位锁定", "lock"),
    "record.movement": ("流转", "movement"),
    "record.issue": ("发放", "issue"),
    "record.inspection": ("检验", "inspection"),
    "record.repair": ("维修", "repair"),
    "record.archive": ("档案", "archive"),
    "record.not_judged": (
        "没有判定：充装未经许可，或当时没有任何规则可判",
        "no verdict: gas flowed without a permit, or nothing could be judged",
    ),
    "event.held": ("锁定", "held"),
    "event.released": ("解除锁定", "released"),
    "result.passed": ("合格", "passed"),
    "result.failed": ("不合格", "failed"),
    "event.logged_in": ("登录", "logged in"),
    "event.extended": ("重新登录", "logged in anew"),
    "event.taken_over": ("接班登录", "took over"),
    "event.logged_out": ("退出登录", "logged out"),
    "event.opened": ("批次开始", "opened"),
    "event.closed": ("批次结束", "closed"),
    "clock.before_build": (
        "时钟显示 {now}，早于本程序的制作时间；请先校准时钟",
        "the clock shows {now}, before this program was made; set it",
    ),
    "event.accepted": ("时钟经人工确认", "clock accepted"),
    "event.retired": ("编码停用", "retired"),
    "event.reinstated": ("编码恢复使用", "back in use"),
    "event.locked": ("锁定", "locked"),
    "event.unlocked": ("解锁", "unlocked"),
    "trace.entry": ("档案最后变更，版本 {version}", "entry last changed, version {version}"),
    "trace.nothing": ("没有记录，也不在档案中", "no record, and not in the archive"),
    "trace.left_out": ("另有更早的 {count} 条未显示", "{count} older ones are not shown"),
}
"""What `records show` and `trace` say."""
