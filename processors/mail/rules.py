"""Which mails report a bug: rules that say why, with or without spaCy's matcher.

A phrase is a row of words. spaCy only finds them (`spacy.blank`, no model is ever loaded); where it
is not installed, the same phrases are found by a few lines of ours.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Where = Literal["subject", "body", "any"]

TEXT_CHARS_MAX = 20_000
"""The first so many characters decide: what comes later is logs."""
PHRASE_WORDS_MAX = 8
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_TRACE = (
    (re.compile(r"^Traceback \(most recent call last\)", re.MULTILINE), "a Python traceback"),
    (re.compile(r"^\s{1,40}at [\w.$<>]{1,200}\(", re.MULTILINE), "a stack trace"),
    (re.compile(r"^(?:goroutine \d{1,9} \[|panic: )", re.MULTILINE), "a Go panic"),
    (re.compile(r"\b[A-Z]\w{1,60}(?:Error|Exception)\b"), "the name of an exception"),
    (
        re.compile(
            r"\b(?:HTTP[ /]?\S{0,4} ?)?(?:500|502|503|504) (?:internal|bad|service|gateway|error)",
            re.IGNORECASE,
        ),
        "a server's error status",
    ),
    (
        re.compile(
            r"\b(?:SIGSEGV|SIGABRT|segfault|core dumped|exit code [1-9]\d{0,2})\b", re.IGNORECASE
        ),
        "the death of a process",
    ),
)
TRACE_WEIGHT = 2


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row, what they speak for, and how much (against, when negative)."""

    words: str
    weight: int
    where: Where = "any"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What a team looks for; a mail with at least `score_min` is taken for a bug report."""

    phrases: tuple[Phrase, ...]
    score_min: int = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a mail reads like a bug report, and what spoke for and against it."""

    is_bug: bool
    score: int
    reasons: tuple[str, ...]


class Finder(Protocol):
    """Finds which of its phrases stand in a text: each at most once, in the phrases' order."""

    def find(self, text: str) -> tuple[str, ...]: ...


def _of(weight: int, where: Where, *phrases: str) -> tuple[Phrase, ...]:
    return tuple(Phrase(words, weight, where) for words in phrases)


DEFAULT_RULES = RuleSet(
    (
        *_of(
            3,
            "subject",
            "bug",
            "bug report",
            "crash",
            "crashes",
            "crashed",
            "regression",
            "broken",
            "defect",
            "fehler",
            "absturz",
            "故障",
            "报错",
            "崩溃",
            "缺陷",
            "不具合",
            "エラー",
        ),
        *_of(
            2,
            "subject",
            "error",
            "errors",
            "exception",
            "fails",
            "failed",
            "failure",
            "failing",
            "doesn't work",
            "does not work",
            "not working",
            "wrong",
            "cannot",
            "can't",
            "unable to",
            "problem",
            "issue",
            "hangs",
            "freezes",
            "funktioniert nicht",
            "ne fonctionne pas",
            "no funciona",
            "não funciona",
            "non funziona",
            "werkt niet",
            "错误",
            "异常",
            "无法",
            "失败",
        ),
        *_of(
            2,
            "body",
            "steps to reproduce",
            "how to reproduce",
            "to reproduce",
            "expected behavior",
            "expected behaviour",
            "actual behavior",
            "actual behaviour",
            "expected result",
            "actual result",
            "stack trace",
            "error message",
            "reproduction steps",
            "重现步骤",
            "复现步骤",
            "预期结果",
            "实际结果",
            "再現手順",
        ),
        *_of(
            1,
            "body",
            "bug",
            "crash",
            "crashes",
            "crashed",
            "error",
            "exception",
            "fails",
            "failed",
            "broken",
            "regression",
            "doesn't work",
            "does not work",
            "not working",
            "stopped working",
            "instead of",
            "expected",
            "wrong result",
            "throws",
            "hangs",
            "freezes",
            "since the update",
            "after upgrading",
            "after the update",
            "i get an error",
            "funktioniert nicht",
            "fehlermeldung",
            "stürzt ab",
            "ne fonctionne pas",
            "plante",
            "no funciona",
            "não funciona",
            "non funziona",
            "werkt niet",
            "не работает",
            "ошибка",
            "报错",
            "崩溃",
            "错误",
            "异常",
            "无法",
            "失败",
            "動きません",
            "エラー",
        ),
        *_of(
            -2,
            "subject",
            "feature request",
            "invoice",
            "newsletter",
            "webinar",
            "offer",
            "meeting",
            "invitation",
            "release notes",
            "announcement",
            "vacation",
            "job",
            "unsubscribe",
            "quote",
            "功能建议",
            "发票",
        ),
        *_of(
            -1,
            "body",
            "feature request",
            "it would be nice",
            "would be great if",
            "unsubscribe",
            "view in browser",
            "view this email in your browser",
            "special offer",
            "discount",
        ),
    )
)


def verdict(
    subject: str, text: str, *, rules: RuleSet = DEFAULT_RULES, finders: Finders | None = None
) -> Verdict:
    """Return whether a mail reads like a bug report, with every reason. Never raises."""
    known = finders or finders_for(rules)
    subject, text = subject[:TEXT_CHARS_MAX], text[:TEXT_CHARS_MAX]
    weights = {(phrase.where, phrase.words): phrase.weight for phrase in rules.phrases}
    score = 0
    reasons = []
    for place, finder, where in (
        ("subject", known.subject, subject),
        ("body", known.body, text),
    ):
        for words in finder.find(where):
            weight = weights.get((_where(place), words), weights.get(("any", words), 0))
            score += weight
            reasons.append(f"{weight:+d} {words!r} in the {place}")
    for pattern, what in _TRACE:
        if pattern.search(text):
            score += TRACE_WEIGHT
            reasons.append(f"+{TRACE_WEIGHT} {what}")
    return Verdict(score >= rules.score_min, score, tuple(reasons))


def _where(place: str) -> Where:
    return "subject" if place == "subject" else "body"


@dataclass(frozen=True, slots=True)
class Finders:
    """One finder for subjects and one for bodies, built once per set of rules."""

    subject: Finder
    body: Finder


def finders_for(rules: RuleSet, *, use_spacy: bool | None = None) -> Finders:
    """Return finders for `rules`: spaCy's where it is installed, unless told otherwise."""
    spacy = spacy_is_here() if use_spacy is None else use_spacy
    subject = [phrase.words for phrase in rules.phrases if phrase.where in {"subject", "any"}]
    body = [phrase.words for phrase in rules.phrases if phrase.where in {"body", "any"}]
    if spacy:
        return Finders(SpacyFinder(subject), SpacyFinder(body))
    return Finders(PlainFinder(subject), PlainFinder(body))


def spacy_is_here() -> bool:
    """Tell whether the extra `nlp` is installed, without importing it."""
    return importlib.util.find_spec("spacy") is not None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.lower().replace("’", "'") for word in _WORD.findall(text))


class PlainFinder:
    """Finds phrases word by word; what is written without spaces, as it stands."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._order = tuple(dict.fromkeys(phrases))
        self._unspaced = frozenset(words for words in self._order if _UNSPACED.search(words))
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for phrase in self._order:
            words = _words(phrase)[:PHRASE_WORDS_MAX]
            if words and phrase not in self._unspaced:
                self._by_first[words[0]].append((words, phrase))

    def find(self, text: str) -> tuple[str, ...]:
        words = _words(text[:TEXT_CHARS_MAX])
        found = {phrase for phrase in self._unspaced if phrase in text}
        for number, word in enumerate(words):
            for pattern, phrase in self._by_first.get(word, ()):
                if words[number : number + len(pattern)] == pattern:
                    found.add(phrase)
        return tuple(phrase for phrase in self._order if phrase in found)


class SpacyFinder:
    """Finds phrases with spaCy's Matcher, on words of our own making. Needs the extra `nlp`.

    spaCy's tokenizer takes a minute for 20,000 brackets in a row, and its vocabulary keeps every
    word it ever met: so it gets the words split, and only those that stand in a phrase.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        # Any: the package may be absent when types are checked.
        spacy: Any = importlib.import_module("spacy")
        matching: Any = importlib.import_module("spacy.matcher")
        tokens: Any = importlib.import_module("spacy.tokens")
        self._order = tuple(dict.fromkeys(phrases))
        self._unspaced = frozenset(words for words in self._order if _UNSPACED.search(words))
        self._vocab = spacy.blank("xx").vocab
        self._document = tokens.Doc
        self._matcher = matching.Matcher(self._vocab)
        self._known: set[str] = set()
        for number, phrase in enumerate(self._order):
            words = _words(phrase)[:PHRASE_WORDS_MAX]
            if words and phrase not in self._unspaced:
                self._known |= set(words)
                self._matcher.add(str(number), [[{"LOWER": word} for word in words]])

    def find(self, text: str) -> tuple[str, ...]:
        text = text[:TEXT_CHARS_MAX]
        words = [word if word in self._known else "_" for word in _words(text)]
        document = self._document(self._vocab, words=words)
        keys = {self._vocab.strings[key] for key, _, _ in self._matcher(document)}
        found = {self._order[int(key)] for key in keys}
        found |= {phrase for phrase in self._unspaced if phrase in text}
        return tuple(phrase for phrase in self._order if phrase in found)
