"""Find the code quoted in free text: fenced, indented, or typed at a Python prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator

from processors.trace_lines import lines_of
from schemas.reports import Snippet

SNIPPETS_MAX = 50
SNIPPET_CHARS_MAX = 20_000

_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,}) {0,3}(?P<info>[\w+.#-]{0,40})")
_PROMPT = re.compile(r"\s{0,16}(?:>>>|\.\.\.)(?: (?P<code>.*))?$")
_FIRST_PROMPT = re.compile(r"\s{0,16}>>>(?: |$)")
_NAMES = {
    "py": "python",
    "python3": "python",
    "pycon": "python",
    "python-repl": "python",
    "js": "javascript",
    "node": "javascript",
    "ts": "typescript",
    "golang": "go",
    "sh": "shell",
    "bash": "shell",
    "zsh": "shell",
    "console": "shell",
    "shell-session": "shell",
}
_NOT_CODE = frozenset({"pytb", "py3tb", "traceback", "stacktrace", "log", "logs", "diff"})
_NO_NAME = frozenset({"", "text", "txt", "plain", "plaintext", "code"})
_TRACE = re.compile(
    r'Traceback \(most recent call last\)|^\s*File "[^"]{1,1000}", line \d'
    r"|^\s+at \S.{0,1000}:\d+\)?$|^goroutine \d{1,9} \["
)
_SIGNS = (
    (
        "python",
        re.compile(
            r"(?:def \w+\(|class \w+[:(]|import \w|from [\w.]+ import |print\(|@\w|async def "
            r"|(?:for|if|while|with|try|elif|else)\b.{0,200}:$|assert |raise |return$|return )"
        ),
    ),
    ("go", re.compile(r"(?:package \w+$|func .{0,200}\{$|\w+ := )")),
    ("java", re.compile(r"(?:public |private |protected |System\.out)")),
    ("javascript", re.compile(r"(?:const |let |var |function\b|console\.|require\(|.{0,200}=> )")),
    ("shell", re.compile(r"(?:\$ |pip3? install |npm |docker |curl |sudo |python3? -)")),
)
_PYTHON_LINE = re.compile(r"[A-Za-z_][\w.]{0,200}(?:\(.{0,500}\)| = .{1,500})$")


def find_snippets(text: str) -> tuple[Snippet, ...]:
    """Return the pieces of code in `text`, in order; "text" where the language is not known.

    A block that shows a stack trace is none; of a Python session only what was typed is taken.
    Indented code is taken only where it looks like a language. Never raises; linear in the text.
    """
    found: list[Snippet] = []
    for snippet in _snippets(lines_of(text)):
        found.append(snippet)
        if len(found) == SNIPPETS_MAX:
            break
    return tuple(found)


def _snippets(lines: list[str]) -> Iterator[Snippet]:
    plain: list[str] = []
    index = 0
    while index < len(lines):
        fence = _FENCE.match(lines[index])
        if fence is None:
            plain.append(lines[index])
            index += 1
            continue
        yield from _unfenced(plain)
        plain = []
        block, index = _fenced_block(lines, index + 1, fence["mark"])
        yield from _block(block, fence["info"].lower(), indented=False)
    yield from _unfenced(plain)


def _fenced_block(lines: list[str], index: int, mark: str) -> tuple[list[str], int]:
    start = index
    while index < len(lines):
        if lines[index].strip().startswith(mark) and not lines[index].strip().strip(mark[0]):
            return lines[start:index], index + 1
        index += 1
    return lines[start:], index


def _unfenced(lines: list[str]) -> Iterator[Snippet]:
    """Yield the sessions and the indented blocks of lines outside fences."""
    block: list[str] = []
    kind = ""
    after_blank = True
    for line in [*lines, "end"]:
        this = _kind(line, kind, after_blank=after_blank)
        if this != kind:
            if kind:
                yield from _block(block, "", indented=kind == "indented")
            block = []
        kind = this
        block.append(line)
        after_blank = not line


def _kind(line: str, before: str, *, after_blank: bool) -> str:
    """Return what an unfenced line belongs to: "session", "indented" or nothing."""
    if _FIRST_PROMPT.match(line):
        return "session"
    if before == "session":
        # What was printed belongs to it; the first line of prose after a blank one does not.
        return "" if after_blank and line and not line[0].isspace() else "session"
    if line.startswith(("    ", "\t")):
        return "indented" if before == "indented" or after_blank else ""
    return "indented" if before == "indented" and not line else ""


def _block(block: list[str], name: str, *, indented: bool) -> Iterator[Snippet]:
    if any(_FIRST_PROMPT.match(line) for line in block):
        typed = "\n".join(_typed(block))[:SNIPPET_CHARS_MAX].strip("\n")
        if typed.strip():
            yield Snippet(language="python", code=typed)
        return
    if name in _NOT_CODE or any(_TRACE.search(line) for line in block):
        return
    language = _NAMES.get(name, name)
    if language in _NO_NAME:
        language = _guess(block)
    code = _dedent(block)[:SNIPPET_CHARS_MAX].strip("\n")
    if code.strip() and not (indented and language == "text"):
        yield Snippet(language=language, code=code)


def _typed(block: list[str]) -> Iterator[str]:
    typing = False
    for line in block:
        prompt = _PROMPT.match(line)
        if prompt is not None and (typing or _FIRST_PROMPT.match(line)):
            typing = True
            yield prompt["code"] or ""
        else:
            typing = False


def _guess(block: list[str]) -> str:
    """Return the language most lines show signs of; "text" when none does."""
    counts = dict.fromkeys((name for name, _ in _SIGNS), 0)
    written = [line.strip() for line in block if line.strip()]
    for line in written:
        for name, sign in _SIGNS:
            if sign.match(line):
                counts[name] += 1
                break
    best = max(counts, key=lambda name: counts[name])
    if counts[best]:
        return best
    if written and all(_PYTHON_LINE.match(line) for line in written):
        return "python"
    return "text"


def _dedent(block: list[str]) -> str:
    margins = [len(line) - len(line.lstrip()) for line in block if line.strip()]
    margin = min(margins, default=0)
    return "\n".join(line[margin:] for line in block)
