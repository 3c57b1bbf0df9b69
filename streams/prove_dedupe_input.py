"""What `prove --dedupe` feeds: reports in English and Chinese, many of them nearly those before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid5

from schemas.event import NAMESPACE, Actor, BlobRef, subject_id
from schemas.raw import Origin
from schemas.reports import BugReport, Frame, ReportNormalized, StackTrace, Trust

PROJECTS = ("shop", "desk", "mail")
"""Of three partitions: dedupe is partitioned by project."""
RECENT = 25
"""Most reports that are like another one come soon after it."""
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_PARTS = (
    ("cart", "购物车"),
    ("invoice", "发票"),
    ("search page", "搜索页面"),
    ("address book", "通讯录"),
    ("calendar", "日历"),
    ("report editor", "报表编辑器"),
    ("sign-in form", "登录表单"),
    ("photo album", "相册"),
)
_FAULTS = (
    (
        "The {part} shows a wrong total above {n} entries",
        "As soon as the {part} holds more than {n} entries the total at the bottom is too small.",
        "{part}超过{n}条记录时总数错误",
        "{part}里的记录超过{n}条以后，底部显示的总数偏小。",
    ),
    (
        "Saving the {part} fails with error {n}",
        "When I save the {part} a red box says that error {n} has happened and nothing is kept.",
        "保存{part}时报错误{n}",
        "保存{part}的时候弹出红框，提示发生错误{n}，内容没有保存。",
    ),
    (
        "The {part} freezes for {n} seconds after scrolling",
        "Scrolling to the end of the {part} makes the window hang for about {n} seconds each time.",
        "滚动之后{part}卡住{n}秒",
        "把{part}滚动到底部，窗口每次都会卡住大约{n}秒。",
    ),
    (
        "Letters with accents turn into question marks in the {part} on port {n}",
        "Names with accents are shown as question marks in the {part} when served on port {n}.",
        "端口{n}上{part}的特殊字母变成问号",
        "通过端口{n}打开{part}时，带重音的名字全部显示成问号。",
    ),
    (
        "The {part} is printed without its last page of {n}",
        "Of {n} pages of the {part} all are printed but the last one, whatever the printer is.",
        "打印{part}时{n}页中缺少最后一页",
        "{part}共有{n}页，打印时总是缺少最后一页，换打印机也一样。",
    ),
    (
        "Dark colours make row {n} of the {part} unreadable",
        "With dark colours the text in row {n} of the {part} is black on black and not to be read.",
        "深色模式下{part}第{n}行看不清",
        "打开深色模式以后，{part}第{n}行的文字是黑底黑字，完全看不清。",
    ),
)
_AROUND = (
    ("It worked in the release before the last one.", "上上个版本还是正常的。"),
    ("Clearing the cache and signing in again does not help.", "清除缓存并重新登录也没有用。"),
    ("My colleague sees the same on another computer.", "同事在另一台电脑上也遇到了。"),
    ("The window was made smaller before it happened.", "出现之前我把窗口缩小过。"),
    ("There is nothing in the log that looks related.", "日志里没有相关的内容。"),
    ("We use it behind a proxy of the company.", "我们在公司代理后面使用。"),
    ("It also happens with a new and empty account.", "用全新的空账号也会出现。"),
    ("Restarting the service makes it go away for an hour.", "重启服务后一小时内不再出现。"),
    ("The network was slow when I saw it first.", "第一次看到时网络很慢。"),
    ("Please tell me what else you need to know.", "还需要什么信息请告诉我。"),
)
_ADDED = (" Thanks.", "谢谢。")
_CALLED = ("Hello, ", "你好，")
_EDITED = (" Edit: it is still so today.", "补充：今天仍然如此。")


@dataclass(frozen=True, slots=True)
class _Said:
    """What a report is about, before it is put into words."""

    project: int
    item: int
    fault: int
    part: int
    number: int
    around: tuple[int, ...]
    language: int
    called: str = ""
    more: str = ""
    edits: int = 0
    trace: int | None = None

    def words(self) -> tuple[str, str]:
        """Return title and text."""
        at = self.language
        title, body = _FAULTS[self.fault][2 * at : 2 * at + 2]
        part = _PARTS[self.part][at]
        around = (" ", "")[at].join(_AROUND[one][at] for one in self.around)
        text = body.format(part=part, n=self.number)
        said = f"{text}{(' ', '')[at]}{around}{self.more}"
        return self.called + title.format(part=part, n=self.number), said


_Change = Callable[[_Said, Random], _Said]
_CHANGES: Mapping[str, _Change] = {
    "copied": lambda old, _: old,
    "nearly": lambda old, _: replace(old, more=old.more + _ADDED[old.language]),
    "called otherwise": lambda old, _: replace(old, called=_CALLED[old.language]),
    "one number apart": lambda old, _: replace(old, number=old.number + 1),
    "translated": lambda old, _: replace(
        old, language=1 - old.language, called="", more="", trace=None
    ),
    "same trace": lambda old, chance: replace(
        _fresh(old.project, chance),
        language=0,
        trace=old.number if old.trace is None else old.trace,
    ),
}
_KINDS = {
    "fresh": 38,
    "copied": 8,
    "nearly": 6,
    "called otherwise": 6,
    "one number apart": 12,
    "translated": 16,
    "same trace": 4,
    "edited": 7,
    "again": 3,
}
"""What comes next, in hundredths: of a report before it, but for the first kind."""


def reports(count: int, chance: Random) -> Iterator[ReportNormalized]:
    """Yield `count` reports in the order of their arrival; the same for the same `chance`."""
    before: list[list[_Said]] = [[] for _ in PROJECTS]
    for number in range(count):
        project = chance.randrange(len(PROJECTS))
        kind = chance.choices([*_KINDS], [*_KINDS.values()])[0]
        found = before[project]
        if kind == "fresh" or not found:
            said = replace(_fresh(project, chance), item=number)
        else:
            old = chance.choice(found[-RECENT:] if chance.random() < 0.8 else found)
            said = _next(kind, old, number, chance)
        if kind != "again":
            found.append(said)
        yield _event(number, said)


def _fresh(project: int, chance: Random) -> _Said:
    return _Said(
        project=project,
        item=0,
        fault=chance.randrange(len(_FAULTS)),
        part=chance.randrange(len(_PARTS)),
        number=chance.randrange(100, 1_000),
        around=tuple(chance.sample(range(len(_AROUND)), 4)),
        language=int(chance.random() < 0.35),
    )


def _next(kind: str, old: _Said, number: int, chance: Random) -> _Said:
    if kind == "again":
        return old
    if kind == "edited":
        return replace(old, more=old.more + _EDITED[old.language], edits=old.edits + 1)
    return replace(_CHANGES[kind](old, chance), item=number, edits=0)


def _event(number: int, said: _Said) -> ReportNormalized:
    title, body = said.words()
    project = PROJECTS[said.project]
    reporter = f"http:person{number % 97}"
    origin = Origin(channel="http", container=project, item=str(said.item))
    event_id = uuid5(NAMESPACE, f"prove/dedupe/{number}")
    digest = hashlib.sha256(f"{title}\0{body}".encode()).hexdigest()
    created = _EPOCH + timedelta(minutes=said.item)
    return ReportNormalized(
        event_id=event_id,
        project=project,
        actor=Actor.stage("normalize"),
        occurred_at=_EPOCH + timedelta(minutes=number),
        correlation_id=event_id,
        report=BugReport(
            report_id=origin.report_id,
            origin=origin,
            title=title,
            description=body,
            stack_traces=_traces(said),
            created_at=created,
            updated_at=created + timedelta(hours=said.edits),
            reporter=reporter,
        ),
        report_blob=BlobRef(
            sha256=digest,
            size_bytes=len(body),
            media_type="application/json",
            subject=subject_id(reporter),
        ),
        trust=Trust.MEMBER,
        trust_reason="made up",
        project_reason="source",
        content_sha256=digest,
    )


def _traces(said: _Said) -> tuple[StackTrace, ...]:
    if said.trace is None:
        return ()
    frames = tuple(
        Frame(path=f"app/{name}.py", line=said.trace, function=f"{name}_{said.trace}")
        for name in ("main", "work")
    )
    return (StackTrace(language="python", exception="ValueError", message="bad", frames=frames),)
