"""No call is free, none costs more than was reserved, and an unknown price is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.model_prices import PRICES, Price, Rates, Usage, price_of
from schemas.errors import UserError

TOKENS = st.integers(0, 1_000_000)


def _bands(price: Price) -> list[Rates]:
    return [price.rates] if price.long is None else [price.rates, price.long]


@pytest.mark.parametrize("model", PRICES)
def test_the_table_makes_sense(model: str) -> None:
    price = price_of(model)

    for rates in _bands(price):
        assert 0 < rates.cache_read < rates.input < rates.cache_write < rates.output
        assert rates.output == 5 * rates.input
        assert rates.cache_write * 4 == rates.input * 5
    if price.long is not None:
        assert price.long.input > price.rates.input
        assert price.long_prompt_tokens > 0


@pytest.mark.parametrize("model", ["", "claude-9", "claude-sonnet-5-5-20260928", "CLAUDE-SONNET-5"])
def test_a_model_without_a_price_is_an_error_and_not_free(model: str) -> None:
    with pytest.raises(UserError, match="choose one of claude-"):
        price_of(model)


def test_each_kind_of_token_has_its_price() -> None:
    usage = Usage(
        input_tokens=1_000_000,
        output_tokens=100_000,
        cache_creation_input_tokens=10_000,
        cache_read_input_tokens=1_000,
    )

    cost = price_of("claude-sonnet-5-5").cost_usd_micros(usage)

    assert cost == 2_000_000 + 1_000_000 + 25_000 + 100


def test_a_fraction_is_rounded_up() -> None:
    usage = Usage(input_tokens=1, output_tokens=0)

    assert price_of("claude-haiku-5-5").cost_usd_micros(usage) == 1


def test_a_long_prompt_makes_every_token_dearer_where_it_does() -> None:
    price = price_of("claude-haiku-5-5")
    short = Usage(input_tokens=1, output_tokens=1_000, cache_read_input_tokens=99_999)
    long = Usage(input_tokens=2, output_tokens=1_000, cache_read_input_tokens=99_999)

    assert price.cost_usd_micros(short) == 1_501
    assert price.cost_usd_micros(long) == 7_501


def test_inference_kept_in_the_united_states_costs_a_tenth_more() -> None:
    usage = Usage(input_tokens=1_000, output_tokens=1_000, inference_geo="us")

    assert price_of("claude-opus-5-5").cost_usd_micros(usage) == 26_400


def test_a_null_in_an_answer_counts_as_nothing_where_it_may_be_missing() -> None:
    wire = '{"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": null}'

    usage = Usage.model_validate_json(wire)

    assert (usage.prompt_tokens, usage.cache_read_input_tokens) == (3, 0)


@pytest.mark.parametrize("wire", ['{"input_tokens": 3}', '{"input_tokens": null}', '{"a": -1}'])
def test_usage_that_does_not_say_what_was_used_is_refused(wire: str) -> None:
    with pytest.raises(ValueError, match="output_tokens"):
        Usage.model_validate_json(wire)


@given(model=st.sampled_from(sorted(PRICES)), plain=TOKENS, written=TOKENS, read=TOKENS, out=TOKENS)
def test_no_call_costs_more_than_the_most_it_can(
    model: str, plain: int, written: int, read: int, out: int
) -> None:
    price = price_of(model)
    usage = Usage(
        input_tokens=plain,
        output_tokens=out,
        cache_creation_input_tokens=written,
        cache_read_input_tokens=read,
        inference_geo="us",
    )

    most = price.most_usd_micros(prompt_tokens_max=usage.prompt_tokens, output_tokens_max=out)

    assert price.cost_usd_micros(usage) <= most
