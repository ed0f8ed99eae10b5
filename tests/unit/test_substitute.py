"""What is offered in place of a product that is waited for, and the switch to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import LineRequest, Price
from bo_worker.domain.facts import NotificationLine, Substitute, SubstituteOffered
from bo_worker.domain.settle import settle
from bo_worker.domain.substitute import offer_substitutes, substitutes, switch_line
from changes import Changes, cancels, corrects, sets
from story import CUSTOMER, brings, filled, part, ship, wants

if TYPE_CHECKING:
    from bo_worker.domain.demand import OrderLine
    from bo_worker.domain.facts import Fact


class Switching(Changes):
    """A story in which customers take other products. SKU-2 and SKU-3 may stand in for SKU-1."""

    def __init__(self) -> None:
        super().__init__()
        self.names("SKU-2", "SKU-3")

    def names(self, *skus: str, version: int = 1) -> None:
        self.hears(sets(version, substitutes=list(skus) or None))

    def gets(self, sku: str, quantity: int, location: str = "WH1") -> None:
        self.receipt(f"R-{sku}-{location}", brings(quantity, sku=sku), location=location)

    def line(self, order_id: str = "SO-1", position: int = 1) -> OrderLine:
        return self.account.orders[order_id].lines[position - 1]

    def could_have(self, order_id: str = "SO-1", position: int = 1) -> list[str]:
        return substitutes(self.account, self.line(order_id, position))

    def switches(self, sku: str, order_id: str = "SO-1", position: int = 1, by: str = "RS-1") -> list[Fact] | None:
        """Let a customer take `sku` for what waits of a line; return the facts, or nothing where that can't be."""
        cause = self.account.cause = Cause("customer-response", by)
        order = self.account.orders[order_id]
        effect = switch_line(self.account, order, self.line(order_id, position), sku)
        if effect is None:
            return None
        settle(self.account, effect)
        return self.facts_of(cause)


@pytest.fixture
def story() -> Switching:
    return Switching()


# What is offered.
def test_a_product_that_has_the_units_now_is_offered_in_the_order_of_the_policy(story: Switching) -> None:
    story.order("SO-1", wants(3))
    story.gets("SKU-3", 3)
    assert story.could_have() == ["SKU-3"]
    story.gets("SKU-2", 5)
    assert story.could_have() == ["SKU-2", "SKU-3"]


@pytest.mark.parametrize(
    "policy",
    [{"safety_stock": 1}, {"kind": "drop_ship"}],
    ids=["units that no order may have", "stock that serves nobody"],
)
def test_a_product_whose_stock_no_order_may_have_is_not_offered(story: Switching, policy: dict[str, Any]) -> None:
    story.order("SO-1", wants(3))
    story.gets("SKU-2", 3)
    assert story.could_have() == ["SKU-2"]
    story.hears(sets(sku="SKU-2", **policy))
    assert story.could_have() == []


def test_a_product_that_is_sold_off_is_offered_while_it_lasts(story: Switching) -> None:
    story.order("SO-1", wants(3))
    story.hears(sets(sku="SKU-2", discontinued=True))
    assert story.could_have() == []
    story.gets("SKU-2", 3)
    assert story.could_have() == ["SKU-2"]


def test_only_the_units_that_wait_must_be_there(story: Switching) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(5))
    story.gets("SKU-2", 3)
    assert story.could_have() == ["SKU-2"]


def test_a_part_of_what_waits_is_not_offered(story: Switching) -> None:
    story.order("SO-1", wants(3))
    story.gets("SKU-2", 2)
    assert story.could_have() == []


def test_units_at_several_locations_count_together_but_not_for_a_line_that_is_pinned(story: Switching) -> None:
    story.order("SO-1", wants(3), wants(3, "2", at="WH1"))
    story.gets("SKU-2", 2, "WH1")
    story.gets("SKU-2", 1, "WH2")
    assert story.could_have() == ["SKU-2"]
    assert story.could_have(position=2) == []


def test_nothing_is_offered_for_a_line_of_which_nothing_waits_nor_a_product_for_itself(story: Switching) -> None:
    story.names("SKU-1", "SKU-2", "SKU-2", version=2)
    story.stores(WH1=3)
    story.gets("SKU-2", 3)
    story.order("SO-1", wants(3))
    assert story.could_have() == []
    story.order("SO-2", wants(3))
    assert story.could_have("SO-2") == ["SKU-2"]


def test_an_offer_names_per_line_what_could_stand_in_for_it(story: Switching) -> None:
    story.order("SO-1", wants(3, "a"), wants(2, "b"), wants(1, "c", "SKU-9"))
    story.gets("SKU-2", 2)
    order = story.account.orders["SO-1"]
    cause = story.account.cause = Cause("sweep", "delay")
    offer_substitutes(story.account, order, order.lines)
    offered = [Substitute("b", "SKU-2", 2)]
    about = [NotificationLine("b", "SKU-1", 2)]
    assert story.facts_of(cause) == [
        SubstituteOffered("N-", "substitute_offered", "SO-1", CUSTOMER, about, substitutes=offered)
    ]


def test_nothing_is_said_where_nothing_can_be_offered(story: Switching) -> None:
    story.order("SO-1", wants(3))
    order = story.account.orders["SO-1"]
    offer_substitutes(story.account, order, order.lines)
    assert story.account.facts == []


# What a switch does.
def test_what_waits_moves_to_a_new_line_that_leaves_at_once(story: Switching) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(5), wants(1, "2"))
    story.gets("SKU-2", 4)
    assert story.switches("SKU-2") == [
        ship("SO-1", part(3, "1/1", "SKU-2"), completes=False),
        filled("SO-1", ("1/1", 3, "SKU-2"), completes=False),
    ]
    assert story.buckets("SO-1") == [{"released": 2, "cancelled": 3}, {"backordered": 1}, {"released": 3}]
    assert story.stock("SKU-2") == {"WH1": (4, 3)}
    assert story.line(position=3).position == 3


def test_a_new_line_has_the_price_the_pin_and_the_rank_of_the_one_it_comes_from(story: Switching) -> None:
    price = Price("19.90", "USD")
    story.order("SO-1", LineRequest("1", "SKU-1", 3, "WH1", "allow", price), priority=4)
    story.gets("SKU-2", 3)
    assert story.switches("SKU-2") is not None
    old, new = story.account.orders["SO-1"].lines
    assert (new.unit_price, new.location, new.backorder) == (price, "WH1", "allow")
    assert story.account.rank(new) == (*story.account.rank(old)[:-1], 2)


def test_units_of_several_locations_leave_in_an_instruction_each(story: Switching) -> None:
    story.order("SO-1", wants(3))
    story.gets("SKU-2", 1, "WH1")
    story.gets("SKU-2", 2, "WH2")
    facts = story.switches("SKU-2")
    assert facts == [
        ship("SO-1", part(1, "1/1", "SKU-2"), completes=True),
        ship("SO-1", part(2, "1/1", "SKU-2"), completes=True, location="WH2"),
        filled("SO-1", ("1/1", 3, "SKU-2"), completes=True),
    ]


def test_an_order_that_ships_as_a_whole_holds_what_it_switched_to_until_nothing_waits(story: Switching) -> None:
    story.order("SO-1", wants(3), wants(1, "2"), ship_complete=True)
    story.gets("SKU-2", 4)
    assert story.switches("SKU-2") == []
    assert story.buckets("SO-1") == [{"cancelled": 3}, {"backordered": 1}, {"held": 3}]
    assert story.switches("SKU-2", position=2, by="RS-2") == [
        ship("SO-1", part(3, "1/1", "SKU-2"), part(1, "2/1", "SKU-2"), completes=True),
        filled("SO-1", ("1/1", 3, "SKU-2"), ("2/1", 1, "SKU-2"), completes=True),
    ]


def test_a_switch_to_what_is_gone_meanwhile_changes_nothing(story: Switching) -> None:
    story.order("SO-1", wants(3))
    story.gets("SKU-2", 3)
    story.order("SO-2", wants(1, sku="SKU-2"))
    assert story.switches("SKU-2") is None
    assert story.buckets("SO-1") == [{"backordered": 3}]


def test_a_switch_to_what_was_never_named_changes_nothing(story: Switching) -> None:
    story.order("SO-1", wants(3))
    story.gets("SKU-9", 3)
    assert story.switches("SKU-9") is None
    assert story.buckets("SO-1") == [{"backordered": 3}]


def test_a_second_switch_of_a_line_finds_nothing_that_waits(story: Switching) -> None:
    story.order("SO-1", wants(3))
    story.gets("SKU-2", 6)
    assert story.switches("SKU-2") is not None
    assert story.switches("SKU-2", by="RS-2") is None
    assert story.buckets("SO-1") == [{"cancelled": 3}, {"released": 3}]


def test_a_line_that_waits_again_can_be_switched_again(story: Switching) -> None:
    """SKU-1 was switched in part; the part that had been released is lost to a correction and waits."""
    story.stores(WH1=2)
    story.order("SO-1", wants(5))
    story.gets("SKU-2", 5)
    story.switches("SKU-2")
    story.hears(corrects("ADJ-1", -2))
    assert story.switches("SKU-2", by="RS-2") == [
        ship("SO-1", part(2, "1/2", "SKU-2"), completes=True),
        filled("SO-1", ("1/2", 2, "SKU-2"), completes=True),
    ]
    assert story.buckets("SO-1") == [{"cancelled": 5}, {"released": 3}, {"released": 2}]
    assert story.account.orders["SO-1"].taken_over() == {1: 5}


def test_what_was_taken_over_is_not_given_up_but_what_is_cancelled_of_it_is(story: Switching) -> None:
    story.order("SO-1", wants(3), wants(2, "2"))
    story.gets("SKU-2", 3)
    story.switches("SKU-2")
    story.hears(cancels("X-1", "SO-1", ("1/1", 1), ("2", 2)))
    order = story.account.orders["SO-1"]
    taken_over = order.taken_over()
    given_up = {line.line_id: line.cancelled - taken_over.get(line.position, 0) for line in order.lines}
    assert given_up == {"1": 0, "2": 2, "1/1": 1}


def test_what_was_switched_to_is_a_line_like_any_other(story: Switching) -> None:
    story.order("SO-1", wants(3))
    story.gets("SKU-2", 3)
    story.switches("SKU-2")
    story.hears(cancels("X-1", "SO-1", ("1/1", 1)))
    assert story.buckets("SO-1") == [{"cancelled": 3}, {"released": 2, "cancelled": 1}]
    story.hears(corrects("ADJ-1", -2, sku="SKU-2"))
    assert story.buckets("SO-1") == [{"cancelled": 3}, {"backordered": 1, "released": 1, "cancelled": 1}]


def test_ids_of_new_lines_are_unlike_any_other_and_no_longer_than_an_id_may_be(story: Switching) -> None:
    long = "x" * 63
    story.order("SO-1", wants(1, "1"), wants(1, "1/1"), wants(1, long), wants(1, long + "y"))
    story.gets("SKU-2", 9)
    for position in (1, 2, 3, 4):
        story.switches("SKU-2", position=position, by=f"RS-{position}")
    ids = [line.line_id for line in story.account.orders["SO-1"].lines[4:]]
    assert ids == ["1/2", "1/1/1", "x" * 62 + "/1", "x" * 62 + "/2"]
