"""What each tool does, refuses and shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from connectors.agent_prompt import OUTPUT_CHARS_MAX
from connectors.agent_tools import TOOLS, Sandbox, Toolbox, tool_definitions
from connectors.agent_tree import work_tree
from connectors.sandbox import find_sandbox
from schemas.fixes import Oracle, OracleKind
from schemas.values import FixTask, SandboxResult, SandboxSpec
from tests.connectors import agents
from tests.connectors.agents import NEW_TEST, NEW_TEST_PATH, NODE_ID, FakeSandbox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return agents.make_tree(tmp_path / "tree")


@pytest.fixture
def sandbox() -> FakeSandbox:
    return FakeSandbox()


@pytest.fixture
def tools(folder: Path, sandbox: FakeSandbox) -> Iterator[Toolbox]:
    yield from _toolbox(agents.make_task(folder), sandbox)


def _toolbox(task: FixTask, sandbox: Sandbox) -> Iterator[Toolbox]:
    files = task.oracle.files if task.oracle else {}
    with work_tree(task.tree, files) as tree:
        yield Toolbox(task, tree, sandbox, lambda: 60.0)


def _do(tools: Toolbox, name: str, **arguments: Any) -> str:
    result = tools.use(name, arguments)

    assert not result.failed, result.text
    return result.text


def _refused(tools: Toolbox, name: str, **arguments: Any) -> str:
    result = tools.use(name, arguments)

    assert result.failed
    assert not result.malformed
    return result.text


def _reproduce(tools: Toolbox) -> None:
    _do(tools, "edit", path=NEW_TEST_PATH, old="", new=NEW_TEST)
    _do(tools, "run_tests", node_ids=[NODE_ID], at="base")


def _mend(tools: Toolbox) -> None:
    _do(tools, "edit", **agents.MEND["input"])


def test_every_tool_is_described_by_a_valid_schema() -> None:
    definitions = tool_definitions()

    assert [definition["name"] for definition in definitions] == list(TOOLS)
    for definition in definitions:
        jsonschema.Draft202012Validator.check_schema(definition["input_schema"])
        assert definition["description"]


def test_a_command_runs_with_an_empty_environment_and_a_limit(
    tools: Toolbox, sandbox: FakeSandbox, folder: Path
) -> None:
    said = _do(tools, "shell", command="echo out; echo err >&2; exit 3")

    assert said == "exit code 3\nout\nerr"
    (spec,) = sandbox.specs
    assert spec.env == {}
    assert spec.workdir == folder
    assert spec.limits.wall_s == 60.0


def test_a_killed_command_says_why(folder: Path) -> None:
    class Slow(FakeSandbox):
        def run(self, spec: SandboxSpec) -> SandboxResult:
            return SandboxResult(None, "wall_timeout", b"half", b"", wall_s=60, cpu_s=1)

    for tools in _toolbox(agents.make_task(folder), Slow()):
        assert _do(tools, "shell", command="sleep 99") == "killed: time was up\nhalf"


def test_long_output_keeps_both_ends(tools: Toolbox) -> None:
    said = _do(tools, "shell", command="echo first; seq 100000; echo last")

    assert len(said) < OUTPUT_CHARS_MAX + 100
    assert "first" in said
    assert said.endswith("last")


def test_a_view_numbers_lines_and_can_be_part_of_a_file(tools: Toolbox, folder: Path) -> None:
    (folder / "long.txt").write_text("\n".join(str(n) for n in range(1, 2_001)))

    assert "     2\t    return sum(prices) / len(prices)" in _do(tools, "view", path="cart.py")
    part = _do(tools, "view", path="long.txt", first_line=900, last_line=901)
    assert part == "   900\t900\n   901\t901\n(2000 lines in all)"
    assert "(2000 lines in all)" in _do(tools, "view", path="long.txt", first_line=5_000)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"path": "cart.py", "old": "nowhere", "new": ""}, "stands 0 times"),
        ({"path": "cart.py", "old": "prices", "new": ""}, "stands 3 times"),
        ({"path": "cart.py", "old": "", "new": "x"}, "exists"),
        ({"path": "tests", "old": "", "new": "x"}, "exists"),
        ({"path": "missing.py", "old": "a", "new": "b"}, "no such file"),
    ],
)
def test_an_edit_that_is_not_unique_is_refused(
    tools: Toolbox, folder: Path, arguments: dict[str, str], why: str
) -> None:
    assert why in _refused(tools, "edit", **arguments)
    assert (folder / "cart.py").read_text() == agents.FAULTY


def test_a_search_finds_lines_and_takes_no_option(tools: Toolbox) -> None:
    assert _do(tools, "search", pattern="def +mean") == "./cart.py:1:def mean(prices):"
    assert _do(tools, "search", pattern="no such thing") == "nothing found"
    assert _do(tools, "search", pattern="--help") == "nothing found"
    assert "exit code 2" in _do(tools, "search", pattern="(")


def test_a_test_red_at_the_base_becomes_the_oracle(tools: Toolbox) -> None:
    _reproduce(tools)

    assert tools.oracle is not None
    assert tools.oracle.kind is OracleKind.MODEL_TEST
    assert tools.oracle.files == {NEW_TEST_PATH: NEW_TEST}
    assert tools.oracle.release_files


@pytest.mark.sandbox
def test_of_the_tests_named_only_those_that_fail_are_the_oracle(folder: Path) -> None:
    text = (
        "import pytest\nfrom cart import mean\n\n\n"
        "def test_fine():\n    assert mean([1]) == 1\n\n\n"
        "@pytest.mark.parametrize('empty', [[], ()], ids=['a - b', 'c d'])\n"
        "def test_empty(empty):\n    assert mean(empty) == 0\n"
    )
    for tools in _toolbox(agents.make_task(folder), find_sandbox()):
        _do(tools, "edit", path=NEW_TEST_PATH, old="", new=text)
        _do(tools, "run_tests", node_ids=[f"/sandbox/{NEW_TEST_PATH}"], at="base")

        assert tools.oracle is not None
        assert tools.oracle.node_ids == (NODE_ID,)


@pytest.mark.sandbox
def test_a_test_that_does_not_get_as_far_as_the_bug_shows_nothing(folder: Path) -> None:
    text = "import nothing\n\n\ndef test_empty():\n    assert nothing\n"
    fixture = "def test_empty(missing_fixture):\n    assert missing_fixture\n"
    for tools in _toolbox(agents.make_task(folder), find_sandbox()):
        for path, content in (("tests/test_a.py", text), ("tests/test_b.py", fixture)):
            _do(tools, "edit", path=path, old="", new=content)
            said = _do(tools, "run_tests", node_ids=[path], at="base")

            assert "does not show the bug" in said
        assert tools.oracle is None


def test_red_is_looked_for_on_the_unchanged_code(tools: Toolbox) -> None:
    _mend(tools)
    _reproduce(tools)

    assert tools.oracle is not None


def test_a_test_green_at_the_base_shows_nothing(tools: Toolbox) -> None:
    said = _do(tools, "run_tests", node_ids=["tests/test_cart.py"], at="base")

    assert "does not show the bug" in said
    assert tools.oracle is None


def test_an_old_test_that_was_changed_shows_nothing(tools: Toolbox, folder: Path) -> None:
    (folder / "tests" / "test_cart.py").write_text(NEW_TEST)

    said = _refused(tools, "run_tests", node_ids=["tests/test_cart.py"], at="base")

    assert "put yours in a new file" in said


def test_code_is_not_taken_for_a_test(tools: Toolbox) -> None:
    _do(tools, "edit", path="new.py", old="", new=NEW_TEST)

    assert "is no test" in _refused(tools, "run_tests", node_ids=["new.py::t"], at="base")


def test_an_old_test_that_is_red_at_the_base_is_an_oracle_of_the_suite(
    folder: Path, sandbox: FakeSandbox
) -> None:
    (folder / NEW_TEST_PATH).write_text(NEW_TEST)
    for tools in _toolbox(agents.make_task(folder), sandbox):
        _do(tools, "run_tests", node_ids=[NODE_ID], at="base")

        assert tools.oracle is not None
        assert (tools.oracle.kind, tools.oracle.files) == (OracleKind.SUITE_TEST, {})


@pytest.mark.parametrize("node_id", ["-p no:x", "--co", "../x.py::t", "/etc/x.py::t"])
@pytest.mark.parametrize("at", ["now", "base"])
def test_a_node_id_is_neither_an_option_nor_a_way_out(
    tools: Toolbox, sandbox: FakeSandbox, node_id: str, at: str
) -> None:
    _refused(tools, "run_tests", node_ids=[node_id], at=at)

    assert sandbox.specs == []


def test_a_good_patch_is_taken(tools: Toolbox) -> None:
    _reproduce(tools)
    _mend(tools)

    assert _do(tools, "submit", explanation="why") == "submitted"
    assert tools.submission is not None
    assert [edit.path for edit in tools.submission.edits] == ["cart.py"]


def test_more_new_tests_are_part_of_the_patch(tools: Toolbox) -> None:
    _reproduce(tools)
    _mend(tools)
    _do(tools, "edit", path="tests/test_more.py", old="", new="def test(): ...\n")
    _do(tools, "submit", explanation="why")

    assert tools.submission is not None
    assert [edit.path for edit in tools.submission.edits] == ["cart.py", "tests/test_more.py"]


def test_submit_wants_the_red_test_green(tools: Toolbox, folder: Path) -> None:
    _reproduce(tools)
    (folder / "cart.py").write_text(agents.FAULTY + "\n# mended\n")

    assert "must pass" in _refused(tools, "submit", explanation="why")
    assert tools.submission is None


def test_submit_wants_more_than_tests(tools: Toolbox) -> None:
    _reproduce(tools)

    assert "nothing but tests" in _refused(tools, "submit", explanation="why")


def test_submit_wants_old_tests_as_they_were(tools: Toolbox, folder: Path) -> None:
    _reproduce(tools)
    _mend(tools)
    (folder / "tests" / "test_cart.py").unlink()

    assert "tests/test_cart.py" in _refused(tools, "submit", explanation="why")


@pytest.mark.parametrize(
    "path", ["tests/conftest.py", "tests/__init__.py", "sitecustomize.py", "x.pth"]
)
def test_submit_wants_nothing_that_decides_how_tests_run(tools: Toolbox, path: str) -> None:
    _reproduce(tools)
    _mend(tools)
    _do(tools, "edit", path=path, old="", new="\n")

    assert path in _refused(tools, "submit", explanation="why")


def test_submit_wants_the_test_that_was_seen_red(tools: Toolbox, folder: Path) -> None:
    _reproduce(tools)
    _mend(tools)
    (folder / NEW_TEST_PATH).write_text("def test_empty(): ...\n")

    assert "has changed" in _refused(tools, "submit", explanation="why")


def test_the_oracle_of_the_task_cannot_be_replaced(folder: Path, sandbox: FakeSandbox) -> None:
    oracle = Oracle(kind=OracleKind.SNIPPET, node_ids=(NODE_ID,), files={NEW_TEST_PATH: NEW_TEST})
    for tools in _toolbox(agents.make_task(folder, oracle=oracle), sandbox):
        other = "tests/test_other.py"
        _do(tools, "edit", path=other, old="", new=NEW_TEST)
        _do(tools, "run_tests", node_ids=[f"{other}::test_empty"], at="base")

        assert tools.oracle == oracle
