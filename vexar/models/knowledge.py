"""A site's knowledge and its index."""

from __future__ import annotations

from peewee import AutoField, BigIntegerField, BlobField, CharField, CompositeKey, IntegerField, Model, TextField


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
    index_version = IntegerField(default=0)
    anchors = TextField(null=True)

    class Meta:
        table_name = "knowledge_entry"
        indexes = ((("site_id", "id"), False), (("index_version",), False))


class KnowledgeChunk(Model):
    """A part of an entry's text."""

    id = AutoField()
    site_id = IntegerField()
    entry_id = IntegerField()
    place = IntegerField()
    heading = CharField()
    begins = IntegerField()
    ends = IntegerField()
    question_terms = IntegerField()
    title_terms = IntegerField()
    content_terms = IntegerField()

    class Meta:
        table_name = "knowledge_chunk"
        indexes = ((("entry_id", "place"), True), (("site_id", "id"), False))


class KnowledgeTerm(Model):
    """Where a term occurs in a site's knowledge."""

    site_id = IntegerField()
    term = CharField()
    chunk_id = IntegerField()
    in_question = IntegerField()
    in_title = IntegerField()
    in_content = IntegerField()

    class Meta:
        table_name = "knowledge_term"
        primary_key = CompositeKey("site_id", "term", "chunk_id")
        indexes = ((("chunk_id",), False),)


class KnowledgeVector(Model):
    """The embedding of a chunk."""

    id = AutoField()
    site_id = IntegerField()
    chunk_id = IntegerField()
    model = CharField()
    dims = IntegerField()
    signs = BlobField()
    numbers = BlobField()
    squares = IntegerField()

    class Meta:
        table_name = "knowledge_vector"
        indexes = ((("chunk_id",), True), (("site_id", "model", "id"), False))
