"""The day on which supply is relied on: set when the supplier gives its word, and again when it is known better."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from bo_worker.domain.kinds import goes_by_word
from bo_worker.domain.lateness import NO_HISTORY, promised_on
from bo_worker.domain.stock import Late
from bo_worker.domain.supply import COUNTED

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.supply import SupplyLine

# What did not come by its day is told another one so many days from then at least: who is told a new day every day
# believes none.
LATER_DAYS: Final = 7
# The rest of what began to come is given up when nothing more of it has come for longer.
_REST_DAYS_MAX: Final = 30
_STEP: Final = timedelta(days=3)


def set_days(account: Account, line: SupplyLine) -> None:
    """Set the day that holds as often as we want, going by how late the supplier was before.

    A supplier that puts a date off is late by the date it gave first. Customers wait most often where supply is late
    already, so that it has not come by today counts.
    """
    if line.status in COUNTED:
        line.due_on = min(line.due_on, line.expected_to)
    line.promised_on = line.expected_to
    if not goes_by_word(account.product(line.sku).policy):
        terms = account.terms
        history = account.histories.get((line.supplier_id, line.sku), NO_HISTORY)
        due_on = min(line.due_on, line.expected_to)
        late_so_far = (account.today - due_on).days
        holds = promised_on(due_on, history, terms.level, terms.default_days, terms.own_enough, late_so_far)
        line.promised_on = max(line.expected_to, holds)


def put_off(account: Account, line: SupplyLine) -> None:
    """Rely on the rest of what began to come for a later day once its day has passed, in the end no longer.

    Not for a while either where only the supplier may name a day.
    """
    last, today = line.last_received_on, account.today
    if last is None or not line.received or not line.incoming or line.promised_on >= today:
        return
    line.is_overdue = goes_by_word(account.product(line.sku).policy) or (today - last).days > _REST_DAYS_MAX
    if not line.is_overdue:
        line.promised_on = today + timedelta(days=max(LATER_DAYS, account.terms.default_days))


def lapse(account: Account) -> None:
    """Count no longer on what should have come by now and of which nothing came; put off the rest of the other."""
    for order in account.purchase_orders.values():
        for line in order.lines.values():
            if line.incoming and line.promised_on < account.today:
                account.product(line.sku).lapsed.append(Late(line.key, line.location, line.incoming, None))
                line.is_overdue = not line.received
                put_off(account, line)
                line.is_changed = order.is_changed = True
                account.product(line.sku).expect(line, account.cause)


def _steady(line: SupplyLine, before: date, today: date) -> date:
    """Return the day to rely on, given the one before: of late supply it does not move a little every day.

    Where late supply has to be expected later, it is some days more, and holds until those are used up. Of what is
    later than ever nothing new is known: it lapses, or is put off, when the day before has passed.
    """
    found = line.promised_on
    if found < today:
        return before
    if today <= line.due_on:
        return found
    if found > before:
        return found + min(_STEP, date.max - found)
    return before if before - found <= _STEP else found


def reestimate(account: Account) -> None:
    """Set the days of supply that counts again; promises are looked at again where that moved one."""
    for order in account.purchase_orders.values():
        for line in order.lines.values():
            if not line.incoming:
                continue
            before = line.promised_on
            set_days(account, line)
            if not goes_by_word(account.product(line.sku).policy):
                line.promised_on = _steady(line, before, account.today)
            if line.promised_on != before:
                line.is_changed = order.is_changed = True
                account.product(line.sku).expect(line, account.cause)
