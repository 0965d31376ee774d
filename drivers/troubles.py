"""What can be wrong with a device that a person can put right: one kind a function, zh and en.

Drivers raise these with a DriverError, or report them to `Context.trouble` while they go on. Every
text says what was seen and what to change; nothing here guesses an identity.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from drivers.contract import Trouble
from protocols.diagnose import BAUDS, Diagnosis

UIDS_SHOWN_MAX = 4
"""How many tags a text names; the rest is counted."""

DRIVER_OF: Final[Mapping[str, str]] = {
    "uhfreader18": "rfid.uhfreader",
    "uhfreader288": "rfid.uhfreader",
    "r2000_a0": "rfid.r2000",
    "m100_bb": "rfid.m100",
    "chafon_cf": "rfid.chafon",
    "thingmagic_serial": "rfid.thingmagic",
    "llrp": "rfid.llrp",
    "iso15693_serial": "rfid.hf",
    "pn532": "rfid.pn532",
    "pcsc": "rfid.pcsc",
    "wiegand26": "rfid.wiegand",
    "scanner_serial": "barcode.serial",
    "hid_pos_8c": "barcode.hid_pos",
    "hid_keyboard": "barcode.keyboard",
    "yaohua": "scale.yaohua",
    "toledo_continuous": "scale.toledo",
    "mt_sics": "scale.mt_sics",
}
"""Format -> the driver that speaks it, for the advice; a test compares it with what drivers declare."""


def other_protocol(expected: str, found: str, driver: str) -> Trouble:
    """The wire carries proven frames of another protocol."""
    return Trouble(
        "wrong_dialect",
        zh=f"线路上是 {found} 协议的数据，配置的是 {expected}；请把 driver 改为 {driver}",
        en=f"the wire carries {found} frames, not {expected}; set driver: {driver}",
    )


def wrong_dialect(configured: str, found: str, setting: str = "dialect") -> Trouble:
    """The device refuses the configured dialect of the right protocol."""
    return Trouble(
        "wrong_dialect",
        zh=f"设备不接受 {setting}: {configured}；请改为 {setting}: {found}，或 {setting}: auto",
        en=f"the device refuses {setting}: {configured}; set {setting}: {found}, or {setting}: auto",
    )


def wrong_baud(baud: int | None = None, bauds: Sequence[int] = BAUDS) -> Trouble:
    """Bytes without structure, as a port of another speed sees them; `baud` is what is set."""
    tries = ", ".join(str(each) for each in bauds if each != baud)
    now = "" if baud is None else f" {baud}"
    return Trouble(
        "wrong_baud",
        zh=f"收到的字节没有结构，波特率{now}可能不对；请在 link（或串口服务器）中依次试 baud: {tries}",
        en=f"the bytes have no structure, baud{now} is probably wrong; try {tries} as baud "
        "in link, or in the settings of the serial server",
    )


def left_pushing(mode: str = "push") -> Trouble:
    """The reader sends tags unasked although it is to be polled."""
    return Trouble(
        "left_pushing",
        zh="读写器仍处于主动上传模式，不听轮询；标签照常读取。请用厂家工具改为应答模式，"
        f"或设置 mode: {mode}",
        en="the reader was left in push mode and does not follow polls; its tags are read all the "
        f"same. Set it to answer mode with its own tool, or set mode: {mode}",
    )


def two_dialects(formats: Sequence[str]) -> Trouble:
    """Proven frames of several protocols on one cable."""
    named = ", ".join(formats)
    return Trouble(
        "two_dialects",
        zh=f"一条线上有多种协议的数据：{named}；请每条线只接一种设备，另一台改接别的串口",
        en=f"one cable carries several protocols: {named}; connect one kind of device to a wire, "
        "move the other one to a port of its own",
    )


def no_terminator(size: int) -> Trouble:
    """Text that never ends; `size` bytes were seen."""
    return Trouble(
        "no_terminator",
        zh=f"收到 {size} 字节文本而没有结束符；请在扫码枪上设置回车结尾，或设置 suffix: none",
        en=f"{size} bytes of text came without an end; set the scanner to end a code with CR, or "
        "set suffix: none",
    )


def lying_length(expected: str) -> Trouble:
    """Frames begin as they should and never prove."""
    return Trouble(
        "lying_length",
        zh=f"{expected} 的帧头正确，但长度或校验始终不符；请检查屏蔽、接地和终端电阻，"
        "确认型号和固件，并把原始数据交给技术支持",
        en=f"frames of {expected} begin as they should, but length or checksum never hold; check "
        "shield, ground and termination, check model and firmware, and report the raw bytes",
    )


def echo() -> Trouble:
    """The wire returns our own commands and nothing else."""
    return Trouble(
        "echo",
        zh="只收到自己发出的命令；请关闭 RS-485 转换器的回显，检查收发线是否短接、设备是否上电",
        en="only our own commands come back; turn off the echo of the RS-485 adapter, check that TX "
        "and RX are not bridged and that the device has power",
    )


def flood(per_s: int) -> Trouble:
    """More reads a second than a filling position can mean."""
    return Trouble(
        "flood",
        zh=f"每秒 {per_s} 次读取；请降低 power_dbm，缩小天线照射范围，或加大 poll_ms",
        en=f"{per_s} reads a second; lower power_dbm, aim the antenna at one position, or raise "
        "poll_ms",
    )


def several_tags(antenna: int, uids: tuple[str, ...]) -> Trouble:
    """More than one tag answers at one antenna."""
    shown = ", ".join(uids[:UIDS_SHOWN_MAX])
    more = len(uids) - UIDS_SHOWN_MAX
    zh, en = (f" 等共 {len(uids)} 个", f" and {more} more") if more > 0 else ("", "")
    return Trouble(
        "several_tags",
        zh=f"天线 {antenna} 的读取范围内有多个标签：{shown}{zh}；请移开其他气瓶，或降低 power_dbm",
        en=f"several tags in the field of antenna {antenna}: {shown}{en}; move the other cylinders "
        "away or lower power_dbm",
    )


def blank_tag(antenna: int) -> Trouble:
    """A tag without any number: it can name nothing."""
    return Trouble(
        "blank_tag",
        zh=f"天线 {antenna} 处的标签是空白的，没有编号；请重新写入或更换标签",
        en=f"the tag at antenna {antenna} is blank and has no number; write or replace it",
    )


def uid_reversed(uid: str, known: str) -> Trouble:
    """The archive knows the tag with its bytes in the opposite order."""
    return Trouble(
        "uid_reversed",
        zh=f"读到的标签号 {uid} 与档案中的 {known} 字节顺序相反；请检查读写器的字节顺序设置，"
        "或按读到的顺序重新导入档案",
        en=f"tag {uid} is in the archive as {known}, its bytes in the opposite order; set the "
        "byte order of the reader, or import the archive in the order that is read",
    )


def gs_lost(symbology: str) -> Trouble:
    """A GS1 code of several variable fields arrived without the separators between them."""
    return Trouble(
        "gs_lost",
        zh=f"GS1 条码（{symbology}）缺少分隔符 GS，各字段无法区分；请在扫码枪上开启发送 GS（0x1D），"
        "键盘口扫码枪请改为串口或 HID POS 模式",
        en=f"a GS1 code ({symbology}) came without its GS separators, so its fields run together; "
        "set the scanner to send GS (0x1D), or use a serial or HID POS interface, not a keyboard",
    )


def power_refused(power_dbm: int, at_dbm: str, often: str) -> Trouble:
    """The reader does not take the power; `often` lists what such units usually do take."""
    return Trouble(
        "power_refused",
        zh=f"读写器不接受 power_dbm: {power_dbm}，当前为 {at_dbm} dBm；请改为 {at_dbm}，"
        f"或去掉 power_dbm。此类设备通常只接受：{often}",
        en=f"the reader does not take power_dbm: {power_dbm} and stays at {at_dbm} dBm; set it to "
        f"{at_dbm} or remove it. Such units usually take: {often}",
    )


def head_deaf(trigger: str) -> Trouble:
    """A scan head does not answer the commands of its configured trigger."""
    return Trouble(
        "head_deaf",
        zh=f"扫码头不应答 trigger: {trigger} 的指令；请核对型号、波特率和接口模式（SSI 头须启用 SSI 主机），"
        "自行扫码并发送文本的扫码枪请设 trigger: none",
        en=f"the head does not answer the commands of trigger: {trigger}; check its make, baud and "
        "interface mode (a Zebra head must be set to SSI host), or set trigger: none for a head "
        "that looks by itself and sends text",
    )


def head_refuses(trigger: str, why: str) -> Trouble:
    """A scan head answers, and does not let itself be triggered."""
    return Trouble(
        "head_refuses",
        zh=f"扫码头拒绝 trigger: {trigger} 的扫码指令（{why}），它仍会自行扫码；"
        "请把扫码头设为主机触发模式，或设 scan: on_trigger",
        en=f"the head refuses to be triggered over {trigger} ({why}) and goes on by itself; set it "
        "to host trigger mode, or set scan: on_trigger",
    )


def antenna_missing(antenna: int) -> Trouble:
    """The reader says that nothing is connected to an antenna port it is to use."""
    return Trouble(
        "antenna_missing",
        zh=f"读写器报告天线 {antenna} 未接；请检查馈线和接头，或从 antennas 中去掉 {antenna}",
        en=f"the reader says that antenna {antenna} is missing; check cable and connector, or take "
        f"{antenna} out of antennas",
    )


def weight_unknown(why: str) -> Trouble:
    """A scale gives no weight that may be used; `why` has device, register and raw value."""
    return Trouble(
        "weight_unknown",
        zh=f"重量未知，工位已锁定：{why}；请检查秤的量程、零点和接线，恢复后自动继续",
        en=f"the weight is unknown and the rig is locked: {why}; check range, zero and wiring of "
        "the scale, it goes on by itself when the weight is back",
    )


def other_client(wire: str) -> Trouble:
    """The device serves one client and somebody else is connected."""
    return Trouble(
        "other_client",
        zh=f"{wire} 已被另一个程序占用，设备只接受一个连接；请关闭厂家演示软件或另一台网关",
        en=f"{wire} already serves another program and takes only one; close the vendor's demo "
        "software or the other gateway",
    )


def from_diagnosis(
    diagnosis: Diagnosis | None, expected: str, *, baud: int | None = None, works: bool = False
) -> Trouble | None:
    """A diagnosis in plain words with what to change; None says nothing.

    `baud` is what is set. `works` says that proven frames of `expected` came too, so that frames of
    another protocol are a second device on the cable.
    """
    if diagnosis is None:
        return None
    match diagnosis.kind:
        case "other_format" if works:
            return two_dialects((expected, *diagnosis.formats))
        case "other_format":
            return other_protocol(expected, " / ".join(diagnosis.formats), _driver(diagnosis))
        case "mixed_formats":
            return two_dialects(diagnosis.formats)
        case "wrong_baud":
            return wrong_baud(baud, diagnosis.bauds)
        case "lying_length":
            return lying_length(expected)
        case "no_terminator":
            return no_terminator(len(diagnosis.example))
        case "echo":
            return echo()


def _driver(diagnosis: Diagnosis) -> str:
    """Who speaks it; a format that no driver here speaks is named as it is."""
    names = dict.fromkeys(DRIVER_OF[name] for name in diagnosis.formats if name in DRIVER_OF)
    return " / ".join(names) or f"one that speaks {diagnosis.formats[0]}"


def driver_hangs() -> Trouble:
    """A driver that was up neither asked, heard nor turned any more; the device may be well."""
    return Trouble(
        "driver_hangs",
        zh="驱动停住不动，已结束并重新连接；若一直不恢复，请重启 gatewayd，并把 gatewayd bundle 的文件交给供应商",
        en="the driver stood still; it was ended and begins again. If the device does not come back, "
        "restart gatewayd and hand the file of gatewayd bundle to the supplier",
    )


def call_hangs(library: str, *services: str) -> Trouble:
    """A call of a device's library does not come back, and nothing in this program can end it.

    `services` are what helps when replugging the device does not: restarted in this order.
    """
    return Trouble(
        "call_hangs",
        zh=f"对 {library} 的调用一直不返回；请拔下设备重新插上，仍不恢复则重启 {'、'.join(services)}",
        en=f"a call of {library} does not come back; replug the device, and if that does not help "
        f"restart {', then '.join(services)}",
    )
