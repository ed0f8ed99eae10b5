"""The token of a notice: proof that an answer comes from whom the notice was sent to."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def make_token(secret: bytes, order_id: str, number: int, respond_by: datetime) -> str:
    """Return the token of an order's notice: its number, until when to answer (seconds since 1970), a signature.

    The signature is HMAC-SHA256 over the order id and the rest, joined by dots. Safe in addresses, 70 characters or
    so. Whoever has the secret can check it without the account.
    """
    claims = f"{number}.{int(respond_by.timestamp())}"
    signature = hmac.digest(secret, f"{order_id}.{claims}".encode(), sha256)
    return f"{claims}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def token_hash(token: str) -> bytes:
    """Return what is kept of a token: enough to know it again, not enough to make it."""
    return sha256(token.encode()).digest()
