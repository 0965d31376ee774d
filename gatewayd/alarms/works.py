"""Alarms about what the station works with: devices, store, upstreams, rules, clock."""

from typing import Final

from gatewayd.alarms.kinds import Kind
from gatewayd.texts import Text

WORKS: Final = (
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
        "rig_failed",
        "critical",
        Text(
            zh="工位程序出错，已锁定该工位并重新启动",
            en="the program of a rig failed; it was locked and begun again",
        ),
        Text(zh="程序错误；其他工位不受影响", en="a fault of the program; other rigs go on"),
        Text(
            zh="请保存日志（journalctl -u gatewayd）并报告；反复出现时先停用该工位，然后确认本报警",
            en="keep the log (`journalctl -u gatewayd`) and report it; leave the rig locked when it comes again and again; then acknowledge",
        ),
        lasts=False,
    ),
    Kind(
        "part_failed",
        "warning",
        Text(
            zh="网关的一个辅助部分出错，已重新启动",
            en="a side part of the gateway failed and was begun again",
        ),
        Text(
            zh="程序错误；充装和联锁不受影响",
            en="a fault of the program; fills and gates are not touched by it",
        ),
        Text(
            zh="请保存日志（journalctl -u gatewayd）并报告，然后确认本报警",
            en="keep the log (`journalctl -u gatewayd`) and report it, then acknowledge",
        ),
        lasts=False,
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
        "total_unknown",
        "warning",
        Text(
            zh="流量计长时间没有可信的累计值",
            en="no total of a meter that can be trusted, for long",
        ),
        Text(
            zh="流量计报故障、累计被保持，或单位、寄存器设置不对",
            en="the meter reports an error, its totaliser is held, or a wrong unit or register",
        ),
        Text(
            zh="请查看设备状态中的原始值和表上的故障信息；充装不受影响，但本班次不能与流量计核对",
            en="see the raw value in the device's state and what the meter shows; fills go on, but the shift cannot be compared with this meter",
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
            zh="请清理磁盘，腾出空间后自动恢复；磁盘未满时，增大 store.quota_mb 并重启",
            en="free the disk: work goes on by itself once there is room; if it is not full, raise store.quota_mb and restart",
        ),
    ),
    Kind(
        "store_filling",
        "warning",
        Text(zh="数据库或磁盘已用超过 80%", en="the store or its disk is more than 80 % full"),
        Text(
            zh="上级平台长时间未取走记录、保留期太长，或磁盘上有其他文件",
            en="upstreams that do not take records, records kept for long, or other files on the disk",
        ),
        Text(
            zh="请查看 gatewayd outbox status，清理磁盘，或增大 store.quota_mb、缩短 store.keep_days",
            en="see `gatewayd outbox status`, free the disk, raise store.quota_mb or lower store.keep_days",
        ),
    ),
    Kind(
        "store_nearly_full",
        "critical",
        Text(zh="数据库或磁盘已用超过 95%", en="the store or its disk is more than 95 % full"),
        Text(
            zh="上级平台长时间未取走记录、保留期太长，或磁盘上有其他文件；空间用完后不再发放充装许可",
            en="upstreams that do not take records, records kept for long, or other files on the disk; without room nothing more is permitted",
        ),
        Text(
            zh="请立即清理磁盘；磁盘未满时，增大 store.quota_mb 并重启",
            en="free the disk now; if it is not full, raise store.quota_mb and restart",
        ),
    ),
    Kind(
        "store_damaged",
        "critical",
        Text(
            zh="数据库损坏，已隔离并启用新库",
            en="the store was damaged; it was put aside and a fresh one begun",
        ),
        Text(
            zh="磁盘故障、写入时断电，或文件被改动",
            en="a failing disk, power lost while it wrote, or a file that was changed",
        ),
        Text(
            zh="详情说明缺了哪些记录和数据：旧文件保留，请用 gatewayd records salvage 文件 取出；"
            "缺 archive 时重新导入气瓶档案，缺 locks 时核对后逐个解锁工位；请检查并更换磁盘，然后确认本报警",
            en="its detail says which records and which data are missing; the old file is kept: "
            "`gatewayd records salvage FILE` reads it. Without `archive` import the cylinders again, "
            "without `locks` every rig is locked until you unlock it. Check or replace the disk, "
            "then acknowledge",
        ),
        lasts=False,
    ),
    Kind(
        "store_restored",
        "warning",
        Text(zh="数据库已从备份恢复", en="the store was restored from a backup"),
        Text(zh="有人运行了 gatewayd restore", en="somebody ran `gatewayd restore`"),
        Text(
            zh="请核对气瓶档案、人员和工位锁定是否为最新；详情列出缺少的记录；累计量差异会另行报警，核对后确认",
            en="see that archive, operators and locks are up to date; its detail says which records "
            "are missing; totalisers that differ raise alarms of their own; then acknowledge",
        ),
        lasts=False,
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
        "watchdog_off",
        "warning",
        Text(zh="硬件看门狗没有启用", en="the hardware watchdog that was asked for is not armed"),
        Text(
            zh="没有该设备、没有权限、被 systemd 占用，或它根本不是看门狗",
            en="no such device, no access, held by systemd, or it is no watchdog at all",
        ),
        Text(
            zh="请按 systemd/README.md 开放设备，或删除 watchdog 一节",
            en="give access as systemd/README.md says, or remove the section watchdog",
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
        "config_invalid",
        "warning",
        Text(
            zh="更改后的配置未被采用，仍按原配置运行",
            en="a changed configuration was not taken up; what ran runs on",
        ),
        Text(zh="文件有误，或部件无法创建", en="a file is wrong, or a part cannot be made"),
        Text(
            zh="请运行 gatewayd check 并改正，然后 systemctl reload gatewayd",
            en="run `gatewayd check`, correct it, then `systemctl reload gatewayd`",
        ),
    ),
    Kind(
        "overfilled",
        "critical",
        Text(zh="气瓶超装", en="a cylinder holds more than it may"),
        Text(
            zh="阀门关得慢或内漏、提前量不够、残液未计，或秤漂移",
            en="a valve that closes late or leaks, too little preact, residue that was not seen, or a scale that drifts",
        ),
        Text(
            zh="不得出站；请抽出超装部分并复称，合格后确认本报警，气瓶随即放行",
            en="it may not leave; withdraw the excess, weigh it again, then acknowledge: that lets it go",
        ),
        lasts=False,
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
