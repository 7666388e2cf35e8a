"""Putting entries in and taking them out, on each engine."""

from __future__ import annotations

import threading

import pytest

from tests.knowledge import SHOP, faq, make_site
from vexar.errors import ApiError
from vexar.knowledge.entries import Entry
from vexar.knowledge.index import ENTRIES_PER_JOB, ROWS_PER_JOB, add_entries, remove_entries
from vexar.knowledge.rebuild import rebuild
from vexar.knowledge.search import search
from vexar.models import KnowledgeChunk, KnowledgeEntry, KnowledgeTerm, Site


def rows_of(store, model, site_id):
    return store.read(lambda tx: tx.all(model.select().where(model.site_id == site_id)))


def first(store, site, question):
    passages = search(store, site.id, question).passages
    return passages[0].entry_id if passages else None


def test_added_entries_are_found_when_the_call_returns(store):
    site = make_site(store)
    ids = add_entries(store, site.id, SHOP)
    assert len(set(ids)) == len(SHOP)
    assert first(store, site, "can I return it?") == ids[1]


def test_the_stored_text_is_exactly_what_was_given(store):
    site = make_site(store)
    entry = Entry("faq", "Tïtle 👋", "Que​stion? ", "عربي \n 日本 e\u0301 ' \" \\ %s", "/x?a=1")
    (number,) = add_entries(store, site.id, [entry])
    (row,) = rows_of(store, KnowledgeEntry, site.id)
    assert (row.id, row.type, row.title, row.question, row.content, row.url) == (
        number, entry.type, entry.title, entry.question, entry.content, entry.url)


def test_the_same_import_again_doubles_nothing_and_gives_the_same_ids(store):
    site = make_site(store)
    ids = add_entries(store, site.id, SHOP)
    terms = rows_of(store, KnowledgeTerm, site.id)
    assert add_entries(store, site.id, [SHOP[2], *SHOP, SHOP[0]]) == [ids[2], *ids, ids[0]]
    assert len(rows_of(store, KnowledgeEntry, site.id)) == len(SHOP)
    assert sorted(rows_of(store, KnowledgeTerm, site.id)) == sorted(terms)


def test_the_same_content_with_another_url_moves_the_url(store):
    site = make_site(store)
    ids = add_entries(store, site.id, [faq("Do you ship?", "Yes.", "/old")])
    assert add_entries(store, site.id, [faq("Do you ship?", "Yes.", "/new")]) == ids
    assert add_entries(store, site.id, [faq("Do you ship?", "Yes.")]) == ids
    assert [row.url for row in rows_of(store, KnowledgeEntry, site.id)] == ["/new"]


def test_two_servers_that_import_at_once_write_each_entry_once(store):
    site = make_site(store)
    entries = [faq(f"What about thing number {n}?", f"Thing {n} is fine.") for n in range(60)]
    answers = []
    both = [threading.Thread(target=lambda: answers.append(add_entries(store, site.id, entries))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert answers[0] == answers[1]
    assert len(rows_of(store, KnowledgeEntry, site.id)) == len(entries)


def test_an_import_that_died_halfway_is_not_found_and_is_completed_by_the_next(store):
    site = make_site(store)
    (number,) = add_entries(store, site.id, SHOP[:1])

    def as_if_it_died(tx):
        tx.run(KnowledgeEntry.update(length=0, index_version=0).where(KnowledgeEntry.id == number))
        tx.run(KnowledgeTerm.delete().where(KnowledgeTerm.site_id == site.id, KnowledgeTerm.term != "canada"))
        tx.run(Site.update(knowledge_version=Site.knowledge_version + 1))

    store.write(as_if_it_died)
    assert first(store, site, "canada") is None
    assert add_entries(store, site.id, SHOP[:1]) == [number]
    assert first(store, site, "do you ship there?") == number


def test_a_long_entry_is_indexed_to_its_last_word(store):
    site = make_site(store)
    words = " ".join(f"word{n}" for n in range(ROWS_PER_JOB * 2 + 7))
    (number,) = add_entries(store, site.id, [Entry("custom", "Long", "", words + " zebra")])
    assert first(store, site, "zebra") == number


def test_no_write_job_of_an_import_is_large(store, monkeypatch):
    """The contract's bound: 200 rows, or leases run out behind an import."""
    site = make_site(store)
    sizes = []
    write = store.write

    def counted(job, **arguments):
        def counting(tx, **given):
            run = tx._run
            rows = 0

            def count(sql, values):
                nonlocal rows
                cursor = run(sql, values)
                rows += max(0, cursor.rowcount) if not sql.startswith("SELECT") else 0
                return cursor

            tx._run = count
            result = job(tx, **given)
            sizes.append(rows)
            return result

        return write(counting, **arguments)

    monkeypatch.setattr(store, "write", counted)
    entries = [faq(f"What about {n}?", " ".join(f"word{n}x{m}" for m in range(30))) for n in range(120)]
    add_entries(store, site.id, entries)
    remove_entries(store, site.id)
    # REPLACE on MySQL counts a replaced row twice, and none is replaced here; one more is the site's version.
    assert len(sizes) > 20
    assert max(sizes) <= 201


def test_removed_entries_are_gone_with_their_terms(store):
    site = make_site(store)
    ids = add_entries(store, site.id, SHOP)
    assert remove_entries(store, site.id, [ids[0], ids[0], 999_999]) == 1
    assert first(store, site, "canada") is None
    chunks = rows_of(store, KnowledgeChunk, site.id)
    assert {row.entry_id for row in chunks} == set(ids[1:])
    assert {row.chunk_id for row in rows_of(store, KnowledgeTerm, site.id)} == {row.id for row in chunks}
    assert remove_entries(store, site.id) == len(SHOP) - 1
    assert [rows_of(store, model, site.id) for model in (KnowledgeTerm, KnowledgeChunk, KnowledgeEntry)] == [[]] * 3


def test_one_site_never_touches_or_finds_what_another_knows(store):
    ours, theirs = make_site(store, "sk_ours"), make_site(store, "sk_theirs")
    ids = add_entries(store, ours.id, SHOP)
    assert search(store, theirs.id, "Do you ship to Canada?").passages == ()
    assert remove_entries(store, theirs.id, ids) == remove_entries(store, theirs.id) == 0
    copies = add_entries(store, theirs.id, SHOP)
    assert not set(copies) & set(ids)
    assert first(store, ours, "canada") == ids[0]


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        (Entry("story", "T", "", "text"), "type"),
        (Entry("custom", "T", "", "  \n"), "content"),
        (Entry("faq", "T", " ", "text"), "question"),
        (Entry("custom", "T" * 501, "", "text"), "title"),
        (Entry("custom", "T", "", "text", "/" + "x" * 2000), "url"),
        (Entry("custom", "T", "", "text", " java\nScript:alert(1)"), "url"),
        (Entry("custom", "T", "", "text", "data:text/html,x"), "url"),
        (Entry("custom", "T", "", "te\0xt"), "character"),
        (Entry("custom", "T", "", "te\ud800xt"), "character"),
    ],
)
def test_an_entry_that_cannot_be_stored_is_refused_before_anything_is(make_database, entry, word):
    from vexar.store import open_store

    store = open_store(make_database("sqlite"))
    site = make_site(store)
    with pytest.raises(ValueError, match=word):
        add_entries(store, site.id, [SHOP[0], entry])
    assert rows_of(store, KnowledgeEntry, site.id) == []
    store.close()


class Meanwhile:
    """The store, but somebody else's work is done between the first look and the first write."""

    def __init__(self, store, work):
        self._store, self._work = store, work

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, job, **arguments):
        work, self._work = self._work, None
        if work:
            work()
        return self._store.write(job, **arguments)


def test_what_another_server_stores_between_look_and_write_is_not_stored_again(store):
    site_id = make_site(store).id
    count = 3 * ENTRIES_PER_JOB
    many = [Entry("faq", f"Title {number}", f"Question {number}?", f"Content {number}.") for number in range(count)]
    theirs = []
    ours = add_entries(Meanwhile(store, lambda: theirs.extend(add_entries(store, site_id, many))), site_id, many)
    assert ours == theirs
    assert len(set(ours)) == count


def test_a_rebuild_leaves_the_time_of_the_last_change(store):
    site = make_site(store)
    add_entries(store, site.id, SHOP)
    long_ago = KnowledgeEntry.update({KnowledgeEntry.changed_ms: 7}).where(KnowledgeEntry.site_id == site.id)
    store.write(lambda tx: tx.run(long_ago))
    rebuild(store, site.id)
    assert {row.changed_ms for row in rows_of(store, KnowledgeEntry, site.id)} == {7}
    assert first(store, site, "can I return it?")


def test_nothing_is_stored_for_a_site_that_is_gone(store):
    with pytest.raises(ApiError, match="site"):
        add_entries(store, 999_999, SHOP)
    assert rows_of(store, KnowledgeEntry, 999_999) == []
