"""A site's knowledge and its index."""

from __future__ import annotations

from peewee import AutoField, BigIntegerField, CharField, CompositeKey, IntegerField, Model, TextField


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
