"""What calls to the vendor's models cost. A model without a price is refused, never taken as free.

Checked on 2026-11-22 against the vendor's price list as of 2026-10-24 (Sonnet 5.5 reads its cache
at half its first price since 2026-10-07). Only calls as `model_calls` makes them are priced: the
standard tier and speed, and a cache kept for five minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.errors import UserError


class Usage(BaseModel):
    """What an answer says it used. The input is what was sent, less what the cache had or took."""

    model_config = ConfigDict(frozen=True)

    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    cache_creation_input_tokens: int = Field(default=0, ge=0)
    cache_read_input_tokens: int = Field(default=0, ge=0)
    inference_geo: str = ""

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_default(cls, value: object, info: object) -> object:
        if value is None:
            field = cls.model_fields[getattr(info, "field_name", "")]
            return None if field.is_required() else field.default
        return value

    @property
    def prompt_tokens(self) -> int:
        """Return the length of the whole prompt, whether cached or not."""
        return self.input_tokens + self.cache_creation_input_tokens + self.cache_read_input_tokens


@dataclass(frozen=True, slots=True)
class Rates:
    """Thousandths of a dollar per million tokens, which is nano-dollars per token."""

    input: int
    output: int
    cache_write: int
    cache_read: int


@dataclass(frozen=True, slots=True)
class Price:
    """The rates of a model; beyond `long_prompt_tokens` every token of the call costs `long`."""

    rates: Rates
    long: Rates | None = None
    long_prompt_tokens: int = 0

    def cost_usd_micros(self, usage: Usage) -> int:
        """Return what a call cost, rounded up."""
        rates = self._rates(usage.prompt_tokens)
        nanos = (
            usage.input_tokens * rates.input
            + usage.output_tokens * rates.output
            + usage.cache_creation_input_tokens * rates.cache_write
            + usage.cache_read_input_tokens * rates.cache_read
        )
        return _micros(nanos, us_only=usage.inference_geo == "us")

    def most_usd_micros(self, *, prompt_tokens_max: int, output_tokens_max: int) -> int:
        """Return the most a call can cost: nothing cached, all of it written to the cache."""
        rates = self._rates(prompt_tokens_max)
        nanos = prompt_tokens_max * rates.cache_write + output_tokens_max * rates.output
        return _micros(nanos, us_only=True)

    def _rates(self, prompt_tokens: int) -> Rates:
        if self.long is not None and prompt_tokens > self.long_prompt_tokens:
            return self.long
        return self.rates


PRICES = {
    "claude-haiku-5-5": Price(
        Rates(input=100, output=500, cache_write=125, cache_read=10),
        long=Rates(input=500, output=2_500, cache_write=625, cache_read=50),
        long_prompt_tokens=100_000,
    ),
    "claude-sonnet-5": Price(Rates(2_000, 10_000, 2_500, 200)),
    "claude-sonnet-5-5": Price(Rates(2_000, 10_000, 2_500, 100)),
    "claude-opus-5": Price(Rates(5_000, 25_000, 6_250, 500)),
    "claude-opus-5-5": Price(Rates(4_000, 20_000, 5_000, 200)),
    "claude-fable-5-1": Price(Rates(10_000, 50_000, 12_500, 250)),
}


def price_of(model: str) -> Price:
    """Return the price of `model`. Raises `UserError`: an unknown price is not a price of zero."""
    price = PRICES.get(model)
    if price is None:
        raise UserError(
            f"anthropic_model: no price is known for {model!r}, so its budget could not be kept;"
            f" choose one of {', '.join(sorted(PRICES))}"
        )
    return price


def _micros(nanos: int, *, us_only: bool) -> int:
    # A workspace may keep inference in the United States, at a tenth more.
    return -(-nanos * (11 if us_only else 10) // 10_000)
