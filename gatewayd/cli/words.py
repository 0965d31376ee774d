"""Words of the finding and testing commands in both languages; a test compares placeholders."""

from collections.abc import Mapping
from typing import Any

from gatewayd.cli.words_map import HUNT, POINTS, WRITE
from gatewayd.texts import Language, Text

DRIVERS: Mapping[str, Text] = {
    "drivers.models": Text(zh="已知型号", en="models"),
    "drivers.formats": Text(zh="协议格式", en="formats"),
    "drivers.bauds": Text(zh="常用波特率", en="usual bauds"),
    "drivers.tcp_ports": Text(zh="常用 TCP 端口", en="usual TCP ports"),
    "drivers.usb_ids": Text(zh="USB 编号", en="USB ids"),
    "drivers.required": Text(zh="必填", en="required"),
    "drivers.default": Text(zh="默认 {value}", en="default {value}"),
    "drivers.example": Text(zh="示例（devices/*.yaml）", en="example for devices/*.yaml"),
}

FORMATS: Mapping[str, Text] = {
    "formats.bits": Text(zh="{bits} 位校验", en="{bits} bits of proof"),
    "formats.later": Text(zh="此版本尚未支持", en="not in this version"),
}

PROFILES: Mapping[str, Text] = {
    "profiles.serves": Text(zh="可用于", en="serves"),
    "profiles.from": Text(zh="来源", en="from"),
    "profiles.shipped": Text(zh="随程序提供", en="shipped"),
    "profiles.example": Text(zh="示例", en="example"),
    "profiles.incomplete": Text(zh="不可用，缺少", en="not usable, missing"),
    "profiles.unverified": Text(zh="未验证", en="unverified"),
    "profiles.check": Text(zh="检查", en="check"),
    "profiles.outcome": Text(zh="结果", en="outcome"),
    "profiles.ok": Text(zh="通过", en="ok"),
    "profiles.failed": Text(zh="失败", en="FAILED"),
    "profiles.source": Text(zh="依据", en="source"),
    "profiles.register": Text(zh="寄存器", en="register"),
    "profiles.direction": Text(zh="方向", en="direction"),
    "profiles.name": Text(zh="名称", en="name"),
    "profiles.type": Text(zh="类型", en="type"),
    "profiles.meaning": Text(zh="含义", en="meaning"),
}

DETECT: Mapping[str, Text] = {
    "detect.serial": Text(zh="串口", en="serial ports"),
    "detect.usb": Text(zh="USB 设备", en="USB devices"),
    "detect.hosts": Text(zh="网络", en="hosts"),
    "detect.none": Text(zh="没有找到", en="none found"),
    "detect.heard": Text(zh="监听到 {format}，波特率 {baud}", en="heard {format} at {baud} baud"),
    "detect.answered": Text(zh="回答了 {format} 的询问", en="answered a question of {format}"),
    "detect.greeting": Text(zh="连接后主动发出 {format}", en="greeted in {format}"),
    "detect.usb_id": Text(zh="按 USB 编号判断", en="by its USB ids"),
    "detect.usb_class": Text(zh="按 USB 类别判断", en="by its USB class"),
    "detect.tcp_port": Text(
        zh="仅按端口号猜测，没有得到证实", en="by the port number alone, nothing proves it"
    ),
    "detect.unknown": Text(
        zh="不知道接的是什么；若接有设备，请检查电源、接线和波特率，或用 gatewayd probe --driver 试某一种",
        en="unknown what is connected; if something is, check its power, wiring and baud, or try one "
        "kind with gatewayd probe --driver",
    ),
    "detect.noise": Text(
        zh="有数据但不能识别（{baud} 波特）：{hex}", en="bytes that prove nothing at {baud}: {hex}"
    ),
    "detect.bridge": Text(zh="USB 转串口 {bridge}", en="USB to serial bridge {bridge}"),
    "detect.configured": Text(
        zh="已配置为 {device}，未打开；请用 gatewayd probe",
        en="configured as {device}, left alone; use gatewayd probe",
    ),
    "detect.closed": Text(zh="没有开放的常用端口", en="no usual port is open"),
    "detect.trying": Text(zh="正在尝试", en="trying"),
    "detect.asking": Text(
        zh="将向每个空闲串口发送无害的询问。若接的是 PLC、秤或其他设备，请先拔下或不用 --ask。",
        en="every free serial port is asked harmless questions; if a PLC, a scale or another "
        "machine may be on one, unplug it first or leave out --ask",
    ),
    "detect.hint": Text(
        zh="加 --ask 可主动询问，加 --host 可查找网络读写器",
        en="--ask asks them; --host HOST looks for readers on the network",
    ),
}

PROBE: Mapping[str, Text] = {
    "probe.opening": Text(
        zh="正在打开 {device}（{driver}，{wire}）", en="opening {device} ({driver}, {wire})"
    ),
    "probe.answered": Text(zh="设备有应答", en="it answered"),
    "probe.opened": Text(
        zh="已打开，但设备没有发送任何数据（扫码枪等设备平时本就安静）",
        en="it is open and said nothing (a scanner is silent until it scans)",
    ),
    "probe.wrong": Text(zh="设备有应答，但有问题", en="it answers, but something is wrong"),
    "probe.unreachable": Text(zh="无法连接设备", en="it cannot be reached"),
    "probe.identity": Text(zh="设备", en="it is"),
    "probe.error": Text(zh="错误", en="error"),
    "probe.reading": Text(zh="读数", en="read"),
    "probe.nothing": Text(
        zh="{seconds} 秒内没有读数；请在此期间放上标签或扫码，--seconds 30 可等更久",
        en="nothing read within {seconds} s; show a tag or scan meanwhile, --seconds 30 waits longer",
    ),
    "probe.frames": Text(zh="数据帧", en="frames"),
    "probe.noise": Text(zh="不能识别的数据", en="bytes that were no frame"),
    "probe.more": Text(
        zh="另有 {count} 条不同数据，全部内容请加 --json", en="and {count} more; --json has all"
    ),
    "probe.troubles": Text(zh="请处理", en="what to change"),
    "probe.memory": Text(
        zh="存储区 {bank} 从 {start} 起：{hex}", en="memory {bank} from {start}: {hex}"
    ),
    "probe.written": Text(
        zh="已写入并核对 {bank} 从 {start} 起：{hex}",
        en="written and compared, {bank} from {start}: {hex}",
    ),
    "probe.confirm": Text(
        zh="将改写标签 {uid} 的 {bank} 区。请输入设备名 {device} 确认",
        en="this overwrites {bank} of tag {uid}; type the device's name {device} to confirm",
    ),
    "probe.valve": Text(
        zh="{device} 控制阀门：驱动会先断开输出或停止充装，并写入看门狗设置。请输入设备名 {device} 确认",
        en="{device} holds a valve: its driver first switches it off or stops it, and may set its "
        "watchdog; type the device's name {device} to confirm",
    ),
    "probe.not_written": Text(zh="未确认，没有写入", en="not confirmed, nothing was written"),
    "probe.holder": Text(
        zh="串口被 {users} 占用；请先停止它", en="the port is held by {users}; stop it first"
    ),
    "probe.held": Text(
        zh="守护进程 gatewayd（进程 {pids}）正在使用该设备；请先运行 systemctl stop gatewayd（充装随之停止），"
        "或查看它的设备状态 devices/{device}/status",
        en="the daemon (gatewayd run, process {pids}) has the device; stop it first (systemctl stop "
        "gatewayd: filling stops with it), or look at devices/{device}/status of the daemon",
    ),
    "probe.beside": Text(
        zh="注意：gatewayd run 正在运行（进程 {pids}）；若它也使用该设备，两者会互相干扰",
        en="note: gatewayd run is running (process {pids}); if it serves this device, too, both "
        "disturb each other",
    ),
    "probe.daemon": Text(
        zh="本机正在运行 gatewayd run（进程 {pids}），可能占用该设备；"
        "请先运行 systemctl stop gatewayd，或看它的设备状态",
        en="gatewayd run is running here (process {pids}) and may hold the device; stop it first "
        "(systemctl stop gatewayd), or look at the device's state there",
    ),
    "probe.silent": Text(
        zh="没有收到任何数据；请检查电源、接线、地址和波特率",
        en="nothing was heard; check power, wiring, address and baud",
    ),
}

WORDS: Mapping[str, Text] = {
    **DRIVERS,
    **FORMATS,
    **PROFILES,
    **DETECT,
    **PROBE,
    **POINTS,
    **HUNT,
    **WRITE,
}
"""Every text by its key."""


def say(key: str, language: Language, **values: Any) -> str:
    """The text of a key in that language, its placeholders filled; an unknown key is our error."""
    assert key in WORDS, key
    chosen = WORDS[key]
    return (chosen.zh if language == "zh" else chosen.en).format(**values)
