from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streams.repair_trial import Bench, Case, meaning, run, run_all
from tests.processors.repair.local_sandbox import LocalSandbox

KNOWN = '''"""Ages."""


def adult(age):
    """Say whether."""
    return age >= 18
'''
TESTS = """
from ages import adult

def test_adult():
    assert adult(19)

def test_just_adult():
    assert adult(18)

def test_child():
    assert not adult(17)
"""
BENCH = Bench(LocalSandbox(), Path(sys.executable), wall_s_per_program=30, candidates_max=300)


def _case(name: str, broken: str, known: str = KNOWN) -> Case:
    def write(tree: Path) -> None:
        (tree / "ages.py").write_text(broken, encoding="utf-8")
        (tree / "test_ages.py").write_text(TESTS, encoding="utf-8")

    return Case(name, write, "ages.py", known)


def test_patch_is_confirmed_and_compared_with_the_known_program() -> None:
    commented = KNOWN.replace("    return", "    # from eighteen on\n    return")

    trial = run(BENCH, _case("boundary", KNOWN.replace(">=", ">"), known=commented))

    assert trial.patched
    assert trial.same
    assert trial.template == "compare-operator"
    assert trial.cpu_s > 0


@pytest.mark.parametrize(
    ("other", "same"),
    [(KNOWN.replace("Say whether", "Tell"), True), (KNOWN.replace("18", "17"), False)],
)
def test_programs_are_the_same_whatever_their_texts_say(other: str, same: bool) -> None:
    assert (meaning(KNOWN) == meaning(other)) is same


def test_failures_are_reported_with_their_reason_and_trials_keep_their_order() -> None:
    seen: list[tuple[int, int, str]] = []
    hopeless = "def adult(age):\n    raise NotImplementedError\n"
    cases = [_case("hopeless", hopeless), _case("sound", KNOWN)]

    trials = run_all(BENCH, cases, lambda done, total, what: seen.append((done, total, what)))

    assert [t.name for t in trials] == ["hopeless", "sound"]
    assert not trials[0].patched
    assert "no edit from the templates" in trials[0].note
    assert not trials[1].patched
    assert trials[1].note == "no test fails at base"
    assert sorted(number for number, _, _ in seen) == [1, 2]
