"""A site's knowledge: its entries, one by one and from files. Whoever has the site reads them, whoever may edit it
changes them."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response, request

from vexar.conversing.messages import to_time
from vexar.errors import invalid
from vexar.knowledge import stored
from vexar.knowledge.entries import MAX_CONTENT_CHARS, MAX_TITLE_CHARS, MAX_URL_CHARS, Entry
from vexar.knowledge.entries import MAX_QUESTION_CHARS as MAX_FAQ_CHARS
from vexar.knowledge.index import add_entries, remove_entries
from vexar.knowledge.reading.extract import MAX_FILE_BYTES, ExtractError
from vexar.knowledge.rebuild import rebuild
from vexar.routes.api import endpoint
from vexar.routes.fields import MAX_CURSOR, Done, Filled, Lang, OneOf, Text
from vexar.routes.lists import SLICE_ROWS, ListQuery, Pagination, by_slices, csv_answer, page_answer
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import EDITED, SEEN, found, given

blueprint = Blueprint("knowledge", __name__)

MAX_BATCH, MAX_BATCH_BYTES = 1_000, 20_000_000
COLUMNS = ("id", "type", "title", "question", "content", "url", "lang", "created_at", "changed_at")
Title = Text(MAX_TITLE_CHARS, min_chars=0, examples=["Shipping"])
Question = Text(MAX_FAQ_CHARS, min_chars=0, description="What a faq answers.", examples=["Do you ship to Canada?"])
Content = Filled(MAX_CONTENT_CHARS, description="Plain text; headings as in Markdown.", examples=["Yes, in 5 days."])
Url = Text(MAX_URL_CHARS, min_chars=0, description="The source a visitor is shown.", examples=["/shipping"])


class KnowledgeQuery(ListQuery, kw_only=True):
    """Which entries: of one type, with all of these words."""

    type: OneOf("all", "custom", "faq", "page") = "all"
    search: Text(200, min_chars=0) = ""


class NewEntry(msgspec.Struct, kw_only=True):
    """An entry to add; a faq needs its question."""

    type: OneOf("custom", "faq") = "custom"
    title: Title = ""
    question: Question = ""
    content: Content
    url: Url | None = None


class EntryChanges(msgspec.Struct, kw_only=True):
    """What changes of an entry."""

    type: OneOf("custom", "faq", "page") | msgspec.UnsetType = msgspec.UNSET
    title: Title | msgspec.UnsetType = msgspec.UNSET
    question: Question | msgspec.UnsetType = msgspec.UNSET
    content: Content | msgspec.UnsetType = msgspec.UNSET
    url: Url | msgspec.UnsetType | None = msgspec.UNSET


class KnowledgeEntryOut(msgspec.Struct, kw_only=True):
    """One entry; `lang` is the language its words are cut by."""

    id: int
    site_id: int
    type: str
    title: str
    question: str
    content: str
    url: str | None
    lang: str
    created_at: str
    changed_at: str


class Entries(msgspec.Struct, kw_only=True):
    """A page of entries, the newest first."""

    data: list[KnowledgeEntryOut]
    pagination: Pagination


class EntryOut(msgspec.Struct, kw_only=True):
    """One entry."""

    entry: KnowledgeEntryOut


class Batch(msgspec.Struct, kw_only=True):
    """Up to 1,000 entries: {type, title, question, content, url}."""

    entries: list[dict[str, Any]]


class Ids(msgspec.Struct, kw_only=True):
    """The entries' numbers, in their order."""

    ids: list[int]


class ImportForm(msgspec.Struct, kw_only=True):
    """With the file: its language, where it is known."""

    lang: Lang | None = None


class Imported(msgspec.Struct, kw_only=True):
    """`ids` in the order of the rows; `skipped`: [{row, error}]."""

    imported: int
    ids: list[int]
    skipped: list[dict]


class Count(msgspec.Struct, kw_only=True):
    """How many entries it met."""

    count: int


@endpoint(blueprint, "GET", "/sites/<int:site_id>/knowledge", query=KnowledgeQuery, answer=Entries, strict=True,
          caller=signed_in, errors=SEEN, summary="What a site knows")
def list_entries(member: Member, site_id: int, query: KnowledgeQuery) -> dict | Response:
    member.site(site_id)
    store, kind = member.parts.store, "" if query.type == "all" else query.type
    wanted = {"site_id": site_id, "kind": kind, "search": query.search}
    if query.format == "csv":
        def read(below: int) -> list[dict]:
            return [to_wire(row) for row in store.read_heavy(
                stored.slice_below, below=below, limit=SLICE_ROWS, **wanted
            )]

        return csv_answer("knowledge", COLUMNS, by_slices(read, MAX_CURSOR, lambda row: row["id"]))
    rows, total = store.read_heavy(stored.page, limit=query.per_page, offset=query.offset, **wanted)
    return page_answer([to_wire(row) for row in rows], total, query)


@endpoint(blueprint, "POST", "/sites/<int:site_id>/knowledge", body=NewEntry, answer=EntryOut, status=201, strict=True,
          caller=signed_in, errors=EDITED, summary="Add an entry")
def add_entry(member: Member, site_id: int, body: NewEntry) -> tuple[dict, int]:
    member.site(site_id, "can_edit")
    entry = checked(Entry(body.type, body.title.strip(), body.question.strip(), body.content, body.url or None))
    number = add_entries(member.parts.store, site_id, [entry])[0]
    return {"entry": to_wire(found(member.parts.store.read(stored.find, entry_id=number)))}, 201


@endpoint(blueprint, "GET", "/knowledge/<int:entry_id>", answer=EntryOut, strict=True, caller=signed_in, errors=SEEN,
          summary="One entry")
def one_entry(member: Member, entry_id: int) -> dict:
    return {"entry": to_wire(own(member, entry_id, None))}


@endpoint(blueprint, "PUT", "/knowledge/<int:entry_id>", body=EntryChanges, answer=EntryOut, strict=True,
          caller=signed_in, errors=EDITED, summary="Change an entry")
def change_entry(member: Member, entry_id: int, body: EntryChanges) -> dict:
    row = own(member, entry_id)
    values = {name: getattr(row, name) for name in ("type", "title", "question", "content", "url")} | given(body)
    values["url"] = values["url"] or None
    found(stored.change(member.parts.store, row.site_id, entry_id, checked(Entry(**values))) or None)
    return {"entry": to_wire(found(member.parts.store.read(stored.find, entry_id=entry_id)))}


@endpoint(blueprint, "DELETE", "/knowledge/<int:entry_id>", answer=Done, strict=True, caller=signed_in, errors=EDITED,
          summary="Remove an entry")
def remove_entry(member: Member, entry_id: int) -> dict:
    row = own(member, entry_id)
    remove_entries(member.parts.store, row.site_id, [entry_id])
    return {}


@endpoint(blueprint, "DELETE", "/sites/<int:site_id>/knowledge/all", answer=Count, strict=True, caller=signed_in,
          errors=EDITED, summary="Remove everything a site knows")
def remove_all(member: Member, site_id: int) -> dict:
    member.site(site_id, "can_edit")
    return {"count": remove_entries(member.parts.store, site_id)}


@endpoint(blueprint, "POST", "/sites/<int:site_id>/knowledge/import", form=ImportForm, files={"file": "*/*"},
          answer=Imported, status=201, strict=True, caller=signed_in, errors=EDITED,
          max_bytes=MAX_FILE_BYTES + 65_536, summary="Add the entries of a file")
def import_file(member: Member, site_id: int, form: ImportForm) -> tuple[dict, int]:
    member.site(site_id, "can_edit")
    file = request.files["file"]
    try:
        read = member.parts.reader.file(file.filename or "", file.stream.read(MAX_FILE_BYTES + 1))
    except ExtractError as problem:
        raise invalid(file=str(problem)) from None
    ids = add_entries(member.parts.store, site_id, read.entries, form.lang or "")
    return {"imported": len(ids), "ids": ids, "skipped": read.skipped}, 201


@endpoint(blueprint, "POST", "/sites/<int:site_id>/knowledge/batch", body=Batch, answer=Ids, status=201, strict=True,
          caller=signed_in, errors=EDITED, max_bytes=MAX_BATCH_BYTES, summary="Add many entries")
def add_batch(member: Member, site_id: int, body: Batch) -> tuple[dict, int]:
    member.site(site_id, "can_edit")
    if len(body.entries) > MAX_BATCH:
        raise invalid(entries=f"at most {MAX_BATCH} a call")
    entries = [_of_batch(place, values) for place, values in enumerate(body.entries)]
    return {"ids": add_entries(member.parts.store, site_id, entries)}, 201


@endpoint(blueprint, "POST", "/sites/<int:site_id>/knowledge/rebuild", body=Done, answer=Count, strict=True,
          caller=signed_in, errors=EDITED, summary="Make the index of a site anew")
def rebuild_index(member: Member, site_id: int, body: Done) -> dict:
    member.site(site_id, "can_edit")
    return {"count": rebuild(member.parts.store, site_id)}


def own(member: Member, entry_id: int, permission: str | None = "can_edit") -> Any:
    """The row of an entry of the member's sites. Raises ApiError not_found, forbidden."""
    row = found(member.parts.store.read(stored.find, entry_id=entry_id))
    member.site(row.site_id, permission)
    return row


def to_wire(row: Any) -> dict:
    """An entry as JSON shows it."""
    return {
        "id": row.id, "site_id": row.site_id, "type": row.type, "title": row.title, "question": row.question,
        "content": row.content, "url": row.url, "lang": row.lang, "created_at": to_time(row.created_ms),
        "changed_at": to_time(row.changed_ms),
    }  # fmt: skip


def checked(entry: Entry) -> Entry:
    """The entry, if it can be taken. Raises ApiError invalid."""
    if problem := entry.problem():
        raise invalid(**{problem.split(" ", 1)[0].lower() if problem[0].islower() else "content": problem})
    return entry


def _of_batch(place: int, values: dict[str, Any]) -> Entry:
    texts = {name: values.get(name) or "" for name in ("type", "title", "question", "content", "url")}
    if values.keys() - texts.keys() or not all(isinstance(text, str) for text in texts.values()):
        raise invalid(entries=f"entry {place}: type, title, question, content and url are texts; nothing else is known")
    kind = texts["type"] or ("faq" if texts["question"] else "custom")
    entry = Entry(kind, texts["title"] or texts["question"][:MAX_TITLE_CHARS], texts["question"], texts["content"],
                  texts["url"] or None)
    if problem := entry.problem():
        raise invalid(entries=f"entry {place}: {problem}")
    return entry
