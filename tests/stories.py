"""Hand-made histories for the operators' lists: who said what and when, and people with keys who read it."""

from __future__ import annotations

import secrets
from types import SimpleNamespace
from typing import Any

from tests.cast import API, add, operator_row
from vexar.desk.finding import contact_words
from vexar.models import Conversation, Message, OperatorSite, Visitor
from vexar.people.auth import hash_token
from vexar.store import Store, Transaction

DAY_MS = 86_400_000
CONTACT = ("name", "email", "phone", "lang", "page_url", "address")


class Reader:
    """A person with a key, and what it asks for."""

    def __init__(self, app: Any, name: str, *site_ids: int, is_owner: int = 0, **rights: int) -> None:
        self._client = app.test_client()
        store = app.extensions["vexar"].store
        self.key = secrets.token_hex(32)
        model, values = operator_row(name)
        self.row = add(store, (model, {**values, "is_owner": is_owner, "key_hash": hash_token(self.key)}))[0]
        self.id = self.row.id
        for site_id in site_ids:
            store.write(_assign, operator_id=self.id, site_id=site_id, **rights)

    def get(self, path: str, **query: Any) -> Any:
        """GET an operators' endpoint."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return self._client.get(f"{API}/{path}", query_string=query, headers=headers)

    def ids(self, path: str, **query: Any) -> list[int]:
        """The ids of the rows of a list."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json["data"]]


def tell(store: Store, site_id: int, *said: tuple[str, str], at_ms: int, **facts: Any) -> Any:
    """A visitor with one conversation, its messages a second apart: `visitor_id`, `id`, `session_id`. `facts` are
    columns of both; `session_id` of an earlier one goes on with its visitor."""
    return store.write(_tell, site_id=site_id, said=said, at_ms=at_ms, facts=facts)


def _assign(tx: Transaction, *, operator_id: int, site_id: int, **rights: int) -> None:
    tx.run(OperatorSite.insert(operator_id=operator_id, site_id=site_id, **rights))


def _tell(tx: Transaction, *, site_id: int, said: tuple, at_ms: int, facts: dict) -> Any:
    session_id = facts.pop("session_id", None) or f"sess_{secrets.token_hex(8)}"
    visitor = _visitor(tx, site_id, session_id, at_ms, {name: facts.pop(name, "") for name in CONTACT})
    ended_ms = at_ms + max(0, len(said) - 1) * 1000
    last = dict.fromkeys(("visitor", "operator"))
    last |= {role: at_ms + place * 1000 for place, (role, _) in enumerate(said)}
    number = tx.insert(Conversation.insert(**{
        "site_id": site_id, "visitor_id": visitor.id, "mode": "ai", "epoch": 1, "is_waiting": 0, "operator_id": None,
        "first_seq": visitor.last_seq + 1, "boundary_seq": 0, "messages_count": len(said),
        "last_message": said[-1][1] if said else "", "rating_score": None, "rating_comment": "", "rated_ms": None,
        "created_ms": at_ms, "changed_ms": ended_ms, "closed_ms": None, "visitor_said_ms": last["visitor"],
        "operator_said_ms": last["operator"], **facts,
    }))  # fmt: skip
    for place, (role, content) in enumerate(said):
        tx.run(Message.insert(
            visitor_id=visitor.id, seq=visitor.last_seq + 1 + place, conversation_id=number, role=role,
            message_id=None, content=content, image_url=None, status="complete", sources="",
            operator_id=facts.get("operator_id") if role == "operator" else None, reply_to=None,
            created_ms=at_ms + place * 1000,
        ))  # fmt: skip
    tx.run(Visitor.update(last_seq=visitor.last_seq + len(said), changed_ms=ended_ms, conversation_id=number)
           .where(Visitor.id == visitor.id))
    return SimpleNamespace(id=number, visitor_id=visitor.id, session_id=session_id)


def _visitor(tx: Transaction, site_id: int, session_id: str, at_ms: int, contact: dict) -> Any:
    query = Visitor.select(Visitor).where((Visitor.site_id == site_id) & (Visitor.session_id == session_id))
    if tx.one(query) is None:
        tx.insert(Visitor.insert(
            site_id=site_id, session_id=session_id, conversation_id=None, last_seq=0, handed_seq=0, nudged_seq=0,
            read_seq=0, user_id="", **contact, created_ms=at_ms, changed_ms=at_ms,
            contact_words=contact_words(contact["name"], contact["email"], contact["phone"]),
        ))  # fmt: skip
    return tx.one(query)
