"""Products that running text names with a version: "Python 3.11.4 on Windows 10"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from processors.report_text.vocabulary import entry_kind

TEXT_CHARS_MAX = 200_000
OF_A_KIND_MAX = 3
SEEN_MAX = 1_000
CUE_CHARS = 60

_TAIL = r"(?:[-+.]?(?:alpha|beta|rc|dev|b|a|esr|lts)\.?\d{0,4})?"
_VERSION = r"v?\d{1,5}(?:\.\d{1,8}){0,5}" + _TAIL
_DOTTED = r"v?\d{1,4}(?:\.(?:\d{1,8}|x)){1,5}" + _TAIL
_MAC_NAMES = r"(?:high sierra|big sur|sierra|catalina|mojave|monterey|ventura|sonoma|sequoia|tahoe)"
_OS = (
    r"(?<![\w./-])(?:"
    r"(?:microsoft )?windows(?: server)?"
    r" (?:7|8(?:\.1)?|1[01](?:\.\d{1,6}){0,3}|9[58]|20[012]\d(?: r2)?|xp|vista)(?!\.?\w)"
    r"(?: (?:pro|home|enterprise|education|ltsc|x64|x86|(?:32|64)[- ]?bit|\d{2}h\d)){0,3}"
    r"|win ?(?:7|8(?:\.1)?|10|11)(?!\.?\w)(?: ?x64)?"
    r"|windows_nt(?: x64| ia32| arm64)? \d{1,2}\.\d{1,2}\.\d{1,6}"
    r"|(?:darwin|linux) (?:x64|arm64) \d{1,3}\.\d{1,3}\.\d{1,3}[\w.-]{0,40}"
    rf"|mac ?os(?: ?x)?(?: {_MAC_NAMES})?,?(?: version)? \d{{2}}(?:\.\d{{1,3}}){{0,3}}"
    rf"|mac ?os {_MAC_NAMES}|os ?x \d{{2}}(?:\.\d{{1,3}}){{1,2}}"
    r"|(?:ubuntu|linux mint|mint|pop!?_os|deepin|uos|麒麟)(?: linux)?,? \d{1,2}"
    r"(?:\.\d{1,2}){0,2}(?: lts)?"
    r"|(?:debian|fedora|centos|rhel|red hat(?: enterprise linux)?|rocky(?: linux)?|almalinux"
    r"|alpine|amazon linux|opensuse(?: leap)?|oracle linux)(?: linux)?(?: stream)?,?"
    r"(?: gnu/linux)? \d{1,4}(?:\.\d{1,3}){0,3}"
    r"|(?:arch|manjaro|gentoo) linux"
    r"|(?:android|ios|ipados|harmonyos|鸿蒙|chrome ?os) ?\d{1,3}(?:\.\d{1,3}){0,3})(?![a-z0-9_])"
)
_BROWSER = (
    r"(?<![\w./-])(?:google chrome|chrome|chromium|firefox|safari|microsoft edge|edge|opera|brave"
    r"|vivaldi|internet explorer|ie|谷歌|火狐)(?: ?浏览器)?(?: browser)?(?:,? version| 版本)?"
    rf"[ :：]{{1,2}}{_VERSION}(?![a-z0-9_])"
)
_RUNTIMES = (
    ("Python", "python|cpython", r"v?[23](?:\.\d{1,3}){0,2}(?:(?:a|b|rc)\d)?"),
    ("Node.js", r"node(?:\.?js)?", _VERSION),
    ("Java", r"java|jdk|openjdk|jre", _VERSION),
    ("Go", r"go|golang", r"1(?:\.\d{1,3}){1,2}"),
    ("Ruby", "ruby", _DOTTED),
    ("PHP", "php", _DOTTED),
    ("Rust", "rust|rustc", r"1(?:\.\d{1,3}){1,2}"),
    (".NET", r"\.net(?: core| framework| sdk)?", _VERSION),
    ("Docker", r"docker(?: desktop| engine)?", _DOTTED),
    ("Kubernetes", "kubernetes|k8s", _DOTTED),
    ("PostgreSQL", "postgres(?:ql)?", _VERSION),
    ("MySQL", "mysql|mariadb", _VERSION),
)
# ASCII only where letters end a name: in Chinese, "在Windows 10上" has no space behind the number.
_FLAGS = re.IGNORECASE | re.ASCII
_MENTIONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("OS", re.compile(_OS, _FLAGS)),
    ("Browser", re.compile(_BROWSER, _FLAGS)),
    *(
        (
            name,
            re.compile(
                rf"(?<![\w./-])(?:{words})(?:,? version|版本)? ?(?:is )?{number}(?![a-z0-9_])",
                _FLAGS,
            ),
        )
        for name, words, number in _RUNTIMES
    ),
)
# "It works in Chrome 120" names where the bug is not.
_ELSEWHERE = re.compile(
    r"(?:\b(?:works?|worked|working|fine|ok|okay|correctly|correct|good|not (?:reproducible"
    r"|reproduced|happen(?:ing)?|occur(?:ring)?|affected|present|seen|on|in|with)"
    r"|cannot reproduce|can't reproduce|unable to reproduce"
    r"|does(?: not|n't) (?:happen|occur|reproduce|affect)|didn't (?:happen|occur)|unlike"
    r"|no (?:problems?|issues?|errors?|bugs?)|requires?|required|support(?:s|ed)?"
    r"|upgrad(?:e|ed|ing) to|drop(?:ped|s)?|since|until|before|at least|minimum|introduced in"
    r"|fixed in|deprecated|removed|building|off|compatible with|instead of|rather than)\b"
    r"|正常|没有问题|没问题|支持|不会|需要|升级到)[^.;!?。；！？\n]{0,30}\Z",
    re.IGNORECASE,
)
_WORKS_BEHIND = re.compile(
    r"[^.;,!?。；，！？\n]{0,20}(?:\b(?:works?|worked|is fine|is ok|there are no)\b|正常|没有?问题)"
    r"(?! incorrectly)",
    re.IGNORECASE,
)
_NAMED_WITHOUT_DOT = frozenset(pattern for _, pattern in _MENTIONS[:2])
"""Systems and browsers: "Windows 10" is a name and a version."""
_USED = re.compile(
    r"(?:\b(?:on|using|with|running|under|use|version|is)(?: the)?|[用在：:]) ?\Z|\A\s*\Z",
    re.IGNORECASE,
)
_PRODUCT = re.compile(r"[^\d]{0,40}?(?:version|版本)?[ :：]{0,2}(?=v?\d)", re.IGNORECASE)


def mentions(
    texts: Iterable[str], *, known: frozenset[str], prose: bool
) -> Iterator[tuple[str, str]]:
    """Yield (product, version) of what the texts name, but for the kinds in `known`.

    A mention that says where it works, or what is required, is none. Two versions are both told.
    In `prose`, "Java 8" may be anything: it counts only behind a word such as "on".
    """
    text = "\n".join(texts)[:TEXT_CHARS_MAX]
    for key, pattern in _MENTIONS:
        if entry_kind(key) in known:
            continue
        found: dict[str, str] = {}
        for number, mention in enumerate(pattern.finditer(text)):
            if number == SEEN_MAX or len(found) == OF_A_KIND_MAX:
                break
            if not _is_elsewhere(text, mention, prose=prose):
                said = " ".join(mention.group(0).split())
                found.setdefault(said.casefold(), said)
        if found:
            yield key, ", ".join(_version_of(key, said) for said in found.values())


def _is_elsewhere(text: str, mention: re.Match[str], *, prose: bool) -> bool:
    before = text[max(0, mention.start() - CUE_CHARS) : mention.start()].rsplit("\n", 1)[-1]
    named_by_letter = mention.group(0)[:1].isalpha() and mention.re not in _NAMED_WITHOUT_DOT
    if prose and named_by_letter and "." not in mention.group(0) and not _USED.search(before):
        return True
    behind = text[mention.end() : mention.end() + CUE_CHARS]
    return _ELSEWHERE.search(before) is not None or _WORKS_BEHIND.match(behind) is not None


def _version_of(key: str, said: str) -> str:
    """Return "3.11.4" of "Python 3.11.4"; the names of systems and browsers tell, and stay."""
    return said if key in ("OS", "Browser") else _PRODUCT.sub("", said, count=1)
