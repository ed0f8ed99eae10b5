"""What the sweep does about closed backorders: it asks once a day whether lines may wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.cause import Cause
from bo_worker.domain.closing import NOBODY, Churn, review
from bo_worker.service.sweep import TOPIC, Done
from bo_worker.service.work import Work, save_work
from bo_worker.store.procurement import describe_queues, drop_churn, find_reviews, load_churn
from bo_worker.store.products import lock_products

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from bo_worker.service.work import Rules

_PRODUCTS_MAX = 50


async def review_closed(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Close the backorders of products whose wait is too long by now, and open those that may wait again.

    Raises:
        UnfinishedCauseError: a product waits for the rest of a large change.
    """
    skus = await find_reviews(connection, now.date(), _PRODUCTS_MAX)
    if not skus:
        return Done()
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        account.products = await lock_products(connection, skus)
        queues = await describe_queues(connection, skus)
        churns = await load_churn(connection, skus, account.today)
        await drop_churn(connection, skus, account.today)
        for sku, product in account.products.items():
            # The number keeps apart what is told by two reviews on one day.
            product.touched_by = Cause(TOPIC, f"review/{sku}/{product.procurement_sequence}")
            churn, queue = churns.get(sku, Churn()), queues.get(sku, NOBODY)
            product.is_switched = review(product, churn, queue, account.today)
        return Done(more=True, messages=await save_work(connection, work, now))
