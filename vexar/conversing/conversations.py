"""The verbs of a conversation: each runs its job in the store, then rings whoever has to look.

The rules are in receiving, handover, blocking, alarms and feedback; here is only the order "store, then ring".
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from typing import Any

from config import Config
from vexar.broker import Broker
from vexar.conversing import alarms, blocking, blocks, feedback, handover, receiving
from vexar.conversing.handover import Called
from vexar.conversing.receiving import Incoming, Known, Receipt
from vexar.conversing.visitors import block_channel, channel, site_channel
from vexar.desk import desk
from vexar.errors import ApiError
from vexar.events import LastEventId
from vexar.media import uploads
from vexar.nudges import nudges
from vexar.sites.settings import SiteSettings
from vexar.store import Store, StoreError

log = logging.getLogger("vexar.conversing.conversations")


class Conversations:
    """Conversations of all sites. `owner` names this process in the runs it claims."""

    def __init__(self, store: Store, broker: Broker, config: Config, *, owner: str) -> None:
        self._store = store
        self._broker = broker
        self._config = config
        self._owner = owner

    def look_up(self, incoming: Incoming, last: LastEventId | None) -> Known:
        """Whether a message was sent before; see receiving.look_up."""
        return self._store.read(receiving.look_up, incoming=incoming, last=last)

    def receive(self, incoming: Incoming, settings: SiteSettings) -> Receipt:
        """Store a visitor's message and claim its run; see receiving.receive."""
        receipt = self._store.write(
            receiving.receive, incoming=incoming, settings=settings, owner=self._owner,
            max_session_runs=self._config.limit_runs_per_session, max_site_runs=self._config.limit_runs_per_site,
            claim_image=uploads.claim,
        )
        if receipt.is_new:
            self._ring(incoming.site_id, incoming.session_id)
            self._keep_email(incoming)
        if receipt.is_mine and self._store.dialect != "sqlite" and self._is_blocked_since(incoming):
            return replace(receipt, is_mine=False)
        return receipt

    def meet(self, site_id: int, session_id: str, *, address: str | None) -> int:
        """The id of a visitor who may write, made on the first visit; see receiving.meet."""
        return self._store.write(receiving.meet, site_id=site_id, session_id=session_id, address=address)

    def record_nudge(self, site_id: int, session_id: str, **what: Any) -> None:
        """What the visitor did with a nudge; see nudges.record."""
        self._store.write(nudges.record, site_id=site_id, session_id=session_id, **what)

    def accept(self, site_id: int, session_id: str, operator: Any, **which: Any) -> int:
        """An operator takes the conversation (conversation_id); see handover.accept."""
        return self._change(handover.accept, site_id, session_id, operator=operator, **which)

    def say(self, site_id: int, session_id: str, operator: Any, **message: Any) -> int:
        """An operator's message (content, image_path, message_id, conversation_id); see handover.say."""
        return self._change(
            handover.say, site_id, session_id, operator=operator, claim_image=uploads.claim_for_person,
            **_with_id(message),
        )

    def transfer(self, site_id: int, session_id: str, *, operator: Any, to: int, **which: Any) -> int:
        """An operator gives the conversation (conversation_id) to another one (its id); see handover.transfer."""
        return self._change(handover.transfer, site_id, session_id, to=to, **which)

    def return_to_ai(self, site_id: int, session_id: str, *, operator: Any = None, **which: Any) -> int:
        """The AI answers again (conversation_id); see handover.return_to_ai."""
        return self._change(handover.return_to_ai, site_id, session_id, **which)

    def request_operator(self, site_id: int, session_id: str, **how: Any) -> Called:
        """The visitor asks for a person (address, lang, is_told); see handover.request_operator."""
        return self._change(handover.request_operator, site_id, session_id, **how)

    def propose(self, site_id: int, session_id: str, operator: Any, **message: Any) -> int:
        """A proactive message of a person (content, message_id); see handover.propose."""
        return self._change(handover.propose, site_id, session_id, operator=operator, **_with_id(message))

    def close(self, site_id: int, session_id: str) -> int:
        """The visitor begins anew; see handover.close."""
        return self._change(handover.close, site_id, session_id)

    def close_by_operator(self, site_id: int, session_id: str, *, operator: Any, **which: Any) -> int:
        """A person ends the conversation (conversation_id); see handover.close."""
        return self._change(handover.close, site_id, session_id, operator=operator, **which)

    def ring_clock(self, *, visitor_id: int, conversation_id: int) -> alarms.Rung | None:
        """Do what is due in a conversation, if anything is; see alarms.ring."""
        rung = self._store.write(alarms.ring, visitor_id=visitor_id, conversation_id=conversation_id)
        if rung:
            self._ring(rung.site_id, rung.session_id)
        return rung

    def rewind_clocks(self, site_id: int) -> None:
        """After the owner changed a timeout: every running clock of the site is set by the new settings."""
        after: int | None = 0
        while after is not None:
            after = self._store.write(alarms.rewind, site_id=site_id, after=after)

    def block(
        self, site_id: int, kind: str, value: str, *, reason: str | None = None, until_ms: int | None = None,
        operator_id: int | None = None,
    ) -> None:
        """Block by session, ip or email; see blocking.block. Raises ApiError invalid."""
        value = blocks.target(kind, value)
        met = self._store.write(
            blocking.block, site_id=site_id, kind=kind, value=value, reason=reason, until_ms=until_ms,
            operator_id=operator_id,
        )
        # Once more now that everybody can see the block: a message that was stored meanwhile met neither.
        met += self._store.write(blocking.cut_blocked, site_id=site_id, kind=kind, value=value)
        for session_id in met:
            self._broker.ring(channel(site_id, session_id))
        self._broker.ring(site_channel(site_id))
        self._broker.ring(block_channel(site_id))

    def unblock(self, site_id: int, session_id: str) -> int:
        """Lift every block that meets a visitor; see blocking.unblock."""
        lifted = self._store.write(blocking.unblock, site_id=site_id, session_id=session_id)
        self._ring(site_id, session_id)
        self._broker.ring(block_channel(site_id))
        return lifted

    def lift(self, block: Any) -> None:
        """Lift one block, given by its row."""
        self._store.write(blocking.lift, block=block)
        self._broker.ring(site_channel(block.site_id))
        self._broker.ring(block_channel(block.site_id))

    def save_contact(self, site_id: int, session_id: str, **contact: Any) -> None:
        """Keep email, phone, name; see feedback.save_contact."""
        self._change(feedback.save_contact, site_id, session_id, **contact)

    def rate(self, site_id: int, session_id: str, **rating: Any) -> int:
        """Rate the newest conversation; see feedback.rate."""
        return self._change(feedback.rate, site_id, session_id, **rating)

    def comment(self, site_id: int, session_id: str, **comment: Any) -> int:
        """Comment on the rating; see feedback.comment."""
        return self._change(feedback.comment, site_id, session_id, **comment)

    def mark_read(self, site_id: int, session_id: str, cursor: int) -> None:
        """The visitor saw everything up to the cursor."""
        self._change(feedback.mark_read, site_id, session_id, cursor=cursor)

    def visitor_types(self, site_id: int, session_id: str, is_on: bool) -> None:
        """Tell the operators; never stored."""
        self._broker.ring(site_channel(site_id), {"typing": is_on, "session_id": session_id})

    def operator_types(self, site_id: int, session_id: str, is_on: bool, *, operator: Any = None) -> None:
        """Tell the visitor, and the colleagues who it is; never stored."""
        self._broker.ring(channel(site_id, session_id), {"typing": is_on})
        if operator is not None:
            who = {"id": operator.id, "name": operator.name}
            self._broker.ring(site_channel(site_id), {"typing": is_on, "session_id": session_id, "operator": who})

    def add_note(self, site_id: int, **note: Any) -> dict:
        """A note for colleagues; see desk.add_note. Raises ApiError not_found."""
        added = self._store.write(desk.add_note, **note)
        if added is None:
            raise ApiError("not_found")
        self._broker.ring(site_channel(site_id))
        return added

    def mark_seen(self, site_id: int, *, visitor_id: int, conversation_id: int) -> bool:
        """An operator has read a conversation; see desk.mark_seen."""
        was_unread = self._store.write(desk.mark_seen, visitor_id=visitor_id, conversation_id=conversation_id)
        if was_unread:
            # The number moves no changed time: the ring says where to look.
            self._broker.ring(site_channel(site_id), {"read": conversation_id})
        return was_unread

    def _keep_email(self, incoming: Incoming) -> None:
        """Answers ask for an address; one that is simply written into the chat must not be lost."""
        email = feedback.email_in(incoming.content)
        if email is None:
            return
        try:
            self._change(
                feedback.keep_email, incoming.site_id, incoming.session_id, address=incoming.address, email=email
            )
        except (ApiError, StoreError) as problem:
            # The message itself is stored, and its answer must be made whatever becomes of the address.
            log.warning("an address in a message was not kept: %s", type(problem).__name__)

    def _is_blocked_since(self, incoming: Incoming) -> bool:
        """Cut the run of a message that was stored at the very moment of a block, unseen by each other.

        `block` commits, then cuts; here the message commits, then looks: one of the two sees the other. SQLite's
        jobs run one after the other and need none of it.
        """
        is_blocked = self._store.read(
            blocking.is_blocked, site_id=incoming.site_id, session_id=incoming.session_id, address=incoming.address
        )
        if not is_blocked:
            return False
        self._store.write(
            blocking.cut_blocked, site_id=incoming.site_id, kind="session", value=incoming.session_id
        )
        return True

    def _change(self, job: Any, site_id: int, session_id: str, **arguments: Any) -> Any:
        result = self._store.write(job, site_id=site_id, session_id=session_id, **arguments)
        self._ring(site_id, session_id)
        return result

    def _ring(self, site_id: int, session_id: str) -> None:
        self._broker.ring(channel(site_id, session_id))
        self._broker.ring(site_channel(site_id))


def _with_id(message: dict) -> dict:
    # A job that is repeated after a lost COMMIT knows its message again by nothing else.
    return {**message, "message_id": message.get("message_id") or f"m_{secrets.token_hex(16)}"}
