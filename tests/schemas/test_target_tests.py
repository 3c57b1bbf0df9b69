"""Tests are told from code by name and folder."""

from __future__ import annotations

import pytest

from schemas.target_tests import is_test, runs_by_itself


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_a.py",
        "tests/helpers.py",
        "tests/data/x.json",
        "Tests/x.txt",
        "shop/test_cart.py",
        "shop/cart_test.py",
        "shop/tests.py",
        "conftest.py",
        "python_testcases/load.py",
    ],
)
def test_files_of_the_tests_are_known(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize(
    "path",
    [
        "contest.py",
        "latest/cart.py",
        "pkg/contest/x.py",
        "pkg/latest.py",
        "shop/testing_ground.py",
        "test_data.json",
    ],
)
def test_code_is_not_taken_for_a_test(path: str) -> None:
    assert not is_test(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("conftest.py", True),
        ("shop/sitecustomize.py", True),
        ("x.pth", True),
        ("tests/test_a.py", False),
        ("shop/cart.py", False),
    ],
)
def test_what_runs_without_being_imported_is_known(path: str, expected: bool) -> None:
    assert runs_by_itself(path) is expected
