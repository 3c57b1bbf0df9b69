"""The reporter by itself, on our own pytest: the runs in the sandbox test it on strangers' code."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

from processors.pytest_reporter import Reporter


def said(reporter_calls: object) -> list[dict[str, object]]:
    readable, writable = os.pipe()
    try:
        reporter_calls(Reporter(writable, "@m ", ["t.py::one", "t.py::each"]))  # type: ignore[operator]
        os.close(writable)
        lines = os.read(readable, 1_000_000).decode().splitlines()
    finally:
        os.close(readable)
    return [json.loads(line[3:]) for line in lines if line.startswith("@m ")]


def test_each_record_is_a_line_of_its_own_whatever_it_holds() -> None:
    records = said(lambda r: (r.say(text="a\nb \udcff"), r.say(text="c")))

    assert [record["text"] for record in records] == ["a\nb \udcff", "c"]


def test_a_name_without_parameters_keeps_all_of_them() -> None:
    names = ["t.py::one", "t.py::two", "t.py::each[1]", "t.py::each[2]"]
    items = [SimpleNamespace(nodeid=name) for name in names]
    dropped: list[object] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: dropped.extend([*items]))

    said(lambda r: r.pytest_collection_modifyitems(SimpleNamespace(hook=hook), items))

    assert [item.nodeid for item in items] == ["t.py::one", "t.py::each[1]", "t.py::each[2]"]
    assert len(dropped) == 1


def test_what_is_collected_twice_is_run_once() -> None:
    once, again = (SimpleNamespace(nodeid="t.py::one") for _ in range(2))
    items = [once, again, once]
    hook = SimpleNamespace(pytest_deselected=lambda items: None)

    said(lambda r: r.pytest_collection_modifyitems(SimpleNamespace(hook=hook), items))

    assert items == [once]


def test_a_failure_comes_with_its_crash_and_frames() -> None:
    place = SimpleNamespace(path="/sandbox/a.py", lineno=3)
    longrepr = SimpleNamespace(
        reprcrash=SimpleNamespace(message="KeyError: 'x'"),
        reprtraceback=SimpleNamespace(reprentries=[SimpleNamespace(reprfileloc=place)]),
    )
    failed = SimpleNamespace(
        nodeid="t.py::one", when="call", outcome="failed", failed=True, longrepr=longrepr
    )

    (record,) = said(lambda r: r.pytest_runtest_logreport(failed))

    assert record["crash"] == "KeyError: 'x'"
    assert record["frames"] == [["/sandbox/a.py", 3]]
