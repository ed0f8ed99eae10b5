"""A shop on a running worker, seen from outside: inputs go in by topic, and what comes out is read there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

import build
from audit import audit
from bo_worker.app import Worker
from command import command, variables
from world import World, fresh_world, message, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bo_worker.stack.servers import Servers

# What the sweep has still to do on a day, but for what a settled world waits for anyway.
_IS_SWEPT = """
    select exists (select from bo_worker.delay_walk where ended_on >= $1::date)
        and not exists (select from bo_worker.delay_watch where respond_by < $2)
        and not exists (select from bo_worker.sales_order where hold_until < $1::date)
        and not exists (
            select from bo_worker.supply
            where status in ('confirmed', 'in_transit') and quantity > received and not is_overdue
                and promised_on < $1::date
        )
"""


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


class LiveShop:
    """A world with a worker whose clock stands still until a test turns it."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock

    async def hears(self, topic: str, *inputs: build.Data) -> None:
        """Send inputs, and wait until all that comes of them is published."""
        await self.world.send(*(message(topic, data) for data in inputs))
        await self.world.settled()

    async def turn(self, day: str) -> None:
        """Let it be noon of a day, and wait until all that this day brings is published."""
        self.clock.now = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)

        async def is_swept() -> bool:
            return bool(await self.world.value(_IS_SWEPT, self.clock.now.date(), self.clock.now))

        await self.world.until(is_swept)
        await self.world.settled()

    async def is_coming(self, day: str, version: int = 1, *, sku: str = "SKU-1", quantity: int = 100) -> None:
        """Let the supplier say when a product comes."""
        line = build.purchase_order_line(sku=sku, quantity=quantity, expected_from=day, expected_to=day)
        await self.hears("purchase-order-updated", build.purchase_order(f"PO-{sku}", version, lines=[line]))

    async def gets(self, quantity: int, sku: str = "SKU-1", receipt_id: str = "R-1", **fields: Any) -> None:
        line = build.receipt_line(sku=sku, quantity=quantity)
        await self.hears("inventory-received", build.receipt(receipt_id, lines=[line], **fields))

    def told(self, order_id: str, *kinds: str) -> list[dict[str, Any]]:
        """What the customer of an order was told so far, of some kinds or of all."""
        found = self.world.data_of("customer-notification", order_id)
        return [data for data in found if not kinds or data["kind"] in kinds]

    def kinds(self, order_id: str) -> list[str]:
        return [data["kind"] for data in self.told(order_id)]

    def reasons(self, order_id: str, kind: str) -> list[str | None]:
        return [data["reason"] for data in self.told(order_id, kind)]

    def token(self, order_id: str, number: int = -1) -> str:
        """The token of the latest notice of an order, or of the one with a place."""
        return str(self.told(order_id, "delay_notice")[number]["token"])

    def instructed(self, order_id: str) -> list[tuple[str, str, int]]:
        """Kind, SKU and units of each line that the warehouse was told about an order."""
        return [
            (data["kind"], line["sku"], line["quantity"])
            for data in self.world.data_of("fulfillment", order_id)
            for line in data["lines"]
        ]

    def asked(self, order_id: str) -> list[tuple[str, str, str]]:
        """Kind, amount and currency of what was asked of payment for an order."""
        return [
            (data["kind"], data["amount"]["amount"], data["amount"]["currency"])
            for data in self.world.data_of("payment", order_id)
        ]

    def response(self, response_id: str, choice: str, order_id: str, **fields: Any) -> build.Data:
        """An answer of now to the latest notice of an order, or as fields say."""
        if "token" not in fields:
            fields["token"] = self.token(order_id)
        fields.setdefault("responded_at", self.clock.now.isoformat())
        return build.response(response_id, choice, order_id=order_id, **fields)

    async def answers(self, *responses: build.Data) -> list[tuple[str, str]]:
        """Send answers together; return the ids of those that are refused, with the codes of their dead letters."""
        sent = [message("customer-response", response) for response in responses]
        before = len(self.world.dead_letters())
        await self.world.send(*sent)
        await self.world.settled()
        letters = self.world.dead_letters()[before:]
        by_value = {one.value: one for one in sent}
        self.world.poison += [by_value[letter.value] for letter in letters]
        return sorted((str(letter.data["response_id"]), letter.why["dlq_error"]) for letter in letters)

    async def answer(self, response_id: str, choice: str, order_id: str, **fields: Any) -> str | None:
        """Answer the latest notice of an order, or as fields say; return the code with which it is refused."""
        refused = await self.answers(self.response(response_id, choice, order_id, **fields))
        return refused[0][1] if refused else None

    async def line(self, order_id: str, line_id: str = "1") -> dict[str, int]:
        """The buckets of a line that are not empty, as `show order` prints them."""
        order = await self.shown(order_id)
        (line,) = (line for line in order["lines"] if line["line_id"] == line_id)
        buckets = ("backordered", "held", "released", "shipped", "cancelled", "rejected")
        return {name: line[name] for name in buckets if line[name]}

    async def shown(self, order_id: str) -> dict[str, Any]:
        ended = await command("show", "order", order_id, "--json", given=variables(self.world.settings))
        assert ended.code == 0, ended.err
        return dict(ended.json)

    async def evidence(self, order_id: str, folder: Path) -> dict[str, Any]:
        """What `show order --export` writes; its notices must be those that the customer got.

        Its refused answers must be those of the dead letters.
        """
        file = folder / f"{order_id}.json"
        given = variables(self.world.settings)
        ended = await command("show", "order", order_id, "--export", str(file), given=given)
        assert ended.code == 0, ended.err
        found: dict[str, Any] = orjson.loads(file.read_bytes())
        written = [
            (row["token_sha256"], row["line_id"], row["quantity"], row["new_from"], row["new_to"], row["options"],
             datetime.fromisoformat(row["respond_by"]))
            for row in found["notices"]
        ]  # fmt: skip
        assert written == [
            (sha256(told["token"].encode()).hexdigest(), line["line_id"], line["quantity"], line["expected_from"],
             line["expected_to"], told["options"], datetime.fromisoformat(told["respond_by"]))
            for told in self.told(order_id, "delay_notice")
            for line in told["lines"]
        ]  # fmt: skip
        told_again = {
            (row["response_id"], row["choice"], row["error"], row["token_sha256"]) for row in found["refused_answers"]
        }
        assert told_again == self._refused(order_id)
        return found

    def _refused(self, order_id: str) -> set[tuple[str, str, str, str]]:
        """Id, choice, code and SHA-256 of the token of answers about an order that became dead letters."""
        letters = [
            (letter.data, letter.why["dlq_error"])
            for letter in self.world.dead_letters()
            if letter.topic == "customer-response.dlq"
        ]
        return {
            (data["response_id"], data["choice"], error, sha256(data["token"].encode()).hexdigest())
            for data, error in letters
            if data["order_id"] == order_id and error != "conflict"
        }


def decided(evidence: dict[str, Any]) -> list[tuple[str | None, str | None, str | None]]:
    """The id, the choice and the outcome of what was answered to each notice."""
    return [(row["response_id"], row["answer"], row["outcome"]) for row in evidence["notices"]]


def turned_down(evidence: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The id and the choice of each answer that was refused, in order of their ids, and the code."""
    found = [(row["response_id"], row["choice"], row["error"]) for row in evidence["refused_answers"]]
    return sorted(found, key=lambda row: int(row[0].rpartition("-")[2]))


@asynccontextmanager
async def live_shop(servers: Servers, template_database: str, **settings: Any) -> AsyncIterator[LiveShop]:
    """A shop with a worker that has these settings; the account is true at the end."""
    clock = Clock()
    async with (
        fresh_world(servers, template_database, **settings) as world,
        running(world, Worker(world.settings, clock=clock)),
    ):
        yield LiveShop(world, clock)
        await audit(world)
