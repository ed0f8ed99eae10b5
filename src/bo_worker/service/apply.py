"""One batch, one transaction: fence, lock, load, decide, save, advance."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.domain.account import Refusal
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import AnswerNotice
from bo_worker.domain.decide import NOTHING, change, decide
from bo_worker.domain.settle import settle
from bo_worker.domain.token import token_hash
from bo_worker.messages.inbound import Decoded, Refused
from bo_worker.messages.outbound import dead_letter
from bo_worker.service.procurement import load_given_up
from bo_worker.service.scope import scope_of
from bo_worker.service.telling import instant
from bo_worker.service.unfinished import remainder_of
from bo_worker.service.waiting_lines import load_waiting
from bo_worker.service.waiting_room import WaitingRoom
from bo_worker.service.work import Work, load_lanes, load_losses, save_work
from bo_worker.store.consent import RefusedAnswer, keep_refused_answers, load_consents
from bo_worker.store.keys import find_applied, lock_keys, save_applied
from bo_worker.store.orders import find_order_digests, load_orders
from bo_worker.store.payments import load_prices
from bo_worker.store.positions import advance_positions, lock_positions
from bo_worker.store.products import lock_products
from bo_worker.store.supply import load_histories, lock_purchase_orders
from bo_worker.store.unfinished import start_unfinished

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import asyncpg

    from bo_worker.service.batch import Batch
    from bo_worker.service.scope import Scope
    from bo_worker.service.work import Lessons, Rules
    from bo_worker.store.keys import NaturalId
    from bo_worker.store.losses import Place

PLACED = "order-created"
DECIDED = "decided"
CONFLICT = "conflict"
VERSIONED = ("product-policy-updated", "purchase-order-updated")
_NO_LIMIT = 2**31


@dataclass(slots=True)
class Applied:
    """What came of a transaction: outcomes by (topic, outcome), dead letters by (topic, error), units by kind.

    `refused_answers` are to be kept as evidence.
    `leaves_due` says that the sweep has something to do because of it, at once.
    `seconds` is the time from its first statement to its commit, `core_s` what of it the core took.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead_letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    refused_answers: list[RefusedAnswer] = field(default_factory=list)
    units: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    leaves_due: bool = False
    seconds: float = 0.0
    core_s: float = 0.0


async def apply_batch(
    connection: asyncpg.Connection,
    batch: Batch,
    rules: Rules,
    now: datetime,
    checkpoint: Callable[[str], None],
) -> Applied:
    """Apply a batch; all of it is committed, or nothing. `checkpoint` is told how far the transaction is.

    Raises:
        StalePositionError: a partition has another owner by now.
        OrdersBusyError, QueueExhaustedError: try again, wiser.
        UnfinishedCauseError: finish that cause first.
        TooManyLinesError: more lines to serve than one transaction may take.
    """
    applied = Applied()
    begun = time.perf_counter()
    async with connection.transaction():
        await lock_positions(connection, batch.bases)
        scope = scope_of(item for item in batch.items if isinstance(item, Decoded))
        work = await _load(connection, scope, batch.lessons, rules, now)
        if scope.placed:
            await load_waiting(connection, work, batch.items, rules, batch.lessons.one_by_one)
        known = await _known_digests(connection, scope, work)
        room = WaitingRoom()
        await room.load(connection, work, scope.placed)
        started = time.perf_counter()
        new = _decide_all(batch, work, known, applied, rules, now)
        applied.core_s = time.perf_counter() - started
        checkpoint(DECIDED)
        for refused in room.refused(work):
            _bury(refused, work, applied, rules, now)
        await room.save(connection, work)  # Frees natural ids, of which others may have made use since.
        await save_applied(connection, new)
        if applied.refused_answers:
            await keep_refused_answers(connection, applied.refused_answers, now)
        applied.messages = await save_work(connection, work, now)
        for cause, effect in work.begun:
            await start_unfinished(connection, cause, remainder_of(effect).dump(), list(effect.locations))
        await advance_positions(connection, batch.next_offsets)
        checkpoint("before_commit")
        # Postgres takes its time to write it all to disk: what is not needed any more is thrown away meanwhile.
        asyncio.get_running_loop().call_soon(work.forget)
    applied.seconds = time.perf_counter() - begun
    checkpoint("after_commit")
    applied.units = work.units
    return applied


async def _load(connection: asyncpg.Connection, scope: Scope, lessons: Lessons, rules: Rules, now: datetime) -> Work:
    """Lock keys, then products, then load what the commands may need."""
    work = Work(rules.new_account(now), in_steps=lessons.in_steps)
    account = work.account
    work.keys = await lock_keys(connection, scope.keys | lessons.order_ids)
    old = {order_id for order_id in scope.changed if not work.keys[order_id].is_new}
    account.orders = await load_orders(connection, old, whole=True)
    if scope.answered:
        account.consents, _ = await load_consents(connection, scope.answered)
    # Their payment may be followed from now on.
    news = [order for order_id, order in account.orders.items() if order_id in scope.paid and order.payment is None]
    await load_prices(connection, news)
    for order in account.orders.values():
        scope.add_order(order)
    account.purchase_orders = await lock_purchase_orders(connection, scope.purchase_orders)
    for purchase_order in account.purchase_orders.values():
        scope.add_purchase_order(purchase_order)
    account.products = await lock_products(connection, scope.skus, purchase_orders=account.purchase_orders.values())
    account.histories = await load_histories(connection, scope.suppliers)
    if scope.cancelled or scope.answered:
        await load_given_up(connection, account, scope.policies)
    short = _larger(scope.short_places(account.products), lessons.claims)
    claims_max = _NO_LIMIT if work.in_steps else rules.fill_lines_max
    await load_losses(connection, work, short, rules.rank_by, claims_max)
    # In steps the queues are served later; but who loses units to a correction may be served from elsewhere now.
    lanes = _larger({} if work.in_steps else scope.lanes(account.products), lessons.lanes)
    # One line over the limit is loaded, so that a lane that was cut off is seen.
    await load_lanes(connection, work, lanes, rules.rank_by, rules.fill_lines_max + 1, rules.fill_lines_max)
    work.hold_lines()
    return work


def _larger(wanted: dict[Place, int], learned: dict[Place, int]) -> dict[Place, int]:
    return wanted | {place: max(units, wanted.get(place, 0)) for place, units in learned.items()}


async def _known_digests(connection: asyncpg.Connection, scope: Scope, work: Work) -> dict[NaturalId, bytes]:
    """Return the digests of what was applied before, by natural id. The keys are locked."""
    known = await find_applied(connection, scope.natural_ids)
    old = [order_id for order_id in scope.placed if not work.keys[order_id].is_new]
    for order_id, digest in (await find_order_digests(connection, old)).items():
        known[PLACED, order_id] = digest
    return known


def _decide_all(
    batch: Batch,
    work: Work,
    known: dict[NaturalId, bytes],
    applied: Applied,
    rules: Rules,
    now: datetime,
) -> dict[NaturalId, bytes]:
    """Run the core over the inputs one by one; return the natural ids to store."""
    new: dict[NaturalId, bytes] = {}
    at = instant(now)
    for item in batch.items:
        topic = item.record.topic
        refused = item if isinstance(item, Refused) else _decide(item, work, known, new)
        if isinstance(refused, Refused):
            _bury(refused, work, applied, rules, now)
            if isinstance(item, Decoded) and isinstance(item.command, AnswerNotice):
                _keep_refused(item.command, item.digest, refused.error, work, applied)
        else:
            applied.outcomes[topic, refused] += 1
            work.encode_facts(at)
    return new


def _decide(item: Decoded, work: Work, known: dict[NaturalId, bytes], new: dict[NaturalId, bytes]) -> Refused | str:
    """Apply one input unless it was applied before; return how it ended."""
    topic = item.record.topic
    natural_id = (topic, item.natural_id)
    digest = known.get(natural_id)
    if digest == item.digest:
        return "duplicate"
    if digest is not None:
        reason = f"{item.natural_id} was received before with other content; nothing was changed"
        return Refused(item.record, CONFLICT, reason)
    cause = Cause(topic, item.natural_id, item.traceparent)
    apply = _begin if work.in_steps else _settle
    refused_early = len(work.account.refused)
    refusal = apply(work, cause, item)
    for early, _ in work.account.refused[refused_early:]:  # Nothing came of them: their natural ids are free again.
        for digests in (known, new):
            digests.pop((early.cause.topic, early.cause.natural_id), None)
    if refusal is not None:
        return Refused(item.record, refusal.error, refusal.reason)
    if topic not in VERSIONED:  # Versions are compared by the core.
        known[natural_id] = item.digest
    if topic not in VERSIONED and topic != PLACED:
        new[natural_id] = item.digest
    return "applied"


def _settle(work: Work, cause: Cause, item: Decoded) -> Refusal | None:
    """Apply one input and all that follows from it."""
    return decide(work.account, cause, item.command, item.digest, item)


def _begin(work: Work, cause: Cause, item: Decoded) -> Refusal | None:
    """Apply one input but leave the queues to be served later, in steps."""
    effect = change(work.account, cause, item.command, item.digest, item)
    if isinstance(effect, Refusal):
        return effect
    if effect.lost:  # Who lost units is told at once; few free units can be left to serve.
        settle(work.account, effect)
    elif effect is not NOTHING:
        work.begun.append((cause, effect))
    return None


def _bury(refused: Refused, work: Work, applied: Applied, rules: Rules, now: datetime) -> None:
    """Send a message to the dead letters."""
    topic = refused.record.topic
    letter = dead_letter(
        refused.record,
        error=refused.error,
        reason=refused.reason,
        full_topic=rules.topic_prefix + topic,
        failed_at=instant(now),
    )
    work.messages.append(letter)
    applied.refused.append(refused)
    applied.dead_letters[topic, refused.error] += 1
    applied.outcomes[topic, "dead_lettered"] += 1


def _keep_refused(answer: AnswerNotice, digest: bytes, error: str, work: Work, applied: Applied) -> None:
    """Note a refused answer as evidence with its order, if there is one.

    A conflict is left out: another answer was taken under its id, and is evidence.
    """
    if error != CONFLICT and answer.order_id in work.account.orders:
        applied.refused_answers.append(
            RefusedAnswer(
                answer.order_id,
                answer.response_id,
                digest,
                answer.line_id,
                answer.choice,
                answer.substitute_sku,
                token_hash(answer.token),
                answer.responded_at,
                error,
            )
        )
