"""A site with many conversations, for benches: made-up words, contacts, ratings, people, spread over 90 days."""

from __future__ import annotations

import random
import time

from vexar.desk.finding import contact_words
from vexar.models import Conversation, Message, Operator, Visitor

DAY_MS = 86_400_000
DAYS = 90
MESSAGES = 20
SLICE = 200
SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wi", "xo", "zu", "kra", "sti")
LANGS = ("en", "de", "uk", "fr", "pt-BR", "zh", "ar", "")
NAMES = ("Anna", "Ben", "Олена", "Jürgen", "李明", "Zoë", "Omar", "Inês")


def fill(store, site_id, *, conversations=10_000):
    """Conversations of MESSAGES messages each, not digested yet."""
    pick = random.Random(4)
    words = ["".join(pick.choice(SYLLABLES) for _ in range(pick.randint(2, 4))) for _ in range(6_000)]
    # Some words are in nearly every text and most in few, as in any language.
    weights = [1 / (place + 3) for place in range(len(words))]
    now_ms = int(time.time() * 1000)
    operator_id = store.write(_add_operator)
    for start in range(0, conversations, SLICE):
        numbers = range(start, min(start + SLICE, conversations))
        made = [_Made(number, conversations, pick, now_ms) for number in numbers]
        store.write(_add_visitors, site_id=site_id, made=made, operator_id=operator_id)
        for one in made:
            one.texts = [" ".join(pick.choices(words, weights, k=12)) for _ in range(MESSAGES)]
        for at in range(0, len(made), 50):
            store.write(_add_messages, made=made[at:at + 50], operator_id=operator_id)
    return words


class _Made:
    def __init__(self, number, many, pick, now_ms):
        self.id = number + 1
        self.created_ms = now_ms - DAYS * DAY_MS + (number + 1) * (DAYS * DAY_MS // (many + 1))
        self.changed_ms = self.created_ms + 600_000
        self.name = f"{pick.choice(NAMES)} {number}" if number % 2 else ""
        self.email = f"visitor{number}@shop{number % 50}.example" if number % 3 == 0 else ""
        self.phone = f"+38067{number:07}" if number % 5 == 0 else ""
        self.lang = pick.choice(LANGS)
        self.is_closed = number % 10 < 6
        self.has_person = number % 7 == 0
        self.is_waiting = not self.is_closed and not self.has_person and number % 11 == 0
        self.score = pick.randint(1, 5) if number % 4 == 0 else None


def _add_operator(tx):
    return tx.insert(Operator.insert(
        email="olga@shop.example", name="Olga", avatar_url=None, is_owner=0, key_hash=None, created_ms=1
    ))


def _add_visitors(tx, site_id, made, operator_id):
    _insert(tx, Visitor, [
        {"id": one.id, "site_id": site_id, "session_id": f"s-{one.id * 7919 % 1_000_003}-{one.id}",
         "conversation_id": None if one.is_closed else one.id, "last_seq": MESSAGES, "handed_seq": 0, "nudged_seq": 0,
         "read_seq": 0, "user_id": "", "name": one.name, "email": one.email, "phone": one.phone, "lang": one.lang,
         "page_url": "https://shop.example/things", "address": "", "created_ms": one.created_ms,
         "changed_ms": one.changed_ms, "contact_words": contact_words(one.name, one.email, one.phone)}
        for one in made
    ])
    _insert(tx, Conversation, [
        {"id": one.id, "site_id": site_id, "visitor_id": one.id,
         "mode": "operator" if one.has_person else "ai", "epoch": 1, "is_waiting": one.is_waiting,
         "operator_id": operator_id if one.has_person else None, "first_seq": 1, "boundary_seq": 0,
         "messages_count": MESSAGES, "last_message": "the last thing that was said " * 3, "rating_score": one.score,
         "rating_comment": "it was good" if one.score else "", "rated_ms": one.changed_ms if one.score else None,
         "created_ms": one.created_ms, "changed_ms": one.changed_ms,
         "closed_ms": one.changed_ms if one.is_closed else None,
         "waiting_ms": one.changed_ms if one.is_waiting else None, "visitor_said_ms": one.changed_ms,
         "operator_said_ms": one.changed_ms if one.has_person else None,
         "first_reply_ms": one.id % 300 * 1000 if one.has_person else None}
        for one in made
    ])


def _add_messages(tx, made, operator_id):
    for one in made:
        other = "operator" if one.has_person else "assistant"
        _insert(tx, Message, [
            {"visitor_id": one.id, "seq": seq, "conversation_id": one.id, "role": other if seq % 2 == 0 else "visitor",
             "message_id": None, "content": text, "image_url": None, "status": "complete", "sources": "",
             "operator_id": operator_id if one.has_person and seq % 2 == 0 else None, "reply_to": None,
             "created_ms": one.created_ms + seq * 1000}
            for seq, text in enumerate(one.texts, 1)
        ])


def _insert(tx, model, rows):
    for start in range(0, len(rows), 20):
        tx.run(model.insert_many(rows[start:start + 20]))
