"""What inputs about products look like on the wire, and the commands they become."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from bo_worker.domain.commands import UpdatePolicy
from bo_worker.messages import fields
from bo_worker.messages.fields import Day, Flag, Identifier, Instant, Level


class ProductPolicyUpdated(TypedDict):
    """The whole policy of a product; the larger version holds."""

    sku: Identifier
    version: fields.Version
    updated_at: Instant
    backorder: Literal["allow", "deny", "if_promised"]
    kind: Literal["standard", "pre_order", "made_to_order", "drop_ship", "seasonal", "manufacturer", "indefinite"]
    backorder_limit: NotRequired[Level | None]
    window_days: NotRequired[fields.Days | None]
    safety_stock: NotRequired[Level | None]
    reorder_point: NotRequired[Level | None]
    reorder_quantity: NotRequired[Level | None]
    lead_time_days: NotRequired[fields.Days | None]
    release_on: NotRequired[Day | None]
    season_ends_on: NotRequired[Day | None]
    discontinued: NotRequired[Flag | None]
    substitutes: NotRequired[Annotated[list[Identifier], fields.list_field(min_length=0)] | None]
    cancellation_rate_limit: NotRequired[fields.Share | None]


def update_policy(policy: ProductPolicyUpdated) -> UpdatePolicy:
    """The command of a policy."""
    return UpdatePolicy(
        sku=policy["sku"],
        version=policy["version"],
        updated_at=policy["updated_at"],
        backorder=policy["backorder"],
        kind=policy["kind"],
        backorder_limit=policy.get("backorder_limit"),
        window_days=policy.get("window_days"),
        safety_stock=policy.get("safety_stock") or 0,
        reorder_point=policy.get("reorder_point"),
        reorder_quantity=policy.get("reorder_quantity"),
        lead_time_days=policy.get("lead_time_days"),
        release_on=policy.get("release_on"),
        season_ends_on=policy.get("season_ends_on"),
        discontinued=policy.get("discontinued") or False,
        substitutes=policy.get("substitutes") or None,
        cancellation_rate_limit=policy.get("cancellation_rate_limit"),
    )
