"""Help of the commands that set a station up: try it, check it, find and test its devices."""

from typing import Final

RUNNING: Final[dict[str, str]] = {
    "A station on loopback: cylinders arrive, legal ones fill, illegal ones are refused.": (
        "在本机运行模拟充装站：气瓶到来，合法的充装，不合法的拒绝。"
    ),
    (
        "Simulated devices speak the real protocols over TCP and ptys; the daemon is the real one; an "
        "independent subscriber counts what reaches MQTT. --minutes 0 runs until Ctrl-C. Exit 0 when "
        "fills + refusals = records received, without a gap, and net masses = totaliser. With -c DIR "
        "configuration, store and log are written there and kept; DIR must be empty or new."
    ): (
        "模拟设备通过 TCP 和虚拟串口使用真实协议；网关就是真正的网关程序；另有独立的订阅端清点 MQTT 收到的记录。"
        "--minutes 0 表示一直运行到 Ctrl-C。充装 + 拒绝 = 收到的记录、序号不缺、净重合计 = 累计量时，退出码为 0。"
        "加 -c DIR 时，配置、数据库和日志写入该目录并保留；DIR 必须是空目录或尚不存在。"
    ),
    "The same seed brings the same cylinders.": "随机种子；相同的种子产生相同的气瓶",
    "Your broker, mqtt://HOST:PORT, instead of ours.": (
        "改用您的 MQTT 服务器，写作 mqtt://主机:端口"
    ),
    "Save a screen as SVG.": "把画面保存为 SVG 图片",
    "Run the daemon until SIGTERM or Ctrl-C; every gate is closed before it ends.": (
        "运行网关，直到收到 SIGTERM 或按 Ctrl-C；结束前关闭所有联锁。"
    ),
    "Log format.": "日志格式",
}

CONFIGURATION: Final[dict[str, str]] = {
    "Validate the whole configuration; exit 1 and list everything that is wrong.": (
        "检查整个配置；有错误时全部列出，退出码为 1。"
    ),
    "Show the effective configuration, what a reload would change, or the JSON Schemas.": (
        "显示生效的配置、重新加载会改变什么，或 JSON Schema。"
    ),
    "Print what a reload would change, and touch nothing. Exit 1: the files are wrong.": (
        "显示重新加载会改变什么，不作任何改动。退出码 1：配置文件有错误。"
    ),
    "Print the JSON Schema of one kind of file, or of all; they know every installed driver.": (
        "显示一种或全部配置文件的 JSON Schema；包含已安装的每个驱动。"
    ),
    "Write them to a folder.": "写入文件夹",
    "Print every value in force with its origin (file:line:column or default), secrets masked.": (
        "显示生效的每个值及其来源（文件:行:列，或默认值）；密码等已遮盖。"
    ),
    (
        "Ask for a password and print what to write for it: web.users.NAME.password in gateway.yaml."
    ): "询问密码，显示应写入配置的内容；写在 gateway.yaml 的 web.users.NAME.password。",
}

DEVICES: Final[dict[str, str]] = {
    "List serial ports, USB devices and readers on named hosts, with a guess of what each is.": (
        "列出串口、USB 设备和指定主机上的读写器，并推测各是什么。"
    ),
    (
        "Serial ports are listened to and, with --ask, asked one question after the other. Ports of "
        "configured devices and ports that another program holds are left alone."
    ): "串口先监听；加 --ask 时再逐一询问。已配置设备的串口和被其他程序占用的串口不会触碰。",
    "Look there too.": "同时查找该主机",
    "Also ask free serial ports harmless questions.": "对空闲串口再发送无害的询问",
    (
        "Open one device, say what it is, read once and show its frames; the daemon is not involved."
    ): "单独测试一台设备：识别型号，读取一次，显示数据帧；不经过运行中的网关。",
    (
        "Exit 0 when it answered, 1 when it answers but something is wrong, 3 when it cannot be "
        "reached."
    ): "退出码：0 设备有应答；1 有应答但有问题；3 无法连接设备。",
    "How long to wait for a read.": "等待读数的秒数",
    "Probe a device that is not configured.": "测试未配置的设备，写驱动名",
    "A setting, e.g. link.tcp=192.168.1.30:6000.": "一项设置，如 link.tcp=192.168.1.30:6000",
    "Words of a tag.": "读取标签存储区",
    "Needs --uid.": "写入标签存储区；需要 --uid",
    "The tag whose memory is meant.": "指明是哪个标签",
    "Write without asking.": "写入前不询问",
    "Tell a scanner to look.": "触发扫码枪扫描",
    "Registers live on a terminal, until Ctrl-C.": "在终端上持续刷新寄存器，直到 Ctrl-C",
    "Look for unit, base, word order, speed; reads only.": (
        "查找 unit（从站地址）、起始编号、字序和波特率；只读取"
    ),
    "The units of --hunt.": "--hunt 查找的 unit 范围",
    "A setting, once the name is typed.": "写入一项设置；须输入设备名确认",
    "List the installed device drivers with their settings; NAME tells everything of one.": (
        "列出已安装的设备驱动及其设置；写 NAME 显示该驱动的全部信息。"
    ),
}

FORMATS: Final[dict[str, str]] = {
    "List the formats of frames, tags and codes, what proves them, and their caveats.": (
        "列出数据帧、标签和条码的格式、校验方式和注意事项。"
    ),
    "Register maps: `profiles [NAME]` shows them, `profiles test` puts them on trial.": (
        "寄存器表：`profiles [NAME]` 显示，`profiles test` 试验。"
    ),
    "List the register maps, shipped and of the site; NAME shows its registers.": (
        "列出寄存器表，包括随程序提供的和本站的；写 NAME 显示其寄存器。"
    ),
    "Put register maps on trial; exit 1 when one fails.": "试验寄存器表；有一个失败时退出码为 1。",
    (
        "Places, round trips and scaling are proven, then the real driver weighs a device that is made "
        "from the map and lies in every way it can: the weight must be unknown, never wrong or zero. "
        "No hardware; loopback only. Without FILE or ID: every map there is."
    ): (
        "先证明寄存器位置、编码往返和比例换算，再用真实驱动称量一台按该表模拟、以各种方式出错的设备：此时重量必须为未知，"
        "不得为错误值或零。不需要硬件，只在本机进行。不写 FILE 或 ID 时试验全部寄存器表。"
    ),
    "Decode a device frame, a tag's memory or a barcode; exit 1 when it is not valid.": (
        "解码设备数据帧、标签存储区或条码；无效时退出码为 1。"
    ),
    (
        "DATA is hex (blanks, colons, dashes and 0x are fine) or text; - reads it from standard input."
    ): "DATA 是十六进制（可带空格、冒号、短横和 0x）或文本；写 - 则从标准输入读取。",
    "Decode as this format, or a layout of tags/*.yaml; else it is guessed.": (
        "按此格式或 tags/*.yaml 中的标签布局解码；不写则自动判断"
    ),
    "Decode as a frame of this device protocol.": "按此设备协议的数据帧解码",
    "Formats: {names}; and those of drivers that are installed.{later}": (
        "格式：{names}；以及已安装驱动的格式。{later}"
    ),
}
