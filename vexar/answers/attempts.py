"""What the worker of a run asks of the store beyond the ledger: making one anew, storing an answer, how it ended."""

from __future__ import annotations

from typing import Any

from vexar.answers import budgets, leases, ledger
from vexar.answers.ledger import Ending
from vexar.conversing.visitors import LockedVisitor, find
from vexar.store import Transaction


def store_answer(tx: Transaction, *, site_id: int, tokens: int, **arguments: Any) -> Ending | None:
    """The answer and what it took from the site's budget, in one transaction."""
    ending = ledger.finish(tx, **arguments)
    # After a lost COMMIT there is no run left to finish, and its tokens may have been counted.
    if tokens and (ending or not tx.may_be_done):
        budgets.settle(tx, site_id=site_id, tokens=tokens)
    return ending


def revive(tx: Transaction, *, visitor_id: int, seq: int, owner: str) -> Any:
    """A new attempt of a dead run: its row, or None when somebody else has it."""
    visitor = LockedVisitor.by_id(tx, visitor_id)
    run = ledger.find(tx, visitor_id, seq)
    if run is None:
        return None
    if run.state == "ended" or leases.is_alive(run, visitor.now_ms):
        return run if leases.is_own_claim(tx, run, owner) else None
    conversation = tx.one(ledger.FIND_CONVERSATION, id=run.conversation_id)
    row = ledger.restart(visitor, conversation, run, owner=owner, tokens=run.tokens_reserved)
    return row if row.state != "ended" else None


def ending_of_attempt(tx: Transaction, *, row: Any) -> Ending | None:
    """How this attempt ended; None where it goes on, or another one does."""
    run = ledger.find(tx, row.visitor_id, row.seq)
    if run is None:
        return ledger.erased(row.conversation_id)
    return ledger.ending_of(tx, run) if run.state == "ended" and run.attempt == row.attempt else None


def unended_of(tx: Transaction, *, site_id: int, session_id: str) -> list[Any]:
    """The rows of what runs or waits for a visitor, the earliest first."""
    visitor = find(tx, site_id, session_id)
    return ledger.unended(tx, visitor.id) if visitor else []


def session_of(tx: Transaction, *, visitor_id: int) -> Any:
    """The visitor's row with its session_id, or None."""
    return tx.one(ledger.VISITOR_SESSION, id=visitor_id)
