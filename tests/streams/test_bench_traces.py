"""What is measured: texts found, and right where somebody wrote down the answer."""

from __future__ import annotations

import json
from pathlib import Path

from streams.bench_traces import EXPECTED, Sample, measure, texts_of

TRACE = (
    'Traceback (most recent call last):\n  File "cart.py", line 3, in total\n    f()\nKeyError: 1\n'
)


def _measured(folder: Path, expected: object) -> tuple[Sample, ...]:
    answers = folder / "answers.json"
    answers.write_text(json.dumps(expected), encoding="utf-8")
    return measure(folder, answers)


def test_a_text_is_right_when_chain_and_innermost_frame_are_as_written_down(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TRACE, encoding="utf-8")
    place = {"path": "cart.py", "line": 3, "function": "total"}
    entry = {"language": "python", "exceptions": ["KeyError"], "innermost": place}

    (right,) = _measured(tmp_path, {"a.txt": [entry]})
    (wrong,) = _measured(tmp_path, {"a.txt": [entry | {"innermost": place | {"line": 4}}]})
    (unknown,) = _measured(tmp_path, {})

    assert (right.found, right.located, right.right) == (True, True, True)
    assert (wrong.found, wrong.located, wrong.right) == (True, False, False)
    assert (unknown.found, unknown.located, unknown.right) == (True, False, False)


def test_a_trace_found_where_there_is_none_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b c\n", encoding="utf-8")
    nothing: dict[str, object] = {"language": None, "exceptions": [], "innermost": None}

    (sample,) = _measured(tmp_path, {"a.txt": [nothing]})

    assert (sample.found, sample.right) == (True, True)


def test_texts_are_taken_out_of_the_tests_of_other_parsers() -> None:
    script = "x = { message: 'no', stack: 'f@a.js:1\\n' +\n  'g@a.js:2' };"
    ruby = 'let(:a) { ["a.rb:1:in `b\'", \'c\'] }\nlet(:d) { ["#{e}:1"] }'
    rust = 'let a = r#"one"#; let b = r#"(?x)"#;'

    assert texts_of("x.js.txt", script) == ("f@a.js:1\ng@a.js:2",)
    assert texts_of("x.rb.txt", ruby) == ("a.rb:1:in `b'\nc",)
    assert texts_of("x.rs.txt", rust) == ("one",)
    assert texts_of("x.txt", "all") == ("all",)


def test_the_answers_are_well_formed() -> None:
    entries = [e for found in json.loads(EXPECTED.read_text("utf-8")).values() for e in found]

    assert len(entries) == 65
    assert all(set(e) == {"language", "exceptions", "innermost"} for e in entries)
