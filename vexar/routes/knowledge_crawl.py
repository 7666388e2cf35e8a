"""Reading a site's own pages into its knowledge: ordering a crawl, one page by itself, how far it is."""

from __future__ import annotations

import msgspec
from flask import Blueprint

from vexar.conversing.messages import to_time
from vexar.errors import ApiError, invalid
from vexar.knowledge import stored
from vexar.knowledge.crawling import rows as crawl_rows
from vexar.knowledge.crawling.crawler import CrawlFailed
from vexar.knowledge.entries import MAX_URL_CHARS
from vexar.routes.api import endpoint
from vexar.routes.fields import Done, Text
from vexar.routes.knowledge import EntryOut, to_wire
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import EDITED, SEEN, found
from vexar.store import Store

blueprint = Blueprint("knowledge_crawl", __name__)


class CrawlUrl(msgspec.Struct, kw_only=True):
    """A page of the site: its address, or its path."""

    url: Text(MAX_URL_CHARS)


class CrawlOut(msgspec.Struct, kw_only=True):
    """`crawl`: null when there never was one, else {state, detail, started_at, ended_at, pages_found, pages_done,
    entries, added, updated, removed, outcomes, bytes}; `state`: running, complete, capped, stopped or failed."""

    crawl: dict | None


@endpoint(blueprint, "POST", "/sites/<int:site_id>/crawl", body=Done, answer=CrawlOut, status=201, strict=True,
          caller=signed_in, errors=(*EDITED, "conflict"), summary="Read the site's own pages")
def crawl_site(member: Member, site_id: int, body: Done) -> tuple[dict, int]:
    member.site(site_id, "can_edit")
    if not member.parts.crawler.order(site_id):
        raise ApiError("conflict", "The site is being read already; wait for the end.")
    return crawl_status_of(member.parts.store, site_id), 201


@endpoint(blueprint, "DELETE", "/sites/<int:site_id>/crawl", answer=CrawlOut, strict=True, caller=signed_in,
          errors=EDITED, summary="Stop reading the site's pages")
def stop_crawl(member: Member, site_id: int) -> dict:
    member.site(site_id, "can_edit")
    member.parts.store.write(crawl_rows.stop, site_id=site_id)
    return crawl_status_of(member.parts.store, site_id)


@endpoint(blueprint, "POST", "/sites/<int:site_id>/crawl-url", body=CrawlUrl, answer=EntryOut, status=201, strict=True,
          caller=signed_in, errors=EDITED, summary="Read one page of the site")
def crawl_url(member: Member, site_id: int, body: CrawlUrl) -> tuple[dict, int]:
    site = member.site(site_id, "can_edit")
    try:
        number = member.parts.crawler.read_one(site, body.url)
    except CrawlFailed as problem:
        raise invalid(url=str(problem)) from None
    return {"entry": to_wire(found(member.parts.store.read(stored.find, entry_id=number)))}, 201


@endpoint(blueprint, "GET", "/sites/<int:site_id>/crawl-status", answer=CrawlOut, strict=True, caller=signed_in,
          errors=SEEN, summary="How far reading the site's pages is")
def crawl_status(member: Member, site_id: int) -> dict:
    member.site(site_id)
    return crawl_status_of(member.parts.store, site_id)


def crawl_status_of(store: Store, site_id: int) -> dict:
    """A site's last crawl as JSON shows it; null when there never was one."""
    row, counts, pages_found = store.read_heavy(crawl_rows.status, site_id=site_id)
    if row is None:
        return {"crawl": None}
    added, updated, removed = store.read_heavy(crawl_rows.news, site_id=site_id)
    return {"crawl": {
        "state": "running" if row.is_running else row.outcome, "detail": row.detail,
        "started_at": to_time(row.started_ms), "ended_at": to_time(row.ended_ms) if row.ended_ms else None,
        "pages_found": pages_found, "pages_done": sum(counts.values()), "entries": counts.get("kept", 0),
        "added": added, "updated": updated, "removed": removed, "outcomes": counts, "bytes": row.fetched_bytes,
    }}
