"""What a technician must know of `filler.modbus`, for `gatewayd drivers`."""

SUMMARY = (
    "A device that weighs and doses by itself to a target, Modbus TCP or RTU, by a register map"
)
SUMMARY_ZH = "自行称重并充装到目标值的设备（Modbus TCP 或 RTU），寄存器表由 profile 给出"
CAVEATS = (
    (
        "本机死机后设备会继续充装到自己的目标值；check 对每个这样的工位发出警告",
        "when this computer dies it goes on to its own target; check warns of every such rig",
    ),
    (
        "目标值必须能读回；HBM WTX 的不能，须写明 accept_unread_target 及理由，本机按重量令其停止",
        "its target must be readable; that of HBM WTX is not: accept_unread_target, stopped by weight",
    ),
    (
        "存于 EEPROM 的目标值不能每次充装都写，因此被拒绝",
        "a target that lives in EEPROM must not be written per fill and is refused",
    ),
)
EXAMPLE = '{link: {tcp: "192.168.1.50:502"}, unit: 1, profile: my-filler, poll_ms: 100}'
