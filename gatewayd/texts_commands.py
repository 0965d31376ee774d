"""What a platform is answered, (zh, en) by key; a part of the catalogue in `texts.py`."""

from typing import Final

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "command.unknown": ("未知命令；命令：{known}", "unknown command; commands: {known}"),
    "command.not_allowed": (
        "本平台无权执行 {command}；请在 gateway.yaml 的 upstreams.{upstream}.commands 中列出",
        (
            "{command} is not allowed to this platform; name it in upstreams.{upstream}.commands of "
            "gateway.yaml"
        ),
    ),
    "command.retained": (
        "保留消息不执行；请以非保留方式发布，并清除该主题的保留消息",
        "a retained request is not carried out; publish it without retain, and clear the topic",
    ),
    "command.too_large": ("请求 {bytes} 字节，最多 {most}", "{bytes} bytes; at most {most}"),
    "command.no_json": ("不是 JSON：{why}", "not JSON: {why}"),
    "command.no_object": ("不是 JSON 对象", "JSON, but no object"),
    "command.wrong": ("请求有误，见 mistakes", "the request is wrong, see mistakes"),
    "command.clock_untrusted": (
        "网关时钟不可信（{why}），无法判断请求是否过期；请先校准时钟",
        (
            "the gateway's clock is in doubt ({why}): whether a request has expired cannot be told; "
            "put the clock right first"
        ),
    ),
    "command.expired": (
        "请求已于 {expires} 过期，现在 {now}",
        "expired at {expires}, now it is {now}",
    ),
    "command.lives_too_long": (
        "expires 最多在 {most} 小时之后",
        "expires lies more than {most} hours ahead; expected at most that",
    ),
    "command.repeated": (
        "该编号的请求已处理过，结果见 first；新请求请用新编号",
        "this id was settled before, see first; a new request needs a new id",
    ),
    "command.under_way": (
        "该编号的请求正在执行，完成后回复",
        "this request is being carried out; its reply follows",
    ),
    "command.busy": (
        "等待执行的请求已有 {most} 个；请等到回复后再发",
        "{most} requests wait already; send again after a reply",
    ),
    "command.too_many_kept": (
        "未过期的请求已有 {most} 个；请缩短 expires，稍后再发",
        "{most} requests have not expired yet; let them expire sooner, send again later",
    ),
    "command.store_unavailable": (
        "数据库无法写入，未作任何更改；请用同一编号重发",
        "the store cannot be written, nothing was changed; send again under the same id",
    ),
    "command.no_alarm": (
        "没有未结束的报警 {kind} {subject}",
        "no alarm {kind} {subject} stands",
    ),
    "command.broken": (
        "网关执行时出错，未作任何更改；详情见日志",
        "the gateway failed at it, nothing was changed; its log says how",
    ),
    "command.not_yours": (
        "由 {by} 锁定，本平台不能更改；请在站内解除",
        "{by} did that, and this platform cannot change it; it is ended at the station",
    ),
    "command.rows_refused": (
        "{rows} 行中有 {refused} 行被拒，其余已生效",
        "{refused} of {rows} rows were refused; the others are in force",
    ),
    "command.card_taken": (
        "卡已属于他人，未作任何更改：{why}",
        "a card belongs to somebody else, nothing was changed: {why}",
    ),
    "command.switching": (
        "上一份快照正在切换；请等其回复后再发",
        "the last snapshot is being switched over; send again after its reply",
    ),
    "command.snapshot_old": (
        "版本 {given} 不比已生效的 {newest} 新",
        "version {given} is not newer than {newest}, which is in force",
    ),
    "command.snapshot_differs": (
        "chunks、columns 或 source_version 与快照 {snapshot} 先前各块不同；请保持一致，或换新的编号",
        (
            "chunks, columns or source_version differ from earlier chunks of snapshot {snapshot}; "
            "expected the same in each, or a new snapshot_id"
        ),
    ),
    "command.no_such_chunk": (
        "第 {chunk} 块超出总数 {chunks}",
        "chunk {chunk} is beyond chunks, {chunks}",
    ),
    "command.shelf_taken": (
        "平台 {upstream} 的快照尚未收完；请稍后再发",
        "a snapshot of {upstream} is coming in; send again later",
    ),
    "command.sha256_differs": (
        "第 {chunk} 块的 sha256 与 rows 不符；请重发该块",
        "sha256 of chunk {chunk} is not that of its rows; send the chunk again",
    ),
    "command.columns_wrong": (
        "columns 须含档案模板的全部列，各一次；缺少：{lacking}",
        "columns must name every column of the archive's template, each once; lacking: {lacking}",
    ),
    "command.chunk_refused": (
        "第 {chunk} 块有误，未收；整份快照不生效，请更正后重发该块",
        (
            "chunk {chunk} has mistakes and was not kept; nothing of the snapshot counts until it "
            "comes again without"
        ),
    ),
    "command.snapshot_refused": (
        "整份快照被拒，档案未变；错误 {count} 处，请更正后重发有关的块",
        (
            "the snapshot was refused, the archive is as it was; {count} mistakes, send those chunks "
            "again without them"
        ),
    ),
    "command.starting": ("网关正在启动，请稍后再试", "the gateway is starting; ask again soon"),
    "command.config_wrong": (
        "配置文件有误，重新加载不会有任何更改",
        "the configuration is wrong; a reload would change nothing",
    ),
    "command.no_such_records": (
        "没有这些记录；序号为 1 到 {last}，且 from_seq 不大于 to_seq",
        "there are no such records; they go from 1 to {last}, from_seq not above to_seq",
    ),
    "command.too_many_records": (
        "一次最多重发 {most} 条",
        "at most {most} records are sent again at once",
    ),
    "command.resends_waiting": (
        "已有 {most} 个重发请求在等待",
        "{most} ranges wait to be sent again already",
    ),
}
"""By the code of the refusal."""
