"""Visitors and what they and others said: conversations, messages, runs, images, blocks, notes."""

from __future__ import annotations

from peewee import AutoField, BigIntegerField, CharField, CompositeKey, IntegerField, Model, TextField


class Visitor(Model):
    """One browser session on one site."""

    id = AutoField()
    site_id = IntegerField()
    session_id = CharField()
    conversation_id = IntegerField(null=True)
    last_seq = IntegerField()
    handed_seq = IntegerField()
    nudged_seq = IntegerField()
    read_seq = IntegerField()
    user_id = CharField()
    name = CharField()
    email = CharField()
    phone = CharField()
    lang = CharField()
    page_url = CharField()
    address = CharField()
    created_ms = BigIntegerField()
    changed_ms = BigIntegerField()
    digested_seq = IntegerField()
    contact_words = CharField()
    reviewed_seq = IntegerField()

    class Meta:
        indexes = (
            (("site_id", "session_id"), True), (("changed_ms",), False), (("site_id", "contact_words"), False),
            (("site_id", "email", "phone"), False),
        )


class Conversation(Model):
    """One episode between a visitor and the site."""

    id = AutoField()
    site_id = IntegerField()
    visitor_id = IntegerField()
    mode = CharField()
    epoch = IntegerField()
    is_waiting = IntegerField()
    operator_id = IntegerField(null=True)
    first_seq = IntegerField()
    boundary_seq = IntegerField()
    messages_count = IntegerField()
    last_message = CharField()
    rating_score = IntegerField(null=True)
    rating_comment = TextField()
    rated_ms = BigIntegerField(null=True)
    created_ms = BigIntegerField()
    changed_ms = BigIntegerField()
    closed_ms = BigIntegerField(null=True)
    waiting_ms = BigIntegerField(null=True)
    accepted_ms = BigIntegerField(null=True)
    visitor_said_ms = BigIntegerField(null=True)
    operator_said_ms = BigIntegerField(null=True)
    first_reply_ms = BigIntegerField(null=True)
    clock_ms = BigIntegerField(null=True)
    unread_count = IntegerField()
    offered = CharField()
    is_answered = IntegerField()

    class Meta:
        indexes = (
            (("visitor_id", "id"), False), (("site_id", "changed_ms"), False), (("site_id", "created_ms"), False),
            (("site_id", "rated_ms"), False), (("clock_ms",), False),
        )


class Message(Model):
    """What was said; never changes after it was stored."""

    visitor_id = IntegerField()
    seq = IntegerField()
    conversation_id = IntegerField()
    role = CharField()
    message_id = CharField(null=True)
    content = TextField()
    image_url = CharField(null=True)
    status = CharField()
    sources = TextField()
    operator_id = IntegerField(null=True)
    reply_to = IntegerField(null=True)
    created_ms = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("visitor_id", "seq")
        indexes = ((("visitor_id", "role", "message_id"), True),)


class Run(Model):
    """The making of one answer to one visitor message."""

    visitor_id = IntegerField()
    seq = IntegerField()
    message_id = CharField()
    site_id = IntegerField()
    conversation_id = IntegerField()
    attempt = IntegerField()
    state = CharField()
    owner = CharField()
    lease_until_ms = BigIntegerField()
    epoch = IntegerField()
    is_stop_asked = IntegerField()
    checkpoint = TextField()
    finish_reason = CharField()
    error_code = CharField()
    reply_seq = IntegerField(null=True)
    tokens_reserved = IntegerField()
    created_ms = BigIntegerField()
    changed_ms = BigIntegerField()
    knowledge = CharField()

    class Meta:
        primary_key = CompositeKey("visitor_id", "seq")
        indexes = ((("visitor_id", "message_id"), True), (("state", "site_id", "lease_until_ms"), False))


class Upload(Model):
    """An uploaded image."""

    path = CharField(primary_key=True)
    site_id = IntegerField()
    visitor_id = IntegerField(null=True)
    bytes = BigIntegerField()
    width = IntegerField()
    height = IntegerField()
    is_used = IntegerField()
    created_ms = BigIntegerField()

    class Meta:
        indexes = ((("is_used", "created_ms"), False),)


class Block(Model):
    """Who may not write."""

    id = AutoField()
    site_id = IntegerField()
    kind = CharField()
    value = CharField()
    reason = CharField(null=True)
    until_ms = BigIntegerField(null=True)
    created_ms = BigIntegerField()
    operator_id = IntegerField(null=True)

    class Meta:
        indexes = ((("site_id", "kind", "value"), True),)


class Note(Model):
    """What operators told each other about a conversation; never shown to visitors."""

    id = AutoField()
    conversation_id = IntegerField()
    operator_id = IntegerField()
    content = TextField()
    created_ms = BigIntegerField()

    class Meta:
        indexes = ((("conversation_id", "id"), False),)


class ConversationTerm(Model):
    """Which words occur in a conversation."""

    site_id = IntegerField()
    term = CharField()
    conversation_id = IntegerField()

    class Meta:
        table_name = "conversation_term"
        primary_key = CompositeKey("site_id", "term", "conversation_id")
        indexes = ((("conversation_id",), False),)


class OnlineSession(Model):
    """Sessions with an open live stream."""

    site_id = IntegerField()
    session_id = CharField()
    page_url = CharField()
    lang = CharField()
    since_ms = BigIntegerField()
    seen_ms = BigIntegerField()

    class Meta:
        table_name = "online_session"
        primary_key = CompositeKey("site_id", "session_id")
        indexes = ((("seen_ms",), False),)
