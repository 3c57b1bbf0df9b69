"""Ruby of all ages, Rails and RSpec."""

from __future__ import annotations

import pytest

from tests.processors.traces.told import told

RAILS = """\
ActionView::Template::Error (undefined method `name' for nil:NilClass):
    10: <h1>
    11: <%= @user.name %>
    12: </h1>

app/views/users/show.html.erb:11:in `_app_views_users_show'
app/controllers/users_controller.rb:8:in `show'
activesupport (7.0.4) lib/active_support/callbacks.rb:118:in `block in run_callbacks'
"""
RUBY = """\
/srv/app/cart.rb:12:in `total': undefined method `price' for nil:NilClass (NoMethodError)
\tfrom /srv/app/cart.rb:5:in `block in sum'
\tfrom /usr/lib/ruby/3.0.0/set.rb:5:in `each'
\tfrom main.rb:3:in `<main>'
"""
RUBY34 = """\
cart.rb:12:in 'Cart#total': undefined method 'price' for nil (NoMethodError)

    x.price
     ^^^^^^
\tfrom cart.rb:5:in 'block in Cart#sum'
\tfrom main.rb:3:in '<main>'
"""
RUBY_TURNED = """\
Traceback (most recent call last):
\t2: from main.rb:3:in `<main>'
\t1: from cart.rb:5:in `sum'
cart.rb:12:in `total': bad (ArgumentError)
"""
RSPEC = """\
  1) Cart total
     Failure/Error: raise "x"

     RuntimeError:
       x
     # ./lib/cart.rb:12:in `total'
     # ./spec/cart_spec.rb:7:in `block (2 levels) in <top (required)>'
"""


@pytest.mark.parametrize(
    ("text", "traces", "innermost"),
    [
        (
            RAILS,
            ["ruby ActionView::Template::Error raised"],
            "app/views/users/show.html.erb:11 _app_views_users_show",
        ),
        (RUBY, ["ruby NoMethodError raised"], "/srv/app/cart.rb:12 total"),
        (RUBY34, ["ruby NoMethodError raised"], "cart.rb:12 Cart#total"),
        (RUBY_TURNED, ["ruby ArgumentError raised"], "cart.rb:12 total"),
        (RSPEC, ["ruby RuntimeError raised"], "./lib/cart.rb:12 total"),
    ],
    ids=["Rails with an excerpt", "with its message", "Ruby 3.4", "outermost first", "RSpec"],
)
def test_the_chain_and_the_innermost_frame_are_read(
    text: str, traces: list[str], innermost: str
) -> None:
    assert told(text) == (traces, innermost)
