"""What `systemctl status` shows of the service: key -> (zh, en)."""

from typing import Final

SERVICE: Final[dict[str, tuple[str, str]]] = {
    "service.at_work": (
        "工位 {rigs} 个（{states}）；未消除告警 {alarms} 条{kinds}",
        "{rigs} rigs ({states}); {alarms} alarms stand{kinds}",
    ),
    "service.idle": (
        "没有工位；未消除告警 {alarms} 条{kinds}",
        "no rigs; {alarms} alarms stand{kinds}",
    ),
    "service.hangs": (
        "{parts} 超过 {after_s} 秒没有动作：租约已关闭联锁，不再报告存活，将由 systemd 重启",
        (
            "{parts} did not move for {after_s} s: gates closed by lease, no sign of life is given, systemd "
            "starts this again"
        ),
    ),
    "service.config": (
        "配置有误（{count} 处），未启动，不会重试；第一处：{first}；改好后执行 systemctl start gatewayd",
        (
            "the configuration has {count} mistakes: not started, not tried again; the first: {first}; "
            "correct it, then systemctl start gatewayd"
        ),
    ),
    "service.store": (
        "数据库不可用，联锁保持关闭，不断重试：{why}",
        "the store does not work; gates stay closed, it is tried again and again: {why}",
    ),
}
