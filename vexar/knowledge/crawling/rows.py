"""What is stored of crawls: one row for each site's, one for each address it met. All of it is written as it goes, so
that whoever is killed is followed by another who goes on with the next page."""

from __future__ import annotations

import hashlib
from typing import Any

from peewee import fn

from vexar.models import Crawl, CrawlPage, KnowledgeEntry, Site
from vexar.store import Duplicate, P, Statement, Transaction

LEASE_MS = 12_000
MAX_FOUND = 5_000
ROWS_PER_JOB = 200
# In place of the digest of a page whose entry this crawl took away: counted, not added up, a kill costs nothing.
REMOVED = "removed"

_LOOK = Crawl.select(Crawl).where(Crawl.site_id == P.site_id)
FIND = Statement(_LOOK)
_LOCK = Statement(_LOOK, lock=True)
_MINE = (Crawl.site_id == P.site_id) & (Crawl.owner == P.owner) & (Crawl.is_running == 1)
_FREE = Statement(Crawl.select(Crawl.site_id).where((Crawl.is_running == 1) & (Crawl.lease_until_ms <= P.now_ms)))
_TAKE = Statement(Crawl.update(owner=P.owner, lease_until_ms=P.until_ms).where(Crawl.site_id == P.site_id))
_RENEW = Statement(
    Crawl.update(lease_until_ms=P.until_ms, fetched_bytes=Crawl.fetched_bytes + P.more).where(_MINE)
)
_END = Statement(
    Crawl.update(is_running=0, lease_until_ms=0, outcome=P.outcome, detail=P.detail, ended_ms=P.now_ms).where(_MINE)
)
_STOP = Statement(
    Crawl.update(is_running=0, lease_until_ms=0, outcome="stopped", ended_ms=P.now_ms)
    .where((Crawl.site_id == P.site_id) & (Crawl.is_running == 1))
)
_OF_SITE = CrawlPage.site_id == P.site_id
_PAGE = Statement(CrawlPage.select(CrawlPage).where(_OF_SITE & (CrawlPage.url_hash == P.url_hash)))
_NEXT = Statement(
    CrawlPage.select(CrawlPage)
    .where(_OF_SITE & (CrawlPage.found_number == P.number) & (CrawlPage.done_number < P.number))
    # Of two pages that say the same the one that the site itself lists is taken.
    .order_by(CrawlPage.depth, CrawlPage.is_listed.desc(), CrawlPage.url_hash).limit(1)
)
_DONE = Statement(
    CrawlPage.update(done_number=P.number, outcome=P.outcome, digest=P.digest, entry_id=P.entry_id)
    # Who lost the crawl may be at its last page when the next one is there already.
    .where(_OF_SITE & (CrawlPage.url_hash == P.url_hash) & (CrawlPage.done_number <= P.number))
)
_ADD = Statement(CrawlPage.insert(
    site_id=P.site_id, url_hash=P.url_hash, url=P.url, depth=P.depth, is_listed=P.is_listed, found_number=P.number,
    done_number=0, outcome="", digest="",
))  # fmt: skip
_MEET = Statement(
    CrawlPage.update(found_number=P.number, depth=P.depth, is_listed=P.is_listed)
    .where(_OF_SITE & (CrawlPage.url_hash == P.url_hash) & (CrawlPage.found_number < P.number))
)
_GONE = Statement(
    CrawlPage.select(CrawlPage).where(
        _OF_SITE & CrawlPage.entry_id.is_null(False) & (CrawlPage.done_number < P.number)
    ).limit(ROWS_PER_JOB)
)
_UNMET = Statement(
    CrawlPage.select(CrawlPage).where(
        _OF_SITE & CrawlPage.entry_id.is_null(False) & (CrawlPage.found_number < P.number)
    ).limit(ROWS_PER_JOB)
)
_KEPT = Statement(CrawlPage.select(CrawlPage.url, CrawlPage.digest).where(
    _OF_SITE & (CrawlPage.done_number == P.number) & CrawlPage.entry_id.is_null(False)
))  # fmt: skip
_FORGET = Statement(
    CrawlPage.update(entry_id=None, digest=P.digest, done_number=P.number)
    .where(_OF_SITE & (CrawlPage.url_hash == P.url_hash))
)
_SHARED = Statement(CrawlPage.select(CrawlPage.url).where(
    _OF_SITE & (CrawlPage.entry_id == P.entry_id) & (CrawlPage.url_hash != P.url_hash)
).limit(1))  # fmt: skip
_COUNT = Statement(
    CrawlPage.select(CrawlPage.outcome, fn.COUNT(CrawlPage.url_hash).alias("many"))
    .where(_OF_SITE & (CrawlPage.found_number == P.number) & (CrawlPage.done_number == P.number))
    .group_by(CrawlPage.outcome)
)
_FOUND = Statement(
    CrawlPage.select(fn.COUNT(CrawlPage.url_hash).alias("many")).where(_OF_SITE & (CrawlPage.found_number == P.number))
)
# A page's entry is written while the crawl runs: its times tell what the crawl made of it.
_ENTRIES = (
    CrawlPage.select(fn.COUNT(KnowledgeEntry.id.distinct()).alias("many"))
    .join(KnowledgeEntry, on=(KnowledgeEntry.id == CrawlPage.entry_id))
    .where(_OF_SITE & (CrawlPage.done_number == P.number))
)
_ADDED = Statement(_ENTRIES.where(KnowledgeEntry.created_ms >= P.since_ms))
_UPDATED = Statement(
    _ENTRIES.where((KnowledgeEntry.created_ms < P.since_ms) & (KnowledgeEntry.changed_ms >= P.since_ms))
)
_REMOVED = Statement(
    CrawlPage.select(fn.COUNT(CrawlPage.url_hash).alias("many"))
    .where(_OF_SITE & (CrawlPage.done_number == P.number) & (CrawlPage.digest == REMOVED))
)
_SITE = Statement(Site.select(Site.id, Site.url).where((Site.id == P.site_id) & (Site.is_active == 1)))


def begin(tx: Transaction, *, site_id: int) -> bool:
    """Order a crawl; False while one runs."""
    row, now_ms = tx.one(_LOCK, site_id=site_id), tx.now_ms()
    if row is not None and row.is_running:
        return False
    values = {"is_running": 1, "owner": "", "lease_until_ms": 0, "fetched_bytes": 0, "outcome": "", "detail": "",
              "started_ms": now_ms, "ended_ms": 0}  # fmt: skip
    if row is not None:
        tx.run(Crawl.update(number=row.number + 1, **values).where(Crawl.site_id == site_id))
        return True
    try:
        tx.run(Crawl.insert(site_id=site_id, number=1, **values))
    except Duplicate:
        return False
    return True


def take(tx: Transaction, *, owner: str) -> tuple[Any, Any] | None:
    """A crawl that nobody works at, now ours, and its site (None: removed); None when there is none."""
    now_ms = tx.now_ms()
    for free in tx.all(_FREE, now_ms=now_ms):
        row = tx.one(_LOCK, site_id=free.site_id)
        if row is not None and row.is_running and row.lease_until_ms <= now_ms:
            tx.run(_TAKE, site_id=row.site_id, owner=owner, until_ms=now_ms + LEASE_MS)
            return row, tx.one(_SITE, site_id=row.site_id)
    return None


def is_waiting(tx: Transaction) -> bool:
    """Whether there is a crawl that nobody works at."""
    return tx.one(_FREE, now_ms=tx.now_ms()) is not None


def renew(tx: Transaction, *, site_id: int, owner: str, more: int = 0) -> bool:
    """Keep it for a while longer, and count bytes; False when it is not ours any more."""
    return bool(tx.run(_RENEW, site_id=site_id, owner=owner, more=more, until_ms=tx.now_ms() + LEASE_MS))


def release(tx: Transaction, *, site_id: int, owner: str) -> None:
    """Leave it to whoever comes next."""
    tx.run(_RENEW, site_id=site_id, owner=owner, more=0, until_ms=0)


def end(tx: Transaction, *, site_id: int, owner: str, outcome: str, detail: str) -> None:
    """It is over: complete, capped or failed."""
    tx.run(_END, site_id=site_id, owner=owner, outcome=outcome, detail=detail[:200], now_ms=tx.now_ms())


def stop(tx: Transaction, *, site_id: int) -> None:
    """End a site's crawl, if one runs: who works at it finds out after the page it is at."""
    tx.run(_STOP, site_id=site_id, now_ms=tx.now_ms())


def meet(tx: Transaction, *, site_id: int, number: int, urls: list[str], depth: int, is_listed: bool = False) -> None:
    """Addresses that were found; those that are known in this crawl already stay as they are."""
    room = MAX_FOUND - tx.one(_FOUND, site_id=site_id, number=number).many
    for url in urls[:max(0, room)]:
        values = {"site_id": site_id, "url_hash": url_hash(url), "depth": depth, "number": number,
                  "is_listed": int(is_listed)}  # fmt: skip
        if tx.one(_PAGE, site_id=site_id, url_hash=values["url_hash"]) is None:
            tx.run(_ADD, url=url, **values)
        else:
            tx.run(_MEET, **values)


def next_page(tx: Transaction, *, site_id: int, number: int) -> Any:
    """The page to read next, those near the start first; None when all are done."""
    return tx.one(_NEXT, site_id=site_id, number=number)


def page(tx: Transaction, *, site_id: int, url: str) -> Any:
    """What is known of an address, or None."""
    return tx.one(_PAGE, site_id=site_id, url_hash=url_hash(url))


def done(tx: Transaction, *, site_id: int, url: str, number: int, outcome: str, digest: str = "",
         entry_id: int | None = None) -> None:
    """What became of a page."""
    tx.run(_DONE, site_id=site_id, url_hash=url_hash(url), number=number, outcome=outcome, digest=digest,
           entry_id=entry_id)


def kept(tx: Transaction, *, site_id: int, number: int) -> dict[str, str]:
    """{digest: address} of the pages this crawl has taken."""
    return {row.digest: row.url for row in tx.all(_KEPT, site_id=site_id, number=number)}


def gone(tx: Transaction, *, site_id: int, number: int) -> list:
    """Some pages with an entry that this crawl did not meet."""
    return tx.all(_GONE, site_id=site_id, number=number)


def unmet(tx: Transaction, *, site_id: int, number: int) -> list:
    """Some pages with an entry that this crawl has not come across."""
    return tx.all(_UNMET, site_id=site_id, number=number)


def forget(tx: Transaction, *, site_id: int, url_hash: str, number: int, digest: str) -> None:
    """A page that was not met has no entry any more; `digest`: REMOVED when that was taken away."""
    tx.run(_FORGET, site_id=site_id, url_hash=url_hash, number=number, digest=digest)


def is_shared(tx: Transaction, *, site_id: int, entry_id: int, url_hash: str) -> bool:
    """Whether another page has the same entry."""
    return tx.one(_SHARED, site_id=site_id, entry_id=entry_id, url_hash=url_hash) is not None


def status(tx: Transaction, *, site_id: int) -> tuple[Any, dict[str, int], int]:
    """The row of a site's crawl (None: never), its pages by outcome, and how many were found."""
    row = tx.one(FIND, site_id=site_id)
    if row is None:
        return None, {}, 0
    counts = {each.outcome: each.many for each in tx.all(_COUNT, site_id=site_id, number=row.number)}
    return row, counts, tx.one(_FOUND, site_id=site_id, number=row.number).many


def news(tx: Transaction, *, site_id: int) -> tuple[int, int, int]:
    """How many entries a site's last crawl has added, updated and removed so far."""
    row = tx.one(FIND, site_id=site_id)
    if row is None:
        return 0, 0, 0
    wanted = {"site_id": site_id, "number": row.number, "since_ms": row.started_ms}
    removed = tx.one(_REMOVED, site_id=site_id, number=row.number).many
    return tx.one(_ADDED, **wanted).many, tx.one(_UPDATED, **wanted).many, removed


def url_hash(url: str) -> str:
    """The key of an address."""
    return hashlib.blake2b(url.encode(), digest_size=32).hexdigest()
