"""Orders that were placed without a day: a first day that is known later, or never, on a real Postgres."""

from __future__ import annotations

from typing import Any

import build
from consents import placed, received, shop


def brief(notice: dict[str, Any]) -> tuple[str, str | None, str]:
    return notice["reason"], notice["lines"][0]["expected_to"], notice["respond_by"][:10]


async def test_a_first_day_that_is_later_than_thirty_days_or_the_window_is_told_as_a_delay_as_soon_as_it_is_known(
    database_url: str,
) -> None:
    async with shop(database_url) as found:
        await found.apply(("product-policy-updated", build.policy("SKU-2", window_days=20)))
        await found.apply(placed(), placed("SO-2", lines=[build.order_line(sku="SKU-2")]))
        await found.turn("2026-11-24")
        lines = [
            build.purchase_order_line(str(number), sku, expected_from=day, expected_to=day)
            for number, (sku, day) in enumerate([("SKU-1", "2026-12-21"), ("SKU-2", "2026-12-12")])
        ]
        await found.apply(("purchase-order-updated", build.purchase_order(lines=lines)))
        await found.turn("2026-11-25")
        assert await found.notices() == []
        # Five working days, and not the one that would be left just before the agreed day.
        assert [brief(notice) for notice in await found.notices("SO-2")] == [
            ("supplier_late", "2026-12-12", "2026-12-03")
        ]
        later = [line | {"expected_from": "2026-12-22", "expected_to": "2026-12-22"} for line in lines]
        await found.apply(("purchase-order-updated", build.purchase_order(version=2, lines=later)))
        await found.turn("2026-11-26")
        assert [brief(notice) for notice in await found.notices()] == [("supplier_late", "2026-12-22", "2026-12-03")]
        told = [brief(notice)[1] for notice in await found.notices("SO-2")]
        assert told == ["2026-12-12", "2026-12-22"]


async def test_a_notice_that_has_neither_a_day_nor_a_deadline_ends_when_nothing_waits_any_more(
    database_url: str,
) -> None:
    async with shop(database_url) as found:
        orders = ("SO-FILLED", "SO-GIVEN-UP", "SO-WAITS")
        await found.apply(*(placed(order_id, "DE") for order_id in orders))
        await found.turn("2026-12-18")
        await found.apply(received(3), ("order-cancelled", build.cancellation("X-1", "SO-GIVEN-UP")))
        await found.turn("2026-12-19")
        assert [await found.outcomes(order_id) for order_id in orders] == [
            [(1, "1", None, "filled")],
            [(1, "1", None, "given_up")],
            [(1, "1", None, None)],
        ]
        assert await found.answer("RS-1", "cancel", order_id="SO-WAITS") is None
        watched = await (await found.books.connection()).fetchval("select count(*) from bo_worker.delay_watch")
        assert watched == 0
