"""Words of `probe` for devices with a register map, in both languages."""

from collections.abc import Mapping

from gatewayd.texts import Text

POINTS: Mapping[str, Text] = {
    "points.title": Text(
        zh="寄存器表 {profile}，unit {unit}，每轮 {requests} 次请求",
        en="map {profile}, unit {unit}, {requests} requests a round",
    ),
    "points.point": Text(zh="名称", en="point"),
    "points.register": Text(zh="寄存器", en="register"),
    "points.raw": Text(zh="原始值", en="raw"),
    "points.meaning": Text(zh="含义", en="meaning"),
    "points.doc": Text(zh="说明", en="what it is"),
    "points.on": Text(zh="开", en="on"),
    "points.off": Text(zh="关", en="off"),
    "points.none": Text(zh="无", en="none set"),
    "points.not_read": Text(zh="未读到：{why}", en="not read: {why}"),
    "points.unknown": Text(zh="未知（不是 0）：{why}", en="unknown (not 0): {why}"),
    "points.weight": Text(zh="毛重 {gross} g，{stable}", en="gross {gross} g, {stable}"),
    "points.stable": Text(zh="稳定", en="stable"),
    "points.moving": Text(zh="未稳定", en="not stable"),
    "points.quiet": Text(
        zh="只读取，不写入；驱动程序没有运行",
        en="only read: nothing was written, the driver was not run",
    ),
    "points.watching": Text(zh="按 Ctrl-C 结束", en="Ctrl-C ends"),
    "points.no_map": Text(
        zh="{driver} 没有寄存器表，不支持 {option}",
        en="{driver} has no register map, it cannot {option}",
    ),
}

HUNT: Mapping[str, Text] = {
    "hunt.begin": Text(
        zh="只读查找 {device}：unit {units}，最长 {seconds} 秒；已配置的邻居 {spared} 不询问",
        en="hunting for {device}, reads only: units {units}, at most {seconds} s; configured "
        "neighbours ({spared}) are not asked",
    ),
    "hunt.nobody": Text(zh="无", en="none"),
    "hunt.valve": Text(
        zh="{device} 控制阀门：有的模块在看门狗动作后，一收到询问就恢复旧输出，阀门可能打开。"
        "请先关闭手动阀，然后输入设备名 {device} 确认",
        en="{device} holds a valve: a module whose watchdog has fired may let its old output rise "
        "again when it is merely read; close the hand valve, then type the device's name {device}",
    ),
    "hunt.not_begun": Text(zh="未确认，没有询问", en="not confirmed, nothing was asked"),
    "hunt.trying": Text(zh="正在尝试：{what}", en="trying: {what}"),
    "hunt.proven": Text(zh="已证实：{what}", en="proven: {what}"),
    "hunt.likely": Text(zh="很可能：{what}", en="likely, not proven: {what}"),
    "hunt.undecided": Text(
        zh="无法确定；最可能的是：{what}", en="it cannot be told; the nearest is: {what}"
    ),
    "hunt.nothing": Text(
        zh="没有任何设备应答；请检查电源、接线（A/B 是否接反）和地址",
        en="nobody answered; check power, wiring (A and B exchanged?) and address",
    ),
    "hunt.stopped": Text(
        zh="到达 {seconds} 秒上限，查找未完成；可用 --units 缩小范围",
        en="stopped at the limit of {seconds} s, not everything was tried; --units makes it shorter",
    ),
    "hunt.rival": Text(zh="同样可能：{what}", en="just as likely: {what}"),
    "hunt.load": Text(
        zh="零不能证明什么：请在秤上放一个已知重量后再试",
        en="zeros prove nothing: put a known weight on the scale and hunt again",
    ),
    "hunt.for": Text(zh="依据", en="because"),
    "hunt.fine": Text(zh="配置正确，无需修改", en="the settings are right, nothing to change"),
    "hunt.device": Text(
        zh="devices/*.yaml 中 {device} 需要修改的行：",
        en="lines to change at {device} in devices/*.yaml:",
    ),
    "hunt.map": Text(
        zh="寄存器表需要修改的行（先把 {profile} 复制到 profiles/，勿改随程序提供的文件）：",
        en="lines to change in a copy of the map {profile} in profiles/ (not in the shipped file):",
    ),
}

WRITE: Mapping[str, Text] = {
    "write.confirm": Text(
        zh="将写入 {point}：{before} → {sent}。请输入设备名 {device} 确认",
        en="this writes {point}: {before} -> {sent}; type the device's name {device} to confirm",
    ),
    "write.stored": Text(
        zh="{point} 保存在 EEPROM 中，写入次数有限，切勿反复写入",
        en="{point} is kept in EEPROM, which wears: do not write it again and again",
    ),
    "write.done": Text(
        zh="已写入并读回 {point} = {sent}（{after}）",
        en="{point} = {sent}, written; reads back {after}",
    ),
    "write.blind": Text(
        zh="已写入 {point} = {sent}，但该寄存器不能读回{after}",
        en="{point} = {sent}, written; it cannot be read back{after}",
    ),
    "write.other": Text(
        zh="已写入 {point} = {sent}，读回却是 {after}",
        en="{point} = {sent} was written, but reads back {after}",
    ),
}
