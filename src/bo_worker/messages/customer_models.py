"""What a customer's answer looks like on the wire, and the command it becomes."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from bo_worker.domain.commands import AnswerNotice
from bo_worker.messages import fields
from bo_worker.messages.fields import Identifier, Instant


class CustomerResponse(TypedDict):
    """The answer to a delay notice, for one line of its order."""

    response_id: Identifier
    order_id: Identifier
    line_id: Identifier
    choice: Literal["keep", "switch", "cancel"]
    substitute_sku: NotRequired[Identifier | None]
    token: fields.Token
    responded_at: Instant


def answer_notice(response: CustomerResponse) -> AnswerNotice:
    """The command of an answer."""
    return AnswerNotice(
        response["response_id"],
        response["order_id"],
        response["line_id"],
        response["choice"],
        response["token"],
        response["responded_at"],
        response.get("substitute_sku"),
    )
