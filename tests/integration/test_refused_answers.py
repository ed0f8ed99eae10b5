"""Answers to notices that are refused: what is kept of them as evidence, on a real Postgres."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
import pytest

import build
from bo_worker.config import load_settings
from command import command, variables
from consents import placed, shop

if TYPE_CHECKING:
    from pathlib import Path

    from consents import Shop

KEPT_MAX = 100
WRONG = "the token of nobody"
SHOWN = ("response_id", "line_id", "choice", "responded_at", "received_at", "error", "token_sha256")


async def kept(found: Shop, order_id: str = "SO-1001") -> list[tuple[str, str]]:
    """The ids and codes of the refused answers that are kept with an order."""
    rows = await (await found.books.connection()).fetch(
        "select response_id, error from bo_worker.refused_answer where order_id = $1"
        " order by received_at, responded_at, response_id",
        order_id,
    )
    return [tuple(row) for row in rows]


def wrong(response_id: str, **fields: Any) -> tuple[str, build.Data]:
    return "customer-response", build.response(response_id, token=WRONG, **fields)


async def test_each_refused_answer_about_an_order_that_there_is_is_kept_with_its_code(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(placed(), placed("SO-2"))
        await found.turn("2026-12-18")
        others = (await found.notices("SO-2"))[0]["token"]
        assert await found.answer("RS-1", "cancel", token=others) == "wrong_token"
        assert await found.answer("RS-2", "cancel", line_id="9") == "wrong_token"
        assert await found.answer("RS-3", "switch") == "substitute_missing"
        assert await found.answer("RS-4", "keep", responded_at="2026-12-22T00:00:00Z") == "answer_late"
        assert await found.answer("RS-5", "keep", order_id="SO-9", token=others) == "unknown_order"
        assert await found.answer("RS-6", "keep") is None
        assert await found.answer("RS-7", "cancel", responded_at="2026-12-23T00:00:00Z") == "token_used"
        assert await found.answer("RS-6", "cancel") == "conflict"
        await found.turn("2026-12-29")
        assert (
            await found.answer("RS-8", "keep", order_id="SO-2", responded_at="2026-12-19T00:00:00Z") == "answer_late"
        )
        # Of one day in the order of their own instants.
        assert await kept(found) == [
            ("RS-1", "wrong_token"),
            ("RS-2", "wrong_token"),
            ("RS-3", "substitute_missing"),
            ("RS-4", "answer_late"),
            ("RS-7", "token_used"),
        ]
        assert (await kept(found, "SO-2"), await kept(found, "SO-9")) == ([("RS-8", "answer_late")], [])


@pytest.mark.parametrize("is_together", [False, True], ids=["apart", "in one batch"])
async def test_the_same_refused_answer_is_kept_once_and_another_one_under_its_id_too(
    database_url: str, *, is_together: bool
) -> None:
    answers = [wrong("RS-1"), wrong("RS-1"), wrong("RS-1", line_id="2"), wrong("RS-1")]
    async with shop(database_url) as found:
        await found.apply(placed())
        for batch in [answers] if is_together else [[answer] for answer in answers]:
            await found.apply(*batch)
        assert await kept(found) == [("RS-1", "wrong_token")] * 2
        refused = sum(applied.dead_letters.total() for applied in found.books.committed)
        assert refused == len(answers)


async def test_evidence_of_a_refused_answer_stays_when_a_mended_one_is_taken_under_the_same_id(
    database_url: str,
) -> None:
    async with shop(database_url) as found:
        await found.apply(placed())
        await found.turn("2026-12-18")
        assert await found.answer("RS-1", "keep", token=WRONG) == "wrong_token"
        assert await found.answer("RS-1", "keep") is None
        assert (await kept(found), await found.outcomes()) == (
            [("RS-1", "wrong_token")],
            [(1, "1", "keep", "kept")],
        )


async def test_an_answer_in_one_batch_with_the_order_that_it_names_is_kept(database_url: str) -> None:
    async with shop(database_url) as found:
        await found.apply(wrong("RS-1"), placed(), wrong("RS-2"))
        assert await kept(found) == [("RS-2", "wrong_token")]


@pytest.mark.parametrize("size", [1, 30, 150])
async def test_of_very_many_refused_answers_the_first_hundred_of_each_order_are_kept(
    database_url: str, size: int
) -> None:
    async with shop(database_url) as found:
        await found.apply(placed(), placed("SO-2"))
        # Those that are known already take no place in a batch.
        numbers = [number for number in range(KEPT_MAX + 20) for _ in range(2)]
        answers = [wrong(f"RS-{number:03}") for number in numbers]
        for start in range(0, len(answers), size):
            await found.apply(*answers[start : start + size])
        await found.apply(wrong("RS-1", order_id="SO-2"))
        assert sorted(await kept(found)) == [(f"RS-{number:03}", "wrong_token") for number in range(KEPT_MAX)]
        assert await kept(found, "SO-2") == [("RS-1", "wrong_token")]


async def test_show_order_prints_refused_answers_and_exports_them_without_their_tokens(
    database_url: str, tmp_path: Path
) -> None:
    async with shop(database_url) as found:
        await found.apply(placed())
        await found.turn("2026-12-18")
        assert await found.answer("RS-2", "cancel", token=WRONG) == "wrong_token"
        await found.turn("2026-12-19")
        assert await found.answer("RS-1", "keep", responded_at="2026-12-22T00:00:00Z") == "answer_late"
        token = (await found.notices())[0]["token"]
    given = variables(load_settings(database_url=database_url))
    printed = (await command("show", "order", "SO-1001", given=given)).out
    shown = printed[printed.index("Refused answers") : printed.index("History")]
    assert [code in shown for code in ("RS-2", "wrong_token", "RS-1", "answer_late", WRONG, token)] == [
        *[True] * 4,
        *[False] * 2,
    ]
    assert shown.index("RS-2") < shown.index("RS-1")
    file = tmp_path / "order.json"
    await command("show", "order", "SO-1001", "--export", str(file), given=given)
    told = (await command("show", "order", "SO-1001", "--json", given=given)).json["refused_answers"]
    assert told == orjson.loads(file.read_bytes())["refused_answers"]
    assert [tuple(answer[name] for name in SHOWN) for answer in told] == [
        ("RS-2", "1", "cancel", "2026-12-18T12:00:00Z", "2026-12-18T12:00:00Z", "wrong_token", hashed(WRONG)),
        ("RS-1", "1", "keep", "2026-12-22T00:00:00Z", "2026-12-19T12:00:00Z", "answer_late", hashed(token)),
    ]
    assert (WRONG in file.read_text(), token in file.read_text()) == (False, False)


def hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()
