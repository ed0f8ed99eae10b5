"""However an order is given up in parts, what is asked back adds up to the cent."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bo_worker.domain.commands import CancelLine, CancelOrder, LineRequest, Payment, Price, UpdatePayment
from bo_worker.domain.payment_request import PaymentRequest
from story import AT, Story

if TYPE_CHECKING:
    from bo_worker.domain.facts import Fact

DECIMALS = {"USD": 2, "JPY": 0, "KWD": 3, "CLF": 4}
PRICES = st.builds(
    Price,
    st.decimals(0, 10**15, places=4).map("{:f}".format) | st.sampled_from(["0.005", "0.3333", "0.5", "0.0001"]),
    st.sampled_from(sorted(DECIMALS)),
)
LINES = st.lists(st.tuples(st.integers(1, 9), st.none() | PRICES), min_size=1, max_size=5)
# Which line gives up how many units, and how many are left to come before the money is captured.
STEPS = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), max_size=12)


def paid(value: Fraction, currency: str) -> Decimal:
    """The reference: exact fractions, rounded once."""
    scaled = Decimal(int(value * 10**8)).scaleb(-8, context=None)
    return scaled.quantize(Decimal(1).scaleb(-DECIMALS[currency]), ROUND_HALF_UP)


def asked_back(facts: list[Fact], sums: dict[str, Decimal]) -> set[str]:
    """Add up the requests by currency; return their kinds."""
    kinds: set[str] = set()
    for fact in facts:
        if isinstance(fact, PaymentRequest):
            value = Decimal(fact.amount.amount)
            assert value > 0
            assert len(fact.amount.amount.partition(".")[2]) == DECIMALS[fact.amount.currency]
            sums[fact.amount.currency] = sums.get(fact.amount.currency, Decimal(0)) + value
            kinds.add(fact.kind)
    return kinds


@given(lines=LINES, steps=STEPS, captured_after=st.integers(0, 12))
def test_what_is_asked_back_in_parts_is_the_rounded_sum_of_what_was_given_up(
    lines: list[tuple[int, Price | None]], steps: list[tuple[int, int]], captured_after: int
) -> None:
    story = Story()
    requests = [
        LineRequest(str(number), "SKU-1", quantity, unit_price=price)
        for number, (quantity, price) in enumerate(lines)
    ]
    story.order("SO-1", *requests, payment=Payment("A-1", None))
    is_followed = story.account.orders["SO-1"].payment is not None
    sums: dict[str, Decimal] = {}
    for number, (line, quantity) in enumerate(steps):
        if number == captured_after:
            command = UpdatePayment("P-1", "SO-1", "captured", AT)
            assert asked_back(story.tell("payment-updated", "P-1", command), sums) == set()
        cancellation = CancelOrder(f"X-{number}", "SO-1", AT, lines=[CancelLine(str(line % len(lines)), quantity)])
        kinds = asked_back(story.tell("order-cancelled", f"X-{number}", cancellation), sums)
        assert kinds <= {"refund" if number >= captured_after else "void"}
    totals: dict[str, Fraction] = {}
    for stored in story.account.orders["SO-1"].lines:
        if stored.unit_price is not None and is_followed:
            price, currency = Fraction(stored.unit_price.amount), stored.unit_price.currency
            totals[currency] = totals.get(currency, Fraction(0)) + price * stored.cancelled
    rounded = {currency: paid(value, currency) for currency, value in totals.items()}
    assert sums == {currency: value for currency, value in rounded.items() if value}
