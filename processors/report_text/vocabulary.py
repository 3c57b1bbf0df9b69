"""The words people title the parts of a report with, in English and Chinese."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

TITLE_CHARS_MAX = 120
CACHED_TITLES_MAX = 4_096


class Part(StrEnum):
    """A part of a report. `other` is a title that is known to open none of those we read."""

    STEPS = "steps"
    EXPECTED = "expected"
    ACTUAL = "actual"
    ENVIRONMENT = "environment"
    ENTRY = "entry"
    """One entry of the environment, such as "Browser"."""
    VERSION = "version"
    COMPONENT = "component"
    OTHER = "other"


_BEHAVIOUR = r"(?:behaviou?rs?|results?|outcomes?|outputs?|effects?|responses?)"
_STEPS = (
    r"(?:the )?(?:exact |minimal |detailed |reproduction |reproducible |reproducing |repro )?"
    r"(?:steps?|code|procedure|commands?|script)(?:[ /]code)?(?: (?:needed|required))?"
    r" (?:to|for) (?:the )?"
    r"(?:re ?produc(?:e|ing|tion)|repro|replicate|recreate)(?: .{0,40})?"
    r"|(?:the )?(?:exact |minimal |detailed |reproduction |reproducible |repro )?steps?"
    r"|(?:to|how to|how do (?:i|we|you)|how can (?:i|we|you|it be)|how (?:did|do) you)"
    r" (?:reproduced?|repro|replicate|recreate)(?: .{0,60})?"
    r"|describe (?:how to|the steps to) reproduce(?: .{0,40})?"
    r"|(?:minimal |complete |bug )?(?:reproduction|repro|reproducer|reproduce|replication)"
    r"(?: (?:steps?|instructions?|procedure|case|code|example|script|information))?"
    r"|(?:minimal|minimum|mcve|complete)(?: complete| verifiable| reproducible){0,3}"
    r" (?:example|code|reproduction)(?: to reproduce)?|mcve|mwe|str"
    r"|what (?:steps|commands?|code) (?:will |did |does |can )?(?:you )?(?:reproduces?|run|take)"
    r"(?: .{0,40})?|what did you do|what were you doing(?: .{0,40})?|test ?case"
    r"|example to reproduce|how to trigger(?: .{0,40})?|actions? performed"
    r"|(?:问题|缺陷|bug|详细|完整|最小|具体)?(?:的)?(?:复现|重现|再现|復現|重現|操作|测试|測試|触发)"
    r"(?:的)?(?:步骤|步驟|方式|方法|过程|流程|路径|代码|示例|demo|条件)?"
    r"|步骤|步驟|(?:如何|怎么|怎样)(?:复现|重现|触发)(?:.{0,20})?|你(?:都)?做了什么|前置步骤"
)
_EXPECTED = (
    r"(?:the |describe the |describe |your )?(?:expected|desired|intended|correct)"
    rf"(?: (?:actual )?{_BEHAVIOUR})?"
    r"|expectations?|expect(?:ed)? to (?:happen|see)|should be"
    r"|whats? (?:was |is )?expected|what (?:is|was|were) (?:the )?(?:you )?expect(?:ed|ing)"
    rf"(?: {_BEHAVIOUR})?|what (?:did |do |have |would )?(?:you|i|we)(?: have| were| was| would)?"
    r" expect(?:ed|ing)?(?: .{0,40})?|what should(?: have)? happen(?:ed)?(?: .{0,30})?"
    r"|what is the expected (?:output|behaviou?r|result)(?: .{0,40})?"
    r"|(?:你)?(?:的)?(?:期望|预期|期待|預期|正确|应有)(?:的)?"
    r"(?:结果|行为|表现|效果|输出|現象|现象|結果|行為|情况|是什么|值)?"
    r"|(?:你)?(?:期望|预期|希望)(?:看到|发生)(?:的)?(?:什么|结果)?|应该(?:是|发生什么)"
)
_ACTUAL = (
    r"(?:the |describe the |describe )?(?:actual|current|observed|buggy|unexpected|existing)"
    rf" {_BEHAVIOUR}|actual|actually|observed|instead"
    r"|what (?:actually )?(?:happens|happened|goes wrong|went wrong|happen)(?: .{0,20})?"
    r"|what (?:did|do) you (?:actually )?(?:see|get|observe)(?: .{0,20})?"
    r"|what (?:i|we) (?:see|got|saw)(?: instead)?"
    r"|what is (?:the )?(?:actual|current) (?:behaviou?r|result)(?: .{0,20})?|observations?"
    r"|(?:问题|当前|实际|目前|現在|實際|故障|错误|异常|bug)(?:的)?"
    r"(?:结果|行为|表现|现象|效果|输出|情况|結果|行為)"
    r"|实际|现象|实际(?:上)?(?:发生|看到)了?(?:的)?(?:什么|情况)?|发生了什么"
)
_SYSTEM = (
    r"(?:my |your |the |test(?:ing)? |runtime |system |desktop |local |user |build |software "
    r"|server |client |host |execution |development |dev )?environments?"
    r"(?: (?:info(?:rmation)?|details?|data|description|setup|and versions?|in which .{0,40}"
    r"|where .{0,40}))?|env(?: info)?"
    r"|(?:system|platform|device|version|versions|machine|hardware|setup|debug|diagnostic"
    r"|technical|os|browser|installation|build|product|software) "
    r"(?:info(?:rmation)?s?|details?|specs?|specifications?|data)"
    r"|(?:package|software|library|dependency|installed|relevant|component|tool) versions?"
    r"(?: used)?|versions|specs|desktop|smartphone|mobile|your setup"
    r"|about your (?:system|environment)"
    r"|output of .{0,20}(?:version|versions|info|doctor|show).{0,20}"
    r"|versions? of .{0,40}(?:used|installed)|context"
    r"|(?:系统|运行|软件|测试|開發|开发|操作|使用|硬件|你的|本地|部署|复现|生产)?(?:的)?环境"
    r"(?:信息|配置|说明|描述|版本)?|環境(?:資訊)?"
    r"|(?:系统|设备|版本|软件|平台|机器|配置|浏览器)(?:信息|详情|配置)"
)
_RUNTIMES = (
    r"python|cpython|pypy|pip|conda|node(?: ?js)?|nodejs|npm|yarn|pnpm|deno|bun|java|jdk|jre|jvm"
    r"|openjdk|kotlin|scala|maven|gradle|go|golang|ruby|rails|php|composer|rust|rustc|cargo|net"
    r"|dotnet|clr|docker(?: compose)?|podman|kubernetes|k8s|kubectl|helm|postgres(?:ql)?|mysql"
    r"|mariadb|sqlite|redis|mongo(?:db)?|kafka|nginx|apache|django|flask|fastapi|react|vue|angular"
    r"|electron|typescript|webpack|vite|numpy|pandas|scipy|matplotlib|torch|pytorch|tensorflow"
    r"|cuda|cudnn|gcc|clang|llvm|cmake|glibc|git|shell|terminal|compiler|gpu|cpu|flutter|dart"
    r"|swift|xcode"
)
_ENTRY = (
    r"(?:your |host |the |client |server |guest |what )?(?:os(?: ?es)?|operating systems?|windows"
    r"|macos|linux(?: distro| distribution)?|distro|distribution|platforms?|kernel"
    r"|arch(?:itecture)?|cpu arch)"
    r"(?: ?(?:and|/)? ?(?:version|type|name|build|info|are you (?:using|on)|platform|arch))*"
    r"|(?:which |what |your |affected |web )?browsers?(?: ?(?:and|/)? ?(?:version|name|type|os"
    r"|are you (?:using|seeing the problem on)|affected))*|user ?agent|devices?(?: model| type)?"
    r"|phone|model|screen(?: resolution)?|resolution|locale|timezone|database(?: version)?"
    r"|memory|ram|hardware"
    rf"|(?:your |the )?(?:{_RUNTIMES})(?: (?:and .{{0,20}} )?versions?(?: number)?)?"
    r"|(?:操作)?(?:系统|系統)(?:类型|名称)?(?:及|和)?(?:版本|版本号)?"
    r"|浏览器(?:类型|名称)?(?:及|和)?(?:版本|版本号)?|瀏覽器(?:版本)?|(?:手机|设备|机型)(?:型号|类型)?"
    rf"|型号|平台|数据库(?:版本)?|内存|显卡|分辨率"
    rf"|(?:{_RUNTIMES}) ?(?:的)?版本(?:号)?|(?:系统)?架构"
)
_VERSION = (
    r"(?:the |your |affected |affects |product |app(?:lication)? |software |current |package "
    r"|release |client |server |plugin |extension |library |project |module |which |found in "
    r"|bug in )?(?:versions?(?:s)?|release)(?: ?(?:number|info|affected|used|tested|with bug"
    r"|of .{1,40}|are you (?:using|running)|found))?"
    r"|(?:what|which) (?:version|release)s?(?: .{0,60})?"
    r"|\w[\w.+-]{0,30}(?: \w[\w.+-]{0,30}){0,2} version(?: used)?"
    r"|(?:软件|产品|应用|程序|客户端|服务端|当前|使用(?:的)?|项目|受影响(?:的)?|影响(?:的)?|发现|所用|插件|app)?"
    r"(?:版本|版本号)|[\w.+-]{1,30} ?版本(?:号)?"
)
_COMPONENT = (
    r"(?:the |which |what |affected |impacted |relevant |related )?(?:components?|modules?|areas?"
    r"|subsystems?|sub ?projects?|packages?)(?: ?(?:s|name|affected|area|path|is affected"
    r"|are affected|does this .{0,40}|is this .{0,40}))?|which part(?: .{0,40})?"
    r"|(?:what |which )(?:components?|areas?|packages?|modules?)(?: .{0,60})?"
    r"|(?:所属|相关|受影响(?:的)?|影响(?:的)?|涉及(?:的)?|问题|功能)?(?:组件|模块|模組|元件)(?:名称?)?"
)
_OTHER = (
    r"(?:bug |issue |problem |short |brief |the )?(?:description|summary|overview)"
    r"|describe (?:the|your) .{0,60}|(?:the )?(?:problem|bug|issue|issue type|question|motivation"
    r"|background|proposal)|(?:any )?(?:additional|other|further|more|extra) .{0,40}"
    r"|anything else.{0,60}|screenshots?(?: .{0,30})?|videos?|attachments?"
    r"|(?:relevant |error |debug |console )?(?:logs?|log output|outputs?)"
    r"|stack ?traces?|tracebacks?|error(?: messages?)?|exceptions?|notes?|remarks?|comments?"
    r"|references?|links?"
    r"|(?:possible |proposed |suggested |potential )?(?:solutions?|fix(?:es)?|workarounds?"
    r"|implementation)|(?:root )?causes?|impact|severity|priority|regression.{0,20}|checklist"
    r"|code of conduct|acceptance criteria|pre ?(?:requisites?|flight.{0,20}|conditions?)"
    r"|analysis|investigation|code|diff|is there .{0,40}|are you willing .{0,60}|how often.{0,40}"
    r"|alternatives.{0,40}|buggy code|patch|test(?:s|ing)?|details|example|reproducibility"
    r"|expected (?:and|vs|versus) actual.{0,20}"
    r"|(?:问题|缺陷|bug|错误|详细|简要)?(?:描述|说明|概述|摘要|详情)"
    r"|(?:运行|错误|报错|相关)?(?:截图|日志|信息|附件)|备注|其他(?:信息|说明|补充)?|补充(?:信息|说明)?"
    r"|附加(?:信息|说明)|(?:解决|修复|建议)(?:方案|方法|建议)|(?:问题|根本|可能)?原因(?:分析)?"
    r"|影响(?:范围)?|严重程度|优先级|标题|概要|临时方案"
)
# The narrow ones first: "Python version" is an entry, "Airflow version" the version.
_PARTS = tuple(
    (part, re.compile(words))
    for part, words in (
        (Part.STEPS, _STEPS),
        (Part.EXPECTED, _EXPECTED),
        (Part.ACTUAL, _ACTUAL),
        (Part.ENVIRONMENT, _SYSTEM),
        (Part.ENTRY, _ENTRY),
        (Part.COMPONENT, _COMPONENT),
        (Part.OTHER, _OTHER),
        (Part.VERSION, _VERSION),
    )
)
_SHORTCODE = re.compile(r":[a-z_]{2,30}:")
_ORDINAL = re.compile(r"\s*(?:\d{1,2}\s?[.)、．]|[一二三四五六七八九十]{1,3}\s?[、.．])\s*")
_ASIDE = re.compile(r"[(（\[][^()（）\[\]]{0,120}[)）\]]")
_NOT_WORD = re.compile(r"[^\w./+-]+|[./](?=\s|$)")
_LATIN = re.compile(r"[a-z0-9 .+-]+")
_CJK = re.compile(r"[\u3400-\u9fff]+")


@lru_cache(maxsize=CACHED_TITLES_MAX)
def part_of(title: str) -> Part | None:
    """Return the part that a title opens; None where the words are not known."""
    if len(title) > TITLE_CHARS_MAX:
        return None
    plain = _ORDINAL.sub("", _SHORTCODE.sub(" ", title.casefold()), count=1)
    plain = plain.replace("'", "").replace("’", "")
    aside = _ASIDE.sub(" ", plain)
    for words in dict.fromkeys((aside if aside.strip() else plain, plain)):
        part = _part_of_words(words)
        if part is not None:
            return part
    return None


def _part_of_words(plain: str) -> Part | None:
    plain = plain.replace("_", " ")
    whole = " ".join(_NOT_WORD.sub(" ", plain).split())
    tries = [whole, " ".join(whole.replace("/", " ").replace("-", " ").split())]
    # Titles in two languages: "复现步骤 / Steps to reproduce", "环境 Environment".
    halves = re.split(r"\s*[/|]\s*", plain)
    if len(halves) > 1:
        tries += [" ".join(half.split()) for half in halves[:3]]
    latin, cjk = " ".join("".join(_LATIN.findall(whole)).split()), "".join(_CJK.findall(whole))
    for words in dict.fromkeys(tries):
        if part := _part_in_one_language(words):
            return part
    if latin and cjk and (part := _part_in_one_language(latin)):
        return part if part is _part_in_one_language(cjk) else None
    return None


def _part_in_one_language(words: str) -> Part | None:
    for part, pattern in _PARTS:
        if words and pattern.fullmatch(words):
            return part
    return None


def entry_kind(key: str) -> str:
    """Return what an entry of the environment speaks of ("os", "browser", "python"), else ""."""
    plain = key.casefold()[:TITLE_CHARS_MAX]
    for kind, words in _KINDS:
        if words.search(plain):
            return kind
    return ""


_KINDS = tuple(
    (kind, re.compile(words))
    for kind, words in (
        ("browser", r"\bbrowser|浏览器|瀏覽器|\bchrom|\bfirefox|\bsafari"),
        ("python", r"\bc?python\b"),
        ("node", r"\bnode"),
        ("java", r"\bjava\b|\bjdk|\bjre"),
        ("go", r"\bgo(?:lang)?\b"),
        ("ruby", r"\bruby"),
        ("php", r"\bphp"),
        ("rust", r"\brust"),
        (".net", r"\.net|\bdotnet"),
        ("docker", r"\bdocker"),
        (
            "os",
            r"\bos\b|operating system|platform|distro|\bwindows|\bmac ?os|\blinux|\bdarwin"
            r"|\bandroid|\bios\b|系统|系統|平台",
        ),
    )
)
