from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from connectors.sandbox import find_sandbox
from processors.ports import Declined, FixTask, Proposed, Sandbox
from processors.repair.engine import TemplateProposer
from schemas.fixes import Oracle, OracleKind
from schemas.places import Location
from schemas.projects import Project
from schemas.raw import Origin
from schemas.reports import BugReport
from tests.processors.repair.local_sandbox import LocalSandbox
from tests.processors.trees import COMMAND

CART = '''"""A cart."""


class Cart:
    """Holds items."""

    def __init__(self):
        self.items = []   # (name, price, amount)

    def add(self, name, price, amount=1):
        self.items.append((name, price, amount))

    def total(self, coupon=None):
        total = sum(price * amount for _, price, amount in self.items)
        if coupon.startswith("HALF"):
            return total / 2
        return total

    def free_shipping(self):
        return self.total("") > 50
'''
TESTS = """
import pytest
from shop.cart import Cart

@pytest.fixture
def cart():
    cart = Cart()
    cart.add("tea", 10, 2)
    return cart

def test_total(cart):
    assert cart.total("") == 20

def test_coupon(cart):
    assert cart.total("HALF-1") == 10

def test_no_coupon(cart):
    assert cart.total() == 20

def test_no_free_shipping(cart):
    assert not cart.free_shipping()

def test_free_shipping_from_fifty(cart):
    cart.add("pot", 30)
    assert cart.free_shipping()
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    (root / "shop").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "shop/__init__.py").touch()
    (root / "shop/cart.py").write_text(CART, encoding="utf-8")
    (root / "tests/test_cart.py").write_text(TESTS, encoding="utf-8")
    return root


def _task(tree: Path, oracle: Oracle | None, *locations: Location) -> FixTask:
    origin = Origin(channel="http", container="test", item="1")
    return FixTask(
        bug_id=UUID(int=1),
        attempt=1,
        cause=UUID(int=2),
        project=Project(id="shop", test_command=COMMAND),
        python=Path(sys.executable),
        tree=tree,
        report=BugReport(report_id=UUID(int=3), origin=origin, title="broken"),
        locations=locations,
        oracle=oracle,
        failing_output="",
        budget_usd_micros=0,
    )


def _oracle(*tests: str) -> Oracle:
    nodes = tuple(f"tests/test_cart.py::{test}" for test in tests)
    return Oracle(kind=OracleKind.SUITE_TEST, node_ids=nodes)


def _proposer(
    sandbox: Sandbox, *, wall_s_max: float = 60.0, candidates_max: int = 2000
) -> TemplateProposer:
    return TemplateProposer(sandbox, wall_s_max=wall_s_max, candidates_max=candidates_max)


def _pytest(tree: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tree)]
    return subprocess.run(command, cwd=tree, check=False, capture_output=True).returncode


@pytest.mark.sandbox
def test_missing_none_guard_is_found_inside_the_real_sandbox(tree: Path) -> None:
    # The other planted fault is repaired first, so that the whole suite can be green.
    file = tree / "shop/cart.py"
    file.write_text(CART.replace("> 50", ">= 50"), encoding="utf-8")
    file.chmod(0o644)

    answer = _proposer(find_sandbox()).propose(_task(tree, _oracle("test_no_coupon")))

    assert isinstance(answer, Proposed), answer
    (edit,) = answer.proposal.edits
    assert edit.path == "shop/cart.py"
    assert "coupon" in answer.proposal.diff
    assert file.read_text(encoding="utf-8") == edit.before
    subprocess.run(["git", "apply", "-"], cwd=tree, input=answer.proposal.diff.encode(), check=True)
    assert file.read_text(encoding="utf-8") == edit.after
    assert _pytest(tree) == 0


def test_wrong_operator_is_found_and_the_rest_of_the_file_stays(tree: Path) -> None:
    answer = _proposer(LocalSandbox()).propose(
        _task(tree, _oracle("test_free_shipping_from_fifty"))
    )

    assert isinstance(answer, Proposed), answer
    assert answer.proposal.edits[0].after == CART.replace("> 50", ">= 50")
    assert answer.proposal.template == "compare-operator"
    assert "shop/cart.py, line 20" in answer.proposal.explanation
    assert answer.proposal.candidates_tried > 0


def test_patch_that_verification_rejected_is_not_proposed_again(tree: Path) -> None:
    task = _task(tree, _oracle("test_free_shipping_from_fifty"))
    first = _proposer(LocalSandbox()).propose(task)
    assert isinstance(first, Proposed), first

    feedback = f"The patch was:\n{first.proposal.diff}\n\na check failed"
    second = _proposer(LocalSandbox()).propose(replace(task, feedback=feedback))

    assert isinstance(second, Proposed), second
    assert second.proposal.diff != first.proposal.diff


def test_condition_that_only_the_failing_test_reaches_is_not_turned_around(tree: Path) -> None:
    body = "    if at is not None:\n        return [text]\n    return text.split(at, 1)\n"
    untested = f"def parts(text, at=None):\n{body}"
    (tree / "shop/parts.py").write_text(untested, encoding="utf-8")
    file = tree / "tests/test_parts.py"
    file.write_text(
        "from shop.parts import parts\n\ndef test_all():\n    assert parts('a b') == ['a b']\n",
        encoding="utf-8",
    )
    node_id = "tests/test_parts.py::test_all"
    oracle = Oracle(kind=OracleKind.SUITE_TEST, node_ids=(node_id,))

    answer = _proposer(LocalSandbox()).propose(_task(tree, oracle))

    around = "if at is None:"
    assert not isinstance(answer, Proposed) or around not in answer.proposal.diff


def test_answer_that_only_the_failing_test_asks_for_is_not_turned_around(tree: Path) -> None:
    (tree / "shop/names.py").write_text(
        "import re\n\n\ndef is_name(text):\n    return re.match(r'[a-z]+$', text) is not None\n",
        encoding="utf-8",
    )
    (tree / "tests/test_names.py").write_text(
        "from shop.names import is_name\n\ndef test_end():\n    assert not is_name('a\\n')\n",
        encoding="utf-8",
    )
    oracle = Oracle(kind=OracleKind.SUITE_TEST, node_ids=("tests/test_names.py::test_end",))

    answer = _proposer(LocalSandbox()).propose(_task(tree, oracle))

    assert not isinstance(answer, Proposed) or "is None" not in answer.proposal.diff


def test_patch_that_breaks_another_test_is_not_proposed(tree: Path) -> None:
    tests = tree / "tests/test_cart.py"
    both = "\n\ndef test_contradiction(cart):\n    assert cart.total('') == 21\n"
    tests.write_text(TESTS + both, encoding="utf-8")

    answer = _proposer(LocalSandbox(), candidates_max=15).propose(
        _task(tree, _oracle("test_contradiction"))
    )

    assert isinstance(answer, Declined)
    assert answer.candidates_tried > 5
    assert "all candidates were tried" in answer.reason


def test_file_of_tests_that_was_broken_before_does_not_stand_in_the_way(tree: Path) -> None:
    (tree / "tests/test_broken.py").write_text("import no_such_module\n", encoding="utf-8")
    (tree / "pytest.ini").write_text("[pytest]\naddopts = -n 2\n", encoding="utf-8")

    task = _task(tree, _oracle("test_free_shipping_from_fifty"))
    answer = _proposer(LocalSandbox()).propose(replace(task, project=Project(id="shop")))

    assert isinstance(answer, Proposed), answer
    assert "so do 3 others" in answer.proposal.explanation


def test_search_ends_when_its_time_is_up(tree: Path) -> None:
    slow = "import time\n" + CART.replace("total = sum(", "time.sleep(0.5); total = sum(")
    (tree / "shop/cart.py").write_text(slow, encoding="utf-8")

    answer = _proposer(LocalSandbox(), wall_s_max=3).propose(
        _task(tree, _oracle("test_free_shipping_from_fifty"))
    )

    assert isinstance(answer, Declined)
    assert "the time was up" in answer.reason


def test_failing_test_that_waits_for_ever_costs_seconds_and_the_next_is_tried(tree: Path) -> None:
    lock = "import threading\n\n\ndef take(lock):\n    lock.acquire()\n    lock.acquire()\n"
    (tree / "shop/door.py").write_text(lock, encoding="utf-8")
    test = (
        "import threading\nfrom shop.door import take\n\n"
        "def test_take():\n    lock = threading.Lock()\n    take(lock)\n    assert lock.locked()\n"
    )
    (tree / "tests/test_door.py").write_text(test, encoding="utf-8")
    oracle = Oracle(kind=OracleKind.SUITE_TEST, node_ids=("tests/test_door.py::test_take",))

    answer = _proposer(LocalSandbox(), wall_s_max=14.0).propose(_task(tree, oracle))

    tried = answer.candidates_tried if isinstance(answer, Declined) else 0
    assert isinstance(answer, Proposed) or tried >= 2, answer


@pytest.mark.parametrize(
    ("oracle", "reason"),
    [
        (None, "no failing test"),
        (_oracle("test_total"), "passes here"),
    ],
)
def test_without_a_red_test_nothing_is_proposed(
    tree: Path, oracle: Oracle | None, reason: str
) -> None:
    answer = _proposer(LocalSandbox()).propose(_task(tree, oracle))

    assert isinstance(answer, Declined)
    assert reason in answer.reason
    assert answer.candidates_tried == 0


def test_reproducing_test_from_the_report_serves_as_oracle(tree: Path) -> None:
    content = "from shop.cart import Cart\n\ndef test_report():\n    assert Cart().total() == 0\n"
    oracle = Oracle(
        kind=OracleKind.SNIPPET,
        node_ids=("repro/test_report.py::test_report",),
        files={"repro/test_report.py": content},
    )

    answer = _proposer(LocalSandbox()).propose(_task(tree, oracle))

    assert isinstance(answer, Proposed), answer
    assert [edit.path for edit in answer.proposal.edits] == ["shop/cart.py"]
    assert "the reproducing test passes" in answer.proposal.explanation


def test_module_that_cannot_be_imported_is_repaired(tree: Path) -> None:
    broken = CART.replace('"""A cart."""\n', '"""A cart."""\n\nLIMIT = Decimal("1.5")\n')
    (tree / "shop/cart.py").write_text(broken, encoding="utf-8")
    oracle = _oracle("test_total")

    answer = _proposer(LocalSandbox()).propose(_task(tree, oracle))

    assert isinstance(answer, Proposed), answer
    assert "+from decimal import Decimal" in answer.proposal.diff
