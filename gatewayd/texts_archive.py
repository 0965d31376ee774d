"""What `import` and `export` say, (zh, en) by key; a part of the catalogue in `texts.py`."""

from typing import Final

ARCHIVE: Final[dict[str, tuple[str, str]]] = {
    "import.done": (
        "{file}：新增 {added}，变更 {updated}，未变 {unchanged}，删除 {removed}",
        "{file}: {added} added, {updated} updated, {unchanged} unchanged, {removed} removed",
    ),
    "import.would": (
        "{file}：将新增 {added}，变更 {updated}，未变 {unchanged}，删除 {removed}（试运行，未作任何更改）",
        (
            "{file}: {added} added, {updated} updated, {unchanged} unchanged, {removed} removed (dry run, "
            "nothing was changed)"
        ),
    ),
    "import.step.read": ("检查各行", "checking rows"),
    "import.step.compare": ("与档案比较", "comparing with the archive"),
    "import.step.cylinders": ("保存气瓶", "storing cylinders"),
    "import.step.tags": ("保存标签", "storing tags"),
    "import.refused": (
        "{value}：{said}；没有导入任何内容",
        "{value}: {said}; nothing was imported",
    ),
    "export.writing.cylinders": ("写出气瓶", "writing cylinders"),
    "export.writing.operators": ("写出人员", "writing operators"),
    "export.writing.retired": ("写出停用编码", "writing retired"),
    "export.done.cylinders": ("{file}：{count} 只气瓶", "{file}: {count} cylinders"),
    "export.done.operators": ("{file}：{count} 名人员", "{file}: {count} operators"),
    "export.done.retired": ("{file}：{count} 个停用的编码或标签", "{file}: {count} retired"),
}
"""Results and steps."""

FILES: Final[dict[str, tuple[str, str]]] = {
    "archive.error.cell": (
        "{file}：第 {row} 行，{column} 列：{said}",
        "{file}:row {row}, column {column}: {said}",
    ),
    "archive.error.cells": (
        "{file}：第 {row} 行：有 {cells} 格，应为 {expected} 格",
        "{file}:row {row}: {cells} cells; expected {expected}",
    ),
    "archive.error.more": ("{file}：另有 {count} 处错误", "{file}: and {count} more"),
    "archive.error.count": (
        "{file}：没有导入任何内容；发现错误 {count} 处",
        "{file}: nothing was imported; mistakes found: {count}",
    ),
    "archive.error.retired_count": (
        "{file}：没有导入任何内容；使用停用编码或标签的行：{count}",
        "{file}: nothing was imported; rows with a retired code or tag: {count}",
    ),
    "archive.error.empty": (
        "{file}：文件为空；应有表头行，见 --template",
        "{file}: empty; expected the header row, see --template",
    ),
    "archive.error.unknown_column": (
        "{file}：第 1 行：没有 {name} 这一列；{hint}",
        "{file}:row 1: unknown column {name}; {hint}",
    ),
    "archive.error.column_twice": (
        "{file}：第 1 行：{name} 列出现 {times} 次；只应出现一次",
        "{file}:row 1: column {name} is there {times} times; expected once",
    ),
    "archive.error.column_missing": (
        "{file}：第 1 行：缺少 {name} 列；表头应与 --template 相同",
        "{file}:row 1: column {name} is missing; expected the header of --template",
    ),
    "archive.error.hint_commas": ("各列应以逗号分隔", "expected the columns separated by commas"),
    "archive.error.hint_no_name": (
        "表头有空格子；请删除该列或写上列名",
        "a cell of the header is empty; remove the column or name it",
    ),
    "archive.error.hint_template": ("应为 --template 中的列", "expected a column of --template"),
    "archive.error.hint_see": ("见 --template", "see --template"),
    "archive.error.hint_near": ("是否为 {near}？", "did you mean {near}?"),
    "archive.error.rows": (
        "{file}：超过 {most} 行；请拆分文件",
        "{file}: more than {most} rows; split the file",
    ),
    "archive.error.operators": (
        "{file}：超过 {most} 名人员",
        "{file}: more than {most} operators",
    ),
    "archive.error.retired": (
        "{file}：超过 {most} 个编码或标签",
        "{file}: more than {most} codes and tags",
    ),
    "archive.error.unreadable": ("{file}：无法读取：{why}", "{file}: cannot be read: {why}"),
    "archive.error.not_a_file": (
        "{file}：不是普通文件；请先保存到磁盘",
        "{file}: not a regular file; save it to a disk first",
    ),
    "archive.error.too_large": (
        "{file}：大于 {most} 字节；请按行拆分",
        "{file}: larger than {most} bytes; split it by rows",
    ),
    "archive.error.old_workbook": (
        "{file}：是 Excel 97-2003 工作簿或带密码的工作簿；请另存为不带密码的 .xlsx，或 CSV UTF-8",
        (
            "{file}: a workbook of Excel 97-2003 or one with a password; save it as .xlsx without one, or "
            "as CSV UTF-8"
        ),
    ),
    "archive.error.no_sheet": (
        "{file}：工作簿中没有单元格工作表",
        "{file}: a workbook without a sheet of cells",
    ),
    "archive.error.damaged": (
        "{file}：工作簿无法读取（{why}）；请用表格软件打开后重新保存，或另存为 CSV UTF-8",
        (
            "{file}: not a workbook that can be read ({why}); open it in a spreadsheet and save it again, "
            "or as CSV UTF-8"
        ),
    ),
    "archive.error.unpacked": (
        "{file}：解压后过大；请另存为 CSV UTF-8",
        "{file}: too large when unpacked; save it as CSV UTF-8",
    ),
    "archive.error.reader": (
        "{file}：读取工作簿的进程已结束；内存是否不足？请另存为 CSV UTF-8，或重新导入",
        (
            "{file}: the process that reads the workbook has ended; is memory short? save it as CSV UTF-8, "
            "or import it again"
        ),
    ),
    "archive.error.no_csv": (
        '{file}：第 {row} 行：不是 CSV（{why}）；各格应以逗号分隔，含逗号或引号的格写成 "..."',
        (
            "{file}:row {row}: not CSV ({why}); expected cells separated by commas, a cell with a comma or "
            'a quote in it as "..."'
        ),
    ),
    "archive.error.changed": (
        "{file}：读取时文件有变动；请重新导入",
        "{file}: changed while it was read; import it again",
    ),
    "archive.error.utf16": (
        "{file}：是 UTF-16 文本，应为 UTF-8 或 GBK；{how}",
        "{file}: UTF-16 text; expected UTF-8 or GBK; {how}",
    ),
    "archive.error.nul": (
        "{file}：第 {row} 行：有 NUL 字节，应为 CSV 文本；{how}",
        "{file}:row {row}: a NUL byte; expected CSV text; {how}",
    ),
    "archive.error.half_utf8": (
        "{file}：第 {row} 行：第 {at} 字节处不是 UTF-8，其余部分却是；文件已损坏，或由两个文件拼成；{how}",
        (
            "{file}:row {row}: not UTF-8 at byte {at}, though the rest is; the file is damaged or was "
            "joined from two; {how}"
        ),
    ),
    "archive.error.no_text": (
        "{file}：第 {row} 行：第 {at} 字节处既不是 UTF-8 也不是 GBK；{how}",
        "{file}:row {row}: neither UTF-8 nor GBK at byte {at}; {how}",
    ),
    "archive.error.save_as": (
        "请在表格软件中选择“另存为”“CSV UTF-8（逗号分隔）”",
        "in a spreadsheet choose `Save as`, `CSV UTF-8 (comma delimited)`",
    ),
}
"""What is wrong with a file; the English is how `archive` says it, so it is exact."""

OF_FILES: Final = ARCHIVE | FILES
