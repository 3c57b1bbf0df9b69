"""How bad a report is, by the words people use; every answer comes with its reason."""

from __future__ import annotations

import re

from schemas.reports import Severity

# A label is somebody's decision, so it wins over words in a text.
_LABELS = {
    "highest": Severity.CRITICAL,
    "critical": Severity.CRITICAL,
    "blocker": Severity.CRITICAL,
    "p0": Severity.CRITICAL,
    "sev1": Severity.CRITICAL,
    "high": Severity.HIGH,
    "major": Severity.HIGH,
    "p1": Severity.HIGH,
    "sev2": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "p2": Severity.MEDIUM,
    "low": Severity.LOW,
    "lowest": Severity.LOW,
    "minor": Severity.LOW,
    "trivial": Severity.LOW,
    "p3": Severity.LOW,
}
# The worst first: the first phrase found wins. Word boundaries keep "hang" out of "change".
_PHRASES: tuple[tuple[Severity, str], ...] = (
    (
        Severity.CRITICAL,
        r"data loss|lost (?:all )?(?:my|our|the) data|corrupt(?:s|ed|ion)|security hole"
        r"|remote code execution|sql injection|segfault|segmentation fault|production is down"
        r"|outage|数据丢失|宕机|安全漏洞",
    ),
    (
        Severity.HIGH,
        r"crash(?:es|ed|ing)?|traceback|exception|unhandled|deadlock|hangs?|memory leak"
        r"|cannot (?:start|log ?in|save)|崩溃|死锁|无法启动|异常",
    ),
    (
        Severity.MEDIUM,
        r"wrong|incorrect|fails?|failed|failing|error|broken|does(?:n't| not) work|regression"
        r"|错误|失败|不正确",
    ),
    (Severity.LOW, r"typo|spelling|cosmetic|alignment|wording|docs?|documentation|拼写|文档"),
)
_PATTERNS = tuple(
    (severity, re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE))
    for severity, words in _PHRASES
)
SCAN_CHARS_MAX = 20_000


def severity_of(
    title: str, text: str, labels: tuple[str, ...], *, has_trace: bool
) -> tuple[Severity, str]:
    """Return the severity and the reason; `unknown` where nothing speaks for any."""
    for label in labels:
        for word in re.split(r"[^a-z0-9]+", label.casefold()):
            if word in _LABELS:
                return _LABELS[word], f"label {label!r}"
    for where, words in (("title", title), ("text", text[:SCAN_CHARS_MAX])):
        for severity, pattern in _PATTERNS:
            if found := pattern.search(words):
                return severity, f"{where} says {found.group(0)!r}"
    if has_trace:
        return Severity.HIGH, "it has a stack trace"
    return Severity.UNKNOWN, "nothing in the report tells"
