"""The crawls of sites and the pages they met."""

from __future__ import annotations

from peewee import BigIntegerField, CharField, CompositeKey, IntegerField, Model


class Crawl(Model):
    """A site's last crawl."""

    site_id = IntegerField(primary_key=True)
    number = IntegerField()
    is_running = IntegerField()
    owner = CharField()
    lease_until_ms = BigIntegerField()
    fetched_bytes = BigIntegerField()
    outcome = CharField()
    detail = CharField()
    started_ms = BigIntegerField()
    ended_ms = BigIntegerField()

    class Meta:
        table_name = "crawl"
        indexes = ((("is_running", "lease_until_ms"), False),)


class CrawlPage(Model):
    """An address a crawl met."""

    site_id = IntegerField()
    url_hash = CharField()
    url = CharField()
    depth = IntegerField()
    is_listed = IntegerField()
    found_number = IntegerField()
    done_number = IntegerField()
    outcome = CharField()
    digest = CharField()
    entry_id = IntegerField(null=True)

    class Meta:
        table_name = "crawl_page"
        primary_key = CompositeKey("site_id", "url_hash")
        indexes = ((("site_id", "found_number", "done_number", "depth"), False),)
