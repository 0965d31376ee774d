"""What every page of help has: its headings, the kinds of values, and the options all commands share."""

from typing import Final

HEADINGS: Final[dict[str, str]] = {
    "Usage": "用法",
    "Options": "选项",
    "Commands": "命令",
}

USAGE: Final[dict[str, str]] = {
    "[OPTIONS]": "[选项]",
    "COMMAND [ARGS]...": "命令 [参数]...",
    "[COMMAND] [ARGS]...": "[命令] [参数]...",
}
"""Pieces of a usage line. What stands for a value, CODE or FILE, stays: the texts speak of it."""

KINDS: Final[dict[str, str]] = {
    "DIRECTORY": "目录",
    "FILE": "文件",
    "FLOAT RANGE": "数值",
    "INTEGER": "整数",
    "INTEGER RANGE": "整数",
    "PATH": "路径",
    "TEXT": "文本",
}
"""What kind of value an option takes, where it has no name of its own."""

EXTRAS: Final[dict[str, str]] = {
    "default": "默认 {said}",
    "range": "范围 {said}",
    "required": "必填",
}
"""What stands behind an option's text, in brackets."""

SHARED: Final[dict[str, str]] = {
    "Gateway for gas-cylinder filling stations: identify, judge, permit, record, forward.": (
        "气瓶充装站网关：识别、判定、许可、记录、上报。"
    ),
    "a whole station on this machine, one minute": "在本机运行整个充装站，一分钟",
    "every mistake in a configuration at once": "一次列出配置中的全部错误",
    "Show the version and exit.": "显示版本",
    "Show this message and exit.": "显示本帮助",
    "Config directory (default /etc/gatewayd, then ./config).": (
        "配置目录（默认 /etc/gatewayd，其次 ./config）"
    ),
    "Print one JSON object.": "输出一个 JSON 对象",
    "Default: as your terminal.": "语言；默认与终端相同",
    "A store or a copy of one; then no configuration is needed.": (
        "数据库或其副本；此时不需要配置目录"
    ),
}
"""Of the program itself, and of options that several commands have."""
