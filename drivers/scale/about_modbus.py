"""What a technician must know of `scale.modbus`, for `gatewayd drivers`."""

SUMMARY = (
    "Scales and weight transmitters on Modbus RTU or TCP, any register map with a scale section"
)
SUMMARY_ZH = "Modbus RTU / TCP 接口的秤和称重变送器，寄存器表由带 scale 部分的 profile 描述"
MODELS = (
    "HBM WTX110/WTX120 (unverified map)",
    "Dini Argeo DGT1S, DGT1P, DGT4X (unverified maps)",
    "Laumas TLU, W100 (unverified map)",
    "Siemens SIWAREX WP251 (unverified map)",
    "Supmeter BST106-M10 (unverified map)",
    "TUNA ID551PN (unverified map)",
)
CAVEATS = (
    (
        "随程序提供的寄存器表均未在实物上验证：使用前用已知重量核对单位、小数位、正负号和稳定标志",
        "no shipped map was seen on a device: check unit, point, sign and stability with a known weight",
    ),
    (
        "寄存器不含单位和小数位时，须按仪表显示填写 mass_unit 和 decimals；在仪表上更改后须同时更改配置",
        "where registers tell no unit or point, set mass_unit and decimals as the display shows",
    ),
    (
        "超载、欠载、无效值、小数位变化或稳定标志不可信时，重量为未知，而不是 0",
        "overload, underload, no number, changed decimals, a stable that lies: unknown, never zero",
    ),
    (
        "仅称重，不是联锁；可与其他 Modbus 设备（plc、output、rfid.modbus）共用总线，link 相同，unit 各不相同",
        "it weighs and is no gate; it may share a wire with other Modbus devices, each with its unit",
    ),
)
EXAMPLE = (
    "{link: {serial: /dev/serial/by-id/usb-X, baud: 9600}, unit: 1, profile: laumas-tlu, "
    "mass_unit: kg, decimals: 2}"
)
