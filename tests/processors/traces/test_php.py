"""Uncaught, chained, and from logs."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

PHP_GAE = """\
PHP Fatal error:  Uncaught exception 'CartException' with message 'empty' in /srv/shop/cart.php:60
Stack trace:
#0 [internal function]: Cart->{closure}()
#1 /srv/shop/cart.php(20): call_user_func_array(Object(Closure), Array)
#2 /srv/shop/index.php(36): Cart->total()
#3 {main}
  thrown in /srv/shop/cart.php on line 60
"""
PHP_NEW = """\
PHP Fatal error:  Uncaught TypeError: add(): Argument #1 ($a) must be of type int in /srv/lib/add.php:3
Stack trace:
#0 /srv/a.php(9): add('x', 2)
#1 {main}

Next RuntimeException: wrapped in /srv/a.php:12
Stack trace:
#0 /srv/run.php(4): run()
#1 {main}
  thrown in /srv/a.php on line 12
"""  # noqa: E501
LARAVEL = """\
[2026-11-22 10:00:01] production.ERROR: Undefined $x {"exception":"[object] (ErrorException(code: 0): Undefined $x at /srv/app/Cart.php:14)
[stacktrace]
#0 /srv/vendor/laravel/framework/src/HandleExceptions.php(255): Illuminate\\Boot->handleError()
#1 /srv/app/Cart.php(14): Illuminate\\Boot->{closure}()
#2 /srv/app/Shop.php(3): Cart->total()
#3 {main}
"}
"""  # noqa: E501
WORDPRESS = """\
Warning: Undefined array key "a" in /var/www/wp-content/plugins/x/x.php on line 12
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (PHP_GAE, ["php CartException raised"], "/srv/shop/cart.php:60 Cart->{closure}"),
        (PHP_NEW, ["php TypeError cause", "php RuntimeException raised"], "/srv/lib/add.php:3 add"),
        (LARAVEL, ["php ErrorException raised"], "/srv/app/Cart.php:14 Cart->total"),
        (WORDPRESS, ["php Warning raised"], "/var/www/wp-content/plugins/x/x.php:12"),
    ],
    ids=["a closure called by PHP", "a chain", "Laravel's log", "a warning"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
