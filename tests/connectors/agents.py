"""A small faulty project, a sandbox that knows it, and a proposer on a scripted model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from connectors.agent_tools import Sandbox
from connectors.anthropic_agent import AgentPlan, AnthropicProposer
from connectors.blobs import MemoryBlobs
from connectors.database import open_engine
from connectors.ledger import SqlLedger
from connectors.scripted_model import Reply, Says, Script, ScriptedModel, call
from processors.ports import SandboxProcess
from schemas.places import Location
from schemas.projects import Project
from schemas.reports import BugReport
from schemas.values import FixTask, SandboxResult, SandboxSpec
from streams.clock import VirtualClock
from tests.factories import BUG_ID, ORIGIN, REPORT_ID, SEED
from tests.processors.trees import COMMAND

FAULTY = "def mean(prices):\n    return sum(prices) / len(prices)\n"
MENDED = "def mean(prices):\n    return sum(prices) / len(prices) if prices else 0\n"
OLD_TEST = "from cart import mean\n\n\ndef test_mean():\n    assert mean([1, 3]) == 2\n"
NEW_TEST = "from cart import mean\n\n\ndef test_empty():\n    assert mean([]) == 0\n"
NEW_TEST_PATH = "tests/test_empty.py"
NODE_ID = f"{NEW_TEST_PATH}::test_empty"
CONFTEST = "import sys\n\nsys.path.insert(0, '.')\n"

WRITE_TEST = call("edit", path=NEW_TEST_PATH, old="", new=NEW_TEST)
SEE_RED = call("run_tests", node_ids=[NODE_ID], at="base")
MEND = call("edit", path="cart.py", old="len(prices)\n", new="len(prices) if prices else 0\n")
RUN_ALL = call("run_tests", node_ids=[])
SUBMIT = call("submit", explanation="An empty cart has the mean 0.")
GOOD_RUN = tuple(Says([block]) for block in (WRITE_TEST, SEE_RED, MEND, RUN_ALL, SUBMIT))

PLAN = AgentPlan(
    model="claude-sonnet-5-5",
    model_escalated="claude-opus-5-5",
    steps_max=12,
    wall_s_max=900,
)


@dataclass(slots=True)
class FakeSandbox:
    """Judges tests by what the code says, and runs other commands as they are: trusted ones."""

    specs: list[SandboxSpec] = field(default_factory=list)
    before_run: Callable[[], None] = lambda: None

    def check(self) -> str:
        return "a fake"

    def run(self, spec: SandboxSpec) -> SandboxResult:
        self.before_run()
        self.specs.append(spec)
        if "pytest" in spec.argv:
            return self._tests(spec)
        done = subprocess.run(spec.argv, cwd=spec.workdir, env={}, capture_output=True, check=False)
        return _result(done.returncode, done.stdout, done.stderr)

    def start(self, spec: SandboxSpec) -> AbstractContextManager[SandboxProcess]:
        raise NotImplementedError(spec)

    def _tests(self, spec: SandboxSpec) -> SandboxResult:
        chosen = [word.partition("::")[0] for word in spec.argv if ".py" in word]
        paths = [spec.workdir / path for path in chosen] or [*spec.workdir.glob("tests/test_*.py")]
        if not all(path.is_file() for path in paths):
            return _result(4, b"no such test")
        faulty = (spec.workdir / "cart.py").read_text() != MENDED
        red = faulty and any("mean([])" in path.read_text() for path in paths)
        said = f"FAILED {NODE_ID} - ZeroDivisionError\n1 failed in 0.0{len(self.specs)}s"
        return _result(1, said.encode()) if red else _result(0, b"passed")


def _result(code: int, stdout: bytes, stderr: bytes = b"") -> SandboxResult:
    return SandboxResult(code, "exited", stdout, stderr, wall_s=0.1, cpu_s=0.1)


def make_tree(folder: Path) -> Path:
    """Return `folder`, made into the faulty project."""
    (folder / "tests").mkdir(parents=True)
    (folder / "cart.py").write_text(FAULTY)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "tests" / "test_cart.py").write_text(OLD_TEST)
    return folder


def make_task(tree: Path, **changes: Any) -> FixTask:
    """Return the task to mend the faulty project in `tree`."""
    task = FixTask(
        bug_id=BUG_ID,
        attempt=1,
        cause=SEED,
        project=Project(id="shop", test_command=COMMAND),
        python=Path(sys.executable),
        tree=tree,
        report=BugReport(
            report_id=REPORT_ID,
            origin=ORIGIN,
            title="Empty cart crashes",
            description="mean([]) raises ZeroDivisionError",
            reporter="github:ann",
        ),
        locations=(Location(path="cart.py", line_start=2, score=1.0, reasons=("frame",)),),
        oracle=None,
        failing_output="",
        budget_usd_micros=2_000_000,
    )
    return replace(task, **changes)


@dataclass(slots=True)
class Bench:
    """A proposer, and everything around it that a test wants to look at."""

    model: ScriptedModel
    proposer: AnthropicProposer
    engine: Engine
    blobs: MemoryBlobs
    sandbox: Sandbox
    clock: VirtualClock


def make_bench(
    folder: Path,
    script: Script | Sequence[Reply],
    *,
    sandbox: Sandbox | None = None,
    plan: AgentPlan = PLAN,
    blobs: MemoryBlobs | None = None,
) -> Bench:
    """Return a proposer on the ledger in `folder`, which another bench may share."""
    model, clock, kept = ScriptedModel(script), VirtualClock(), blobs or MemoryBlobs()
    engine = open_engine(folder / "ledger.db")
    used = sandbox or FakeSandbox()
    proposer = AnthropicProposer(
        "test-key",
        plan=plan,
        ledger=SqlLedger(engine),
        blobs=kept,
        sandbox=used,
        clock=clock,
        http_client=model.http_client(),
        sleep_s=clock.advance,
    )
    return Bench(model, proposer, engine, kept, used, clock)


def another_cause(number: int) -> UUID:
    """Return the id of another `fix.requested`."""
    return UUID(int=number)
