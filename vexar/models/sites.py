"""Sites and what is kept for a whole site: settings, budgets, counts, nudges, leases."""

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


class Budget(Model):
    """What a site used of its budgets in one period."""

    site_id = IntegerField()
    period = CharField()
    messages = IntegerField()
    tokens = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("site_id", "period")


class SiteDay(Model):
    """A site's message counts of one day."""

    site_id = IntegerField()
    day = CharField()
    conversations = IntegerField()
    visitor_messages = IntegerField()
    assistant_messages = IntegerField()
    operator_messages = IntegerField()

    class Meta:
        table_name = "site_day"
        primary_key = CompositeKey("site_id", "day")


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


class Lease(Model):
    """What only one worker at a time may do."""

    name = CharField(primary_key=True)
    owner = CharField()
    until_ms = BigIntegerField()
