"""The tools of an agent: few, without hidden state, every argument checked before it is used."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, assert_never

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from connectors.agent_prompt import OUTPUT_CHARS_MAX, excerpt
from connectors.agent_tree import TreeError, WorkTree, decides_tests, relative
from schemas.fixes import FileEdit, Oracle, OracleKind
from schemas.target_tests import is_test
from schemas.values import SANDBOX_WORKDIR, FixTask, SandboxLimits, SandboxResult, SandboxSpec

COMMAND_WALL_S_MAX = 120.0
COMMAND_WALL_S_MIN = 5.0
VIEW_LINES_MAX = 400
VIEW_LINE_CHARS_MAX = 500
NODE_IDS_MAX = 50
_RED, _GREEN = 1, 0
_PYTEST_OPTIONS = (
    "-rf",  # Lists what failed, which is how a red test is told from one that is merely there.
    "--color=no",
    "--maxfail=0",
    f"--rootdir={SANDBOX_WORKDIR}",
    *("-p", "no:cacheprovider"),
    *("-p", "no:randomly"),
)
_FAILED = re.compile(r"^FAILED (?P<test>.{1,500}?\.py::[^\s\[]{1,500})", re.MULTILINE)
"""Without parameters, whose text may hold anything: a test is red when it is for one of them."""
_MEANING = {0: "all passed", 1: "some failed", 2: "could not be collected", 5: "no test was found"}


class Sandbox(Protocol):
    """Where commands run."""

    def check(self) -> str:
        """Prove that it isolates."""

    def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run to the end, within the limits."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold the character NUL")
    return text


_Word = Annotated[str, AfterValidator(_without_nul)]
"""What goes on a command line cannot hold the character that ends it."""


class _Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Shell(_Arguments):
    """Run a shell command at the root of the repository: no network, two minutes at most."""

    command: _Word = Field(min_length=1, max_length=20_000)


class View(_Arguments):
    """Show a text file with line numbers."""

    path: str = Field(min_length=1, max_length=1_000)
    first_line: int = Field(default=1, ge=1)
    last_line: int | None = Field(default=None, ge=1)


class Edit(_Arguments):
    """Replace the one occurrence of `old` in a file by `new`. An empty `old` makes a new file."""

    path: str = Field(min_length=1, max_length=1_000)
    old: str = Field(max_length=100_000)
    new: str = Field(max_length=100_000)


class Search(_Arguments):
    """Search files for an extended regular expression; lines found come with path and number."""

    pattern: _Word = Field(min_length=1, max_length=1_000)
    path: str = Field(default=".", min_length=1, max_length=1_000)


class RunTests(_Arguments):
    """Run tests by pytest node id; none: all. `base` runs your new tests on the unchanged code."""

    node_ids: list[Annotated[_Word, Field(max_length=500)]] = Field(
        default_factory=list, max_length=NODE_IDS_MAX
    )
    at: Literal["now", "base"] = "now"


class Submit(_Arguments):
    """Hand in the changes as your patch, and end. Say what the cause was and what you changed."""

    explanation: str = Field(min_length=1, max_length=4_000)


_Call = Shell | View | Edit | Search | RunTests | Submit
TOOLS: dict[str, type[_Call]] = {
    "shell": Shell,
    "view": View,
    "edit": Edit,
    "search": Search,
    "run_tests": RunTests,
    "submit": Submit,
}


def tool_definitions() -> list[dict[str, Any]]:
    """Return the tools as the vendor's interface wants them."""
    return [
        {
            "name": name,
            "description": " ".join((arguments.__doc__ or "").split()),
            "input_schema": arguments.model_json_schema(),
        }
        for name, arguments in TOOLS.items()
    ]


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool says. `malformed`: the call was none, whatever the tree is like."""

    text: str
    failed: bool = False
    malformed: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """What was handed in and passed the first look."""

    edits: tuple[FileEdit, ...]
    oracle: Oracle
    explanation: str


class Toolbox:
    """The tools on one work tree."""

    def __init__(
        self, task: FixTask, tree: WorkTree, sandbox: Sandbox, left_s: Callable[[], float]
    ) -> None:
        """`left_s` says how much time the attempt has left: no command takes longer."""
        self._task = task
        self._tree = tree
        self._sandbox = sandbox
        self._left_s = left_s
        self.oracle = task.oracle
        """What is known to be red at the base commit; of the task, or seen by `run_tests`."""
        self.submission: Submission | None = None
        self.last_tests = ""
        """What the last test run said, for people, should the attempt fail."""

    def use(self, name: str, arguments: object) -> Result:
        """Return what the tool says; a wrong call is answered, never raised.

        Raises `SandboxUnavailableError`.
        """
        kind = TOOLS.get(name)
        if kind is None:
            return Result(
                f"no such tool; there are {', '.join(TOOLS)}", failed=True, malformed=True
            )
        try:
            call = kind.model_validate(arguments)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, p['loc'])) or 'input'}: {p['msg']}" for p in error.errors()
            )
            return Result(f"wrong arguments: {problems}"[:2_000], failed=True, malformed=True)
        try:
            return Result(excerpt(self._use(call), OUTPUT_CHARS_MAX))
        except TreeError as error:
            return Result(excerpt(str(error), OUTPUT_CHARS_MAX), failed=True)

    def _use(self, call: _Call) -> str:
        match call:
            case Shell():
                said = _report(self._run(("/bin/sh", "-c", call.command), self._tree.now))
            case View():
                said = self._view(call)
            case Edit():
                said = self._edit(call)
            case Search():
                said = self._search(call)
            case RunTests(at="base"):
                said = self._reproduce(call.node_ids)
            case RunTests():
                said = _report(self._test(call.node_ids, self._tree.now))
            case Submit():
                said = self._submit(call)
            case _:
                assert_never(call)
        return said

    def _view(self, call: View) -> str:
        lines = self._tree.read(call.path).split("\n")
        last = min(call.last_line or len(lines), len(lines), call.first_line + VIEW_LINES_MAX - 1)
        shown = [
            f"{number:6}\t{lines[number - 1][:VIEW_LINE_CHARS_MAX]}"
            for number in range(call.first_line, last + 1)
        ]
        shown.append(f"({len(lines)} lines in all)")
        return "\n".join(shown)

    def _edit(self, call: Edit) -> str:
        if not call.old:
            if self._tree.has(call.path):
                raise TreeError(f"{call.path} exists: say in `old` what to replace")
            self._tree.write(call.path, call.new)
            return f"{call.path} is made"
        text = self._tree.read(call.path)
        count = text.count(call.old)
        if count != 1:
            raise TreeError(
                f"`old` stands {count} times in {call.path}; it must stand there exactly once,"
                " white space included"
            )
        self._tree.write(call.path, text.replace(call.old, call.new))
        return f"{call.path} is changed"

    def _search(self, call: Search) -> str:
        where = "." if call.path in (".", "./") else relative(call.path)
        options = ("-rnIE", "--exclude-dir=.git", "--max-count=100")
        found = self._run(("grep", *options, "-e", call.pattern, "--", where), self._tree.now)
        if found.exit_code == 1 and not found.stderr:
            return "nothing found"
        return _report(found) if found.exit_code else _text(found.stdout)

    def _reproduce(self, node_ids: list[str]) -> str:
        """Run tests on the base commit; those that are red there may be the oracle."""
        if not node_ids:
            raise TreeError('say which tests: at="base" wants node_ids')
        files = self._new_tests(node_ids)
        with self._tree.at_base({**self._oracle_files(), **files}) as folder:
            result = self._test(node_ids, folder)
        said = _report(result)
        red = tuple(dict.fromkeys(m["test"] for m in _FAILED.finditer(_text(result.stdout))))
        if result.exit_code != _RED or not red:
            return f"{said}\n\nThis does not show the bug: at the base commit a test has to fail."
        if self._task.oracle is None:
            self.oracle = Oracle(
                kind=OracleKind.MODEL_TEST if files else OracleKind.SUITE_TEST,
                node_ids=red[:NODE_IDS_MAX],
                files=files,
                release_files=bool(files),
                description="a test the model wrote; it failed at the base commit",
            )
        return f"{said}\n\nIt fails at the base commit: it shows the bug if this is the reason."

    def _new_tests(self, node_ids: list[str]) -> dict[str, str]:
        """Return the new files the node ids are in. Raises `TreeError` for a changed old one."""
        files: dict[str, str] = {}
        for node_id in node_ids:
            path = _path_of(node_id)
            before, now = self._tree.read_base(path), self._tree.read(path)
            if before is None and path not in self._oracle_files():
                if not is_test(path) or not path.endswith(".py") or decides_tests(path):
                    raise TreeError(f"{path} is no test: make it test_....py among the others")
                files[path] = now
            elif before is not None and before != now:
                raise TreeError(f"{path} is a test of the project: put yours in a new file")
        return files

    def _submit(self, call: Submit) -> str:
        if self.oracle is None:
            raise TreeError(
                "refused: no test was seen to fail at the base commit; write one in a new file,"
                ' and run it with run_tests and at="base"'
            )
        edits = tuple(e for e in self._tree.changes() if e.path not in self.oracle.files)
        old_tests = [edit.path for edit in edits if edit.before is not None and is_test(edit.path)]
        if old_tests:
            raise TreeError(f"refused: put these tests back as they were: {', '.join(old_tests)}")
        deciding = [edit.path for edit in edits if decides_tests(edit.path)]
        if deciding:
            raise TreeError(f"refused: these decide how tests run: {', '.join(deciding)}")
        if all(is_test(edit.path) for edit in edits):
            raise TreeError("refused: nothing but tests has changed")
        for path, text in self.oracle.files.items():
            if self._tree.read(path) != text:
                raise TreeError(f'refused: {path} has changed; run it at="base" again')
        result = self._test(self.oracle.node_ids, self._tree.now)
        if result.exit_code != _GREEN:
            raise TreeError(f"refused: the test that shows the bug must pass.\n{_report(result)}")
        self.submission = Submission(edits, self.oracle, call.explanation)
        return "submitted"

    def _oracle_files(self) -> dict[str, str]:
        return self._task.oracle.files if self._task.oracle else {}

    def _test(self, node_ids: Sequence[str], folder: Path) -> SandboxResult:
        for node_id in node_ids:
            _path_of(node_id)
        argv = (str(self._task.python), *self._task.project.test_command)
        result = self._run((*argv, *_PYTEST_OPTIONS, *node_ids), folder)
        meaning = _MEANING.get(-1 if result.exit_code is None else result.exit_code, "broken off")
        self.last_tests = f"{' '.join(node_ids) or 'all tests'}: {meaning}"
        return result

    def _run(self, argv: tuple[str, ...], folder: Path) -> SandboxResult:
        wall_s = min(COMMAND_WALL_S_MAX, max(COMMAND_WALL_S_MIN, self._left_s()))
        # No `env`: what the sandbox sets is all there is, so no key can be printed.
        limits = SandboxLimits(wall_s=wall_s, cpu_s=int(COMMAND_WALL_S_MAX))
        spec = SandboxSpec(argv, workdir=folder, python=self._task.python, limits=limits)
        return self._sandbox.run(spec)


def _path_of(node_id: str) -> str:
    path = node_id.partition("::")[0]
    if path.startswith("-"):
        raise TreeError(f"{node_id}: a node id is path::test, not an option")
    return relative(path)


def _report(result: SandboxResult) -> str:
    if result.exit_code is None:
        ended = {"wall_timeout": "time was up", "disk_limit": "it wrote too much"}
        head = f"killed: {ended.get(result.ended, result.ended)}"
    else:
        head = f"exit code {result.exit_code}"
    parts = [head, _text(result.stdout), _text(result.stderr)]
    return "\n".join(part for part in parts if part)


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").rstrip()
