"""What the command line says itself, (zh, en) by key; a part of the catalogue in `texts.py`."""

from typing import Final

SHIFTS: Final[dict[str, tuple[str, str]]] = {
    "shifts.head": ("{rig}  {span}  充装 {fills} 次", "{rig}  {span}  {fills} fills"),
    "shifts.masses": (
        "记录 {net_g}  累计量 {flowed_g}  相差 {difference_g}  限值 {limit_g} g",
        "records {net_g}  totaliser {flowed_g}  difference {difference_g}  limit {limit_g} g",
    ),
    "shifts.differs": (
        "记录 {net_g} g，累计量 {flowed_g} g，相差 {difference_g} g，限值 {limit_g} g",
        "records {net_g} g, totaliser {flowed_g} g, difference {difference_g} g, limit {limit_g} g",
    ),
    "shifts.differs_from": (
        "记录 {net_g} g，{witness} {flowed_g} g，相差 {difference_g} g，限值 {limit_g} g",
        "records {net_g} g, {witness} {flowed_g} g, difference {difference_g} g, limit {limit_g} g",
    ),
    "shifts.why.delivery": (
        "记录 {net_g} g；储罐升高至少 {risen_g} g（卸料），请按卸料单核对",
        "records {net_g} g; the tank rose by at least {risen_g} g (delivery): see the delivery note",
    ),
    "shifts.why.silent": (
        "记录 {net_g} g；储罐秤或流量计中断或数值不可信达 {silent_s} 秒，无法核对",
        "records {net_g} g; not comparable: told nothing that can be trusted for {silent_s} s",
    ),
    "shifts.why.went_back": (
        "记录 {net_g} g；流量计累计量倒退 {risen_g} g（被清零或更换），无法核对",
        "records {net_g} g; not comparable: its totaliser went back by {risen_g} g",
    ),
    "shifts.why.jumped": (
        "记录 {net_g} g；流量计累计量一次跳变 {jumped_g} g（被改写），无法核对",
        "records {net_g} g; not comparable: its totaliser moved by {jumped_g} g at once, it was set",
    ),
    "shifts.why.coarse": (
        "记录 {net_g} g；流量计累计量步长 {step_g} g，大于限值 {limit_g} g，无法核对",
        "records {net_g} g; not comparable: it counts in steps of {step_g} g, the limit is {limit_g} g",
    ),
    "shifts.why.unknown_flow": (
        "记录 {net_g} g；班末有一次充装的流量未知，无法核对",
        "records {net_g} g; not comparable: nobody knows what a fill that ran had taken",
    ),
    "shifts.count": (
        "共 {count} 班；! 相差超过限值，? 无法核对",
        "{count} shifts; ! differs by more than the limit, ? cannot be compared",
    ),
}

MASSES: Final[dict[str, tuple[str, str]]] = {
    "masses.plan": (
        "皮重 {tare_g} g，余液 {residual_g} g，目标净重 {target_g} g，毛重上限 {limit_gross_g} g",
        "tare {tare_g} g, residue {residual_g} g, target net {target_g} g, limit gross {limit_gross_g} g",
    ),
    "masses.filled": (
        "净重 {net_g} g，皮重 {tare_g} g，毛重 {gross_g} g",
        "net {net_g} g, tare {tare_g} g, gross {gross_g} g",
    ),
    "masses.no_tare": (
        "未称重：加 --set scale.tare_g=空瓶克数 可显示目标与上限",
        "not weighed: --set scale.tare_g=GRAMS of the cylinder before the fill shows target and limit",
    ),
}
"""What `verdict` says of the masses."""

REPLAY: Final[dict[str, tuple[str, str]]] = {
    "replay.since": ("（自 {since} 起）", "(since {since})"),
    "replay.records": ("记录", "records"),
    "replay.judged": ("重新判定", "judged again"),
    "replay.same": ("结论与原因相同", "same"),
    "replay.unknown": ("无法判定", "unknown"),
    "replay.other_reasons": ("结论相同，原因不同", "other reasons"),
    "replay.unknown_fact": ("记录中没有 {fact}", "unknown because {fact} is not on record"),
    "replay.not_by_rules": ("不是由规则判定", "not decided by rules"),
    "replay.rig_gone": ("工位已不存在", "rig is gone"),
    "replay.more": ("另有 {count} 条，--json 可看全部", "... and {count} more; --json has all"),
    "replay.record": ("记录", "record"),
    "replay.time": ("时间", "time"),
    "replay.rig": ("工位", "rig"),
    "replay.cylinder": ("气瓶", "cylinder"),
    "replay.before": ("原判定", "before"),
    "replay.after": ("新判定", "after"),
}
"""What `rules replay` says."""

USAGE: Final[dict[str, tuple[str, str]]] = {
    "usage.how": ("用法：{usage}", "Usage: {usage}"),
    "usage.help": ("查看帮助：{command} --help", "Try '{command} --help' for help."),
    "usage.error": ("错误：{said}", "Error: {said}"),
    "usage.json_needs_file": (
        "--json 需同时给出 -o 文件：标准输出就是导出的文件",
        "--json needs -o FILE: stdout is the file",
    ),
    "usage.workbook_to_terminal": (
        "工作簿不是文本，请写入文件：{how}",
        "a workbook is no text; write it to a file: {how}",
    ),
    "usage.by_and_reason": ("--by 和 --reason 不能为空", "--by and --reason must say something"),
    "usage.by": ("--by 请写姓名", "--by: a name, please"),
    "usage.since": (
        "--since {since}：应为 30d、12h 或日期",
        "--since {since}: expected 30d, 12h or a date",
    ),
    "usage.no_uid": ("{uid} 不是标签号；应为十六进制", "{uid} is no uid; expected hex"),
    "usage.no_schema": (
        "没有 {name}；用 gatewayd schemas 查看全部",
        "no schema {name}; `gatewayd schemas` lists them",
    ),
    "usage.name_cylinder": (
        "请用 --code 或 --uid 指明气瓶",
        "name the cylinder with --code or --uid",
    ),
    "usage.no_rig": ("没有工位 {rig}；工位：{known}", "no rig {rig}; rigs: {known}"),
    "usage.set": ("--set {item}：应为 名称=数值", "--set {item}: expected FACT=VALUE"),
    "usage.at": (
        "--at {at}：应为日期或 RFC 3339 时间",
        "--at {at}: expected a date or an RFC 3339 time",
    ),
    "usage.units": (
        "--units {units}：应为 起-止，如 1-32",
        "--units {units}: expected FIRST-LAST, e.g. 1-32",
    ),
    "usage.file_missing": (
        "缺少文件；只有 --template 不需要",
        "FILE is missing; with --template none is needed",
    ),
    "usage.no_replace": (
        "停用编码不能用 --replace；用 gatewayd reinstate 恢复单个编码",
        "--replace is not for retired codes: `gatewayd reinstate` takes one back into use",
    ),
    "usage.device_or_driver": (
        "请写已配置的设备名，或 --driver 及其 --set，二者取一",
        "name a configured DEVICE or a --driver with its --set, one of both",
    ),
    "usage.one_memory": (
        "--read-memory 与 --write-memory 一次只能用一个",
        "--read-memory or --write-memory, one at a time",
    ),
    "usage.write_needs_uid": (
        "--write-memory 需要 --uid：写入必须指明标签",
        "--write-memory needs --uid: a write must name its tag",
    ),
    "usage.no_form": ("没有检查表 {form}；检查表：{known}", "no form {form}; forms: {known}"),
    "usage.form_without_codes": (
        "{form} 不使用扫码：其文件写明 device: false",
        "{form} takes no codes: its file says device: false",
    ),
}
"""Wrong usage as we say it."""

LIBRARY: Final[dict[str, tuple[str, str]]] = {
    "usage.click.value_for": ("{hint} 的值有误：{said}", "Invalid value for {hint}: {said}"),
    "usage.click.value": ("值有误：{said}", "Invalid value: {said}"),
    "usage.click.missing_choice": (
        "缺少选项 {hint}，可选：{choices}",
        "Missing option {hint}. Choose from:\n\t{choices}",
    ),
    "usage.click.missing_argument_choice": (
        "缺少参数 {hint}，可选：{choices}",
        "Missing argument {hint}. Choose from:\n\t{choices}",
    ),
    "usage.click.missing_option": ("缺少选项 {hint}", "Missing option {hint}."),
    "usage.click.missing_argument": ("缺少参数 {hint}", "Missing argument {hint}."),
    "usage.click.missing_command": ("缺少命令", "Missing command."),
    "usage.click.no_option_near": (
        "没有选项 {name}；是否为 {near}？",
        "No such option {name}. Did you mean {near}?",
    ),
    "usage.click.no_option_of": (
        "没有选项 {name}；是否为其中之一：{near}？",
        "No such option {name}. (Did you mean one of: {near}?)",
    ),
    "usage.click.no_command_of": (
        "没有命令 {name}；是否为其中之一：{near}？",
        "No such command {name}. (Did you mean one of: {near}?)",
    ),
    "usage.click.no_option": ("没有选项 {name}", "No such option {name}."),
    "usage.click.no_command_near": (
        "没有命令 {name}；是否为 {near}？",
        "No such command {name}. Did you mean {near}?",
    ),
    "usage.click.no_command": ("没有命令 {name}", "No such command {name}."),
    "usage.click.needs_argument": ("选项 {name} 后面要有值", "Option {name} requires an argument."),
    "usage.click.takes_no_value": (
        "选项 {name} 后面不带值",
        "Option {name} does not take a value.",
    ),
    "usage.click.extra": ("多余的参数：{args}", "Got unexpected extra argument ({args})"),
    "usage.click.extras": ("多余的参数：{args}", "Got unexpected extra arguments ({args})"),
    "usage.click.no_choice": (
        "{value} 不在可选范围内：{choices}",
        "{value} is not one of {choices}.",
    ),
    "usage.click.no_integer": ("{value} 不是整数", "{value} is not a valid integer."),
    "usage.click.no_int_range": ("{value} 不是整数", "{value} is not a valid integer range."),
    "usage.click.no_float": ("{value} 不是数字", "{value} is not a valid float."),
    "usage.click.no_float_range": ("{value} 不是数字", "{value} is not a valid float range."),
    "usage.click.range": ("{value} 超出范围 {range}", "{value} is not in the range {range}."),
    "usage.click.no_file": ("文件 {name} 不存在", "File {name} does not exist."),
    "usage.click.no_path": ("路径 {name} 不存在", "Path {name} does not exist."),
    "usage.click.no_directory": ("目录 {name} 不存在", "Directory {name} does not exist."),
    "usage.click.file_is_directory": ("{name} 是目录，不是文件", "File {name} is a directory."),
    "usage.click.directory_is_file": ("{name} 是文件，不是目录", "Directory {name} is a file."),
    "usage.click.unreadable": ("{kind} {name} 不可读", "{kind} {name} is not readable."),
    "usage.click.unwritable": ("{kind} {name} 不可写", "{kind} {name} is not writable."),
}
"""What the library of the command line says; its English is how a sentence is known, so it is exact."""

NAMED: Final[dict[str, tuple[str, str]]] = {
    "usage.name.device_near": (
        "没有设备 {name}；已有：{known}；是否为 {near}？",
        "no device {name}; known: {known}; did you mean {near}?",
    ),
    "usage.name.device": ("没有设备 {name}；已有：{known}", "no device {name}; known: {known}"),
    "usage.name.profile_near": (
        "没有寄存器表 {name}；已有：{known}；是否为 {near}？",
        "no profile {name}; known: {known}; did you mean {near}?",
    ),
    "usage.name.profile": (
        "没有寄存器表 {name}；已有：{known}",
        "no profile {name}; known: {known}",
    ),
    "usage.name.mapping_near": (
        "没有映射 {name}；已有：{known}；是否为 {near}？",
        "no mapping {name}; known: {known}; did you mean {near}?",
    ),
    "usage.name.mapping": ("没有映射 {name}；已有：{known}", "no mapping {name}; known: {known}"),
    "usage.name.driver_near": (
        "没有驱动 {name}；已有：{known}；是否为 {near}？",
        "unknown driver {name}; known: {known}; did you mean {near}?",
    ),
    "usage.name.driver": (
        "没有驱动 {name}；已有：{known}",
        "unknown driver {name}; known: {known}",
    ),
    "usage.name.later": (
        "本版本不支持格式 {name}；已有：{known}",
        "format {name} is not supported in this version; known: {known}",
    ),
    "usage.name.format_near": (
        "没有格式 {name}；已有：{known}；是否为 {near}？",
        "unknown format {name}; known: {known}; did you mean {near}?",
    ),
    "usage.name.format": (
        "没有格式 {name}；已有：{known}",
        "unknown format {name}; known: {known}",
    ),
}
"""A name that nothing has; the English is how it is said where names are looked up, so it is exact."""

SAID: Final = SHIFTS | MASSES | REPLAY | USAGE | LIBRARY | NAMED
