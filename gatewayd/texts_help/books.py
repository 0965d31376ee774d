"""Help of the commands for what is recorded, kept and sent on."""

from typing import Final

RECORDS: Final[dict[str, str]] = {
    "Query records and verify their hash chain.": "查询记录，验证哈希链。",
    "List records, oldest first.": "列出记录，从旧到新。",
    "Only fill, refusal, alarm, ...": "只列出该类：fill 充装，refusal 拒绝，alarm 报警……",
    "Only records of this rig.": "只列出该工位的记录",
    "From this sequence on; without it, the newest records.": "从该序号起；不写则为最新的记录",
    (
        "Read what is left in a damaged store, such as one that was put aside; FILE is only read."
    ): "从损坏的数据库（如已被隔离的）中读出剩余内容；FILE 只读取，不改动。",
    (
        "Each record must prove itself by its hash. Nothing is put back into any store: hand "
        "records.jsonl to the platform that lacks them. Exit 1 when anything is missing or was changed."
    ): (
        "每条记录都须由其哈希证明。不会写回任何数据库：请把 records.jsonl 交给缺少这些记录的平台。"
        "有缺失或被改动时退出码为 1。"
    ),
    "Write records.jsonl, spoilt.jsonl and report.json there.": (
        "把 records.jsonl、spoilt.jsonl 和 report.json 写到该目录"
    ),
    "Show one record by its id or its sequence: the verdict as it was, then the record whole.": (
        "按编号或序号显示一条记录；先是当时的判定，再是整条记录。"
    ),
    (
        "Only the store is read, so that a copy of it (--store) tells the same years later, without "
        "the rule packs and the archive of that day."
    ): ("只读取数据库，因此多年以后，没有当时的规则包和档案，其副本（--store）显示的内容也相同。"),
    "Only the verdict and what it rests on, for a person.": "只显示判定及其依据，便于阅读",
    "Check every record against its hash, its predecessor and the gap-free sequence.": (
        "核对每条记录的哈希、与前一条的衔接，以及序号不缺。"
    ),
    (
        "Exit 1 at the first break, which is named, and when records were lost with a damaged store. "
        "Records that were deleted for their age leave a mark that the rest must fit."
    ): (
        "遇到第一处不符即指明，退出码为 1；有记录随数据库损坏而丢失时也是 1。"
        "到期删除的记录会留下标记，其余记录必须与之吻合。"
    ),
}

STORE: Final[dict[str, str]] = {
    "Copy the store as it is now and prove the copy, page by page and record by record.": (
        "备份当前的数据库，并逐页、逐条验证备份。"
    ),
    "The daemon may run. The copy is one file that needs nothing beside it.": (
        "网关可以在运行。备份只有一个文件，不需要其他文件。"
    ),
    "Default: beside the store. Another disk is better.": "默认在数据库旁边；最好写到另一块磁盘",
    "Put a backup in the place of the store; stop gatewayd first.": (
        "用备份替换数据库；请先停止 gatewayd。"
    ),
    (
        "The replaced store is kept beside. What is newer in it and can be read is taken over: "
        "records, cursors, totalisers, open permits, locks, holds, alarms. Where it cannot be read, a "
        "million sequences are left out, so that none is used twice. The next start compares "
        "totalisers and permits with the gates as after any outage."
    ): (
        "被替换的数据库保留在旁边。其中较新且读得出的内容会被接收：记录、上报进度、累计量、未了结的充装许可、"
        "工位锁定、气瓶锁定、报警。读不出时跳过一百万个序号，以免任何序号用两次。"
        "下次启动时，与每次停机之后一样，用联锁核对累计量和充装许可。"
    ),
    "Who restores; it is recorded.": "由谁恢复；写入记录",
}

SENDING: Final[dict[str, str]] = {
    "Backlog of every upstream, and its dead letters.": "各上级平台待送的和被拒收的记录。",
    "Records that an upstream refused for good, with its reason. None of them is lost.": (
        "上级平台拒收的记录及其理由。一条也不会丢失。"
    ),
    "Only this upstream.": "只限该上级平台",
    "Have dead letters sent again: all, those of one upstream, or single records.": (
        "重新发送被拒收的记录：全部、某个上级平台的，或单条。"
    ),
    (
        "The running daemon takes them up by itself, with the same ids; what is refused again is dead "
        "again. Records that merely wait need no retry."
    ): (
        "运行中的网关会自行发送，记录编号不变；再次被拒收的仍列为拒收。只是在等待的记录不需要重发。"
    ),
    "Only this record.": "只限该条记录",
    (
        "Records that wait for each upstream, the oldest and its age, and how fast they go out now."
    ): "各上级平台待送的记录、最早的一条及其等待时间，以及目前的发送速度。",
    "How long the rate is looked at while records wait; 0: not at all.": (
        "有记录待送时，测量发送速度的秒数；0 表示不测量"
    ),
}

PLATFORMS: Final[dict[str, str]] = {
    "List the schemas and the AsyncAPI document, print the one NAMEd, or write them all.": (
        "列出 JSON Schema 和 AsyncAPI 文档；写 NAME 显示其中一个，或全部写成文件。"
    ),
    (
        "JSON Schema 2020-12, one a kind of record, topic of the board, request and reply; the topic "
        "`info` lists the same ids; `asyncapi` is the AsyncAPI 3 document of all of it over MQTT. More "
        "keys may come in a later version, those required stay."
    ): (
        "JSON Schema 2020-12，每类记录、每个状态主题、每种请求和应答各一个；主题 `info` 列出同样的编号；"
        "`asyncapi` 是全部内容经 MQTT 传输的 AsyncAPI 3 文档。以后的版本可能增加字段，必填字段不会减少。"
    ),
    "Write all to a folder.": "全部写入文件夹",
    (
        "Publish a fixed set to the broker at URL, and say what your subscriber must have afterwards."
    ): "向 URL 处的 MQTT 服务器发布一组固定内容，并说明您的订阅端最后必须收到什么。",
    (
        "Every kind of record and topic, duplicates, an alarm that overtakes, all kinds of letters, "
        "the largest record, retained states, a cut with its will, a restart with the same ids. Start "
        "your subscriber first. With --ack-within your confirmations are counted: exit 0 when none is "
        "missing."
    ): (
        "包括每类记录和主题、重复、先行到达的报警、各种文字、最大的记录、保留消息、断线及其遗嘱消息、"
        "重启后编号不变的记录。请先启动您的订阅端。加 --ack-within 时清点您的确认：一个不缺时退出码为 0。"
    ),
    "Station id in the topics.": "主题中的充装站编号",
    "As the broker wants it.": "MQTT 服务器要求的用户名",
    "Better in GATEWAYD_PASSWORD.": "密码；最好用环境变量 GATEWAYD_PASSWORD",
    "Your side confirms on {prefix}/{station}/ack: wait so many seconds without any news.": (
        "您的一方在 {prefix}/{station}/ack 上确认：等待多少秒没有新消息为止"
    ),
    "Mappings: how records are said in the words of another platform.": (
        "平台映射：怎样按另一平台的字段表达记录。"
    ),
    "Every mapping: its id, what it is for, the kinds of records it takes, whether it was tried.": (
        "列出全部平台映射：编号、用途、适用的记录类别、是否实测过。"
    ),
    "One mapping: source, caveats, what it asks the station for, and every request it makes.": (
        "显示一个平台映射：来源、注意事项、需要本站提供什么，以及它发出的每个请求。"
    ),
    "Run the examples inside mappings; exit 1 when one comes out otherwise.": (
        "运行平台映射中的示例；有一个结果不符时退出码为 1。"
    ),
    "Nothing is sent. Without FILE or ID: every mapping there is.": (
        "不会发送任何内容。不写 FILE 或 ID 时运行全部平台映射。"
    ),
    "Everything that a mapping may read of a record, and what it may call.": (
        "列出平台映射可以读取的记录内容，以及可以调用的函数。"
    ),
}
