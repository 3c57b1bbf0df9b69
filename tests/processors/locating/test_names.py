from __future__ import annotations

import time

import pytest

from processors.locating.entries import entry_of
from processors.locating.names import LOOKED_MAX, Names, Node

SOURCES = {
    "shop/__init__.py": (
        "from shop.cart import Cart\nfrom .money import *\nimport shop.tax as duty\n"
    ),
    "shop/cart.py": "from shop.base import Base as Root\nclass Cart(Root): pass\nBasket = Cart\n",
    "shop/base.py": (
        "class Top:\n    def show(self): pass\nclass Base(Top):\n    def total(self): pass\n"
    ),
    "shop/money.py": "def price(): pass\n",
    "shop/tax/__init__.py": "def rate(): pass\n",
    "use.py": "import shop, shop.cart\nfrom shop import Cart as C\n",
}


@pytest.fixture
def names() -> Names:
    return Names({path: entry_of(path, text) for path, text in SOURCES.items()})


@pytest.mark.parametrize(
    ("symbol", "path", "meant"),
    [
        ("shop.Cart", "shop/cart.py", "Cart"),
        ("C", "shop/cart.py", "Cart"),
        ("C.total", "shop/base.py", "Base.total"),
        ("shop.Cart.show", "shop/base.py", "Top.show"),
        ("shop.price", "shop/money.py", "price"),
        ("shop.duty.rate", "shop/tax/__init__.py", "rate"),
        ("shop.cart.Basket", "shop/cart.py", "Cart"),
    ],
)
def test_a_name_is_followed_to_where_it_is_defined(
    names: Names, symbol: str, path: str, meant: str
) -> None:
    assert names.meant("use.py", symbol) == (Node(path, meant),)


@pytest.mark.parametrize("symbol", ["", ".", "Cart", "shop", "shop.Cart.absent", "*"])
def test_a_name_whose_meaning_is_open_has_none(names: Names, symbol: str) -> None:
    assert names.meant("use.py", symbol) == ()


def test_the_classes_that_one_inherits_from_stand_in_order(names: Names) -> None:
    found = names.lineage(Node("shop/cart.py", "Cart"))

    assert [node.symbol for node in found] == ["Base", "Top"]


def test_a_name_is_followed_far_but_not_for_ever() -> None:
    size = LOOKED_MAX + 3
    chain = {f"m{n}.py": f"from m{n + 1} import x\n" for n in range(size)}
    chain[f"m{size}.py"] = "def x(): pass\n"
    names = Names({path: entry_of(path, text) for path, text in chain.items()})

    assert names.meant("m0.py", "x") == ()
    assert names.meant("m50.py", "x") == (Node(f"m{size}.py", "x"),)


def test_files_that_take_all_from_each_other_cost_little_time() -> None:
    everything = "".join(f"from m{n} import *\n" for n in range(300))
    names = Names({f"m{n}.py": entry_of(f"m{n}.py", everything) for n in range(300)})
    start_s = time.process_time()

    for number in range(300):
        assert names.meant(f"m{number}.py", "a.b.c") == ()
    assert time.process_time() - start_s < 10
