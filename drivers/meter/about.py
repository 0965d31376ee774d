"""What a technician must know of `meter.modbus`, for `gatewayd drivers`."""

SUMMARY = "Mass flow meters on Modbus RTU or TCP, read only: any register map with a meter section"
SUMMARY_ZH = "Modbus RTU / TCP 接口的质量流量计（只读），寄存器表由带 meter 部分的 profile 描述"
MODELS = (
    "Endress+Hauser Promass 83, 84 (unverified map)",
    "Krohne MFC 300 (unverified map)",
    "Siemens SITRANS F C MASS 6000 (unverified map)",
)
CAVEATS = (
    (
        "不是秤也不是联锁，只作班次核对：在 gateway.yaml 的 shifts.witness 中以 kind: flow_total 引用",
        "neither scale nor gate: name it in shifts.witness of gateway.yaml with kind: flow_total",
    ),
    (
        "随程序提供的寄存器表均未在实物上验证：请让已知质量流过，核对单位、字序和累计方向",
        "no shipped map was seen on a device: let a known mass through, check unit, words, direction",
    ),
    (
        "流量计须累计质量（kg、t），不能累计体积：液体密度随温度变化，固定密度换算不可信",
        "the meter must total mass, not volume: a density that is set once is wrong when it is warm",
    ),
    (
        "float32 的累计值越大越粗（1000 t 时一步 62.5 g，10000 t 时 1 kg）：步长超过限值的班次不核对",
        "a float32 gets coarser as it grows (1,000 t: 62.5 g, 10,000 t: 1 kg a step), up to no comparison",
    ),
    (
        "本驱动只读，从不清零；在表上清零或改写累计值，该班次不核对并报警",
        "it never resets a totaliser; when somebody does, the shift is not compared, with an alarm",
    ),
)
EXAMPLE = '{link: {tcp: "192.168.1.70:502"}, unit: 1, profile: reference-meter-v1}'
