"""What a technician must know of `plc.modbus`, for `gatewayd drivers` and `detect`."""

SUMMARY = "Filling gate and scale on a PLC, Modbus TCP or RTU, any register map with its points"
SUMMARY_ZH = "PLC 上的充装联锁和秤，Modbus TCP 或 RTU，寄存器表由 profile 给出"
CAVEATS = (
    (
        "PLC 必须自己关阀：到量、超限，或 lease 停止变化超过 lease_ms 时",
        "the PLC must close its valve by itself: at target, at limit, and when lease stands still",
    ),
    (
        "heartbeat 停止 1 秒即视为设备故障；profile 的地址从 0 开始",
        "a heartbeat that stands still for 1 s is a device fault; addresses count from 0",
    ),
    (
        "RS-485 总线上可接多个单元，link 必须完全相同，unit 各不相同",
        "several units may share an RS-485 bus: the same link, a unit number of its own each",
    ),
)
EXAMPLE = '{link: {tcp: "192.168.1.40:502"}, unit: 1, profile: reference-gate-v1, poll_ms: 100}'
