"""The rule by which a chain of traces points at one frame."""

from __future__ import annotations

import pytest

from processors.traces.in_app import chains_of, innermost_in_app
from schemas.reports import Frame, StackTrace


def _trace(role: str, path: str = "", language: str = "python", function: str = "f") -> StackTrace:
    frames = (Frame(path="main.py", line=1), Frame(path=path, line=2, function=function))
    return StackTrace.model_validate(
        {"language": language, "exception": role, "role": role, "frames": frames if path else ()}
    )


@pytest.mark.parametrize(
    ("traces", "path"),
    [
        ([], None),
        ([_trace("raised")], None),
        ([_trace("raised", "a.py")], "a.py"),
        ([_trace("cause", "a.py"), _trace("raised", "b.py")], "a.py"),
        ([_trace("cause"), _trace("raised", "b.py")], "b.py"),
        ([_trace("context", "a.py"), _trace("raised", "b.py")], "b.py"),
        ([_trace("cause", "a"), _trace("context", "b"), _trace("raised", "c.py")], "c.py"),
        ([_trace("cause", "a"), _trace("cause", "b"), _trace("raised", "c.py")], "a"),
        ([_trace("raised", "a.py"), _trace("member", "b.py")], "b.py"),
        ([_trace("raised", "a.py"), _trace("raised", "b.py")], "a.py"),
        ([_trace("raised", "A", "java"), _trace("cause", "B", "java")], "B"),
        ([_trace("raised", "A", "java"), _trace("suppressed", "B", "java")], "A"),
    ],
)
def test_the_root_cause_counts(traces: list[StackTrace], path: str | None) -> None:
    frame = innermost_in_app(traces)

    assert (frame.path if frame else None) == path


def test_a_frame_without_a_file_counts_only_where_none_has_one() -> None:
    nameless = StackTrace(
        language="java", exception="E", frames=(Frame(path="", function="shop.Cart.total"),)
    )
    cause = nameless.model_copy(update={"role": "cause"})

    assert innermost_in_app([nameless]) == nameless.frames[0]
    assert innermost_in_app([_trace("raised", "A", "java"), cause]) == Frame(
        path="A", line=2, function="f"
    )


def test_each_raised_exception_has_its_own_chain() -> None:
    python = [_trace("cause", "a"), _trace("raised", "b"), _trace("raised", "c")]
    java = [_trace(role, "A", "java") for role in ("raised", "cause", "raised")]

    assert [len(chain) for chain in chains_of([*python, *java])] == [2, 1, 2, 1]
