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
