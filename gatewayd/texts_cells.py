"""What is wrong with a cell or a row of a file that is imported, (zh, en) by key; a part of `texts.py`."""

from typing import Final

CELLS: Final[dict[str, tuple[str, str]]] = {
    "archive.error.no_code": (
        "空白；请填写气瓶编码",
        "empty; expected the cylinder's code",
    ),
    "archive.error.needed": (
        "空白；每行都应填写 {name}",
        "empty; expected the {name} of each",
    ),
    "archive.error.again": (
        "{value} 在第 {first} 行已有；每个只应出现一次",
        "{value} is in row {first} already; expected each once",
    ),
    "archive.error.code_again": (
        "编码 {value} 在第 {first} 行已有；每个只应出现一次，请删除其中一行",
        "code {value} is in row {first} already; expected each once; remove one of the two",
    ),
    "archive.error.tag_again": (
        "标签 {value} 在第 {first} 行已有；每个只应出现一次，请删除其中一行",
        "tag {value} is in row {first} already; expected each once; remove one of the two",
    ),
    "archive.error.was_retired": (
        (
            "{value} 已随气瓶 {code} 停用（{reason}）；应为从未用过的编码或标签；如系误停用，"
            "请加 --reuse-retired 和原因重新导入"
        ),
        (
            "{value} was retired with cylinder {code} ({reason}); expected one that was never used; if it "
            "was retired by mistake, import with --reuse-retired and the reason"
        ),
    ),
    "archive.error.long": (
        "有 {count} 个字符；最多 {most} 个",
        "{count} characters; expected at most {most}",
    ),
    "archive.error.control": (
        "{cell} 含控制字符；应为单行普通文字",
        "{cell} has control characters; expected plain text on one line",
    ),
    "archive.error.rounded": (
        "{cell} 是被表格软件舍入的数字；应为完整编码，请先把该列设为文本格式，再输入或粘贴编码",
        (
            "{cell} is a number rounded by a spreadsheet; expected the full code; format the column as text "
            "before typing or pasting codes"
        ),
    ),
    "archive.error.tags": (
        "有 {count} 个标签；每只气瓶最多 {most} 个",
        "{count} tags; expected at most {most} on one cylinder",
    ),
    "archive.error.no_hex": (
        "{cell} 不是十六进制；应为成对的 0-9 A-F，多个标签以 ; 分隔",
        "{cell} is not hex; expected pairs of 0-9 A-F, several tags separated by ;",
    ),
    "archive.error.uid_length": (
        "{cell} 有 {count} 字节；应为 {least} 至 {most} 字节",
        "{cell} has {count} bytes; expected {least} to {most}",
    ),
    "archive.error.tag_twice": (
        "标签 {tag} 出现两次；每个标签只应出现一次",
        "tag {tag} is there twice; expected each tag once",
    ),
    "archive.error.no_date": (
        "{cell} 不是日期；应如 2026-08-31，或写 2026-08 表示该月最后一天",
        (
            "{cell} is not a date; expected a date such as 2026-08-31, or 2026-08 for the last day of that "
            "month"
        ),
    ),
    "archive.error.no_day": (
        "{cell} 在日历中不存在；应如 2026-08-31，或写 2026-08 表示该月最后一天",
        (
            "{cell} is not a day of the calendar; expected a date such as 2026-08-31, or 2026-08 for the "
            "last day of that month"
        ),
    ),
    "archive.error.no_number": (
        "{cell} 不是整数；应为 {least} 至 {most} 的整数（{unit}），只写数字",
        (
            "{cell} is not a whole number; expected a whole number of {unit} from {least} to {most}, "
            "digits only"
        ),
    ),
    "archive.error.range": (
        "{value} 超出范围；应为 {least} 至 {most} 的整数（{unit}），只写数字",
        (
            "{value} is out of range; expected a whole number of {unit} from {least} to {most}, digits only"
        ),
    ),
    "archive.error.no_boolean": (
        "{cell} 两者都不是；应为 true、false 或空白",
        "{cell} is neither; expected true, false or an empty cell",
    ),
    "archive.error.no_choice_near": (
        "没有 {cell}；应为 {choices} 之一，或空白；{hint}",
        "unknown {cell}; expected one of {choices}, or an empty cell; {hint}",
    ),
    "archive.error.no_choice": (
        "没有 {cell}；应为 {choices} 之一，或空白",
        "unknown {cell}; expected one of {choices}, or an empty cell",
    ),
    "archive.error.values": (
        "有 {count} 个值；最多 {most} 个",
        "{count} values; expected at most {most}",
    ),
    "archive.error.thing_twice": (
        "{cell} 中有重复；每个只应出现一次",
        "{cell} names one thing twice; expected each once",
    ),
    "archive.error.sheet_error": (
        "{cell} 是表格软件的错误值；应为数值或文字",
        "{cell} is an error of the spreadsheet; expected a value",
    ),
    "archive.error.sheet_day": (
        "{cell} 不是表格软件的日期；应为日期",
        "{cell} is no day of a spreadsheet; expected a date",
    ),
    "archive.error.time": (
        "{cell} 是时间；应为不带时间的日期，或数字",
        "{cell} is a time; expected a date without a time, or a number",
    ),
    "archive.error.time_of_day": (
        "{cell} 带有时间；应为不带时间的日期",
        "{cell} has a time of day; expected a date without a time",
    ),
    "archive.error.month": (
        "{cell} 显示为月份；应为完整日期，或以文本写月份",
        "{cell} is shown as a month; expected the whole date or the month as text",
    ),
    "archive.error.number": (
        (
            "{cell} 是数字，表格软件会丢掉前导零和第 15 位以后的数字；应为文本，"
            "请先把该列设为文本格式，再重新输入或粘贴"
        ),
        (
            "{cell} is a number, and a spreadsheet drops leading zeros and all digits after the 15th; "
            "expected text; format the column as text, then type or paste it again"
        ),
    ),
    "archive.error.nameless": (
        "没有姓名的人员：{count} 名（{shown}）；没有导入任何内容；请增加 name 列",
        ("operators without a name: {count} ({shown}); nothing was imported; add the column name"),
    ),
    "archive.error.card": (
        "人员 {operator} 的卡 {card} 已属于 {owner}；每张卡只应属于一人；未作任何更改",
        (
            "card {card} of operator {operator} belongs to {owner} already; expected each card once; "
            "nothing was changed"
        ),
    ),
    "archive.error.unit.millilitres": ("毫升", "millilitres"),
    "archive.error.unit.grams": ("克", "grams"),
    "archive.error.unit.years": ("年", "years"),
    "archive.error.unit.fills": ("次", "fills"),
}
"""What is wrong with a cell or a row; the English is how it is said where it is found."""
