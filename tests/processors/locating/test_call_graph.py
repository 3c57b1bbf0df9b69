from __future__ import annotations

import time

import pytest

from processors.locating.call_graph import CallGraph
from processors.locating.entries import entry_of
from processors.locating.impact import reached
from processors.locating.names import Node

PYTHON = {
    "shop/cart.py": (
        "from .money import Price, round_up as up\nfrom shop import tax\n\n"
        "class Cart:\n"
        "    def __init__(self): self.clear()\n"
        "    def clear(self): pass\n"
        "    def total(self): return up(tax.rate(1)) + Price.of(2)\n"
        "    def __len__(self): return 1\n"
        "    def append(self): pass\n\n"
        "def buy(): return Cart().total()\n"
    ),
    "shop/money.py": (
        "def round_up(x): return x\n\nclass Price:\n    @staticmethod\n    def of(x): return x\n"
    ),
    "shop/tax.py": "def rate(x): return int(x)\n",
    "shop/bill.py": (
        "import shop.tax\ndef print_out(cart): shop.tax.rate(cart.total()); [].append(1)\n"
    ),
    "tests/test_cart.py": (
        "from shop.cart import Cart\n\ndef test_total(): Cart().append()\n\n"
        "class TestBuy:\n    def test_it(self): assert buy()\n"
    ),
}
SCRIPT = {
    "src/cart.ts": (
        'import { roundUp as up } from "./money.js";\nimport * as tax from "./tax";\n'
        "export class Cart { total() { return up(tax.rate(1)); } pay() { this.total(); } }\n"
    ),
    "src/money.ts": "export const roundUp = (x: number) => x;\n",
    "src/tax/index.ts": "export function rate(x: number) { return x; }\n",
}
JAVA = {
    "src/main/java/com/shop/Cart.java": (
        "package com.shop; import com.shop.money.Price;\n"
        "class Cart { int total() { return Price.of(new Tax().rate()); } void pay() { total(); } }"
    ),
    "src/main/java/com/shop/Tax.java": "package com.shop; class Tax { Tax() {} int rate() {} }",
    "src/main/java/com/shop/money/Price.java": "class Price { static int of(int x) { return x; } }",
}
GO = {
    "cart/cart.go": (
        'package cart\nimport "acme.example/team/shop/money"\n'
        "func (c *Cart) Total() int { return money.RoundUp(rate(1)) }\n"
    ),
    "cart/tax.go": "package cart\nfunc rate(x int) int { return x }\n",
    "money/money.go": "package money\nfunc RoundUp(x int) int { return x }\n",
    "main.go": 'package shop\nimport "acme.example/team/shop/cart"\nfunc Run() { c.Total() }\n',
    "cmd/run.go": 'package main\nimport "acme.example/team/shop/v2"\nfunc main() { shop.Run() }\n',
}


def graph(sources: dict[str, str]) -> CallGraph:
    return CallGraph({path: entry_of(path, text) for path, text in sources.items()})


def callers(sources: dict[str, str], path: str, symbol: str) -> list[tuple[str, str, bool]]:
    found = graph(sources).callers(Node(path, symbol))
    return [(each.node.path, each.node.symbol, each.is_certain) for each in found]


@pytest.mark.parametrize(
    ("path", "symbol", "expected"),
    [
        ("shop/money.py", "round_up", [("shop/cart.py", "Cart.total", True)]),
        ("shop/money.py", "Price.of", [("shop/cart.py", "Cart.total", True)]),
        (
            "shop/tax.py",
            "rate",
            [("shop/bill.py", "print_out", True), ("shop/cart.py", "Cart.total", True)],
        ),
        ("shop/cart.py", "Cart.clear", [("shop/cart.py", "Cart.__init__", True)]),
        (
            "shop/cart.py",
            "Cart.__init__",
            [("shop/cart.py", "buy", True), ("tests/test_cart.py", "test_total", True)],
        ),
        (
            "shop/cart.py",
            "Cart.total",
            [("shop/bill.py", "print_out", False), ("shop/cart.py", "buy", False)],
        ),
        (
            "shop/cart.py",
            "Cart.__len__",
            [("shop/cart.py", "buy", False), ("tests/test_cart.py", "test_total", False)],
        ),
        # A list has a method of that name, so only who imports the class may mean it.
        ("shop/cart.py", "Cart.append", [("tests/test_cart.py", "test_total", False)]),
        # It is neither defined nor imported where it is called.
        ("shop/cart.py", "buy", []),
        ("shop/cart.py", "", []),
    ],
)
def test_calls_in_python(path: str, symbol: str, expected: list[tuple[str, str, bool]]) -> None:
    assert callers(PYTHON, path, symbol) == expected


@pytest.mark.parametrize(
    ("path", "symbol"), [("src/money.ts", "roundUp"), ("src/tax/index.ts", "rate")]
)
def test_calls_in_scripts_follow_their_imports(path: str, symbol: str) -> None:
    assert callers(SCRIPT, path, symbol) == [("src/cart.ts", "Cart.total", True)]


def test_a_method_of_this_is_that_of_its_class() -> None:
    assert callers(SCRIPT, "src/cart.ts", "Cart.total") == [("src/cart.ts", "Cart.pay", True)]


@pytest.mark.parametrize(
    ("file", "symbol", "caller", "is_certain"),
    [
        ("money/Price.java", "Price.of", "Cart.total", True),
        ("Tax.java", "Tax.Tax", "Cart.total", True),
        ("Tax.java", "Tax.rate", "Cart.total", False),
        ("Cart.java", "Cart.total", "Cart.pay", True),
    ],
)
def test_calls_in_java(file: str, symbol: str, caller: str, is_certain: bool) -> None:
    folder = "src/main/java/com/shop"

    assert callers(JAVA, f"{folder}/{file}", symbol) == [
        (f"{folder}/Cart.java", caller, is_certain)
    ]


@pytest.mark.parametrize(
    ("path", "symbol", "expected"),
    [
        ("money/money.go", "RoundUp", ("cart/cart.go", "Cart.Total", True)),
        ("cart/tax.go", "rate", ("cart/cart.go", "Cart.Total", True)),
        ("cart/cart.go", "Cart.Total", ("main.go", "Run", False)),
        ("main.go", "Run", ("cmd/run.go", "main", True)),
    ],
)
def test_calls_in_go(path: str, symbol: str, expected: tuple[str, str, bool]) -> None:
    assert callers(GO, path, symbol) == [expected]


def test_a_name_that_many_define_is_nobodys() -> None:
    many = {f"a/m{n}.py": "class A:\n    def run_it(self): pass\n" for n in range(4)}
    found = graph({**many, "b.py": "def f(x): x.run_it()\n"})

    assert found.callers(Node("a/m0.py", "A.run_it")) == ()


FAMILY = {
    "src/shop/__init__.py": "from .cart import Cart as Cart, old_total\n",
    "src/shop/base.py": (
        "class Base:\n"
        "    def __init__(self): self.fill()\n"
        "    def fill(self): pass\n"
        "    def total(self): pass\n"
        "    @property\n    def tax(self): return rate\n"
    ),
    "src/shop/cart.py": (
        "from . import base\n"
        "class Cart(base.Base):\n"
        "    def total(self): return super().total() + self.tax\n"
        "    def each(self): return map(price, self.items)\n"
        "def price(x): return x\n"
        "def new_total(): pass\n"
        "old_total = new_total\n"
    ),
    "tests/conftest.py": ("import pytest, shop\n@pytest.fixture\ndef cart(): return shop.Cart()\n"),
    "tests/unit/test_cart.py": (
        "import shop\n\n"
        "class TestCart(unittest.TestCase):\n"
        "    def setUp(self): self.made = shop.Cart()\n"
        "    def test_it(self): shop.old_total()\n\n"
        "def test_given(cart): pass\n"
    ),
}


@pytest.mark.parametrize(
    ("path", "symbol", "expected"),
    [
        # What a class inherits is made with it, whoever offers it, and whatever it is called.
        ("base.py", "Base.__init__", ["conftest.cart", "test_cart.TestCart.setUp"]),
        ("base.py", "Base.fill", ["base.Base.__init__"]),
        ("base.py", "Base.total", ["cart.Cart.total"]),
        ("base.py", "Base.tax", ["cart.Cart.total"]),
        # What is handed on is called by whom it is handed to.
        ("cart.py", "price", ["cart.Cart.each"]),
        ("cart.py", "new_total", ["test_cart.TestCart.test_it"]),
    ],
)
def test_packages_classes_and_second_names_are_followed(
    path: str, symbol: str, expected: list[str]
) -> None:
    found = callers(FAMILY, f"src/shop/{path}", symbol)

    assert [f"{p.rpartition('/')[2][:-3]}.{name}" for p, name, _ in found] == expected
    assert all(is_certain for _, _, is_certain in found)


def test_a_test_calls_what_its_runner_calls_before_it() -> None:
    assert callers(FAMILY, "tests/conftest.py", "cart") == [
        ("tests/unit/test_cart.py", "test_given", True)
    ]
    assert callers(FAMILY, "tests/unit/test_cart.py", "TestCart.setUp") == [
        ("tests/unit/test_cart.py", "TestCart.test_it", True)
    ]


def test_circles_of_imports_and_classes_end() -> None:
    found = graph(
        {
            "a/__init__.py": "from .b import *\nfrom . import b\nx = y\ny = x\n",
            "a/b.py": "from a import *\nfrom a import b\nclass A(B): pass\nclass B(A): pass\n",
            "a/c.py": "import a\ndef f(): a.x(); a.b.b.b.A(); a.b.A.run(); a.b.zz()\n",
        }
    )

    assert [each.node.symbol for each in found.callers(Node("a/b.py", "A"))] == ["f"]


@pytest.mark.parametrize(
    "sources",
    [
        {f"p/C{n}.java": f"class C{n} {{ void f() {{ run(); }} }}" for n in range(3_000)},
        {
            "a.py": "".join(f"class A{n}:\n    def get(self): pass\n" for n in range(2_000)),
            "b.py": "from a import "
            + ", ".join(f"A{n}" for n in range(900))
            + "\n".join(f"def f{n}(x): x{n}.get()\n" for n in range(2_000)),
        },
    ],
    ids=["a large package", "many methods of one name"],
)
def test_many_calls_of_one_name_cost_little_time(sources: dict[str, str]) -> None:
    found = graph(sources)
    start_s = time.process_time()
    for path in sources:
        for name in ("run", "A1.get"):
            assert found.callers(Node(path, name)) == ()

    assert time.process_time() - start_s < 5


def test_names_that_stand_everywhere_cost_little_time() -> None:
    text = "class A:\n    def run(self, x): x.run(); x.get()\n    def get(self): x.get()\n"
    many = {f"p/q{n}/__init__.py": text for n in range(3_000)}
    taken = "import " + ",".join(f"a{n}" for n in range(20_000)) + "\n"
    calls = "".join(f"def f{n}(): x{n}.total()\n" for n in range(4_000))
    found = graph({**many, "a.py": "def total(): pass\n", "b.py": taken + calls})
    start_s = time.process_time()

    for symbol in ("A.run", "A.get", "A"):
        assert reached(found, Node("p/q0/__init__.py", symbol)) is not None
    assert found.callers(Node("a.py", "total")) == ()
    assert time.process_time() - start_s < 10


def test_a_name_that_one_family_of_classes_defines_is_theirs() -> None:
    heirs = {
        f"a/m{n}.py": "from a.base import A\nclass B(A):\n    def run_it(self): pass\n"
        for n in range(9)
    }
    base = "class A:\n    def run_it(self): pass\n"
    found = graph({**heirs, "a/base.py": base, "b.py": "def f(x): x.run_it()\n"})

    for path in ("a/base.py", "a/m5.py"):
        name = "A.run_it" if "base" in path else "B.run_it"
        assert [each.node.symbol for each in found.callers(Node(path, name))] == ["f"]
