"""Questions that a site's knowledge did not answer."""

from __future__ import annotations

from peewee import AutoField, BigIntegerField, CharField, IntegerField, Model


class UnansweredGroup(Model):
    """Questions that ask the same."""

    id = AutoField()
    site_id = IntegerField()
    dismissed_ms = BigIntegerField(null=True)
    claimed_until_ms = BigIntegerField()
    created_ms = BigIntegerField()

    class Meta:
        table_name = "unanswered_group"
        indexes = ((("site_id",), False),)


class UnansweredAsk(Model):
    """One visitor asking one of them."""

    id = AutoField()
    site_id = IntegerField()
    group_id = IntegerField()
    visitor_id = IntegerField()
    seq = IntegerField()
    place = IntegerField()
    conversation_id = IntegerField()
    question = CharField()
    lang = CharField()
    terms = CharField()
    checked_version = IntegerField()
    is_rejected = IntegerField()
    created_ms = BigIntegerField()

    class Meta:
        table_name = "unanswered_ask"
        indexes = (
            (("visitor_id", "seq", "place"), True), (("site_id", "id"), False), (("group_id",), False),
            (("conversation_id",), False),
        )
