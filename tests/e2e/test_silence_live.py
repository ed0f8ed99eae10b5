"""Nobody answers the notice of a delay: what a running worker makes of that, and what it keeps as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import build
from live_shop import decided, live_shop

if TYPE_CHECKING:
    from pathlib import Path

    from bo_worker.stack.servers import Servers

EUROPE = ("SO-DE", "SO-FR")
ELSEWHERE = ("SO-BR", "SO-NOWHERE")
COUNTRIES = {"SO-DE": "DE", "SO-FR": "FR", "SO-BR": "BR", "SO-NOWHERE": None}
UNANSWERED = (None, None)


async def test_silence_means_what_the_country_of_the_order_says(
    stack: Servers, template_database: str, tmp_path: Path
) -> None:
    async with live_shop(stack, template_database) as shop:
        await shop.is_coming("2026-12-05")
        placed = [build.order(order_id, ship_to_country=country) for order_id, country in COUNTRIES.items()]
        await shop.hears("order-created", *placed)
        await shop.is_coming("2026-12-20", 2)
        told = {order_id: shop.told(order_id, "delay_notice") for order_id in COUNTRIES}
        assert {notice["respond_by"] for (notice,) in told.values()} == {"2026-11-27T23:59:59Z"}

        await shop.turn("2026-11-28")
        assert {order_id: len(shop.kinds(order_id)) for order_id in COUNTRIES} == dict.fromkeys(COUNTRIES, 3)
        await shop.is_coming("2026-12-28", 3)
        await shop.turn("2026-12-05")
        for order_id in ELSEWHERE:
            assert shop.reasons(order_id, "order_cancelled") == ["no_consent"]
        evidence = await shop.evidence("SO-BR", tmp_path)
        assert decided(evidence) == [(*UNANSWERED, "kept_by_silence"), (*UNANSWERED, "cancelled_by_silence")]
        assert [shop.kinds(order_id).count("order_cancelled") for order_id in EUROPE] == [0, 0]

        assert await shop.answer("RS-1", "cancel", "SO-DE", token=shop.token("SO-DE", 0)) is None
        assert shop.reasons("SO-DE", "order_cancelled") == ["customer"]
        evidence = await shop.evidence("SO-DE", tmp_path)
        assert decided(evidence) == [("RS-1", "cancel", "cancelled"), (*UNANSWERED, "given_up")]
        assert [notice["silence"] for notice in evidence["notices"]] == ["right_to_end"] * 2
        await shop.gets(3)
        assert shop.instructed("SO-FR") == [("cross_dock", "SKU-1", 3)]
        assert decided(await shop.evidence("SO-FR", tmp_path))[0] == (*UNANSWERED, "superseded")
        assert [shop.instructed(order_id) for order_id in ("SO-DE", *ELSEWHERE)] == [[]] * 3


async def test_where_the_merchant_says_so_silence_cancels_in_the_eu_too_and_the_money_goes_back(
    stack: Servers, template_database: str, tmp_path: Path
) -> None:
    async with live_shop(stack, template_database, silence="cancel") as shop:
        await shop.is_coming("2026-12-05")
        line = build.order_line(unit_price={"amount": "19.90", "currency": "EUR"})
        for order_id in ("SO-1", "SO-2", "SO-3"):
            await shop.hears(
                "order-created",
                build.order(order_id, lines=[line], ship_to_country="DE", payment={"authorization_id": "A-1"}),
            )
        captured = build.payment("P-1", "captured", order_id="SO-1", occurred_at="2026-11-21T11:00:00Z")
        await shop.hears("payment-updated", captured)
        await shop.is_coming("2026-12-20", 2)
        assert await shop.answer("RS-1", "keep", "SO-3") is None

        await shop.turn("2026-11-27")
        assert [shop.kinds(order_id).count("order_cancelled") for order_id in ("SO-1", "SO-2", "SO-3")] == [0, 0, 0]
        await shop.turn("2026-11-28")
        for order_id, kind in (("SO-1", "refund"), ("SO-2", "void")):
            assert shop.reasons(order_id, "order_cancelled") == ["no_consent"]
            assert shop.asked(order_id) == [(kind, "59.70", "EUR")]
        assert decided(await shop.evidence("SO-1", tmp_path)) == [(*UNANSWERED, "cancelled_by_silence")]
        assert [data["due_by"] for data in shop.world.data_of("payment", "SO-1")] == ["2026-12-08"]
        await shop.gets(9)
        assert (shop.asked("SO-3"), shop.instructed("SO-3")) == ([], [("cross_dock", "SKU-1", 3)])
        assert await shop.line("SO-2") == {"cancelled": 3}
