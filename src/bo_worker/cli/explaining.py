"""`show order --why` in words: one short sentence per reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bo_worker.cli.output import print_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bo_worker.store.reports import Report

_RULES: Final = {
    "unpaid": "The payment of its order failed; it is not served until that is mended.",
    "unfinished": "{unfinished} is still at work and goes on giving out units.",
    "not_begun": "Its season begins on {starts_on}; until then its stock serves nobody.",
    "ended": "Its season has ended; its stock serves nobody.",
    "drop_ship": "Its supplier ships it; it waits for that dispatch.",
    "safety_stock": "What is not claimed there belongs to the safety stock.",
    "pinned": "It is pinned to {location}, and the free units lie elsewhere.",
    "claimed": "All units there are claimed by others.",
    "no_stock": "There is no stock of it.",
    "no_supply": "Nothing that is on its way covers {uncovered} of its units.",
    "ship_complete": "Its order leaves only as a whole.",
    "closed": "Backorders are closed: no new line may wait; this one keeps its place.",
}
_HOLDING: Final = {
    "ship_complete": "until the rest of its order can leave",
    "consolidation": "until {hold_until} at the latest, as more of its order is promised by then",
    "unpaid": "until its order is paid",
}
_CAUSES: Final = {
    "stock_was_free": "stock was free when the order came",
    "switch": "the customer took it for another product",
    "receipt": "receipt {natural_id} brought units",
    "cancellation": "cancellation {natural_id} gave units back",
    "correction": "correction {natural_id} of the count made units free",
    "policy": "policy {natural_id} made units free",
    "amendment": "amendment {natural_id} changed the queue",
    "shipment": "shipment {natural_id} made units free",
    "season": "its day of release came",
    "other": "{cause} made units free",
}
_PASSED: Final = {
    "came_later": "came later",
    "amended": "was amended since it was placed",
    "changed_since": "waits for units that it lost or could not use",
}


def print_reasons(order: Report) -> None:
    """Print why each line of an order waits, and why it was given units."""
    unexplained = 0
    for line in order["lines"]:
        if line["why"] is None:
            unexplained += 1
            continue
        print_line(f"Why line {line['line_id']} ({line['sku']})")
        for sentence in sentences(line):
            print_line(f"  {sentence}")
    if unexplained:
        print_line(f"{unexplained} more lines are not explained: ask for them line by line with show sku")


def sentences(line: Report) -> Iterator[str]:
    """Return what is to be said of a line: how it waits, then how it was served."""
    why = line["why"]
    if why["waiting"] is not None:
        yield from _waiting(line, why["waiting"])
    for reason in why["held_for"]:
        yield f"It holds {_units(why['held'])} {_HOLDING[reason].format(**why)}."
    for served in why["served"]:
        yield from _served(why, served)


def _waiting(line: Report, why: dict[str, Any]) -> Iterator[str]:
    yield f"{_units(why['units'])} {_verb(why['units'], 'waits', 'wait')}."
    for rule in why["rules"]:
        yield _RULES[rule].format(location=line["location"], **why)
    yield _ahead(why["ahead"])
    for part in why["pegged"]:
        yield (
            f"{_units(part['quantity'])} {_verb(part['quantity'], 'comes', 'come')} with purchase order "
            f"{part['purchase_order_id']} line {part['line_id']} to {part['location']}, "
            f"{part['expected_from']} to {part['expected_to']}."
        )
    for number, remedy in enumerate(why["remedies"]):
        yield f"{'Cheapest' if number == 0 else 'Or'}: {_remedy(remedy)}"
    if not why["remedies"] and not why["unfinished"] and "unpaid" not in why["rules"]:
        yield "No unit that arrives now would serve it."


def _ahead(ahead: dict[str, Any]) -> str:
    if not ahead["lines"]:
        return "Nobody who competes for the same stock is ahead."
    named = ", ".join(f"{one['order_id']} ({one['quantity']})" for one in ahead["first"])
    rest = ahead["lines"] - len(ahead["first"])
    more = f" and {rest} more {_verb(rest, 'line', 'lines')}" if rest else ""
    orders = f"{ahead['orders']} {_verb(ahead['orders'], 'order', 'orders')}"
    return f"Ahead of it for the same stock: {_units(ahead['units'])} of {orders}: {named}{more}."


def _remedy(remedy: dict[str, Any]) -> str:
    units = _units(remedy["quantity"])
    sources = ", ".join(f"{quantity} at {location}" for location, quantity in remedy["sources"].items())
    place = f"at {remedy['location']}" if remedy["location"] else "anywhere"
    arrive = f"{units} {_verb(remedy['quantity'], 'arrives', 'arrive')} {place}"
    match remedy["kind"]:
        case "unpin":
            return f"ordered without a location, it is served at once ({sources})."
        case "transfer":
            return f"move {units} to {remedy['location']} from where they are free ({sources}); one less is too few."
        case "safety_stock":
            return f"lower its safety stock to {units}; one more is too much."
        case "priority":
            return f"amend its order to priority {remedy['priority']}, and {arrive}; one less is too few."
        case _:
            return f"{arrive}; one less is too few."


def _served(why: dict[str, Any], served: dict[str, Any]) -> Iterator[str]:
    cause = _CAUSES[served["kind"]].format(**served)
    yield (
        f"It was given {_units(served['quantity'])} at {served['location']} "
        f"on {served['at']:%Y-%m-%d %H:%M:%S}: {cause}."
    )
    rank = f"priority {why['priority']}, placed {why['placed_at']:%Y-%m-%d %H:%M:%S}"
    if not served["behind"] and not served["before"]:
        yield f"Its rank is {rank}; nobody waits for such units now."
        return
    yield f"Its rank is {rank}."
    yield f"Lines that wait for such units now: {served['behind']} behind it, {served['before']} before it."
    for one in served["first"]:
        yield f"{one['order_id']} line {one['line_id']} ranks before it but {_PASSED[one['why']]}."


def _units(quantity: int) -> str:
    return f"{quantity} {_verb(quantity, 'unit', 'units')}"


def _verb(quantity: int, one: str, many: str) -> str:
    return one if quantity == 1 else many
