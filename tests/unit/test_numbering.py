"""Messages are numbered per topic and key, without gaps: by the product, or by the key they are locked with."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from bo_worker.domain.account import Account
from bo_worker.domain.cause import Cause
from bo_worker.domain.facts import BackInStock, CrossDockPlan, FulfillmentLine, Procurement
from bo_worker.messages.record import Event
from bo_worker.service.work import Work
from bo_worker.store.keys import Key

if TYPE_CHECKING:
    from bo_worker.domain.facts import Fact

AT = b"2026-11-21T09:30:00.000Z"


def numbers(work: Work, *facts: Fact) -> list[int]:
    """The numbers that facts get, after those before."""
    work.account.facts = [(fact, Cause("any", "1")) for fact in facts]
    work.messages.clear()
    work.encode_facts(AT)
    return [message.sequence for message in work.messages if isinstance(message, Event)]


def reorder(sku: str) -> Procurement:
    return Procurement("PR-1", "reorder", sku, None, 200, 0, None, "reorder_point")


def test_a_product_numbers_what_purchasing_is_told_and_must_then_be_saved() -> None:
    work = Work(Account())
    first, second = work.account.product("SKU-1"), work.account.product("SKU-2")
    first.procurement_sequence = 7
    assert numbers(work, reorder("SKU-1"), reorder("SKU-1")) == [8, 9]
    assert (first.is_changed, second.is_changed) == (True, False)
    assert numbers(work, reorder("SKU-2"), reorder("SKU-1")) == [1, 10]
    assert first.availability_sequence == 0


def test_plans_count_with_the_instructions_of_an_order_and_no_units_for_them() -> None:
    work = Work(Account(), keys={"SO-1": Key("SO-1", fulfillments=4)})
    line = FulfillmentLine("1", "SKU-1", 3)
    plan = CrossDockPlan("F-1", "SO-1", "WH1", 0, "PO-9", date(2026, 12, 1), date(2026, 12, 5), 1, [line])
    assert numbers(work, plan) == [5]
    assert not work.units


def test_an_entry_of_a_waiting_list_is_a_key_of_its_own() -> None:
    work = Work(Account(), keys={"W-1": Key("W-1")})
    entry = BackInStock("N-1", "W-1", "SKU-1", 1, {"customer_id": "C-8"})
    assert numbers(work, entry, entry) == [1, 2]
