"""Which tests are written from what a report says."""

from __future__ import annotations

import ast

from processors.reproductions import Reproduction, reproductions
from schemas.fixes import OracleKind
from tests.processors.trees import CALC, report

SOURCES = {path: text for path, text in CALC.items() if path.endswith(".py")}


def written(text: str) -> list[Reproduction]:
    found = list(reproductions(report(text), SOURCES))
    assert all(ast.parse(item.source) for item in found)
    return found


def script(item: Reproduction) -> str:
    (assignment,) = (n for n in ast.parse(item.source).body if isinstance(n, ast.Assign))
    return str(ast.literal_eval(assignment.value))


def test_a_snippet_is_run_as_the_script_it_is() -> None:
    code = 'from calc.mean import mean\ntext = """a\nb"""\nprint(mean([]), "\\n")'
    (found,) = written(f"This shows it:\n\n```python\n{code}\n```\n")

    assert (found.kind, script(found)) == (OracleKind.SNIPPET, code + "\n")


def test_what_is_no_python_is_not_run() -> None:
    assert written("```sh\nrm -rf /\n```\n\n```python\nthis is ( no code\n```\n") == []


def test_a_comment_that_says_what_is_expected_becomes_an_assertion() -> None:
    code = "from calc.mean import mean\nprint(mean([]))  # expected 0.0, got an error"
    asserting, running = written(f"```python\n{code}\n```\n")

    assert script(asserting) == "from calc.mean import mean\nassert mean([]) == 0.0\n"
    assert asserting.only_assertions
    assert not running.only_assertions


def test_a_call_in_a_sentence_with_its_expected_result_becomes_an_assertion() -> None:
    (found,) = written("I called `double(3)` and got `6.5`. Odd. `double(4)` should be `8`, not 9.")

    assert script(found) == "from calc.mean import double\nassert double(4) == 8\n"


def test_what_is_expected_must_be_a_literal_and_the_name_must_be_known() -> None:
    assert written("`double(3)` should be `os.system('x')`. `unknown(3)` should be `6`.") == []


def test_a_session_is_typed_again_and_its_expected_result_asserted() -> None:
    text = ">>> from calc.mean import double\n>>> double(3)\n7\n\nExpected: 6\n"
    found = written(text)

    assert "assert double(3) == 6\n" in script(found[-1])


TRACE = """\
Traceback (most recent call last):
  File "/srv/app/run.py", line 9, in main
    result = round(mean([]), 2)
  File "/srv/app/calc/mean.py", line 3, in mean
    return sum(numbers) / len(numbers)
ZeroDivisionError: division by zero
"""


def test_a_call_with_literals_in_a_trace_is_made_again() -> None:
    (found,) = written(TRACE)

    assert found.kind is OracleKind.TRACEBACK_TEST
    assert script(found) == "from calc.mean import mean\n\nmean([])\n"


def test_a_call_whose_values_are_not_in_the_trace_is_not_guessed() -> None:
    assert written(TRACE.replace("mean([])", "mean(values)")) == []
    assert written(TRACE.replace("mean([])", "mean(len=unknown)")) == []
