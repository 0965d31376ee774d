"""Every kind of alarm with its one text: what it is, why it comes, what to do (zh and en).

The rule: an alarm is what a person has to act on, and what the station would be the worse for if
nobody heard of it. A device that comes back by itself in a minute, a refused cylinder and bytes
that were no frame are states, records and troubles, not alarms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gatewayd.texts import Text

Severity = Literal["critical", "warning", "info"]
"""Gas or records are at stake now; work is hindered or a doubt is open; good to know."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of alarm.

    One that `lasts` is a state: who raised it clears it. Any other happened: it stands until a
    person acknowledges it. `every`: each time is a record of its own, however soon it comes again.
    """

    name: str
    severity: Severity
    title: Text
    cause: Text
    todo: Text
    lasts: bool = True
    every: bool = False

    def message(self) -> dict[str, str]:
        """What it is and what to do, as one sentence a language."""
        return {
            "zh": f"{self.title.zh}；{self.todo.zh}",
            "en": f"{self.title.en}; {self.todo.en}",
        }


_KINDS: Final = (
    Kind(
        "open_without_permit",
        "critical",
        Text(zh="联锁在没有许可的情况下打开", en="the gate is open without a permit"),
        Text(
            zh="阀门卡住、PLC 程序被手动操作，或有其他主机在写 PLC",
            en="a stuck valve, a PLC run by hand, or another master that writes to the PLC",
        ),
        Text(zh="请关闭气源并检查阀门和 PLC", en="shut the gas and check valve and PLC"),
    ),
    Kind(
        "gate_not_closed",
        "critical",
        Text(
            zh="已命令关闭，但联锁没有关闭",
            en="the gate was told to close and shows that it did not",
        ),
        Text(
            zh="阀门卡住、输出触点粘连，或 PLC 程序没有执行",
            en="a stuck valve, a welded contact, or a PLC program that does not run",
        ),
        Text(
            zh="请立即关闭气源，再检查阀门和 PLC",
            en="shut the gas now, then check valve and PLC",
        ),
    ),
    Kind(
        "unauthorised_flow",
        "critical",
        Text(
            zh="没有许可却有气体流出，已记录为未经许可的充装",
            en="gas flowed without a permit; it is recorded as unauthorised",
        ),
        Text(
            zh="阀门内漏、手动旁路、PLC 手动模式，或标定累计量时放气",
            en="a leaking valve, a bypass, a PLC in manual mode, or gas run for a calibration",
        ),
        Text(
            zh="请检查阀门、旁路和 PLC，查明气体去向后确认",
            en="check valve, bypass and PLC, find out where the gas went, then acknowledge",
        ),
        lasts=False,
        every=True,
    ),
    Kind(
        "flow_while_away",
        "critical",
        Text(
            zh="网关停机期间有气体流出，已记录为未经许可的充装",
            en="gas flowed while the gateway was not running; it is recorded as unauthorised",
        ),
        Text(
            zh="停机期间有人手动充装，或阀门内漏",
            en="somebody filled by hand while it was down, or the valve leaks",
        ),
        Text(
            zh="请查明停机期间充装了什么，再检查阀门并确认",
            en="find out what was filled meanwhile, check the valve, then acknowledge",
        ),
        lasts=False,
        every=True,
    ),
    Kind(
        "totaliser_mismatch",
        "warning",
        Text(zh="累计量与充装净重不符", en="totaliser and net mass of a fill disagree"),
        Text(
            zh="秤漂移、流量计误差、充装时碰秤，或软管内余气",
            en="a scale that drifts, a meter that errs, or a scale that was touched in the fill",
        ),
        Text(
            zh="请检查秤和累计量，复称该气瓶后确认",
            en="check scale and totaliser, weigh that cylinder again, then acknowledge",
        ),
        lasts=False,
        every=True,
    ),
    Kind(
        "totaliser_went_back",
        "warning",
        Text(zh="PLC 累计量变小", en="the PLC's totaliser went backwards"),
        Text(
            zh="PLC 更换、断电清零，或寄存器表不对",
            en="the PLC was replaced or reset, or the register map is wrong",
        ),
        Text(
            zh="请查明原因；此后以新的累计量为准，确认即可",
            en="find out why; the new reading counts from now on, then acknowledge",
        ),
        lasts=False,
    ),
    Kind(
        "shift_mismatch",
        "warning",
        Text(
            zh="班次对账不符：记录合计与累计量或储罐相差超限",
            en="a shift does not add up: records against totaliser, tank scale or meter",
        ),
        Text(
            zh="阀门内漏、秤或流量计漂移，或有充装未经本系统",
            en="a leaking valve, a scale or meter that drifts, or gas that went past this system",
        ),
        Text(
            zh="请用 gatewayd shifts 查看两边的数字，查明后确认",
            en="look at both numbers with `gatewayd shifts`, find the cause, then acknowledge",
        ),
        lasts=False,
        every=True,
    ),
    Kind(
        "device_lost",
        "warning",
        Text(zh="设备长时间离线", en="a device has been lost for long"),
        Text(
            zh="断电、网线或串口松脱、地址不对，或被其他程序占用",
            en="no power, a loose cable, a wrong address, or another program has it",
        ),
        Text(
            zh="请检查供电和接线，停机后用 gatewayd probe 设备名 查看",
            en="check power and cable; stop the daemon and run `gatewayd probe DEVICE`",
        ),
    ),
    Kind(
        "device_fault",
        "critical",
        Text(zh="设备驱动出错，已停用", en="a driver broke and its device is shut off"),
        Text(zh="程序错误", en="a fault of the program"),
        Text(
            zh="请保存日志并报告，然后重启 gatewayd",
            en="keep the log and report it, then restart gatewayd",
        ),
    ),
    Kind(
        "weight_unknown",
        "warning",
        Text(zh="长时间没有可信的重量", en="no weight that can be trusted, for long"),
        Text(
            zh="秤超载、未归零、单位或寄存器设置不对",
            en="a scale that is overloaded or not zeroed, or a wrong unit or register",
        ),
        Text(
            zh="请查看设备状态中的原始值，检查秤的接线和标定",
            en="see the raw value in the device's state, check wiring and calibration",
        ),
    ),
    Kind(
        "store_ill",
        "critical",
        Text(
            zh="数据库无法写入，所有工位已锁定",
            en="the store cannot be written; every rig is locked",
        ),
        Text(
            zh="磁盘故障、文件系统只读，或被其他程序锁住",
            en="a failing disk, a read-only file system, or another program that locks the file",
        ),
        Text(
            zh="请检查磁盘和系统日志；恢复后自动继续",
            en="check the disk and the kernel log; work goes on by itself once it can be written",
        ),
    ),
    Kind(
        "store_full",
        "critical",
        Text(
            zh="数据库已满，只剩结束充装用的余量", en="the store is full; only its reserve is left"
        ),
        Text(
            zh="磁盘已满，或 store.quota_mb 太小", en="a full disk, or store.quota_mb is too small"
        ),
        Text(
            zh="请清理磁盘或增大 store.quota_mb 后重启",
            en="free the disk, or raise store.quota_mb and restart",
        ),
    ),
    Kind(
        "upstream_down",
        "warning",
        Text(zh="上级平台长时间收不到记录", en="an upstream has not taken records for long"),
        Text(
            zh="网络中断、平台停机、账号或证书失效",
            en="no network, a platform that is down, or credentials that are no longer good",
        ),
        Text(
            zh="记录都在本机，不会丢失；请检查网络和账号，用 gatewayd outbox status 查看",
            en="nothing is lost, records wait here; check network and credentials, see `gatewayd outbox status`",
        ),
    ),
    Kind(
        "dead_letters",
        "warning",
        Text(zh="上级平台拒收了记录", en="an upstream refused records for good"),
        Text(
            zh="平台认为内容不合要求，或账号没有权限",
            en="the platform finds them wrong, or the account may not write them",
        ),
        Text(
            zh="请用 gatewayd outbox dead 查看原因，改好后 gatewayd outbox retry 重发",
            en="see `gatewayd outbox dead` for the reasons, then `gatewayd outbox retry`",
        ),
    ),
    Kind(
        "permit_orphaned",
        "warning",
        Text(
            zh="已改名或删除的工位还有未结的许可",
            en="a rig that was renamed or removed has a permit that is not settled",
        ),
        Text(
            zh="充装未结束时更改了工位名称",
            en="the rig's name was changed before its fill was settled",
        ),
        Text(
            zh="请恢复原来的工位名称，等许可结清后再改名",
            en="name the rig as before, let it settle, then rename it",
        ),
    ),
    Kind(
        "pack_failed",
        "critical",
        Text(zh="规则包无法使用", en="a rule pack cannot be used"),
        Text(zh="规则文件有误或例子不成立", en="its file is wrong or one of its examples fails"),
        Text(
            zh="请运行 gatewayd rules test 并改正；在此之前按上一个有效版本判定或拒绝",
            en="run `gatewayd rules test` and correct it; until then the last good version decides, or cylinders are refused",
        ),
    ),
    Kind(
        "clock_untrusted",
        "critical",
        Text(zh="系统时间不可信", en="the clock cannot be trusted"),
        Text(
            zh="没有网络校时、时钟电池没电，或时间被改动",
            en="no time server, an empty clock battery, or the time was changed",
        ),
        Text(
            zh="请检查日期时间和校时（timedatectl），必要时更换时钟电池",
            en="check date and time and their source (timedatectl); replace the clock battery if need be",
        ),
    ),
)

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _KINDS}
"""Every kind by its stable word."""
