from __future__ import annotations

import time

import pytest

from processors.locating.paths import (
    Paths,
    dotted,
    holds_tests,
    is_beside,
    is_internal,
    is_made,
    match_path,
    words_of,
)

PATHS = Paths(
    ["src/shop/cart.py", "src/shop/__init__.py", "shop_tools/cart.py", "a/util.py", "b/util.py"]
)


def test_a_path_that_could_mean_two_files_means_none() -> None:
    assert match_path("/srv/util.py", {"a/util.py": "", "b/util.py": ""}) is None
    assert match_path("C:\\srv\\a\\util.py", {"a/util.py": "", "b/util.py": ""}) == "a/util.py"
    assert PATHS.fitting("util.py") == ["a/util.py", "b/util.py"]


@pytest.mark.parametrize(
    "printed",
    [
        "/usr/lib/python3/site-packages/shop/cart.py",
        "shop/cart.py",
        "C:\\work\\src\\shop\\cart.py",
        "./shop/cart.py",
    ],
)
def test_the_longest_ending_decides(printed: str) -> None:
    assert PATHS.match(printed) == "src/shop/cart.py"


@pytest.mark.parametrize("printed", ["", "/", "..", "cart.pyc", "nothing/at/all.py", "x/" * 500])
def test_what_fits_nothing_means_nothing(printed: str) -> None:
    assert PATHS.match(printed) is None


def test_a_dotted_name_leads_to_the_longest_module_it_begins_with() -> None:
    assert PATHS.modules("shop.cart.Cart.total") == ["src/shop/cart.py"]
    assert not PATHS.modules("cart")
    assert not PATHS.modules("other.cart")


def test_a_package_is_a_module_too_and_src_is_none() -> None:
    assert dotted("src/shop/__init__.py") == ("shop",)
    assert dotted("shop/cart.py") == ("shop", "cart")


def test_tests_are_told_from_tools_for_testing() -> None:
    assert holds_tests("pkg/tests/helper.py")
    assert holds_tests("test_cart.py")
    assert not holds_tests("shop/test/client.py")
    assert is_beside("shop/test/client.py")
    assert is_beside("setup.py")
    assert not is_beside("shop/cart.py")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/cart.test.ts", True),
        ("src/__tests__/cart.ts", True),
        ("test/cart.js", True),
        ("cart_test.go", True),
        ("src/test/java/shop/CartTest.java", True),
        ("src/main/java/shop/test/Cart.java", False),
        ("src/main/java/shop/Latest.java", False),
        ("src/contest.ts", False),
        ("shop/test/runner.py", False),
        ("cart.go", False),
    ],
)
def test_tests_of_other_languages_are_known(path: str, expected: bool) -> None:
    assert holds_tests(path) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("shop/locale/de/LC_MESSAGES/shop.js", True),
        ("dist/cart.js", True),
        ("node_modules/left-pad/index.js", True),
        ("static/jquery-min.js", True),
        ("static/jquery.min.js", True),
        ("api/cart.pb.go", True),
        ("src/admin.js", False),
        ("src/distance.js", False),
        ("cart.go", False),
    ],
)
def test_what_a_program_made_is_known(path: str, expected: bool) -> None:
    assert is_made(path) is expected


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("webpack:///./src/cart.ts?1a2b", "src/cart.ts"),
        ("/app/dist/cart.js:", None),
        ("/app/dist/cart.js", "src/cart.ts"),
        ("/app/dist/view.js", "src/view.tsx"),
        ("Cart.java", "src/main/java/com/shop/Cart.java"),
        ("com/shop/Cart.java", "src/main/java/com/shop/Cart.java"),
        ("/go/src/shop/cart.go", "shop/cart.go"),
    ],
)
def test_what_other_languages_print_leads_to_the_source(printed: str, expected: str | None) -> None:
    known = Paths(
        ["src/cart.ts", "src/view.tsx", "src/main/java/com/shop/Cart.java", "shop/cart.go"]
    )

    assert known.match(printed) == expected


def test_many_files_of_one_name_are_looked_through_once_a_folder() -> None:
    known = Paths(f"p{n % 50}/q{n}/index.js" for n in range(20_000))
    start_s = time.process_time()
    for number in range(100):
        assert len(known.fitting(f"/{'a/' * 30}x{number}/index.js")) == 20_000
    assert known.match("/srv/p7/q57/index.js") == "p7/q57/index.js"

    assert time.process_time() - start_s < 5


@pytest.mark.parametrize("path", ["src/cart.d.ts", "rollup.config.mjs", "Gruntfile.js"])
def test_declarations_and_settings_of_tools_stand_beside(path: str) -> None:
    assert is_beside(path)
    assert not is_beside("src/config.ts")


def test_the_words_of_a_path_are_those_at_its_end() -> None:
    assert list(words_of("x/y/shop/carts/total.py")) == ["shop", "cart", "total"]


def test_what_is_internal_says_so_by_its_name() -> None:
    hidden = ("_pytest/main.py", "a/_b.py", "internal/c.go", "a/_c/__init__.py")

    assert all(is_internal(path) for path in hidden)
    assert not any(is_internal(path) for path in ("a/b.py", "a/__init__.py", "__init__.py"))


@pytest.mark.parametrize("path", ["src/generated/a.ts", "x/__generated__/q.js", "vendor/a/b.go"])
def test_generated_and_vendored_code_stands_beside(path: str) -> None:
    assert is_beside(path)
    assert not is_beside("src/generator/a.ts")
