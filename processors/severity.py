"""How bad a report is, by its evidence; every answer comes with its reason and decides nothing.

Severity orders what people look at. It authorises nothing: words in a stranger's text are cheap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.reports import Severity

SCAN_CHARS_MAX = 20_000
TITLE_CHARS_MAX = 1_000
LABELS_MAX = 100
LABEL_CHARS_MAX = 100
FINDINGS_MAX = 200
"""Of one kind of words in one text: who says "not a crash" that often says nothing more."""
CUE_CHARS = 40
USERS_MANY = 100
USERS_SOME = 10

# A label is somebody's decision, so it wins over words in a text.
_LABELS = {
    **dict.fromkeys(
        (
            "critical",
            "blocker",
            "blocking",
            "p0",
            "sev0",
            "sev1",
            "s0",
            "s1",
            "fatal",
            "highest",
            "showstopper",
            "emergency",
            "urgent",
            "disaster",
            "catastrophic",
            "致命",
            "紧急",
            "阻塞",
            "security",
            "vulnerability",
            "data loss",
            "安全",
        ),
        Severity.CRITICAL,
    ),
    **dict.fromkeys(
        (
            "high",
            "major",
            "p1",
            "sev2",
            "s2",
            "severe",
            "important",
            "crash",
            "error",
            "page",
            "严重",
            "高",
            "重要",
            "崩溃",
        ),
        Severity.HIGH,
    ),
    **dict.fromkeys(
        (
            "medium",
            "moderate",
            "normal",
            "average",
            "p2",
            "sev3",
            "s3",
            "warning",
            "warn",
            "中",
            "一般",
            "普通",
        ),
        Severity.MEDIUM,
    ),
    **dict.fromkeys(
        (
            "low",
            "lowest",
            "minor",
            "trivial",
            "cosmetic",
            "p3",
            "p4",
            "p5",
            "sev4",
            "sev5",
            "s4",
            "info",
            "informational",
            "debug",
            "低",
            "轻微",
            "次要",
        ),
        Severity.LOW,
    ),
}
# Words that a label may be about without naming a severity: "error messages", "high contrast".
_WHOLE_LABEL_ONLY = frozenset({"error", "page", "info", "debug", "warn", "warning", "normal"})
_THINGS = frozenset({"bug", "issue", "defect", "alert"})
_SCALE = re.compile(r"severity|priority|prio|sev|impact|urgency|level|严重程度|严重性|优先级|级别")
_CODE = re.compile(r"(?:p|s|sev)[ -]?(?P<number>[0-5])(?!\w)")
_LABEL_NOT = re.compile(r"\b(?:not?|non|needs?|missing|un)\b|非|不")


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Words that speak for a severity; of one severity the first kind found is the reason."""

    severity: Severity
    pattern: re.Pattern[str]
    softened: bool = True
    """Whether a workaround makes it less bad. Of lost data and open doors none does."""


def _words(severity: Severity, words: str, *, softened: bool = True) -> _Evidence:
    pattern = re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)
    return _Evidence(severity, pattern, softened)


# The worst first. Word boundaries keep "hang" out of "change".
_EVIDENCE = (
    _words(
        Severity.CRITICAL,
        r"security (?:hole|vulnerability|issue|breach|bug|flaw)|vulnerabilit(?:y|ies)"
        r"|remote code execution|rce|sql injection|code injection|command injection|xss|csrf|ssrf"
        r"|cross[- ]site scripting|privilege escalation|auth(?:entication|orization)? bypass"
        r"|bypass(?:es|ed|ing)? (?:auth\w*|login|permissions?)|path traversal|cve-\d{4}-\d{3,7}"
        r"|leak(?:s|ed|ing)? (?:secrets?|passwords?|credentials?|tokens?|personal data)"
        r"|(?:secrets?|passwords?|credentials?) (?:are |is |were )?(?:leaked|exposed)|data breach"
        r"|安全漏洞|漏洞|注入攻击|sql注入|越权|提权|远程代码执行|信息泄[露漏]|数据泄[露漏]"
        r"|密码泄[露漏]",
        softened=False,
    ),
    _words(
        Severity.CRITICAL,
        r"data ?loss|(?:lost|loses?|losing|deletes?|deleted|destroys?|destroyed|wipes?|wiped) "
        r"(?:all )?(?:of )?(?:my|our|the|their|user|customer|unsaved)? ?(?:data|work|files|database"
        r"|records|orders|messages)|(?:data|files?|database|records?) (?:is |are |was |were |get "
        r"|gets "
        r"|got )?(?:lost|corrupt(?:ed)?|destroyed|wiped)|corrupt(?:s|ed|ion)"
        r"|(?:charged|billed) twice|数据(?:全部|都)?(?:丢失|损坏|被清空|没了|不见了)"
        r"|丢(?:失)?(?:了)?数据"
        r"|文件(?:丢失|损坏)|重复扣款",
        softened=False,
    ),
    _words(
        Severity.CRITICAL,
        r"(?:production|prod|site|service|server|system|api|website) (?:is |was |went |goes |are )?"
        r"(?:completely |totally )?down|outage|complete(?:ly)? unusable|nobody can|no ?one can"
        r"|no users? can|all (?:of )?(?:our |the )?(?:users|customers) (?:are|were|get|see|cannot"
        r"|can't)"
        r"|every(?:one|body) (?:is|gets|sees|cannot|can't)|宕机|服务(?:器)?(?:不可用|中断|挂了)"
        r"|(?:全部|所有)(?:的)?(?:用户|客户)(?:都)?(?:无法|不能|受影响)|线上故障"
        r"|生产环境(?:不可用|故障)",
    ),
    _words(Severity.CRITICAL, r"segfault(?:s|ed)?|segmentation fault|kernel panic|段错误"),
    _words(
        Severity.HIGH,
        r"crash(?:es|ed|ing)?|traceback|exception|unhandled|panic(?:s|ked)?|core dump(?:ed)?"
        r"|deadlock(?:s|ed)?|hangs?|hung|freez(?:es|ing)|froze(?:n)?|infinite loop|memory leak"
        r"|leak(?:s|ing)? memory|out of memory|oom(?:[- ]?killed)?|unresponsive"
        r"|(?:cannot|can't|can not|unable to|fails? to|failed to) (?:start|boot|log ?in|sign in"
        r"|save"
        r"|install|open|launch|check ?out|pay)|(?:does(?:n't| not)|won't|will not) (?:start|boot"
        r"|launch"
        r"|open)|崩溃|闪退|死锁|死机|卡死|假死|内存泄[露漏]|内存溢出|未响应|无响应|异常"
        r"|(?:无法|不能)(?:启动|登录|保存|安装|打开|支付|使用|连接)",
    ),
    _words(
        Severity.MEDIUM,
        r"wrong(?:ly)?|incorrect(?:ly)?|fails?|failed|failing|failures?|errors?|broken|breaks"
        r"|(?:does(?:n't| not)|do(?:n't| not)|not|isn't|stopped) work(?:ing)?|regression"
        r"|unexpected(?:ly)?"
        r"|slow|timeouts?|times? out|错误|失败|不正确|报错|出错|不生效|无效|失效|不工作|不起作用"
        r"|有问题|超时|卡顿",
    ),
    _words(
        Severity.LOW,
        r"typos?|spelling|misspelled|cosmetic|alignment|misaligned|wording|docs?|documentation"
        r"|nitpick|minor (?:issue|bug|problem|glitch)|拼写|错别字|文档|对齐|样式|排版|外观|文案",
    ),
)
_COSMETIC = re.compile(
    r"(?<![a-z])(?:(?:purely|only|just) cosmetic|cosmetic (?:issue|bug|problem|only|glitch)|typos?"
    r"|misspell(?:ed|ing)|spelling (?:error|mistake)|nitpick)(?![a-z])|错别字|拼写错误"
    r"|仅(?:是)?(?:样式|外观)",
    re.IGNORECASE,
)
_EVERYBODY = re.compile(
    r"(?<![a-z])(?:for |affects? |affecting |hits? )(?:all|every) (?:of )?(?:our |the )?"
    r"(?:users?|customers?|tenants?)(?![a-z])|(?<![a-z])(?:for|affects?"
    r"|affecting) everyone(?![a-z])"
    r"|(?<![a-z])in production(?![a-z])|(?:影响|导致)?(?:所有|全部)(?:的)?(?:用户|客户)|生产环境"
    r"|线上环境",
    re.IGNORECASE,
)
_WORKAROUND = re.compile(
    r"(?<![a-z])(?:work ?arounds?|worked around|can be (?:worked around|avoided) by"
    r"|restart(?:ing)? (?:it )?(?:helps|fixes|solves))(?![a-z])|临时(?:解决|规避)?(?:方案|方法"
    r"|办法)|可以绕过"
    r"|规避(?:方法|方案)|重启(?:后)?(?:就)?(?:可以|恢复|正常)",
    re.IGNORECASE,
)
# "Not a crash", "no data loss", "without crashing": only small words may stand between.
_NOT_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:no|not|never|without|neither|nor|isn't|is not|wasn't|aren't|doesn't|does not"
    r"|don't|didn't|won't|hasn't|haven't|cannot|can't|no longer|instead of|rather than|prevents?"
    r"|avoids?|fixe[sd]|fix|there is no|there's no|any more)"
    r"(?:[ -](?:a|an|the|any|really|actually|even|ever|cause[sd]?|causing|lead(?:s|ing)? to"
    r"|results? in"
    r"|seem to|be|is|have|see|seen|get|experience|known|more|of|as|kind|sign|risk|currently"
    r"|yet)){0,5}[ -]"
    r"|(?:没有|并没有|没|未|并未|并非|不是|不|不会|无|避免|防止|不再|修复)(?:出现|发生|发现|任何"
    r"|导致|造成|引起|有|了|过|是|的){0,3})\Z",
    re.IGNORECASE,
)
_NOT_BEHIND = re.compile(
    r"\s{0,3}[:：?？]{1,2}\s{0,3}(?:no(?:ne)?|false|n/?a|never|0|无|否|没有|不存在)(?![\w-])"
    r"|\s{0,3}(?:没有|不会|未)(?:发生|出现)|(?:-free|less)(?!\w)",
    re.IGNORECASE,
)
_FENCED = re.compile(r"(?:^|(?<=\n))[ \t]{0,3}(```|~~~)[^\n]{0,200}\n")
_LESS = {Severity.CRITICAL: Severity.HIGH, Severity.HIGH: Severity.MEDIUM}
_ORDER = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.UNKNOWN)


def severity_of(
    title: str,
    text: str,
    labels: tuple[str, ...],
    *,
    has_trace: bool,
    alert_level: str = "",
    users_affected: int | None = None,
) -> tuple[Severity, str]:
    """Return the severity and the reason; `unknown` where nothing speaks for any.

    What somebody decided comes first: a label, then the level of an alert. Then what the words
    say, the worst of them, unless they are negated; code is not read. Never raises.
    """
    for label in labels[:LABELS_MAX]:
        if severity := _of_label(label):
            return severity, f"label {label[:LABEL_CHARS_MAX]!r}"
    if severity := _LABELS.get(alert_level.strip().casefold()):
        return severity, f"alert level {alert_level.strip()[:LABEL_CHARS_MAX]!r}"
    severity, reason = _of_words(title[:TITLE_CHARS_MAX], _prose(text[:SCAN_CHARS_MAX]))
    if has_trace and _worse(Severity.HIGH, severity) and severity is Severity.UNKNOWN:
        severity, reason = Severity.HIGH, "it has a stack trace"
    if users_affected is not None and users_affected >= USERS_SOME:
        least = Severity.HIGH if users_affected >= USERS_MANY else Severity.MEDIUM
        if _worse(least, severity):
            return least, f"{users_affected} users are affected"
    return severity, reason


def _of_label(label: str) -> Severity | None:
    plain = " ".join(re.split(r"[^\w]+|_", label[:LABEL_CHARS_MAX].casefold())).strip()
    if whole := _LABELS.get(plain):
        return whole
    if _LABEL_NOT.search(plain):
        return None
    if code := _CODE.match(plain):
        return _LABELS.get(f"{'p' if plain[0] == 'p' else 'sev'}{code['number']}")
    words = plain.split()
    if _SCALE.search(plain):
        return next((_LABELS[word] for word in words if word in _LABELS), None)
    if len(words) == 2 and words[1] in _THINGS and words[0] not in _WHOLE_LABEL_ONLY:
        return _LABELS.get(words[0])
    return None


def _of_words(title: str, text: str) -> tuple[Severity, str]:
    for evidence in _EVIDENCE:
        for where, words in (("title", title), ("text", text)):
            found = next(_said(evidence.pattern, words), None)
            if found is None:
                continue
            reason = f"{where} says {found.group(0)!r}"
            return _weighed(evidence, reason, title, text)
    return Severity.UNKNOWN, "nothing in the report tells"


def _weighed(evidence: _Evidence, reason: str, title: str, text: str) -> tuple[Severity, str]:
    """Return the severity of evidence once whom it hits and what helps against it is known."""
    severity = evidence.severity
    if severity is Severity.MEDIUM and (found := next(_said(_COSMETIC, title), None)):
        return Severity.LOW, f"title says {found.group(0)!r}"
    if severity is Severity.MEDIUM and (found := next(_said(_COSMETIC, text), None)):
        return Severity.LOW, f"text says {found.group(0)!r}"
    whole = f"{title}\n{text}"
    if severity is Severity.HIGH and (found := next(_said(_EVERYBODY, whole), None)):
        severity, reason = Severity.CRITICAL, f"{reason}, {found.group(0).strip()!r}"
    if evidence.softened and severity in _LESS and next(_said(_WORKAROUND, whole), None):
        severity, reason = _LESS[severity], f"{reason}, and there is a workaround"
    return severity, reason


def _said(pattern: re.Pattern[str], words: str) -> Iterator[re.Match[str]]:
    """Yield what `words` say and do not deny."""
    for number, found in enumerate(pattern.finditer(words)):
        if number == FINDINGS_MAX:
            return
        before = words[max(0, found.start() - CUE_CHARS) : found.start()].rsplit("\n", 1)[-1]
        behind = words[found.end() : found.end() + CUE_CHARS]
        if not _NOT_BEFORE.search(before) and not _NOT_BEHIND.match(behind):
            yield found


def _prose(text: str) -> str:
    """Return the text outside fences: code that says "exception" says nothing about the bug."""
    if "```" not in text and "~~~" not in text:
        return text
    kept: list[str] = []
    at = 0
    while (fence := _FENCED.search(text, at)) is not None:
        kept.append(text[at : fence.start()])
        end = text.find(f"\n{fence[1]}", fence.end() - 1)
        if end < 0:
            at = len(text)
            break
        at = end + 1 + len(fence[1])
    kept.append(text[at:])
    return "\n".join(kept)


def _worse(one: Severity, other: Severity) -> bool:
    return _ORDER.index(one) < _ORDER.index(other)
