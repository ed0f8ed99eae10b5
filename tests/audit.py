"""The audit that ends a test: whatever happened, nothing is lost, nothing done twice, and the account is true."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from bo_worker.messages.inbound import Decoded, decode
from bo_worker.messages.record import Message, Record
from bo_worker.store.audit import audit as audit_account
from promised import DAYS, NO_DAYS, days_without_supply, promised_days
from world import OUTPUT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from world import Output, World

# Each must find nothing.
FAULTS: Final = {
    "R1: allocated is what lines claim": """
        select sku, location, on_hand, coalesce(allocated, 0), coalesce(claimed, 0)
        from bo_worker.stock
        full join (
            select sku, location, sum(held + released) as claimed from bo_worker.claim group by sku, location
        ) as claims using (sku, location)
        where coalesce(allocated, 0) <> coalesce(claimed, 0) or coalesce(allocated, 0) > coalesce(on_hand, 0)
    """,
    "R2: the buckets of a line sum to its quantity, and its claims to its buckets": """
        select line.*, claims.*
        from bo_worker.order_line as line
        left join (
            select order_id, position, sum(held) as held, sum(released) as released, sum(shipped) as shipped,
                max(number) as number
            from bo_worker.claim group by order_id, position
        ) as claims using (order_id, position)
        where backordered + line.held + line.released + line.shipped + cancelled + rejected <> quantity
            or (line.held, line.released, line.shipped, line.claim_count) is distinct from (
                coalesce(claims.held, 0), coalesce(claims.released, 0), coalesce(claims.shipped, 0),
                coalesce(claims.number, 0)
            )
    """,
    "waiting is what is backordered": """
        select sku, waiting, backordered from bo_worker.product
        full join (select sku, sum(backordered) as backordered from bo_worker.order_line group by sku) as lines
            using (sku)
        where coalesce(waiting, 0) <> coalesce(backordered, 0)
    """,
    "R4: free units and lines that could use them do not both exist": """
        select line.order_id, line.line_id, stock.* from bo_worker.order_line as line
        join bo_worker.stock_status as stock on stock.sku = line.sku and line.pin in ('', stock.location)
        where line.backordered > 0 and stock.available > 0
    """,
    "held are only units of orders that wait for their rest, and of orders whose money is not there": """
        select line.* from bo_worker.order_line as line join bo_worker.sales_order using (order_id)
        where held > 0 and not (
            (ship_complete or hold_until is not null)
            and exists (select from bo_worker.order_line where order_id = line.order_id and backordered > 0)
        ) and not exists (
            select from bo_worker.order_payment as payment
            where payment.order_id = line.order_id and (status = 'failed' or asked_at is not null)
        )
    """,
    "nothing is unfinished": "select cause from bo_worker.unfinished_cause",
    "no product is reserved": "select sku, unfinished from bo_worker.product where unfinished is not null",
    "no claim is pending": "select * from bo_worker.claim where pending_cause is not null",
    "the outbox is empty": "select id from bo_worker.outbox",
}

# Products that are in another phase than their kind makes of a day.
PHASES = """
        select sku, phase, policy from (
            select
                sku, phase, policy, policy::jsonb ->> 'kind' as kind, $1::date as today,
                (policy::jsonb ->> 'release_on')::date as release_on,
                (policy::jsonb ->> 'season_ends_on')::date as season_ends_on
            from bo_worker.product
        ) as product
        where phase <> case
            when kind = 'drop_ship' then 'drop_ship'
            when kind = 'seasonal' and season_ends_on < today then 'ended'
            when kind = 'seasonal' and release_on > today then 'not_begun'
            when kind = 'pre_order' and release_on > today then 'pre_order'
            else 'open'
        end
    """

# An input that is refused with one of these might have been taken in at another moment.
MOMENTARY: Final = {"below_zero", "not_released", "unknown_order", "wrong_token"}
SIGNS: Final = {"ship": 1, "cross_dock": 1, "revoke": -1}


async def audit(world: World) -> None:
    """Audit a world that has settled.

    What is refused because of the moment at which it came belongs among the dead letters too.
    """
    assert await world.positions() == await world.input_ends(), "not everything is applied"
    for rule, query in FAULTS.items():
        assert await world.fetch(query) == [], rule
    assert await world.fetch(PHASES, world.clock().date()) == []
    assert await audit_account(await world.connected()) == []
    refused = _refused_for_the_moment(world)
    good = await _good_inputs(world, refused)
    _audit_sequences(world.outputs)
    _audit_dead_letters(world, world.poison + refused)
    await _audit_counters(world)
    await _audit_orders(world, good["order-created"])
    await _audit_receipts(world, good["inventory-received"])
    await _audit_stock(world, good)
    await _audit_instructions(world)
    await _audit_availability(world)
    await _audit_promises(world)
    if good.keys() <= {"order-created", "inventory-received"}:
        await _audit_notifications(world)


def _refused_for_the_moment(world: World) -> list[Message]:
    """The inputs that came at the wrong moment, where no test foresaw it."""
    letters = [
        Message(letter.topic.removesuffix(".dlq"), letter.key, letter.value, _received(letter))
        for letter in world.dead_letters()
        if letter.why["dlq_error"] in MOMENTARY
    ]
    return [letter for letter in letters if letter in world.sent and letter not in world.poison]


async def _good_inputs(world: World, refused: list[Message]) -> dict[str, dict[str, Any]]:
    """The commands sent, by topic and natural id, each once. What was refused first may have come again in time."""
    applied = {tuple(row) for row in await world.fetch("select topic, natural_id from bo_worker.applied_message")}
    good: dict[str, dict[str, Any]] = defaultdict(dict)
    for message in world.sent:
        if message not in world.poison:
            topic, key, value, headers = message
            decoded = decode(Record(topic, 0, 0, key, value, headers), 2**24)
            assert isinstance(decoded, Decoded), f"sent as a good message: {decoded}"
            if message not in refused or (topic, decoded.natural_id) in applied:
                good[topic].setdefault(decoded.natural_id, decoded.command)
    return good


def _audit_sequences(outputs: Iterable[Output]) -> None:
    """Per topic and key: numbers without gaps, in order at their first coming, the same bytes whenever again."""
    seen: dict[tuple[str, bytes], list[Output]] = defaultdict(list)
    ids: dict[str, tuple[str, bytes, int]] = {}
    for output in outputs:
        if output.topic not in OUTPUT_TOPICS:
            continue
        so_far = seen[output.topic, output.key]
        if output.sequence > len(so_far):
            assert output.sequence == len(so_far) + 1, f"a gap or an inversion before {output}, after {so_far}"
            so_far.append(output)
        first = so_far[output.sequence - 1]
        assert (output.value, output.headers) == (first.value, first.headers), "published again with other content"
        place = (output.topic, output.key, output.sequence)
        assert ids.setdefault(output.texts["ce_id"], place) == place, f"one id for two events: {output}"


async def _audit_counters(world: World) -> None:
    """What was counted under a key in the outbox is what came out under it in Kafka."""
    rows = await world.fetch("""
        select 'customer-notification', key, notifications from bo_worker.message_key where notifications > 0
        union all select 'fulfillment', key, fulfillments from bo_worker.message_key where fulfillments > 0
        union all select 'payment', key, payments from bo_worker.message_key where payments > 0
        union all select 'availability-changed', sku, availability_sequence from bo_worker.product
            where availability_sequence > 0
        union all select 'procurement', sku, procurement_sequence from bo_worker.product
            where procurement_sequence > 0
    """)
    counted = {(topic, key): count for topic, key, count in rows}
    published = {
        (output.topic, output.key.decode()): output.sequence
        for output in sorted(_events(world), key=lambda output: output.sequence)
    }
    assert published == counted


def _audit_dead_letters(world: World, poison: Iterable[Message]) -> None:
    """The dead letters are the poison, byte for byte."""
    expected = Counter((f"{topic}.dlq", key, value, tuple(headers)) for topic, key, value, headers in poison)
    found = Counter(
        (letter.topic, letter.key, letter.value, tuple(_received(letter))) for letter in world.dead_letters()
    )
    assert found == expected


def _received(letter: Output) -> list[tuple[str, bytes]]:
    """The headers of a dead letter that its producer gave it."""
    return [header for header in letter.headers if header[0] not in letter.why]


async def _audit_promises(world: World) -> None:
    """Each waiting line is promised what is left for it of what is on its way, else what its kind makes of today."""
    by_supply = await promised_days(world.fetch)
    others = await days_without_supply(world.fetch, world.clock().date())
    found = {(row[0], row[1]): (row[2], row[3]) for row in await world.fetch(DAYS)}
    assert found.keys() == by_supply.keys()
    covered = {place: (days, found[place]) for place, days in by_supply.items() if days != NO_DAYS}
    wrong = {place: days for place, days in covered.items() if days[0] != days[1]}
    assert not wrong, f"promised are not the days of the supply: {wrong}"
    other = {place: (others[place], days) for place, days in found.items() if by_supply[place] == NO_DAYS}
    unknown = {place: days for place, days in other.items() if days[1] not in days[0]}
    assert not unknown, f"promised are not the days without supply: {unknown}"


async def _audit_orders(world: World, orders: dict[str, Any]) -> None:
    """Every order sent is there with its lines, and no other but for those that customers switched to."""
    rows = await world.fetch(
        "select order_id, line_id, sku, ltrim(pin, '!'), quantity from bo_worker.order_line where stands_for is null"
    )
    expected = {
        (order_id, line.line_id, line.sku, line.location or "", line.quantity)
        for order_id, order in orders.items()
        for line in order.lines
    }
    assert {tuple(row) for row in rows} == expected


async def _audit_receipts(world: World, receipts: dict[str, Any]) -> None:
    """R8: of every receipt, what left from the dock and what was put away is what arrived."""
    arrived: Counter[Any] = Counter()
    for receipt_id, receipt in receipts.items():
        for line in receipt.lines:
            arrived[receipt_id, line.sku, line.lot] += line.quantity
    moved: Counter[Any] = Counter()
    for event in _events(world):
        data = event.data
        if data.get("kind") in {"cross_dock", "put_away"}:
            for line in data["lines"]:
                moved[data["receipt_id"], line["sku"], line["lot"]] += line["quantity"]
    assert moved == arrived, "R8: cross-docked and put away is what was received"


async def _audit_stock(world: World, good: dict[str, dict[str, Any]]) -> None:
    """On hand is what was received, corrected and sent out; what suppliers ship themselves was never here."""
    direct = await _drop_shipped(world)
    on_hand: Counter[Any] = Counter()
    for receipt in good["inventory-received"].values():
        for line in receipt.lines:
            on_hand[line.sku, receipt.location] += line.quantity
    for adjustment in good["inventory-adjusted"].values():
        on_hand[adjustment.sku, adjustment.location] += adjustment.quantity_delta
    skus = {
        (order_id, line.line_id): line.sku
        for order_id, order in good["order-created"].items()
        for line in order.lines
    }
    for shipment in good["shipment-dispatched"].values():
        for line in shipment.lines:
            sku = skus[shipment.order_id, line.line_id]
            if sku not in direct:
                on_hand[sku, line.location] -= line.quantity
    rows = await world.fetch("select sku, location, on_hand from bo_worker.stock")
    assert Counter({(sku, location): quantity for sku, location, quantity in rows}) == on_hand


async def _drop_shipped(world: World) -> set[str]:
    """SKUs that suppliers ship to customers themselves."""
    return {row[0] for row in await world.fetch("select sku from bo_worker.product where phase = 'drop_ship'")}


async def _audit_instructions(world: World) -> None:
    """The instructions to the warehouse tell the same as the claims. Suppliers get none."""
    direct = await _drop_shipped(world)
    instructed: Counter[Any] = Counter()
    for event in _events(world):
        data = event.data
        sign = SIGNS.get(data.get("kind", ""), 0)
        for line in data["lines"] if sign else ():
            if line["sku"] not in direct:
                instructed[data["order_id"], line["line_id"], data["location"]] += sign * line["quantity"]
    rows = await world.fetch(
        "select order_id, line_id, location, released + shipped from bo_worker.allocation_status"
        " where sku <> all($1)",
        list(direct),
    )
    assert +instructed == +Counter({tuple(row[:3]): row[3] for row in rows})


async def _audit_availability(world: World) -> None:
    """What a shop heard last of a product is how it is."""
    rows = await world.fetch("""
        select sku, coalesce(sum(on_hand), 0)::int, coalesce(sum(allocated), 0)::int, waiting::int
        from bo_worker.product left join bo_worker.stock using (sku) group by sku
    """)
    told = {
        (data["sku"], data["on_hand"], data["allocated"], data["backordered"])
        for data in {
            event.key: event.data for event in _events(world) if event.topic == "availability-changed"
        }.values()
    }
    assert told == {tuple(row) for row in rows}


async def _audit_notifications(world: World) -> None:
    """The customer heard of every unit that waits, was filled or rejected; the last word on an order is true."""
    told: dict[str, Counter[Any]] = defaultdict(Counter)
    completed = set()
    for event in _events(world):
        data = event.data
        if event.topic == "customer-notification":
            for line in data["lines"]:
                told[data["kind"]][data["order_id"], line["line_id"]] += line["quantity"]
        elif data.get("completes_order"):
            completed.add(data["order_id"])
    rows = await world.fetch(
        "select order_id, line_id, backordered, released, rejected, ship_complete"
        " from bo_worker.order_line join bo_worker.sales_order using (order_id)"
    )
    places = {tuple(row[:2]): row for row in rows}
    waited = told["order_backordered"] - Counter({place: row["backordered"] for place, row in places.items()})
    for place, row in places.items():
        assert told["order_rejected"][place] == row["rejected"], place
        if not row["ship_complete"]:
            assert told["backorder_filled"][place] == waited[place], place
    open_orders = {order_id for (order_id, _), row in places.items() if row["backordered"]}
    served = {order_id for (order_id, _), row in places.items() if row["released"]}
    assert completed == served - open_orders


def _events(world: World) -> list[Output]:
    """What was published to others, each once."""
    events = {
        (output.topic, output.key, output.sequence): output
        for output in world.outputs
        if output.topic in OUTPUT_TOPICS
    }
    return list(events.values())
