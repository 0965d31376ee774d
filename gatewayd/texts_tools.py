"""What `drivers`, `formats`, `profiles`, `detect` and `probe` say, (zh, en) by key; a part of `texts.py`."""

from typing import Final

DRIVERS: Final[dict[str, tuple[str, str]]] = {
    "drivers.models": ("已知型号", "models"),
    "drivers.formats": ("协议格式", "formats"),
    "drivers.bauds": ("常用波特率", "usual bauds"),
    "drivers.tcp_ports": ("常用 TCP 端口", "usual TCP ports"),
    "drivers.usb_ids": ("USB 编号", "USB ids"),
    "drivers.required": ("必填", "required"),
    "drivers.default": ("默认 {value}", "default {value}"),
    "drivers.example": ("示例（devices/*.yaml）", "example for devices/*.yaml"),
}

FORMATS: Final[dict[str, tuple[str, str]]] = {
    "formats.bits": ("{bits} 位校验", "{bits} bits of proof"),
    "formats.later": ("此版本尚未支持", "not in this version"),
}

PROFILES: Final[dict[str, tuple[str, str]]] = {
    "profiles.serves": ("可用于", "serves"),
    "profiles.from": ("来源", "from"),
    "profiles.shipped": ("随程序提供", "shipped"),
    "profiles.example": ("示例", "example"),
    "profiles.incomplete": ("不可用，缺少", "not usable, missing"),
    "profiles.unverified": ("未验证", "unverified"),
    "profiles.check": ("检查", "check"),
    "profiles.outcome": ("结果", "outcome"),
    "profiles.ok": ("通过", "ok"),
    "profiles.failed": ("失败", "FAILED"),
    "profiles.source": ("依据", "source"),
    "profiles.register": ("寄存器", "register"),
    "profiles.direction": ("方向", "direction"),
    "profiles.name": ("名称", "name"),
    "profiles.type": ("类型", "type"),
    "profiles.meaning": ("含义", "meaning"),
}

DETECT: Final[dict[str, tuple[str, str]]] = {
    "detect.serial": ("串口", "serial ports"),
    "detect.usb": ("USB 设备", "USB devices"),
    "detect.hosts": ("网络", "hosts"),
    "detect.none": ("没有找到", "none found"),
    "detect.heard": ("监听到 {format}，波特率 {baud}", "heard {format} at {baud} baud"),
    "detect.answered": ("回答了 {format} 的询问", "answered a question of {format}"),
    "detect.greeting": ("连接后主动发出 {format}", "greeted in {format}"),
    "detect.usb_id": ("按 USB 编号判断", "by its USB ids"),
    "detect.usb_class": ("按 USB 类别判断", "by its USB class"),
    "detect.tcp_port": (
        "仅按端口号猜测，没有得到证实",
        "by the port number alone, nothing proves it",
    ),
    "detect.unknown": (
        "不知道接的是什么；若接有设备，请检查电源、接线和波特率，或用 gatewayd probe --driver 试某一种",
        (
            "unknown what is connected; if something is, check its power, wiring and baud, or try one "
            "kind with gatewayd probe --driver"
        ),
    ),
    "detect.noise": (
        "有数据但不能识别（{baud} 波特）：{hex}",
        "bytes that prove nothing at {baud}: {hex}",
    ),
    "detect.bridge": ("USB 转串口 {bridge}", "USB to serial bridge {bridge}"),
    "detect.configured": (
        "已配置为 {device}，未打开；请用 gatewayd probe",
        "configured as {device}, left alone; use gatewayd probe",
    ),
    "detect.closed": ("没有开放的常用端口", "no usual port is open"),
    "detect.trying": ("正在尝试", "trying"),
    "detect.asking": (
        "将向每个空闲串口发送无害的询问。若接的是 PLC、秤或其他设备，请先拔下或不用 --ask。",
        (
            "every free serial port is asked harmless questions; if a PLC, a scale or another "
            "machine may be on one, unplug it first or leave out --ask"
        ),
    ),
    "detect.hint": (
        "加 --ask 可主动询问，加 --host 可查找网络读写器",
        "--ask asks them; --host HOST looks for readers on the network",
    ),
}

PROBE: Final[dict[str, tuple[str, str]]] = {
    "probe.opening": (
        "正在打开 {device}（{driver}，{wire}）",
        "opening {device} ({driver}, {wire})",
    ),
    "probe.answered": ("设备有应答", "it answered"),
    "probe.opened": (
        "已打开，但设备没有发送任何数据（扫码枪等设备平时本就安静）",
        "it is open and said nothing (a scanner is silent until it scans)",
    ),
    "probe.wrong": ("设备有应答，但有问题", "it answers, but something is wrong"),
    "probe.unreachable": ("无法连接设备", "it cannot be reached"),
    "probe.identity": ("设备", "it is"),
    "probe.error": ("错误", "error"),
    "probe.reading": ("读数", "read"),
    "probe.nothing": (
        "{seconds} 秒内没有读数；请在此期间放上标签或扫码，--seconds 30 可等更久",
        "nothing read within {seconds} s; show a tag or scan meanwhile, --seconds 30 waits longer",
    ),
    "probe.frames": ("数据帧", "frames"),
    "probe.noise": ("不能识别的数据", "bytes that were no frame"),
    "probe.more": (
        "另有 {count} 条不同数据，全部内容请加 --json",
        "and {count} more; --json has all",
    ),
    "probe.troubles": ("请处理", "what to change"),
    "probe.memory": ("存储区 {bank} 从 {start} 起：{hex}", "memory {bank} from {start}: {hex}"),
    "probe.written": (
        "已写入并核对 {bank} 从 {start} 起：{hex}",
        "written and compared, {bank} from {start}: {hex}",
    ),
    "probe.confirm": (
        "将改写标签 {uid} 的 {bank} 区。请输入设备名 {device} 确认",
        "this overwrites {bank} of tag {uid}; type the device's name {device} to confirm",
    ),
    "probe.valve": (
        "{device} 控制阀门：驱动会先断开输出或停止充装，并写入看门狗设置。请输入设备名 {device} 确认",
        (
            "{device} holds a valve: its driver first switches it off or stops it, and may set its "
            "watchdog; type the device's name {device} to confirm"
        ),
    ),
    "probe.not_written": ("未确认，没有写入", "not confirmed, nothing was written"),
    "probe.holder": (
        "串口被 {users} 占用；请先停止它",
        "the port is held by {users}; stop it first",
    ),
    "probe.held": (
        (
            "守护进程 gatewayd（进程 {pids}）正在使用该设备；请先运行 systemctl stop gatewayd（充装随之停止），"
            "或查看它的设备状态 devices/{device}/status"
        ),
        (
            "the daemon (gatewayd run, process {pids}) has the device; stop it first (systemctl stop "
            "gatewayd: filling stops with it), or look at devices/{device}/status of the daemon"
        ),
    ),
    "probe.beside": (
        "注意：gatewayd run 正在运行（进程 {pids}）；若它也使用该设备，两者会互相干扰",
        (
            "note: gatewayd run is running (process {pids}); if it serves this device, too, both "
            "disturb each other"
        ),
    ),
    "probe.daemon": (
        (
            "本机正在运行 gatewayd run（进程 {pids}），可能占用该设备；"
            "请先运行 systemctl stop gatewayd，或看它的设备状态"
        ),
        (
            "gatewayd run is running here (process {pids}) and may hold the device; stop it first "
            "(systemctl stop gatewayd), or look at the device's state there"
        ),
    ),
    "probe.silent": (
        "没有收到任何数据；请检查电源、接线、地址和波特率",
        "nothing was heard; check power, wiring, address and baud",
    ),
}

TOOLS: Final = DRIVERS | FORMATS | PROFILES | DETECT | PROBE
