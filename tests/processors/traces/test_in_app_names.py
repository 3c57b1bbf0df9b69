"""Whose code a frame is, by the path and the name it was printed with."""

from __future__ import annotations

import pytest

from processors.traces.in_app import is_in_app
from schemas.reports import Frame


@pytest.mark.parametrize(
    ("language", "path", "function"),
    [
        ("python", "/srv/shop/cart.py", "total"),
        ("python", "<stdin>", "<module>"),
        ("python", "C:\\Users\\me\\shop\\lib\\cart.py", "total"),
        ("javascript", "webpack:///./src/cart.ts", "total"),
        ("javascript", "<anonymous>", ""),
        ("javascript", "src/events.js", ""),
        ("java", "Cart.java", "com.shop.Cart.total"),
        ("csharp", "", "Shop.Systems.Cart.Total"),
        ("go", "/srv/shop/log/log.go", "log.Open"),
        ("go", "/Users/me/src/go/src/cart.go", "main.total"),
        ("go", "github.com/acme/shop/cart.go", "github.com/acme/shop.Total"),
        ("ruby", "app/models/cart.rb", "block in total"),
        ("php", "/var/www/wp-content/plugins/shop/cart.php", "total"),
        ("rust", "src/cart.rs", "<shop::Cart as core::ops::Add>::add"),
        ("dart", "package:shop/cart.dart", "Cart.total"),
        ("c", "/home/me/src/cart.cpp", "Cart::total"),
    ],
)
def test_the_applications_own(language: str, path: str, function: str) -> None:
    assert is_in_app(Frame(path=path, line=3, function=function), language)


@pytest.mark.parametrize(
    ("language", "path", "function"),
    [
        ("python", "/usr/lib/python3.11/json/decoder.py", "decode"),
        ("python", "C:\\Python311\\Lib\\asyncio\\events.py", "_run"),
        ("python", "/venv/lib/python3.12/site-packages/flask/app.py", "f"),
        ("python", "<frozen importlib._bootstrap>", "_load"),
        ("javascript", "/srv/node_modules/express/index.js", "next"),
        ("javascript", "webpack:///./node_modules/react/index.js", ""),
        ("javascript", "node:internal/main", ""),
        ("javascript", "[native code]", "forEach"),
        ("javascript", "https://a.example/vendors~main.1a.js", "t"),
        ("java", "ArrayList.java", "java.util.ArrayList.get"),
        ("java", "Dispatcher.java", "org.springframework.web.Dispatcher.run"),
        ("csharp", "", "System.Linq.Enumerable.First"),
        ("go", "/usr/local/go/src/net/http/server.go", "net/http.(*conn).serve"),
        ("go", "net/http/server.go", "net/http.(*conn).serve"),
        ("go", "/go/pkg/mod/github.com/a/b@v1.0.0/c.go", "github.com/a/b.C"),
        ("go", "/usr/local/go/src/runtime/panic.go", "panic"),
        ("ruby", "/usr/lib/ruby/3.0.0/set.rb", "each"),
        ("ruby", "activerecord (7.0.4) lib/active_record.rb", "find"),
        ("php", "/srv/vendor/laravel/x.php", "call"),
        ("rust", "/rustc/9eb3/library/core/src/panicking.rs", "core::panicking::panic"),
        ("dart", "package:flutter/src/widgets/framework.dart", "build"),
        ("dart", "dart:core", "List.[]"),
        ("c", "/lib/x86_64-linux-gnu/libc.so.6", "abort"),
        ("c", "../sysdeps/unix/sysv/linux/raise.c", "__GI_raise"),
    ],
)
def test_other_peoples(language: str, path: str, function: str) -> None:
    assert not is_in_app(Frame(path=path, line=3, function=function), language)
