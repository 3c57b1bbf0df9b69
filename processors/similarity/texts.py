"""What of a report's text says something: boilerplate goes, words and letters stay."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from zlib import crc32

TEXT_CHARS_MAX = 8_000
"""Of a text; what comes after is of logs and dumps."""
WORDS_MAX = 600
TITLE_GRAMS_MAX = 600
TITLE_WEIGHT = 2
"""What a word of the title counts beside one of the body."""
CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
CJK_SHARE_MIN = 0.15
"""Of the letters: from there on a text is read as Chinese, Japanese or Korean."""

_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'|\])]+", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HEX = re.compile(
    r"\b(?:0x[0-9a-f]+|(?=[a-f]*\d)[0-9a-f]{12,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b",
    re.I,
)
_PATH = re.compile(r"(?:[A-Za-z]:\\|~?/)(?:[\w.+@ -]+[\\/])+(?=[\w.+@-])")
"""The folders; the name of the file itself stays."""
_MARKS = " \t#*_=>+.:：、【】[]()-0123456789"
"""What stands around the words of a heading."""
_AGENT = "mozilla/5.0 ("
_MACHINES = (
    *("user agent:", "user-agent:", "useragent:", "build identifier:"),
    "this bug was initially created as a clone of",
)
"""How lines begin that a program put in."""
PROMPT_CHARS_MAX = 70
_PROMPT = re.compile(r"[#*_=\s>-]*[\w' /()]{2,60}[:：?？]?[#*_=\s]*")
_PROMPTS = re.compile(
    r"\b(?:steps? to reproduce|to reproduce|how to reproduce|reproducib\w+|actual|expected"
    r"|describe the bug|description|environment|screenshots?|additional (?:context|info\w*)"
    r"|issue type|bug report|version|os version|operating system|extensions?|what happened"
    r"|what did you expect|summary|preconditions|checklist|what version|browser)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?。！？])")
PLACEHOLDER_CHARS_MAX = 240
_TOO_LARGE = re.compile(r"\bdata\b.*\btoo (?:large|big|long) to (?:be )?sen[dt]\b")
_WRITTEN = re.compile(r"\b(?:we|it) ?(?:'ve|’ve|have|has been)\b.*\bclipboard\b")
_PASTE = re.compile(r"please paste(?: it)?(?: here)?[.!]?|请(?:在此)?粘贴。?|_?no response_?")
_TYPE = re.compile(
    r"(?:issue )?type: ?(?:<b>)?(?:bug|feature request|performance issue)(?:</b>)?\.?"
)
_WITH_EXTENSIONS = "does this issue occur when all extensions are disabled"
_CHINESE_HEADS = (
    "复现步骤 重现步骤 再现步骤 问题描述 描述 实际结果 实际行为 预期结果 预期行为 期望结果 期望行为"
    " 环境信息 运行环境 环境 系统版本 版本 版本号 截图 日志 补充信息 其他信息 步骤"
)
_CHINESE_PROMPTS = frozenset(_CHINESE_HEADS.split())
_WORD = re.compile(rf"[{CJK}]+|[A-Za-z_][\w]*|\d+(?:[.\d]*\d)?|[^\W\d_]+")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_IS_CJK = re.compile(rf"[{CJK}]")
_TITLE_WORD = re.compile(r"\w+(?:[.+#-]+\w+)*")
_IDLING = (
    "a an and are as at be been by can cannot do does for from get gets has have if in into is it"
    " its no not of on or our out should so than that the their there this to up was we when"
    " which while will with without you your after before but over under"
)
_IDLE = frozenset(_IDLING.split())


def cleaned(text: str) -> str:
    """Return `text` without what templates, browsers and machines put into every report."""
    text = _COMMENT.sub(" ", text[:TEXT_CHARS_MAX])
    for pattern in (_URL, _HEX, _PATH):
        text = pattern.sub(" ", text)
    lines = (_without_agent(line.strip()) for line in text.splitlines())
    kept = (_without_placeholders(line) for line in lines if line and not _is_template(line))
    return "\n".join(line for line in kept if line)


def _without_agent(line: str) -> str:
    at = line.casefold().find(_AGENT)
    return line if at < 0 or _is_template(line) else line[:at].strip()


def _is_template(line: str) -> bool:
    """Return whether a line only asks for what stands below it, or was put in by a program."""
    bare = line.strip(_MARKS)
    if line.lstrip(_MARKS).casefold().startswith(_MACHINES) or bare in _CHINESE_PROMPTS:
        return True
    return (
        len(line) <= PROMPT_CHARS_MAX
        and bool(_PROMPT.fullmatch(line))
        and bool(_PROMPTS.search(line))
        and (line.rstrip("*_ ").endswith((":", "?", "：")) or line.startswith(("#", "*", "=")))
    )


def _without_placeholders(line: str) -> str:
    """Return what a person wrote of a line, and not the sentences that a dialog put in."""
    return "".join(one for one in _SENTENCE.split(line) if not _is_placeholder(one)).strip()


def _is_placeholder(sentence: str) -> bool:
    said = sentence.strip().casefold()
    if not said or len(said) > PLACEHOLDER_CHARS_MAX:
        return False
    if "所需的数据太大" in said or ("剪贴板" in said and ("粘贴" in said or "写入" in said)):
        return True
    return bool(
        _PASTE.fullmatch(said)
        or _TYPE.fullmatch(said)
        or _TOO_LARGE.search(said)
        or _WRITTEN.search(said)
        or said.startswith(_WITH_EXTENSIONS)
    )


def is_cjk(text: str) -> bool:
    """Return whether a text is Chinese, Japanese or Korean for a good part."""
    letters = sum(char.isalpha() for char in text[:TEXT_CHARS_MAX])
    return letters > 0 and len(_IS_CJK.findall(text[:TEXT_CHARS_MAX])) >= CJK_SHARE_MIN * letters


def words(text: str) -> Iterator[str]:
    """Yield the words, folded; names are given whole and in parts, Chinese in pairs of signs."""
    for found in _WORD.finditer(text):
        word = found.group()
        if _IS_CJK.match(word):
            yield from (word[at : at + 2] for at in range(max(len(word) - 1, 1)))
            continue
        folded = word.casefold()
        if folded not in _IDLE:
            yield folded
        parts = _PART.findall(word)
        if len(parts) > 1:
            yield from (part for one in parts if (part := one.casefold()) not in _IDLE)


def weighed(title: str, body: str) -> Counter[int]:
    """Return how often each word stands in a report, as hashes; in the title it counts twice."""
    counts: Counter[int] = Counter()
    for number, word in enumerate(words(title)):
        if number < WORDS_MAX:
            counts[crc32(word.encode())] += TITLE_WEIGHT
    for number, word in enumerate(words(body)):
        if number >= WORDS_MAX:
            break
        counts[crc32(word.encode())] += 1
    return counts


def grams(title: str) -> Counter[int]:
    """Return how often three to five letters in a row stand in a title. Words bend."""
    counts: Counter[int] = Counter()
    for word in re.findall(r"\w+", title.casefold()):
        padded = f" {word} "
        for size in (3, 4, 5):
            for at in range(len(padded) - size + 1):
                if len(counts) >= TITLE_GRAMS_MAX:
                    return counts
                counts[crc32(padded[at : at + size].encode())] += 1
    return counts


def title_words(title: str) -> tuple[str, ...]:
    """Return the words of a title as they are compared: without case, marks and addresses."""
    return tuple(_TITLE_WORD.findall(_URL.sub(" ", title).casefold()))


def telling(of: Iterable[str]) -> list[str]:
    """Return the words that say something."""
    return [word for word in of if word not in _IDLE]


def links(text: str) -> tuple[str, ...]:
    """Return the addresses in a text, without their query and case."""
    found = (
        re.split(r"[?#]", one.rstrip(".,;:!"))[0] for one in _URL.findall(text[:TEXT_CHARS_MAX])
    )
    return tuple(dict.fromkeys(one.rstrip("/").casefold() for one in found))
