"""The money for orders on Postgres: it is asked for as time goes by, and units go to who pays."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import build
from bo_worker.domain.account import Terms
from bo_worker.domain.payment import PaymentTerms
from bo_worker.service.payments import give_up_unpaid, renew_authorizations
from bo_worker.service.promises import repeg_products
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from ledger import NOW, Ledger, data, ledger

if TYPE_CHECKING:
    from bo_worker.service.sweep import Job
    from streams import Input

RULES = Rules("placed_at", 5_000)
ENDS = "2026-11-28T12:00:00Z"
DAY = timedelta(days=1)
CUSTOMER_OF_SO_1 = ("customer-notification", b"SO-1")
TABLES = ("order_line", "claim", "stock", "product", "message_key", "order_payment", "journal")


def line(quantity: int = 3, line_id: str = "1", price: str = "10.00", **fields: Any) -> dict[str, Any]:
    return build.order_line(line_id, quantity=quantity, unit_price={"amount": price, "currency": "USD"}, **fields)


def order(order_id: str = "SO-1", *lines: dict[str, Any], **fields: Any) -> Input:
    paid = {"payment": {"authorization_id": "A-1", "capture_before": ENDS}}
    return "order-created", build.order(order_id, lines=list(lines) or [line()], **paid | fields)


def unpaid_order(order_id: str, quantity: int = 3, **fields: Any) -> Input:
    return "order-created", build.order(order_id, lines=[build.order_line(quantity=quantity)], **fields)


def receipt(receipt_id: str, quantity: int) -> Input:
    return "inventory-received", build.receipt(receipt_id, lines=[build.receipt_line(quantity=quantity)])


def news(status: str, number: int = 1, **fields: Any) -> Input:
    at = f"2026-11-21T10:00:{number:02}Z"
    values = {"order_id": "SO-1", "occurred_at": at, **fields}
    return "payment-updated", build.payment(f"P-{number}", status, **values)


def cancelled(number: int = 1, **fields: Any) -> Input:
    return "order-cancelled", build.cancellation(f"X-{number}", "SO-1", **fields)


async def run(books: Ledger, job: Job, rules: Rules = RULES) -> int:
    """Do what is due of a job at the ledger's instant; return in how many transactions. The account stays true."""
    connection = await books.connection()
    count = 0
    while (await job(connection, rules, books.now)).more:
        count += 1
    await books.applier.finish_all()
    assert await audit(connection) == []
    return count


async def requests(books: Ledger) -> list[tuple[str, str, str | None, str]]:
    """Kind, amount, authorization and reason of what was asked of payment for SO-1."""
    found = data((await books.published()).get(("payment", b"SO-1"), []))
    return [(one["kind"], one["amount"]["amount"], one["authorization_id"], one["reason"]) for one in found]


async def notices(books: Ledger, order_id: str = "SO-1") -> list[str]:
    found = data((await books.published()).get(("customer-notification", order_id.encode()), []))
    return [one["kind"] for one in found]


async def lines(books: Ledger, order_id: str = "SO-1") -> list[tuple[Any, ...]]:
    """Location, waiting, held and released units of each line, as the view shows them."""
    query = (
        "select location, backordered, held, released from bo_worker.order_line_status"
        " where order_id = $1 order by line_id"
    )
    assert await audit(await books.connection()) == []
    return [tuple(row) for row in await (await books.connection()).fetch(query, order_id)]


async def payment(books: Ledger) -> dict[str, Any]:
    row = await (await books.connection()).fetchrow("select * from bo_worker.order_payment where order_id = 'SO-1'")
    assert row is not None
    return dict(row)


async def test_orders_without_payment_leave_no_trace(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(unpaid_order("SO-1"), cancelled())
        assert await requests(books) == []
        assert (await books.rows("order_payment"))["order_payment"] == []


async def test_what_is_given_up_is_voided_part_by_part_over_several_batches(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(order("SO-1", line(3, price="3.3333"), line(2, "2", "0.105")))
        await books.apply(cancelled(1, lines=[{"line_id": "1", "quantity": 1}]))
        await books.apply(cancelled(2, lines=[{"line_id": "2", "quantity": 1}]))
        await books.apply(cancelled(3))
        assert [amount for _, amount, *_ in await requests(books)] == ["3.33", "0.11", "6.77"]
        assert await lines(books) == [(None, 0, 0, 0), (None, 0, 0, 0)]


async def test_an_authorization_is_renewed_once_and_only_while_the_order_waits(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(order(), receipt("R-1", 1))
        books.now = NOW + 6 * DAY - timedelta(seconds=1)
        assert await run(books, renew_authorizations) == 0
        books.now = NOW + 6 * DAY
        assert await run(books, renew_authorizations) == 1
        assert await run(books, renew_authorizations) == 0
        assert await requests(books) == [("authorize", "30.00", "A-1", "authorization_expires")]
        await books.apply(news("authorized", authorization_id="A-2", capture_before="2026-12-28T12:00:00Z"))
        await books.apply(receipt("R-2", 2))
        assert (await payment(books))["due_at"] is None
        books.now = NOW + 90 * DAY
        assert await run(books, renew_authorizations) == 0


async def test_a_request_without_an_answer_ends_as_a_failure_and_the_queue_gets_the_units(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(order(), unpaid_order("SO-2", placed_at="2026-11-21T11:00:00Z"))
        books.now = NOW + 6 * DAY
        await run(books, renew_authorizations)
        books.now = NOW + 7 * DAY
        await books.apply(receipt("R-1", 2))
        assert await lines(books) == [(None, 1, 2, 0)]
        await run(books, renew_authorizations)
        assert await notices(books) == ["order_backordered", "payment_action_required"]
        books.now = NOW + 10 * DAY
        assert await run(books, give_up_unpaid) == 1
        assert await run(books, renew_authorizations) == 0
        assert await lines(books) == [(None, 3, 0, 0)]
        assert await lines(books, "SO-2") == [(None, 1, 0, 2)]


async def test_a_suspended_order_waits_in_the_view_at_its_pin_and_is_served_once_it_is_paid(
    database_url: str,
) -> None:
    async with ledger(database_url) as books:
        await books.apply(order("SO-1", line(3, location="WH1"), line(2, "2")))
        await books.apply(news("failed"))
        books.now = NOW + 3 * DAY
        assert await run(books, give_up_unpaid) == 1
        await books.apply(receipt("R-1", 4))
        assert await lines(books) == [("WH1", 3, 0, 0), (None, 2, 0, 0)]
        await books.apply(unpaid_order("SO-2", 5), news("authorized", 2, authorization_id="A-2"))
        await books.apply(receipt("R-2", 9))
        assert await lines(books) == [("WH1", 0, 0, 3), (None, 0, 0, 2)]


async def test_an_order_that_stays_unpaid_is_cancelled_at_last_unless_that_is_not_wanted(database_url: str) -> None:
    for payment_terms, is_cancelled in ((PaymentTerms(cancel_after=30 * DAY), True), (PaymentTerms(), False)):
        terms = Terms(payment=payment_terms)
        rules = Rules("placed_at", 5_000, terms=terms)
        async with ledger(database_url, terms=terms) as books:
            await books.forget()
            await books.apply(receipt("R-1", 2), order("SO-1", line(5), line(1, "2")), news("failed"))
            books.now = NOW + 3 * DAY
            assert await run(books, give_up_unpaid, rules) == 1
            books.now = NOW + 33 * DAY - timedelta(seconds=1)
            assert await run(books, give_up_unpaid, rules) == 0
            books.now = NOW + 400 * DAY
            assert await run(books, give_up_unpaid, rules) == int(is_cancelled)
            told = data((await books.published())[CUSTOMER_OF_SO_1])[-1]
            if is_cancelled:
                assert (told["kind"], told["reason"]) == ("order_cancelled", "payment_failed")
            else:
                assert told["kind"] == "payment_action_required"


async def test_an_order_that_is_paid_again_takes_what_lies_free(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(order("SO-1", line(3)), news("failed"))
        books.now = NOW + 3 * DAY
        await run(books, give_up_unpaid)
        await books.apply(receipt("R-1", 2), receipt("R-2", 2))
        assert await lines(books) == [(None, 3, 0, 0)]
        await books.apply(news("authorized", 2, authorization_id="A-2"))
        assert await lines(books) == [(None, 0, 0, 3)]


async def test_suspended_lines_can_be_amended_and_cancelled(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(order(), news("failed"))
        books.now = NOW + 3 * DAY
        await run(books, give_up_unpaid)
        await books.apply(("order-amended", build.amendment(order_id="SO-1", priority=9)), receipt("R-1", 1))
        assert await lines(books) == [(None, 3, 0, 0)]
        await books.apply(cancelled())
        assert await lines(books) == [(None, 0, 0, 0)]
        assert await requests(books) == []


async def test_news_that_come_before_their_order_hold_its_units_back(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(news("failed"), receipt("R-1", 3))
        await books.apply(order())
        assert await lines(books) == [(None, 0, 3, 0)]
        await books.apply(news("captured", 2))
        assert await lines(books) == [(None, 0, 0, 3)]
        await books.apply(cancelled())
        assert await requests(books) == [("refund", "30.00", "A-1", "cancelled")]
        await books.apply(news("refunded", 3))
        assert await notices(books) == [
            "payment_action_required",
            "order_confirmed",
            "backorder_filled",
            "order_cancelled",
            "refund_issued",
        ]


async def test_an_order_that_came_without_payment_is_followed_from_its_first_news_on(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(("order-created", build.order("SO-1", lines=[line(3)])))
        await books.apply(cancelled(1, lines=[{"line_id": "1", "quantity": 1}]))
        await books.apply(news("authorized", capture_before=ENDS))
        await books.apply(cancelled(2, lines=[{"line_id": "1", "quantity": 1}]))
        assert await requests(books) == [("void", "10.00", None, "cancelled")]


async def test_the_order_of_the_news_and_their_repetition_make_no_difference(database_url: str) -> None:
    told = [
        news("captured", 1),
        news("failed", 2),
        news("authorized", 3, authorization_id="A-2"),
        news("authorized", 4, authorization_id="A-2", capture_before=ENDS),
    ]
    found = []
    async with ledger(database_url) as books:
        for sequence in (told, told[::-1], [told[2], told[3], told[0], told[1], *told]):
            await books.forget()
            await books.apply(order())
            for one in sequence:
                await books.apply(one)
            state = await payment(books)
            found.append([state[name] for name in ("status", "authorization_id", "capture_before", "news_id")])
    assert found[0][0:2] == ["authorized", "A-2"]
    assert found == [found[0]] * 3


async def test_messages_that_come_again_change_nothing(database_url: str) -> None:
    inputs = [order(), news("failed"), receipt("R-1", 2), cancelled(1, lines=[{"line_id": "1", "quantity": 1}])]
    async with ledger(database_url) as books:
        await books.apply(*inputs)
        before = await books.rows(*TABLES), await books.messages()
        await books.apply(*inputs)
        assert (await books.rows(*TABLES), await books.messages()) == before


async def test_in_one_batch_or_many_the_same_is_asked_for(database_url: str) -> None:
    inputs = [
        order("SO-1", line(5, price="0.3333"), line(2, "2")),
        receipt("R-1", 3),
        cancelled(1, lines=[{"line_id": "1", "quantity": 1}]),
        news("failed"),
        cancelled(2, lines=[{"line_id": "1", "quantity": 2}]),
        receipt("R-2", 2),
        news("captured", 2, authorization_id="A-2"),
        cancelled(3),
    ]
    async with ledger(database_url) as books:
        await books.apply(*inputs)
        together = await books.rows(*TABLES), await books.published()
        await books.forget()
        for one in inputs:
            await books.apply(one)
        assert (await books.rows(*TABLES), await books.published()) == together


async def test_at_shipment_it_is_asked_for_when_units_could_leave(database_url: str) -> None:
    terms = Terms(payment=PaymentTerms(at_shipment=True))
    rules = Rules("placed_at", 5_000, terms=terms)
    async with ledger(database_url, terms=terms) as books:
        await books.apply(order())
        books.now = NOW + 8 * DAY
        assert await run(books, renew_authorizations, rules) == 0
        await books.apply(receipt("R-1", 2))
        assert await requests(books) == [("authorize", "30.00", "A-1", "shipment")]
        await books.apply(news("authorized", authorization_id="A-2"))
        assert await lines(books) == [(None, 1, 0, 2)]


async def test_units_given_up_for_a_long_queue_are_given_out_in_steps(database_url: str) -> None:
    rules = Rules("placed_at", 5)
    async with ledger(database_url, fill_lines_max=5) as books:
        waiting = [unpaid_order(f"SO-{number}", 1, placed_at="2026-11-21T11:00:00Z") for number in range(10, 30)]
        await books.apply(order("SO-1", line(12), line(4, "2")), news("failed"))
        await books.apply(receipt("R-1", 12))
        for one in waiting:
            await books.apply(one)
        books.now = NOW + 3 * DAY
        assert await run(books, give_up_unpaid, rules) == 1
        served = [one for number in range(10, 30) for one in await lines(books, f"SO-{number}")]
        assert served == [(None, 0, 0, 1)] * 12 + [(None, 1, 0, 0)] * 8


async def test_a_receipt_that_goes_on_in_steps_holds_units_back_too(database_url: str) -> None:
    async with ledger(database_url, fill_lines_max=5) as books:
        others = [unpaid_order(f"SO-{number}", 1, placed_at="2026-11-21T11:00:00Z") for number in range(10, 30)]
        await books.apply(order("SO-1", line(2), line(3, "2")), news("failed"))
        for one in others:
            await books.apply(one)
        await books.apply(receipt("R-1", 15))
        assert await lines(books) == [(None, 0, 2, 0), (None, 0, 3, 0)]
        assert await lines(books, "SO-19") == [(None, 0, 0, 1)]
        await books.apply(news("authorized", 2))
        assert await lines(books) == [(None, 0, 0, 2), (None, 0, 0, 3)]


async def test_a_line_of_the_same_product_that_waits_is_not_in_the_way_of_the_queue(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(order("SO-1", line(40, "1"), line(70, "2"), ship_complete=True), receipt("R-1", 40))
        await books.apply(news("failed"), *(unpaid_order(f"SO-{number}", 9) for number in range(2, 8)))
        books.now = NOW + 3 * DAY
        assert await run(books, give_up_unpaid) == 1
        assert await lines(books, "SO-2") == [(None, 0, 0, 9)]
        assert await lines(books, "SO-6") == [(None, 5, 0, 4)]


async def test_an_order_of_a_worker_that_did_not_follow_payments_is_followed(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(order(), cancelled(1, lines=[{"line_id": "1", "quantity": 1}]))
        await (await books.connection()).execute("delete from bo_worker.order_payment")
        await books.apply(cancelled(2, lines=[{"line_id": "1", "quantity": 1}]))
        assert [amount for _, amount, *_ in await requests(books)] == ["10.00", "10.00"]
        assert (await payment(books))["authorization_id"] == "A-1"


async def test_a_suspended_line_is_promised_nothing_until_it_is_paid(database_url: str) -> None:
    late = build.purchase_order_line(expected_from="2027-01-01", expected_to="2027-01-05")
    async with ledger(database_url) as books:
        await books.apply(("purchase-order-updated", build.purchase_order(lines=[late])), order(), news("failed"))
        books.now = NOW + 3 * DAY
        await run(books, give_up_unpaid)
        await run(books, repeg_products)
        await books.apply(news("captured", 2))
        await run(books, repeg_products)
        assert await notices(books) == [
            "order_backordered",
            "payment_action_required",
            "expected_date_changed",
            "expected_date_changed",
        ]
        days = [one["lines"][0]["expected_to"] for one in data((await books.published())[CUSTOMER_OF_SO_1])]
        assert days == ["2027-01-05", None, None, "2027-01-05"]


async def test_what_comes_after_an_order_does_not_leave_on_what_ran_out_before_however_the_batches_are_cut(
    database_url: str,
) -> None:
    late = order(payment={"authorization_id": "A-1", "capture_before": "2026-11-21T11:00:00Z"})
    for batches in ([[late], [receipt("R-1", 3)]], [[late, receipt("R-1", 3)]]):
        async with ledger(database_url) as books:
            await books.forget()
            for batch in batches:
                await books.apply(*batch)
            rows = await (await books.connection()).fetch("select held, released from bo_worker.order_line")
            assert [tuple(row) for row in rows] == [(3, 0)]
            asked = [one for one in data(await books.messages()) if one.get("kind") == "authorize"]
            assert [one["reason"] for one in asked] == ["shipment"]
            await books.forget()
