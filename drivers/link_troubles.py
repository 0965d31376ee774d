"""What a person can do about a link that does not open, or on which nothing is understood; zh and en.

The commonest failures of a station: a cable, a switch, an address. What devices get wrong once they
are understood is in `drivers.troubles`.
"""

import errno
import socket
from collections.abc import Mapping
from typing import Final

from drivers.contract import Trouble

_ADVICE: Final[Mapping[int, tuple[str, str]]] = {
    errno.ECONNREFUSED: (
        (
            "对方拒绝连接：主机已通电，但该端口没有服务；请核对端口号，串口服务器须为 TCP Server 模式，"
            "并关闭占用它的其他程序"
        ),
        (
            "the host is on and refuses this port; check the port number, set a serial server to TCP "
            "server mode, and close other programs that use it"
        ),
    ),
    errno.ETIMEDOUT: (
        "主机没有应答；请检查电源、网线、IP 地址和网段（ping 一下）",
        "the host does not answer; check power, network cable, IP address and subnet (ping it)",
    ),
    errno.ENOENT: (
        "没有这个串口；请检查 USB 线和转换器，运行 gatewayd detect 查看现有串口名",
        "there is no such port; check the USB cable and adapter, gatewayd detect lists the ports",
    ),
    errno.ENOTTY: (
        "这不是串口；请运行 gatewayd detect 查看现有串口名",
        "this is no serial port; gatewayd detect lists the ports",
    ),
    errno.EBUSY: (
        "串口正被另一个程序占用；请先停止它，gatewayd detect 会显示是哪个程序",
        "another program holds the port; stop it first, gatewayd detect shows which one it is",
    ),
    errno.EACCES: (
        "没有打开串口的权限；请把运行的用户加入 dialout 组后重新登录",
        "no permission to open the port; add the user to the group dialout and log in again",
    ),
    errno.EIO: (
        "串口被拔出或已断开；请检查 USB 线和转换器",
        "the port was unplugged or hung up; check the USB cable and adapter",
    ),
}
_SAME: Final[Mapping[int, int]] = {
    errno.EHOSTUNREACH: errno.ETIMEDOUT,
    errno.ENETUNREACH: errno.ETIMEDOUT,
    errno.ENODEV: errno.ENOENT,
    errno.ENXIO: errno.ENOENT,
    errno.EPERM: errno.EACCES,
}
_NO_NAME = (
    "找不到这个主机名；请在 link 中改用 IP 地址，或检查 DNS",
    "the host name is not found; use its IP address in link, or check the DNS",
)


def unreachable(wire: str, exc: BaseException) -> Trouble | None:
    """A wire that did not open; None for a cause nobody here knows advice for."""
    if isinstance(exc, socket.gaierror):
        zh, en = _NO_NAME
        return Trouble("unreachable", zh=f"{wire}：{zh}", en=f"{wire}: {en}")
    number = errno.ETIMEDOUT if isinstance(exc, TimeoutError) else getattr(exc, "errno", 0)
    advice = _ADVICE.get(_SAME.get(number or 0, number or 0))
    if advice is None:
        return None
    return Trouble("unreachable", zh=f"{wire}：{advice[0]}", en=f"{wire}: {advice[1]}")


def silent(wire: str) -> Trouble:
    """The wire is open and not one byte came: cable, power, settings, or another kind of device."""
    kind, _, place = wire.partition(":")
    if kind == "serial":
        return Trouble(
            "silent",
            zh="串口已打开，但没有收到任何数据；请检查设备电源、接线（A/B 或 TX/RX 是否接反）、地址和波特率，"
            "停止 gatewayd 后用 gatewayd detect --ask 查找该串口上的设备",
            en="the port is open and not a byte came; check power, wiring (A/B or TX/RX swapped), "
            "address and baud; with gatewayd stopped, gatewayd detect --ask finds what answers",
        )
    return Trouble(
        "silent",
        zh="连接已建立，但没有收到任何数据；请检查设备电源、地址、串口服务器的波特率及其到设备的接线，"
        f"停止 gatewayd 后用 gatewayd detect --host {place} 查找该处的设备",
        en="it is connected and not a byte came; check power, address, the baud rate of the serial "
        "server and its wiring to the device; with gatewayd stopped, "
        f"gatewayd detect --host {place} finds what answers",
    )


def unreadable(expected: str) -> Trouble:
    """Bytes came that are no frame of what was expected, nor of anything else that is known."""
    return Trouble(
        "unreadable",
        zh=f"收到的数据不是 {expected}，也不是已知的其他协议；请依次检查波特率和校验位（link）、"
        "设备型号（driver）、屏蔽与接地，并用 gatewayd probe 查看原始数据",
        en=f"what arrives is neither {expected} nor any other known protocol; check baud and parity "
        "(link), the make of the device (driver), shield and ground; gatewayd probe shows the bytes",
    )
