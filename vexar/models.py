"""The tables as peewee models: the one source of column names, from which every statement is compiled.

They are never bound to a connection; `vexar.store` compiles a query for its engine and runs it. What each
column means, and its unit, stands in schema.sql; a test holds both equal.
"""

from __future__ import annotations

from peewee import AutoField, BigIntegerField, CharField, CompositeKey, IntegerField, Model, TextField


class Site(Model):
    """A website that embeds the widget."""

    id = AutoField()
    site_key = CharField()
    name = CharField()
    url = CharField()
    is_active = IntegerField()
    settings = TextField()
    identity_secret = CharField()
    upload_bytes = BigIntegerField()
    knowledge_version = IntegerField()
    created_ms = BigIntegerField()
    changed_ms = BigIntegerField()

    class Meta:
        indexes = ((("site_key",), True),)


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

    class Meta:
        indexes = ((("site_id", "session_id"), True), (("changed_ms",), False))


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

    class Meta:
        indexes = ((("visitor_id", "id"), False), (("site_id", "changed_ms"), False))


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

    class Meta:
        primary_key = CompositeKey("visitor_id", "seq")
        indexes = ((("visitor_id", "message_id"), True), (("state", "site_id", "lease_until_ms"), False))


class Budget(Model):
    """What a site used of its budgets in one period."""

    site_id = IntegerField()
    period = CharField()
    messages = IntegerField()
    tokens = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("site_id", "period")


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

    class Meta:
        indexes = ((("site_id", "kind", "value"), True),)


class NudgeRule(Model):
    """A proactive message by page, with variants."""

    id = AutoField()
    site_id = IntegerField()
    path = CharField()
    delay_seconds = IntegerField()
    variants = TextField()
    frequency = CharField()
    created_ms = BigIntegerField()

    class Meta:
        table_name = "nudge_rule"
        indexes = ((("site_id", "id"), False),)


class NudgeEvent(Model):
    """What a visitor did with a nudge."""

    id = AutoField()
    site_id = IntegerField()
    visitor_id = IntegerField()
    event = CharField()
    rule_path = CharField()
    variant = IntegerField(null=True)
    message_seq = IntegerField(null=True)
    created_ms = BigIntegerField()

    class Meta:
        table_name = "nudge_event"
        indexes = ((("visitor_id", "created_ms"), False), (("site_id", "created_ms"), False))


class Operator(Model):
    """A person of the site."""

    id = AutoField()
    email = CharField()
    name = CharField()
    avatar_url = CharField(null=True)
    is_owner = IntegerField()
    key_hash = CharField(null=True)
    created_ms = BigIntegerField()

    class Meta:
        indexes = ((("email",), True),)


class OperatorSite(Model):
    """Which sites an operator works for."""

    operator_id = IntegerField()
    site_id = IntegerField()

    class Meta:
        table_name = "operator_site"
        primary_key = CompositeKey("operator_id", "site_id")


class KnowledgeEntry(Model):
    """One entry of a site's knowledge."""

    id = AutoField()
    site_id = IntegerField()
    type = CharField()
    title = CharField()
    question = CharField()
    content = TextField()
    url = CharField(null=True)
    lang = CharField()
    length = IntegerField()
    created_ms = BigIntegerField()
    changed_ms = BigIntegerField()

    class Meta:
        table_name = "knowledge_entry"
        indexes = ((("site_id", "id"), False),)


class KnowledgeTerm(Model):
    """Where a term occurs in a site's knowledge."""

    site_id = IntegerField()
    term = CharField()
    entry_id = IntegerField()
    in_question = IntegerField()
    in_title = IntegerField()
    in_content = IntegerField()

    class Meta:
        table_name = "knowledge_term"
        primary_key = CompositeKey("site_id", "term", "entry_id")
        indexes = ((("entry_id",), False),)


TABLES = (
    Site, Visitor, Conversation, Message, Run, Budget, Upload, Block, NudgeRule, NudgeEvent, Operator,
    OperatorSite, KnowledgeEntry, KnowledgeTerm,
)
