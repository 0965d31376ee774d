"""What a technician must know of `output.modbus`, for `gatewayd drivers`.

Watchdog registers are from manuals and were never tried on a device here:
WAGO 750-342 / -841 Ethernet couplers, manual "Modbus functions", registers 0x1000, 0x1006, 0x1008,
0x100A; Beckhoff BK7300, manual 3.x appendix "Modbus interface", 0x1120..0x1122; Crevis NA-9189,
manual 6.3.2, 0x1020; ICP DAS ET-7000, manual appendix C.1, 40557 (EEPROM, seconds, at least 5).
"""

SUMMARY = (
    "An output of an I/O module that holds a valve, with the module's watchdog, Modbus TCP or RTU"
)
SUMMARY_ZH = "控制阀门的 I/O 模块输出（Modbus TCP 或 RTU），带模块自身的通信看门狗"
MODELS = (
    "WAGO 750-342 / 750-841 (watchdog from the manual, unverified)",
    "Beckhoff BK7300 / BK9000 (watchdog from the manual, unverified)",
    "Crevis NA-9189 (watchdog from the manual, unverified)",
)
CAVEATS = (
    (
        "没有 watchdog 时，本机死机后输出保持接通：工位文件必须写明 accept_no_watchdog 及理由",
        "without watchdog the output stays on when this computer dies: say accept_no_watchdog",
    ),
    (
        "看门狗寄存器取自厂家手册，未在实物上试过：投用前拔掉网线，确认阀门在规定时间内关闭",
        "watchdog registers are from manuals, untried: pull the cable and see the valve close",
    ),
    (
        "断电或看门狗动作后的输出状态须在模块上设为断开；阀门须失电关闭",
        "set the module's power-on and safe values to off; the valve must close without current",
    ),
    (
        "与读取同一寄存器的其他主站不能并存：bit 方式写入整个寄存器",
        "with bit the whole register is written: no other master may write it",
    ),
)
EXAMPLE = """\
{link: {tcp: "192.168.1.50:502"}, unit: 1, coil: 512,
 watchdog: {register: 4096, ms: 1000, unit_ms: 100,
            before: [{register: 4104, value: 21930}],
            after: [{register: 4106, value: 1}],
            running: {register: 4102, value: 1}},
 start: {input: 0, active: true}, e_stop: {input: 1, active: false}}
"""
