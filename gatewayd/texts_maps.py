"""What `probe` says of devices with a register map, (zh, en) by key; a part of `texts.py`."""

from typing import Final

POINTS: Final[dict[str, tuple[str, str]]] = {
    "points.title": (
        "寄存器表 {profile}，unit {unit}，每轮 {requests} 次请求",
        "map {profile}, unit {unit}, {requests} requests a round",
    ),
    "points.point": ("名称", "point"),
    "points.register": ("寄存器", "register"),
    "points.raw": ("原始值", "raw"),
    "points.meaning": ("含义", "meaning"),
    "points.doc": ("说明", "what it is"),
    "points.on": ("开", "on"),
    "points.off": ("关", "off"),
    "points.none": ("无", "none set"),
    "points.not_read": ("未读到：{why}", "not read: {why}"),
    "points.unknown": ("未知（不是 0）：{why}", "unknown (not 0): {why}"),
    "points.weight": ("毛重 {gross} g，{stable}", "gross {gross} g, {stable}"),
    "points.total": ("累计 {total} g，步长 {step} g", "total {total} g, in steps of {step} g"),
    "points.stable": ("稳定", "stable"),
    "points.moving": ("未稳定", "not stable"),
    "points.quiet": (
        "只读取，不写入；驱动程序没有运行",
        "only read: nothing was written, the driver was not run",
    ),
    "points.watching": ("按 Ctrl-C 结束", "Ctrl-C ends"),
    "points.no_map": (
        "{driver} 没有寄存器表，不支持 {option}",
        "{driver} has no register map, it cannot {option}",
    ),
}

HUNT: Final[dict[str, tuple[str, str]]] = {
    "hunt.begin": (
        "只读查找 {device}：unit {units}，最长 {seconds} 秒；已配置的邻居 {spared} 不询问",
        (
            "hunting for {device}, reads only: units {units}, at most {seconds} s; configured "
            "neighbours ({spared}) are not asked"
        ),
    ),
    "hunt.nobody": ("无", "none"),
    "hunt.valve": (
        (
            "{device} 控制阀门：有的模块在看门狗动作后，一收到询问就恢复旧输出，阀门可能打开。"
            "请先关闭手动阀，然后输入设备名 {device} 确认"
        ),
        (
            "{device} holds a valve: a module whose watchdog has fired may let its old output rise "
            "again when it is merely read; close the hand valve, then type the device's name {device}"
        ),
    ),
    "hunt.not_begun": ("未确认，没有询问", "not confirmed, nothing was asked"),
    "hunt.trying": ("正在尝试：{what}", "trying: {what}"),
    "hunt.proven": ("已证实：{what}", "proven: {what}"),
    "hunt.likely": ("很可能：{what}", "likely, not proven: {what}"),
    "hunt.undecided": ("无法确定；最可能的是：{what}", "it cannot be told; the nearest is: {what}"),
    "hunt.nothing": (
        "没有任何设备应答；请检查电源、接线（A/B 是否接反）和地址",
        "nobody answered; check power, wiring (A and B exchanged?) and address",
    ),
    "hunt.stopped": (
        "到达 {seconds} 秒上限，查找未完成；可用 --units 缩小范围",
        "stopped at the limit of {seconds} s, not everything was tried; --units makes it shorter",
    ),
    "hunt.rival": ("同样可能：{what}", "just as likely: {what}"),
    "hunt.load": (
        "零不能证明什么：请在秤上放一个已知重量后再试",
        "zeros prove nothing: put a known weight on the scale and hunt again",
    ),
    "hunt.for": ("依据", "because"),
    "hunt.fine": ("配置正确，无需修改", "the settings are right, nothing to change"),
    "hunt.device": (
        "devices/*.yaml 中 {device} 需要修改的行：",
        "lines to change at {device} in devices/*.yaml:",
    ),
    "hunt.map": (
        "寄存器表需要修改的行（先把 {profile} 复制到 profiles/，勿改随程序提供的文件）：",
        "lines to change in a copy of the map {profile} in profiles/ (not in the shipped file):",
    ),
}

WRITE: Final[dict[str, tuple[str, str]]] = {
    "write.confirm": (
        "将写入 {point}：{before} → {sent}。请输入设备名 {device} 确认",
        "this writes {point}: {before} -> {sent}; type the device's name {device} to confirm",
    ),
    "write.stored": (
        "{point} 保存在 EEPROM 中，写入次数有限，切勿反复写入",
        "{point} is kept in EEPROM, which wears: do not write it again and again",
    ),
    "write.done": (
        "已写入并读回 {point} = {sent}（{after}）",
        "{point} = {sent}, written; reads back {after}",
    ),
    "write.blind": (
        "已写入 {point} = {sent}，但该寄存器不能读回{after}",
        "{point} = {sent}, written; it cannot be read back{after}",
    ),
    "write.other": (
        "已写入 {point} = {sent}，读回却是 {after}",
        "{point} = {sent} was written, but reads back {after}",
    ),
}

MAPS: Final = POINTS | HUNT | WRITE
