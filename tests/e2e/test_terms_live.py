"""By when an order is due that was never given a day, and what is asked, paid and told until it is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import build
from live_shop import decided, live_shop

if TYPE_CHECKING:
    from pathlib import Path

    from bo_worker.stack.servers import Servers
    from live_shop import LiveShop

COUNTRIES = {"SO-US": "US", "SO-CAPTURED": "US", "SO-YES": "US", "SO-BR": "BR", "SO-NOWHERE": None}
MONEY = {"authorization_id": "A-1"}


def priced(sku: str = "SKU-1", quantity: int = 3, line_id: str = "1") -> build.Data:
    return build.order_line(line_id, sku, quantity, unit_price={"amount": "19.90", "currency": "USD"})


def brief(notice: dict[str, Any]) -> tuple[str, list[str | None], list[str], str]:
    """Why, the new days, what can be chosen, and until when."""
    days = [line["expected_to"] for line in notice["lines"]]
    return notice["reason"], days, notice["options"], notice["respond_by"]


def notices(shop: LiveShop, order_id: str) -> list[tuple[str, list[str | None], list[str], str]]:
    return [brief(notice) for notice in shop.told(order_id, "delay_notice")]


async def paid(shop: LiveShop, order_id: str, number: int, status: str, at: str, **fields: Any) -> None:
    values = build.payment(f"P-{order_id}-{number}", status, order_id=order_id, occurred_at=at, **fields)
    await shop.hears("payment-updated", values)


async def test_an_order_that_was_never_given_a_day_is_asked_before_thirty_have_passed_and_else_refunded(
    stack: Servers, template_database: str, tmp_path: Path
) -> None:
    async with live_shop(stack, template_database) as shop:
        orders = [
            build.order(order_id, lines=[priced()], ship_to_country=country, payment=MONEY)
            for order_id, country in COUNTRIES.items()
        ]
        await shop.hears("order-created", *orders)
        await paid(shop, "SO-CAPTURED", 1, "captured", "2026-11-21T11:00:00Z")
        (waits,) = shop.told("SO-US", "order_backordered")
        assert [line["expected_to"] for line in waits["lines"]] == [None]
        await shop.turn("2026-12-17")
        assert [notices(shop, order_id) for order_id in COUNTRIES] == [[]] * 5
        await shop.turn("2026-12-18")
        # 30 days are over on a Monday, which is the only working day for an answer; elsewhere Christmas is none.
        at_home = ("no_date", [None], ["keep", "cancel"], "2026-12-21T23:59:59Z")
        assert [notices(shop, order_id) for order_id in ("SO-US", "SO-CAPTURED", "SO-YES")] == [[at_home]] * 3
        assert notices(shop, "SO-BR") == [(*at_home[:3], "2026-12-28T23:59:59Z")]
        assert notices(shop, "SO-NOWHERE") == [(*at_home[:3], "2026-12-25T23:59:59Z")]
        assert await shop.answer("RS-1", "keep", "SO-YES", responded_at="2026-12-21T23:59:59Z") is None

        await shop.turn("2026-12-21")
        assert [shop.kinds(order_id).count("order_cancelled") for order_id in COUNTRIES] == [0] * 5
        await shop.turn("2026-12-22")
        assert await shop.answer("RS-2", "keep", "SO-US") == "answer_late"
        for order_id, kind in (("SO-US", "void"), ("SO-CAPTURED", "refund")):
            assert shop.reasons(order_id, "order_cancelled") == ["no_consent"]
            assert shop.asked(order_id) == [(kind, "59.70", "USD")]
            assert decided(await shop.evidence(order_id, tmp_path)) == [(None, None, "cancelled_by_silence")]
        # Seven working days, without Christmas and New Year.
        assert [data["due_by"] for data in shop.world.data_of("payment", "SO-CAPTURED")] == ["2027-01-04"]
        await paid(shop, "SO-CAPTURED", 2, "refunded", "2026-12-22T11:00:00Z")
        (issued,) = shop.told("SO-CAPTURED", "refund_issued")
        assert [(line["line_id"], line["quantity"]) for line in issued["lines"]] == [("1", 3)]

        await elsewhere(shop)
        # Who agreed to wait without a day is not asked again, and gets what comes.
        await shop.turn("2027-03-01")
        assert (len(notices(shop, "SO-YES")), shop.asked("SO-YES")) == (1, [])
        await shop.gets(15)
        filled = {"SO-YES": [("cross_dock", "SKU-1", 3)]}
        assert {order_id: told for order_id in COUNTRIES if (told := shop.instructed(order_id))} == filled


async def elsewhere(shop: LiveShop) -> None:
    """Silence cancels there when the working days for an answer are over, and not with the agreed day."""
    for day, is_cancelled in (("2026-12-26", [True, False]), ("2026-12-29", [True, True])):
        await shop.turn(day)
        told = [shop.reasons(order_id, "order_cancelled") for order_id in ("SO-NOWHERE", "SO-BR")]
        assert told == [["no_consent"] if one else [] for one in is_cancelled]
    assert shop.asked("SO-BR") == [("void", "59.70", "USD")]


async def test_the_days_that_a_merchant_allows_a_product_hold_where_they_are_fewer(
    stack: Servers, template_database: str, tmp_path: Path
) -> None:
    async with live_shop(stack, template_database, notice_days=2) as shop:
        windows = {"TEN": 10, "FORTY": 40, "NONE": None}
        for sku, days in windows.items():
            await shop.hears("product-policy-updated", build.policy(sku, window_days=days))
        for country in ("US", "DE"):
            for sku in windows:
                order = build.order(
                    f"SO-{sku}-{country}", lines=[priced(sku)], ship_to_country=country, payment=MONEY
                )
                await shop.hears("order-created", order)
        await shop.turn("2026-11-28")
        assert [notices(shop, f"SO-TEN-{country}") for country in ("US", "DE")] == [[], []]
        await shop.turn("2026-11-29")
        told = ("no_date", [None], ["keep", "cancel"])
        assert notices(shop, "SO-TEN-US") == [(*told, "2026-12-01T23:59:59Z")]
        assert notices(shop, "SO-TEN-DE") == [(*told, "2026-12-04T23:59:59Z")]
        evidence = await shop.evidence("SO-TEN-US", tmp_path)
        assert [(one["agreed_to"], one["rule"], one["silence"]) for one in evidence["notices"]] == [
            ("2026-12-01", "us", "cancel")
        ]
        await shop.turn("2026-12-02")
        assert (shop.reasons("SO-TEN-US", "order_cancelled"), shop.asked("SO-TEN-US")) == (
            ["no_consent"],
            [("void", "59.70", "USD")],
        )

        await shop.turn("2026-12-18")
        assert [notices(shop, f"SO-{sku}-US") for sku in ("FORTY", "NONE")] == [[], []]
        await shop.turn("2026-12-19")
        for sku in ("FORTY", "NONE"):
            assert notices(shop, f"SO-{sku}-US") == [(*told, "2026-12-21T23:59:59Z")]
        # In the EU nothing ended by silence: it can be ended still, long after an answer was hoped for.
        assert await shop.answer("RS-1", "cancel", "SO-TEN-DE") is None
        assert (shop.reasons("SO-TEN-DE", "order_cancelled"), shop.asked("SO-TEN-DE")) == (
            ["customer"],
            [("void", "59.70", "USD")],
        )


async def test_an_order_that_waits_has_its_money_authorized_again_a_day_before_it_runs_out_as_often_as_it_takes(
    stack: Servers, template_database: str
) -> None:
    async with live_shop(stack, template_database) as shop:
        money = {"authorization_id": "A-1", "capture_before": "2026-11-28T12:00:00Z"}
        await shop.hears("order-created", build.order(lines=[priced()], payment=money, ship_to_country="DE"))
        await shop.turn("2026-11-26")
        assert shop.asked("SO-1001") == []
        await shop.turn("2026-11-27")
        (first,) = shop.world.data_of("payment", "SO-1001")
        assert (first["kind"], first["amount"], first["authorization_id"], first["reason"]) == (
            "authorize",
            {"amount": "59.70", "currency": "USD"},
            "A-1",
            "authorization_expires",
        )
        # What is given up before the answer comes is not covered by the one, and is voided in the other.
        one = [{"line_id": "1", "quantity": 1}]
        await shop.hears("order-cancelled", build.cancellation("X-1", lines=one))
        assert shop.asked("SO-1001")[1:] == [("void", "19.90", "USD")]
        another = {"authorization_id": "A-2", "capture_before": "2026-12-04T12:00:00Z"}
        await paid(shop, "SO-1001", 1, "authorized", "2026-11-27T12:30:00Z", **another)
        assert [data["authorization_id"] for data in shop.world.data_of("payment", "SO-1001")[1:]] == ["A-1", "A-2"]
        assert shop.asked("SO-1001")[2:] == [("void", "19.90", "USD")]

        await shop.turn("2026-12-02")
        assert len(shop.asked("SO-1001")) == 3
        await shop.turn("2026-12-03")
        assert shop.asked("SO-1001")[3:] == [("authorize", "39.80", "USD")]
        await paid(shop, "SO-1001", 2, "authorized", "2026-12-03T12:30:00Z", authorization_id="A-3")
        await shop.gets(1)
        await paid(shop, "SO-1001", 3, "captured", "2026-12-03T13:00:00Z")
        await shop.hears("order-cancelled", build.cancellation("X-2"))
        assert shop.asked("SO-1001")[4:] == [("refund", "39.80", "USD")]
        assert shop.world.data_of("payment", "SO-1001")[-1]["authorization_id"] == "A-3"
        assert shop.kinds("SO-1001").count("payment_action_required") == 0


async def test_who_keeps_waiting_for_a_new_day_is_asked_again_when_that_one_moves_and_silence_cancels_then(
    stack: Servers, template_database: str, tmp_path: Path
) -> None:
    async with live_shop(stack, template_database) as shop:
        await shop.is_coming("2026-12-05")
        orders = ("SO-SILENT", "SO-KEEPS", "SO-STOPS")
        for order_id in orders:
            order = build.order(order_id, lines=[priced()], ship_to_country="US", payment=MONEY)
            await shop.hears("order-created", order)
        await shop.is_coming("2026-12-18", 2)
        for order_id in orders:
            # Five working days without Thanksgiving, which the customer has before the day that was agreed.
            assert notices(shop, order_id) == [
                ("supplier_late", ["2026-12-18"], ["keep", "cancel"], "2026-11-30T23:59:59Z")
            ]
            assert await shop.answer(f"RS-{order_id}-1", "keep", order_id) is None
        await shop.turn("2026-12-07")
        assert [len(notices(shop, order_id)) for order_id in orders] == [1, 1, 1]
        # A day that stays within the one that was kept is no delay.
        await shop.is_coming("2026-12-16", 3)
        await shop.is_coming("2026-12-18", 4)
        assert [len(notices(shop, order_id)) for order_id in orders] == [1, 1, 1]

        await shop.is_coming("2026-12-22", 5)
        for order_id in orders:
            again = ("supplier_late", ["2026-12-22"], ["keep", "cancel"], "2026-12-14T23:59:59Z")
            assert notices(shop, order_id)[1:] == [again]
        first = shop.token("SO-KEEPS", 0)
        assert await shop.answer("RS-OLD", "keep", "SO-KEEPS", token=first) == "token_used"
        assert await shop.answer("RS-KEEPS-2", "keep", "SO-KEEPS") is None
        assert await shop.answer("RS-STOPS-2", "cancel", "SO-STOPS") is None
        await shop.turn("2026-12-15")
        assert {order_id: shop.reasons(order_id, "order_cancelled") for order_id in orders} == {
            "SO-SILENT": ["no_consent"],
            "SO-KEEPS": [],
            "SO-STOPS": ["customer"],
        }
        evidence = await shop.evidence("SO-SILENT", tmp_path)
        assert [(one["agreed_to"], one["new_to"], one["silence"]) for one in evidence["notices"]] == [
            ("2026-12-05", "2026-12-18", "keep"),
            ("2026-12-18", "2026-12-22", "cancel"),
        ]
        assert decided(evidence) == [("RS-SO-SILENT-1", "keep", "kept"), (None, None, "cancelled_by_silence")]
        await shop.gets(9)
        assert [shop.asked(order_id) for order_id in orders] == [
            [("void", "59.70", "USD")],
            [],
            [("void", "59.70", "USD")],
        ]
        assert shop.instructed("SO-KEEPS") == [("cross_dock", "SKU-1", 3)]
