"""The demo's target: a small shop service with a test suite, and three bugs as people report them.

Nothing in here is known to any stage: they meet it as they would meet a user's repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from git import Actor, Repo

CONTAINER = "acme/shop"
BRANCH = "main"

_ORDERS = '''\
"""Orders: what was bought, for how much, and by whom."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    name: str
    price_cents: int
    count: int


@dataclass(frozen=True)
class Coupon:
    code: str
    percent: int


@dataclass(frozen=True)
class Order:
    customer: str
    lines: tuple = ()
    coupon: Coupon | None = None


def subtotal_cents(order):
    """Return the price of all lines, before any discount."""
    return sum(line.price_cents * line.count for line in order.lines)


def discount_cents(order):
    """Return what the coupon takes off the subtotal."""
    return subtotal_cents(order) * order.coupon.percent // 100


def total_cents(order):
    """Return what the customer pays, shipping not included."""
    return subtotal_cents(order) - discount_cents(order)


def receipt(order):
    """Return the lines of a printed receipt."""
    rows = [f"{line.count} x {line.name}: {line.price_cents * line.count / 100:.2f}"
            for line in order.lines]
    rows.append(f"Total: {total_cents(order) / 100:.2f}")
    return rows
'''

_SHIPPING = '''\
"""Shipping: what sending an order costs."""

FREE_FROM_CENTS = 5000
BASE_CENTS = 490
PER_KILO_CENTS = 110
COUNTRIES = {"DE": 0, "AT": 300, "FR": 450}


def shipping_cents(total_cents, weight_grams, country="DE"):
    """Return the price of sending a parcel. From 50 euros on it is free within Germany."""
    if country not in COUNTRIES:
        raise ValueError(f"we do not ship to {country}")
    if total_cents > FREE_FROM_CENTS and country == "DE":
        return 0
    kilos = -(-weight_grams // 1000)
    return BASE_CENTS + COUNTRIES[country] + PER_KILO_CENTS * max(kilos - 1, 0)
'''

_STOCK = '''\
"""Stock: how many of each article are on the shelf."""


class OutOfStock(Exception):
    """There are not enough of an article."""


class Stock:
    def __init__(self, counts):
        self._counts = dict(counts)

    def available(self, name):
        return self._counts.get(name, 0)

    def take(self, name, count):
        if self.available(name) < count:
            raise OutOfStock(name)
        self._counts[name] -= count

    def put_back(self, name, count):
        self._counts[name] = self.available(name) + count
'''

_VOUCHERS = '''\
"""Vouchers: how long they are good for, and what is left on them."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Voucher:
    code: str
    left_cents: int
    until: date


def is_good(voucher, today):
    """Return whether it can be used today: its last day is one of its days."""
    return voucher.left_cents > 0 and today < voucher.until


def pay_with(voucher, total_cents):
    """Return what the voucher pays, and what is left to pay."""
    paid = min(voucher.left_cents, total_cents)
    return paid, total_cents - paid
'''

_API = '''\
"""The service: a request as a dict in, an answer as a dict out."""

from shop.orders import Coupon, Line, Order, receipt, total_cents
from shop.shipping import shipping_cents
from shop.stock import OutOfStock

COUPONS = {"SPRING": Coupon("SPRING", 10), "STAFF": Coupon("STAFF", 30)}


def checkout(request, stock):
    lines = tuple(Line(i["name"], i["price_cents"], i["count"]) for i in request["items"])
    order = Order(request["customer"], lines, COUPONS.get(request.get("coupon")))
    try:
        for line in lines:
            stock.take(line.name, line.count)
    except OutOfStock as error:
        return {"status": 409, "error": f"out of stock: {error}"}
    total = total_cents(order)
    shipping = shipping_cents(total, request["weight_grams"], request.get("country", "DE"))
    return {"status": 200, "total_cents": total + shipping, "receipt": receipt(order)}
'''

_TEST_ORDERS = """\
from shop.orders import Coupon, Line, Order, discount_cents, receipt, subtotal_cents, total_cents

TEA = Line("tea", 450, 2)
POT = Line("pot", 2500, 1)
SPRING = Coupon("SPRING", 10)


def test_subtotal_adds_all_lines():
    assert subtotal_cents(Order("ann", (TEA, POT))) == 3400


def test_subtotal_of_nothing_is_nothing():
    assert subtotal_cents(Order("ann")) == 0


def test_coupon_takes_its_share():
    assert discount_cents(Order("ann", (TEA, POT), SPRING)) == 340


def test_discount_is_rounded_down():
    assert discount_cents(Order("ann", (Line("pen", 99, 1),), SPRING)) == 9


def test_total_is_subtotal_less_discount():
    assert total_cents(Order("ann", (TEA, POT), SPRING)) == 3060


def test_receipt_names_every_line_and_the_total():
    assert receipt(Order("ann", (TEA,), SPRING)) == ["2 x tea: 9.00", "Total: 8.10"]
"""

_TEST_SHIPPING = """\
import pytest

from shop.shipping import shipping_cents


def test_one_kilo_costs_the_base_price():
    assert shipping_cents(1000, 800) == 490


def test_each_further_kilo_costs_more():
    assert shipping_cents(1000, 2100) == 490 + 2 * 110


def test_other_countries_cost_more():
    assert shipping_cents(1000, 500, "FR") == 940


def test_free_above_fifty_euros():
    assert shipping_cents(5001, 500) == 0


def test_shipping_is_free_from_exactly_fifty_euros():
    assert shipping_cents(5000, 500) == 0


def test_not_free_below_fifty_euros():
    assert shipping_cents(4999, 500) == 490


def test_never_free_abroad():
    assert shipping_cents(9000, 500, "AT") == 790


def test_unknown_country_is_refused():
    with pytest.raises(ValueError, match="do not ship"):
        shipping_cents(1000, 500, "XX")
"""

_TEST_STOCK = """\
import pytest

from shop.stock import OutOfStock, Stock


def test_taking_lowers_the_count():
    stock = Stock({"tea": 3})
    stock.take("tea", 2)
    assert stock.available("tea") == 1


def test_what_is_not_there_cannot_be_taken():
    with pytest.raises(OutOfStock):
        Stock({"tea": 1}).take("tea", 2)


def test_unknown_articles_are_out_of_stock():
    assert Stock({}).available("tea") == 0


def test_putting_back_raises_the_count():
    stock = Stock({"tea": 1})
    stock.put_back("tea", 2)
    assert stock.available("tea") == 3
"""

_TEST_VOUCHERS = """\
from datetime import date

from shop.vouchers import Voucher, is_good, pay_with

TEN = Voucher("TEN", 1000, date(2026, 12, 31))


def test_a_voucher_is_good_before_its_end():
    assert is_good(TEN, date(2026, 12, 1))


def test_a_voucher_is_good_on_its_last_day():
    assert is_good(TEN, date(2026, 12, 31))


def test_a_voucher_is_not_good_after_its_last_day():
    assert not is_good(TEN, date(2027, 1, 1))


def test_an_empty_voucher_is_not_good():
    assert not is_good(Voucher("TEN", 0, date(2026, 12, 31)), date(2026, 12, 1))


def test_a_voucher_pays_what_it_can():
    assert pay_with(TEN, 1500) == (1000, 500)
    assert pay_with(TEN, 400) == (400, 0)
"""

_TEST_API = """\
from shop.api import checkout
from shop.stock import Stock

TEA = {"name": "tea", "price_cents": 450, "count": 2}


def request(**changes):
    return {"customer": "ann", "items": [TEA], "weight_grams": 300, "coupon": "SPRING", **changes}


def test_checkout_adds_shipping():
    assert checkout(request(), Stock({"tea": 5}))["total_cents"] == 810 + 490


def test_checkout_takes_from_stock():
    stock = Stock({"tea": 5})
    checkout(request(), stock)
    assert stock.available("tea") == 3


def test_checkout_says_what_is_out_of_stock():
    assert checkout(request(), Stock({}))["error"] == "out of stock: tea"
"""

FILES = {
    "README.md": "# shop\n\nA small shop service. Tests: `python -m pytest -q`.\n",
    "shop/__init__.py": "",
    "shop/orders.py": _ORDERS,
    "shop/shipping.py": _SHIPPING,
    "shop/stock.py": _STOCK,
    "shop/vouchers.py": _VOUCHERS,
    "shop/api.py": _API,
    "tests/test_orders.py": _TEST_ORDERS,
    "tests/test_shipping.py": _TEST_SHIPPING,
    "tests/test_stock.py": _TEST_STOCK,
    "tests/test_vouchers.py": _TEST_VOUCHERS,
    "tests/test_api.py": _TEST_API,
    "conftest.py": "",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One bug report, as a member of the team files it."""

    number: int
    title: str
    body: str


ISSUES = (
    Issue(
        7,
        "Checkout crashes for customers without a coupon",
        """\
Since this morning every customer who has no coupon gets an error page.

```
Traceback (most recent call last):
  File "/srv/shop/shop/api.py", line 18, in checkout
    total = total_cents(order)
            ^^^^^^^^^^^^^^^^^^
  File "/srv/shop/shop/orders.py", line 38, in total_cents
    return subtotal_cents(order) - discount_cents(order)
                                   ^^^^^^^^^^^^^^^^^^^^^
  File "/srv/shop/shop/orders.py", line 33, in discount_cents
    return subtotal_cents(order) * order.coupon.percent // 100
                                   ^^^^^^^^^^^^^^^^^^^^
AttributeError: 'NoneType' object has no attribute 'percent'
```

This shows it:

```python
from shop.orders import Line, Order, total_cents

order = Order("ann", (Line("tea", 450, 2),))
assert total_cents(order) == 900
```
""",
    ),
    Issue(
        8,
        "Shipping is charged at exactly 50 euros",
        """\
The shop says "free from 50 euros", but an order of exactly 50.00 pays 4.90.
`tests/test_shipping.py::test_shipping_is_free_from_exactly_fifty_euros` fails on main.
""",
    ),
    Issue(
        9,
        "Stock is sometimes wrong after a busy evening",
        """\
Now and then the number of articles on the shelf is not what the shop says. It seems to happen
when many people buy at once. I cannot say how to get there, it is just wrong the next morning.
""",
    ),
)


def make_remote(folder: Path) -> Path:
    """Make the shop's bare repository in `folder` and return its path."""
    remote = folder / "shop.git"
    Repo.init(remote, bare=True, initial_branch=BRANCH).close()
    work = folder / "shop-work"
    team = Actor("Shop Team", "team@shop.example")
    with Repo.init(work, initial_branch=BRANCH) as repo:
        for path, text in FILES.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text, encoding="utf-8")
        repo.index.add(list(FILES))
        repo.index.commit("Sell tea", author=team, committer=team)
        repo.create_remote("origin", str(remote)).push(f"{BRANCH}:{BRANCH}").raise_if_error()
    return remote
