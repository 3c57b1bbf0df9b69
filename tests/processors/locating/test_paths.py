from __future__ import annotations

import pytest

from processors.locating.paths import Paths, dotted, holds_tests, is_beside, match_path, words_of

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


def test_the_words_of_a_path_are_those_at_its_end() -> None:
    assert list(words_of("x/y/shop/carts/total.py")) == ["shop", "cart", "total"]
