"""Orders that wait, delays that are told, and answers to them, on a ledger with a clock that moves."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

import build
from bo_worker.delay_rules import is_day_off, load_delay_terms
from bo_worker.domain.account import Terms
from bo_worker.service.consent import end_silences_due, tell_delays_due
from bo_worker.service.promises import lapse_supply, repeg_products
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from ledger import ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ledger import Ledger
    from streams import Input

SECRET = b"a secret of the tests"
JOBS = (lapse_supply, repeg_products, end_silences_due, tell_delays_due)
ROUNDS_MAX = 50


def delay_rules(*, silence_cancels: bool = False) -> Rules:
    """The rules of a worker, as it has them without any setting."""
    delays = load_delay_terms(3, 5, silence_cancels=silence_cancels)
    return Rules("placed_at", 5_000, terms=Terms(is_day_off=is_day_off, delays=delays), token_secret=SECRET)


class Shop:
    """A ledger, and the sweep that works on it."""

    def __init__(self, books: Ledger, rules: Rules) -> None:
        self.books = books
        self.rules = rules

    async def apply(self, *inputs: Input) -> None:
        await self.books.apply(*inputs)

    async def turn(self, day: str | None = None) -> None:
        """Let it be noon of a day, and do what is due until nothing is."""
        if day is not None:
            self.books.now = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
        connection = await self.books.connection()
        for job in JOBS:
            for _ in range(ROUNDS_MAX):
                if not (await job(connection, self.rules, self.books.now)).more:
                    break
            else:
                raise AssertionError(f"{job.__name__} finds no end")

    async def told(self, *kinds: str, order_id: str = "SO-1001") -> list[dict[str, Any]]:
        """What the customer of an order was told, of some kinds or of all."""
        found = [
            orjson.loads(message.value or b"")
            for message in await self.books.messages()
            if message.topic == "customer-notification" and message.key == order_id.encode()
        ]
        return [data for data in found if not kinds or data["kind"] in kinds]

    async def notices(self, order_id: str = "SO-1001") -> list[dict[str, Any]]:
        return await self.told("delay_notice", order_id=order_id)

    async def answer(self, response_id: str, choice: str, **fields: Any) -> str | None:
        """Answer the latest notice of the order, or as fields say; return the code of its refusal."""
        if "token" not in fields:
            fields["token"] = (await self.notices(fields.get("order_id", "SO-1001")))[-1]["token"]
        fields.setdefault("responded_at", self.books.now.isoformat())
        before = len(self.books.committed)
        await self.apply(("customer-response", build.response(response_id, choice, **fields)))
        letters = [code for applied in self.books.committed[before:] for _, code in applied.dead_letters]
        return letters[0] if letters else None

    async def outcomes(self, order_id: str = "SO-1001") -> list[tuple[int, str, str | None, str | None]]:
        """Of each notice its number, line, answer and outcome."""
        rows = await (await self.books.connection()).fetch(
            "select number, line_id, answer, outcome from bo_worker.delay_notice"
            " join bo_worker.order_line using (order_id, position) where order_id = $1 order by number, position",
            order_id,
        )
        return [tuple(row) for row in rows]

    async def line(self, order_id: str = "SO-1001", line_id: str = "1") -> dict[str, int]:
        """The buckets of a line that are not empty."""
        row = await (await self.books.connection()).fetchrow(
            "select backordered, held, released, shipped, cancelled, rejected from bo_worker.order_line"
            " where order_id = $1 and line_id = $2",
            order_id,
            line_id,
        )
        return {name: units for name, units in dict(row or {}).items() if units}

    async def check(self) -> None:
        assert await audit(await self.books.connection()) == []


@asynccontextmanager
async def shop(database_url: str, rules: Rules | None = None) -> AsyncIterator[Shop]:
    rules = rules or delay_rules()
    async with ledger(database_url, terms=rules.terms) as books:
        found = Shop(books, rules)
        yield found
        await found.check()


def placed(order_id: str = "SO-1001", country: str | None = "US", **fields: Any) -> Input:
    return "order-created", build.order(order_id, ship_to_country=country, **fields)


def coming(
    day: str,
    version: int = 1,
    quantity: int = 100,
    purchase_order_id: str = "PO-9",
    status: str = "confirmed",
) -> Input:
    line = build.purchase_order_line(quantity=quantity, expected_from=day, expected_to=day)
    return "purchase-order-updated", build.purchase_order(purchase_order_id, version, lines=[line], status=status)


def received(quantity: int = 10, receipt_id: str = "R-1", sku: str = "SKU-1") -> Input:
    return "inventory-received", build.receipt(receipt_id, lines=[build.receipt_line(sku=sku, quantity=quantity)])
