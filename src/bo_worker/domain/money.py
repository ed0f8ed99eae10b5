"""Sums of money: exact while they are added up, and rounded once, to what their currency can pay."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, Final

from bo_worker.domain.payment_request import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bo_worker.domain.demand import OrderLine

# Decimals of the currencies that do not have two (ISO 4217).
_WITHOUT: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR: Final = "CLF UYW"
_DECIMALS: Final = {
    currency: decimals
    for decimals, currencies in ((0, _WITHOUT), (3, _THREE), (4, _FOUR))
    for currency in currencies.split()
}
_USUAL_DECIMALS: Final = 2
# Enough for 2,000 lines of a billion units at the highest price: no sum is rounded on the way.
_DIGITS: Final = 60


def is_priced(line: OrderLine) -> bool:
    """Tell whether units of a line cost anything."""
    return line.unit_price is not None and Decimal(line.unit_price.amount) > 0


def rounded(value: Decimal, currency: str) -> Decimal:
    """Return an amount of money as the currency can pay it, halves up."""
    decimals = _DECIMALS.get(currency, _USUAL_DECIMALS)
    with localcontext(prec=_DIGITS):
        return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def money_between(lines: Iterable[OrderLine], before: Mapping[int, int], after: Mapping[int, int]) -> list[Money]:
    """Return what units of lines (by position) cost more `after` than `before`, one amount of money per currency.

    It is the difference of two rounded sums and not a rounded difference: however many steps units are given up in,
    what is paid for the steps adds up to what is paid for all at once.
    """
    sums: dict[str, list[Decimal]] = {}
    with localcontext(prec=_DIGITS):
        for line in lines:
            if line.unit_price is not None:
                price = Decimal(line.unit_price.amount)
                both = sums.setdefault(line.unit_price.currency, [Decimal(0), Decimal(0)])
                both[0] += price * before.get(line.position, 0)
                both[1] += price * after.get(line.position, 0)
        found = {
            currency: rounded(second, currency) - rounded(first, currency)
            for currency, (first, second) in sorted(sums.items())
        }
    return [Money(f"{value:f}", currency) for currency, value in found.items() if value > 0]
