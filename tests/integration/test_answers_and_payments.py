"""Answers, payments, supply and days in any order, on a real Postgres: the account is true after each of them."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import build
from audit import FAULTS
from bo_worker.delay_rules import is_day_off, load_delay_terms
from bo_worker.domain.account import Terms
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.domain.payment import PaymentTerms
from bo_worker.service.due import JOBS
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from consents import ROUNDS_MAX, SECRET, Shop
from ledger import ledger

if TYPE_CHECKING:
    from streams import Input

SKUS = ("SKU-1", "SKU-2", "SKU-3")
STEPS = 100
# Nobody publishes here.
RULES = [query for rule, query in FAULTS.items() if "outbox" not in rule]
STATUSES = ("authorized", "captured", "failed", "failed", "refunded", "voided")
CHOICES = ("keep", "switch", "switch", "cancel")


def rules_of(chance: Random) -> Rules:
    terms = Terms(
        is_day_off=is_day_off,
        delays=load_delay_terms(3, 5, silence_cancels=chance.random() < 0.3),
        payment=PaymentTerms(at_shipment=chance.random() < 0.4, cancel_after=timedelta(days=9)),
        choices=ChoiceTerms(2, 20, 7, chance.choice([0, 4])),
    )
    return Rules("placed_at", chance.choice([3, 5_000]), terms=terms, token_secret=SECRET)


class Happenings:
    """What may happen to a shop next, by chance."""

    def __init__(self, shop: Shop, chance: Random) -> None:
        self.shop = shop
        self.chance = chance
        self.order_ids: list[str] = []
        self.number = 0

    async def next(self) -> Input | None:
        """Return an input, or let days pass."""
        self.number += 1
        if not self.order_ids:
            return self.order()
        happen = [self.order, self.receipt, self.receipt, self.supply, self.payment, self.payment, self.change]
        number = self.chance.randrange(len(happen) + 8)
        if number < len(happen):
            return happen[number]()
        if number < len(happen) + 6:
            return await self.answer() or self.supply()
        self.shop.books.now += timedelta(days=self.chance.choice([1, 1, 2, 5]))
        return None

    def order(self) -> Input:
        chance, fields = self.chance, {"ship_complete": self.chance.random() < 0.3}
        prices = [
            {"unit_price": {"amount": "10.005", "currency": chance.choice(["USD", "JPY"])}}
            if chance.random() < 0.8
            else {}
            for _ in range(chance.randint(1, 3))
        ]
        lines = [
            build.order_line(str(place), chance.choice(SKUS), chance.randint(1, 3), **price)
            for place, price in enumerate(prices, 1)
        ]
        more: dict[str, Any] = {"ship_to_country": chance.choice(["US", "DE", "DE", "BR"])}
        if chance.random() < 0.7:
            ends_at = self.shop.books.now + timedelta(days=chance.randint(1, 9))
            more["payment"] = {"authorization_id": "A-0", "capture_before": ends_at.isoformat()}
        self.order_ids.append(f"SO-{self.number}")
        return "order-created", build.order(self.order_ids[-1], lines=lines, placed_at=self.at, **fields, **more)

    def receipt(self) -> Input:
        line = build.receipt_line(sku=self.chance.choice(SKUS), quantity=self.chance.randint(1, 6))
        return "inventory-received", build.receipt(f"R-{self.number}", received_at=self.at, lines=[line])

    def supply(self) -> Input:
        day = (self.shop.books.now + timedelta(days=self.chance.randint(1, 50))).date().isoformat()
        lines = [build.purchase_order_line(sku, sku, 9, expected_from=day, expected_to=day) for sku in SKUS]
        status = self.chance.choice(["confirmed", "confirmed", "cancelled"])
        return "purchase-order-updated", build.purchase_order("PO-1", self.number, status=status, lines=lines)

    def payment(self) -> Input:
        fields = {"order_id": self.chance.choice(self.order_ids[-6:]), "occurred_at": self.at}
        if self.chance.random() < 0.5:
            fields["authorization_id"] = f"A-{self.number}"
        return "payment-updated", build.payment(f"P-{self.number}", self.chance.choice(STATUSES), **fields)

    def change(self) -> Input:
        order_id, number = self.chance.choice(self.order_ids), self.number
        lost = build.adjustment(f"ADJ-{number}", self.chance.choice([-2, -1, 2]), sku=self.chance.choice(SKUS))
        whole = self.chance.random() < 0.5
        part = [{"line_id": "1", "quantity": 1}]
        changes: list[Input] = [
            ("inventory-adjusted", lost),
            ("order-amended", build.amendment(f"AM-{number}", order_id, amended_at=self.at, ship_complete=whole)),
            ("order-cancelled", build.cancellation(f"X-{number}", order_id, lines=part)),
        ]
        return self.chance.choice(changes)

    async def answer(self) -> Input | None:
        order_id = self.chance.choice(self.order_ids[-6:])
        notices = (await self.shop.notices(order_id))[-2:]
        if not notices:
            return None
        notice = self.chance.choice(notices)
        fields = {
            "order_id": order_id,
            "line_id": self.chance.choice(notice["lines"])["line_id"],
            "token": notice["token"],
            "substitute_sku": self.chance.choice(SKUS),
            "responded_at": self.at,
        }
        choice = self.chance.choice(CHOICES)
        return "customer-response", build.response(f"RS-{self.number}", choice, **fields)

    @property
    def at(self) -> str:
        return self.shop.books.now.isoformat()


async def sweep(shop: Shop) -> None:
    """Do all that is due, of every job."""
    connection = await shop.books.connection()
    for name, job in JOBS.items():
        for _ in range(ROUNDS_MAX):
            more = (await job(connection, shop.rules, shop.books.now)).more
            await shop.books.applier.finish_all()
            if not more:
                break
        else:
            raise AssertionError(f"{name} finds no end")


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_customers_answer_and_pay_the_account_is_true(database_url: str, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - a seeded generator, not a secret
    rules = rules_of(chance)
    async with ledger(database_url, fill_lines_max=rules.fill_lines_max, terms=rules.terms) as books:
        shop = Shop(books, rules)
        connection = await books.connection()
        for sku in SKUS:
            others = [other for other in SKUS if other != sku]
            await shop.apply(("product-policy-updated", build.policy(sku, substitutes=others)))
        happenings = Happenings(shop, chance)
        for _ in range(STEPS):
            one = await happenings.next()
            if one is not None:
                await shop.apply(one)
            if one is None or chance.random() < 0.8:
                await sweep(shop)
            assert await audit(connection) == []
            assert [await connection.fetch(query) for query in RULES] == [[]] * len(RULES)
        sent = [message for message in await books.messages() if not message.topic.endswith(".dlq")]
        ids = [dict(message.headers)["ce_id"] for message in sent]
        assert len(set(ids)) == len(ids)
