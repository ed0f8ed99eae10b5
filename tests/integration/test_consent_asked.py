"""A promise that may be missed: who is told when, and what answers and silence come to, on a real Postgres."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

import build
from bo_worker.config import load_settings
from bo_worker.domain.token import make_token
from bo_worker.service.payments import give_up_unpaid
from command import command, variables
from consents import coming, delay_rules, placed, received, shop

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PASSED = "2027-03-01"


def brief(notice: dict[str, Any]) -> tuple[str, str | None, str, list[str]]:
    return notice["reason"], notice["lines"][0]["expected_to"], notice["respond_by"][:10], notice["options"]


async def test_a_customer_is_told_as_soon_as_a_later_day_is_known_and_silence_keeps(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(coming("2026-12-05"), placed())
        await found.turn("2026-11-23")
        assert await found.notices() == []
        await found.apply(coming("2026-12-20", 2))
        await found.turn()
        (notice,) = await found.notices()
        # Thanksgiving is no working day.
        assert brief(notice) == ("supplier_late", "2026-12-20", "2026-12-01", ["keep", "cancel"])
        assert (notice["lines"][0]["quantity"], len(notice["token"]) <= 200) == (3, True)
        await found.turn("2026-12-01")
        assert await found.outcomes() == [(1, "1", None, None)]
        await found.turn("2026-12-02")
        assert await found.outcomes() == [(1, "1", None, "kept_by_silence")]
        await found.turn("2026-12-19")
        assert (len(await found.notices()), await found.line()) == (1, {"backordered": 3})


async def test_a_second_delay_needs_consent_in_words_else_the_line_is_cancelled(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(coming("2026-12-05"), placed(), placed("SO-2"))
        await found.apply(coming("2026-12-20", 2))
        await found.turn("2026-11-23")
        await found.turn("2026-12-10")
        await found.apply(coming("2026-12-28", 3))
        await found.turn("2026-12-11")
        assert [brief(notice)[1:3] for notice in await found.notices()][1] == ("2026-12-28", "2026-12-18")
        assert await found.answer("RS-1", "keep", order_id="SO-2") is None
        await found.turn("2026-12-19")
        assert await found.outcomes() == [(1, "1", None, "kept_by_silence"), (2, "1", None, "cancelled_by_silence")]
        assert await found.outcomes("SO-2") == [(1, "1", None, "kept_by_silence"), (2, "1", "keep", "kept")]
        (cancelled,) = await found.told("order_cancelled")
        assert (cancelled["reason"], cancelled["lines"][0]["quantity"]) == ("no_consent", 3)
        assert (await found.line(), await found.line("SO-2")) == ({"cancelled": 3}, {"backordered": 3})


async def test_a_supplier_who_names_the_last_day_that_there_is_stops_nobody(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(coming("2026-12-05"), placed())
        await found.apply(coming("9999-12-31", 2))
        await found.turn("2026-11-23")
        (notice,) = await found.notices()
        assert brief(notice)[:2] == ("supplier_late", "9999-12-31")
        assert await found.answer("RS-1", "keep") is None
        await found.turn()
        assert await found.outcomes() == [(1, "1", "keep", "kept")]


async def test_an_order_without_a_promise_is_to_come_within_thirty_days(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(placed(), placed("SO-2", lines=[build.order_line(sku="SKU-2")]))
        await found.apply(("product-policy-updated", build.policy("SKU-2", window_days=10)))
        await found.turn("2026-11-27")
        assert await found.notices("SO-2") == []
        await found.turn("2026-11-28")
        assert [brief(notice) for notice in await found.notices("SO-2")] == [
            ("no_date", None, "2026-12-01", ["keep", "cancel"])
        ]
        await found.turn("2026-12-17")
        assert await found.notices() == []
        await found.turn("2026-12-18")
        assert [brief(notice) for notice in await found.notices()] == [
            ("no_date", None, "2026-12-21", ["keep", "cancel"])
        ]
        assert (await found.line("SO-2"), await found.line()) == ({"cancelled": 3}, {"backordered": 3})
        assert await found.answer("RS-1", "keep") is None
        await found.turn(PASSED)
        assert (await found.line(), len(await found.notices())) == ({"backordered": 3}, 1)


async def test_who_has_waited_for_long_elsewhere_is_asked_as_soon_as_the_order_comes(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.turn("2026-11-22")
        await found.apply(placed(placed_at="2026-10-20T09:30:00Z"), placed("SO-2", placed_at="2026-11-20T09:30:00Z"))
        await found.turn("2026-11-22")
        assert [brief(notice)[0] for notice in await found.notices()] == ["no_date"]
        assert await found.notices("SO-2") == []


async def test_a_promise_that_is_withdrawn_is_told_at_once_and_given_again_in_time_needs_no_answer(
    database_url: str,
) -> None:
    async with shop(database_url) as found:
        await found.apply(coming("2026-12-05"), placed())
        await found.apply(coming("2026-12-05", 2, status="cancelled"))
        await found.turn("2026-11-22")
        assert [brief(notice) for notice in await found.notices()] == [
            ("no_date", None, "2026-11-30", ["keep", "cancel"])
        ]
        await found.apply(coming("2026-12-04", 3))
        await found.turn("2026-12-01")
        assert (await found.outcomes(), await found.line()) == ([(1, "1", None, "in_time")], {"backordered": 3})


async def test_in_the_eu_silence_neither_extends_nor_cancels_and_the_order_may_be_ended_at_any_time(
    database_url: str,
) -> None:
    async with shop(database_url) as found:
        await found.apply(coming("2026-12-05"), placed(country="DE"), placed("SO-2", "SE"))
        await found.apply(coming("2026-12-20", 2))
        await found.turn("2026-11-23")
        await found.turn("2026-12-15")
        assert await found.outcomes() == [(1, "1", None, None)]
        assert await found.answer("RS-1", "cancel") is None
        assert (await found.outcomes(), await found.line()) == ([(1, "1", "cancel", "cancelled")], {"cancelled": 3})
        await found.apply(coming("2026-12-30", 3))
        await found.turn("2026-12-16")
        assert await found.outcomes("SO-2") == [(1, "1", None, "superseded"), (2, "1", None, None)]
        await found.apply(received(3))
        await found.turn(PASSED)
        assert await found.outcomes("SO-2") == [(1, "1", None, "superseded"), (2, "1", None, "filled")]


async def test_a_merchant_may_let_silence_cancel_everywhere(database_url: str) -> None:
    async with shop(database_url, delay_rules(silence_cancels=True)) as found:
        await found.apply(coming("2026-12-05"), placed(country="DE"))
        await found.apply(coming("2026-12-20", 2))
        await found.turn("2026-11-23")
        await found.turn("2026-12-01")
        assert (await found.outcomes(), await found.line()) == (
            [(1, "1", None, "cancelled_by_silence")],
            {"cancelled": 3},
        )


async def test_what_was_cancelled_for_want_of_an_answer_lets_the_rest_of_its_order_leave(database_url: str) -> None:
    async with shop(database_url) as found:
        lines = [build.order_line("1", "SKU-1", 3), build.order_line("2", "SKU-2", 2)]
        await found.apply(received(2, sku="SKU-2"))
        await found.apply(placed(lines=lines, ship_complete=True))
        await found.turn("2026-12-19")
        assert (await found.line(), await found.line(line_id="2")) == ({"backordered": 3}, {"held": 2})
        await found.turn("2026-12-29")
        assert (await found.line(), await found.line(line_id="2")) == ({"cancelled": 3}, {"released": 2})
        kinds = [data["kind"] for data in await found.told()]
        assert kinds == ["order_backordered", "delay_notice", "order_cancelled", "backorder_filled"]


async def test_several_lines_of_an_order_are_told_together_and_answered_one_by_one(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(placed(lines=[build.order_line("1"), build.order_line("2", "SKU-2", 2)]))
        await found.turn("2026-12-18")
        (notice,) = await found.notices()
        assert [line["line_id"] for line in notice["lines"]] == ["1", "2"]
        assert await found.answer("RS-1", "cancel", line_id="2") is None
        assert await found.answer("RS-2", "keep", line_id="1") is None
        await found.turn("2026-12-29")
        assert await found.outcomes() == [(1, "1", "keep", "kept"), (1, "2", "cancel", "cancelled")]
        assert (await found.line(), await found.line(line_id="2")) == ({"backordered": 3}, {"cancelled": 2})


async def test_every_answer_has_one_outcome(database_url: str) -> None:
    async with shop(database_url) as found:
        orders = [f"SO-{number}" for number in range(1, 6)]
        await found.apply(*(placed(order_id) for order_id in orders))
        await found.turn("2026-12-18")
        assert await found.answer("RS-1", "cancel", order_id="SO-1", token=build.response()["token"]) == "wrong_token"
        other = (await found.notices("SO-2"))[0]["token"]
        assert await found.answer("RS-2", "cancel", order_id="SO-1", token=other) == "wrong_token"
        assert await found.answer("RS-3", "cancel", order_id="SO-1", line_id="9") == "wrong_token"
        assert await found.answer("RS-4", "cancel", order_id="SO-9", token=other) == "unknown_order"
        assert await found.answer("RS-5", "switch", order_id="SO-1") == "substitute_missing"
        assert await found.answer("RS-6", "keep", order_id="SO-1") is None
        assert await found.answer("RS-6", "keep", order_id="SO-1") is None
        assert await found.answer("RS-7", "cancel", order_id="SO-1") == "token_used"
        late = {"order_id": "SO-3", "responded_at": "2026-12-22T00:00:00Z"}
        assert await found.answer("RS-8", "keep", **late) == "answer_late"
        await found.apply(received(6))
        assert await found.answer("RS-9", "cancel", order_id="SO-2") is None
        await found.turn("2026-12-29")
        assert await found.answer("RS-10", "keep", order_id="SO-3") == "answer_late"
        assert [(await found.outcomes(order_id))[0][2:] for order_id in orders] == [
            ("keep", "kept"),
            ("cancel", "filled"),
            (None, "cancelled_by_silence"),
            (None, "cancelled_by_silence"),
            (None, "cancelled_by_silence"),
        ]
        assert [await found.line(order_id) for order_id in orders[:3]] == [
            {"released": 3},
            {"released": 3},
            {"cancelled": 3},
        ]


async def test_what_was_done_is_not_due_any_more(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(*(placed(f"SO-{number}") for number in range(250)))
        await found.turn("2026-12-18")
        count = len(await found.books.messages())
        await found.turn()
        assert len(await found.books.messages()) == count
        assert len(await found.notices("SO-249")) == 1


async def test_show_order_prints_what_was_told_and_answered_and_exports_all_that_is_known(
    database_url: str, tmp_path: Path
) -> None:
    async with shop(database_url) as found:
        customer = {"customer_id": "C-7", "email": "a@example.com"}
        await found.apply(coming("2026-12-05"), placed(customer=customer))
        await found.apply(coming("2026-12-20", 2))
        await found.turn("2026-11-23")
        assert await found.answer("RS-1", "keep") is None
        token = (await found.notices())[0]["token"]
    given = variables(load_settings(database_url=database_url))
    shown = (await command("show", "order", "SO-1001", given=given)).out
    row = next(line for line in shown[shown.index("Notices") :].splitlines() if "supplier_late" in line)
    assert [word in row for word in ("2026-12-05", "2026-12-20", "keep", "kept", "2026-12-01 23:59:59")] == [True] * 5
    file = tmp_path / "order.json"
    ended = await command("show", "order", "SO-1001", "--export", str(file), given=given)
    assert (ended.code, "a@example.com" in ended.out) == (0, False)
    kept = orjson.loads(file.read_bytes())
    assert (kept["customer"], kept["promises"][0]["promised_to"]) == (customer, "2026-12-05")
    assert kept["notices"][0]["token_sha256"] == sha256(token.encode()).hexdigest()
    assert (kept["notices"][0]["response_id"], kept["notices"][0]["outcome"]) == ("RS-1", "kept")
    assert (token in file.read_text(), len(kept["history"])) == (False, 1)


async def test_workers_without_a_secret_share_the_one_of_the_database(database_url: str) -> None:
    rules = replace(delay_rules(), token_secret=None)
    async with shop(database_url, rules) as found:
        await found.apply(placed())
        await found.turn("2026-12-18")
        await found.apply(placed("SO-2", placed_at="2026-11-22T09:30:00Z"))
        await found.turn("2026-12-19")
        secrets = await (await found.books.connection()).fetch("select secret from bo_worker.token_secret")
        (notice,) = await found.notices("SO-2")
        respond_by = datetime.fromisoformat(notice["respond_by"])
        assert len(secrets[0]["secret"]) == 32
        assert [make_token(row["secret"], "SO-2", 1, respond_by) for row in secrets] == [notice["token"]]


async def test_silence_cancels_nothing_that_is_expected_in_time_again(database_url: str) -> None:
    async with shop(database_url, delay_rules(silence_cancels=True)) as found:
        await found.apply(placed(country="DE"))
        await found.turn("2026-12-18")
        await found.apply(coming("2026-12-21"))
        await found.turn()
        connection = await found.books.connection()
        for table in ("delay_watch", "delay_notice"):
            query = f"update bo_worker.{table} set respond_by = '2026-12-19T23:59:59Z'"  # noqa: S608 - ours
            await connection.execute(query)
        await found.turn("2026-12-20")
        assert (await found.outcomes(), await found.line()) == ([(1, "1", None, "in_time")], {"backordered": 3})


async def test_money_for_what_nobody_consented_to_goes_back(database_url: str) -> None:
    async with shop(database_url) as found:
        line = build.order_line(unit_price={"amount": "19.90", "currency": "USD"})
        authorized = {"authorization_id": "A-1", "capture_before": "2027-06-01T00:00:00Z"}
        await found.apply(placed(lines=[line], payment=authorized))
        await found.turn("2026-12-18")
        await found.turn("2026-12-22")
        payments = [
            orjson.loads(message.value or b"")
            for message in await found.books.messages()
            if message.topic == "payment"
        ]
        assert [(data["kind"], data["amount"]) for data in payments] == [
            ("void", {"amount": "59.70", "currency": "USD"})
        ]


async def test_a_switch_serves_at_once_and_is_asked_again_where_the_other_product_is_gone(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(("product-policy-updated", build.policy(substitutes=["SKU-2", "SKU-3"])))
        await found.apply(received(3, "R-2", "SKU-2"), received(3, "R-3", "SKU-3"))
        line = build.order_line(unit_price={"amount": "19.90", "currency": "USD"})
        money = {"authorization_id": "A-1", "capture_before": "2027-06-01T00:00:00Z"}
        await found.apply(placed(lines=[line], payment=money), placed("SO-2"))
        await found.turn("2026-12-18")
        assert [notice["options"] for notice in await found.notices()] == [["keep", "switch", "cancel"]]
        offers = [offer["substitutes"] for offer in await found.told("substitute_offered")]
        assert [[one["sku"] for one in offer] for offer in offers] == [["SKU-2", "SKU-3"]]
        assert await found.answer("RS-1", "switch", substitute_sku="SKU-2") is None
        assert (await found.line(), await found.line(line_id="1/1")) == ({"cancelled": 3}, {"released": 3})
        assert await found.answer("RS-2", "switch", order_id="SO-2", substitute_sku="SKU-2") is None
        assert await found.line("SO-2") == {"backordered": 3}
        await found.turn()
        again = (await found.notices("SO-2"))[-1]
        assert (again["reason"], again["options"]) == ("substitute_gone", ["keep", "switch", "cancel"])
        assert await found.answer("RS-3", "switch", order_id="SO-2", substitute_sku="SKU-3") is None
        assert await found.outcomes("SO-2") == [
            (1, "1", "switch", "substitute_gone"),
            (2, "1", "switch", "switched"),
        ]
        assert [message.topic for message in await found.books.messages() if message.topic == "payment"] == []


async def test_a_switch_of_what_waits_for_its_payment_asks_to_pay_first_and_then_again(database_url: str) -> None:
    async with shop(database_url) as found:
        line = build.order_line(unit_price={"amount": "19.90", "currency": "USD"})
        money = {"authorization_id": "A-1", "capture_before": "2027-06-01T00:00:00Z"}
        await found.apply(("product-policy-updated", build.policy(substitutes=["SKU-2"])), received(3, sku="SKU-2"))
        await found.apply(coming("2026-12-05"), placed(lines=[line], payment=money), coming("2026-12-20", 2))
        await found.turn("2026-11-23")
        await found.apply(("payment-updated", build.payment("P-1", "failed")))
        await found.turn("2026-11-26")
        await give_up_unpaid(await found.books.connection(), found.rules, found.books.now)
        assert await found.answer("RS-1", "switch", substitute_sku="SKU-2") is None
        assert (await found.outcomes(), await found.line()) == (
            [(1, "1", "switch", "unpaid")],
            {"backordered": 3},
        )
        asked = (await found.told())[-1]
        assert [asked[name] for name in ("kind", "reason", "respond_by")] == [
            "payment_action_required",
            "payment_failed",
            None,
        ]
        await found.turn("2026-11-28")
        assert len(await found.notices()) == 1
        paid = {"authorization_id": "A-2", "occurred_at": "2026-11-28T12:00:00Z"}
        await found.apply(("payment-updated", build.payment("P-2", **paid)))
        await found.turn("2026-11-29")
        again = (await found.notices())[-1]
        assert brief(again)[:2] == ("supplier_late", "2026-12-20")
        assert await found.answer("RS-2", "switch", substitute_sku="SKU-2") is None
        assert await found.line(line_id="1/1") == {"released": 3}
        assert [row[3] for row in await found.outcomes()] == ["unpaid", "switched"]


async def test_silence_about_lines_that_were_told_apart_has_a_cause_for_each(database_url: str) -> None:
    async with shop(database_url) as found:
        price = {"amount": "10.00", "currency": "USD"}
        lines = [build.order_line("1", unit_price=price), build.order_line("2", "SKU-2", unit_price=price)]
        paid = {"authorization_id": "A-1", "capture_before": "2027-12-28T09:30:00Z"}
        other = build.purchase_order_line(sku="SKU-2", expected_from="2026-12-05", expected_to="2026-12-05")
        await found.apply(
            coming("2026-12-05"), ("purchase-order-updated", build.purchase_order("PO-2", lines=[other]))
        )
        await found.apply(placed(lines=lines, payment=paid))
        await found.apply(coming("2027-03-01", 2))
        await found.turn("2026-11-23")
        other = other | {"expected_from": "2027-03-01", "expected_to": "2027-03-01"}
        await found.apply(("purchase-order-updated", build.purchase_order("PO-2", 2, lines=[other])))
        # The second notice is out before the first one is decided.
        await found.turn("2026-11-25")
        for day in range(1, 8):
            await found.turn(f"2026-12-0{day}")
        assert [outcome for *_, outcome in await found.outcomes()] == ["cancelled_by_silence"] * 2
        told = await found.told("order_cancelled")
        assert len({one["notification_id"] for one in told}) == len(told) == 2
        asked = [orjson.loads(one.value or b"") for one in await found.books.messages() if one.topic == "payment"]
        assert len({one["payment_request_id"] for one in asked}) == len(asked) == 2


async def test_an_earlier_token_gives_up_nothing_of_a_line_that_was_filled_meanwhile(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(coming("2026-12-05"), placed(), coming("2027-03-01", 2))
        await found.turn("2026-11-23")
        await found.apply(coming("2027-04-01", 3))
        await found.turn("2026-11-24")
        await found.apply(received())
        first, _ = await found.notices()
        assert await found.answer("RS-1", "cancel", token=first["token"]) is None
        assert await found.told("order_cancelled") == []
        assert await found.line() == {"released": 3}
        assert await found.outcomes() == [(1, "1", "cancel", "filled"), (2, "1", None, "filled")]
        assert await found.answer("RS-2", "cancel", token=first["token"]) == "token_used"
