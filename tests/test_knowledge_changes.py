"""Entries that several people change at once: the last text wins, and the index knows that one and no other."""

from __future__ import annotations

import threading

import pytest

from tests.knowledge import make_site
from vexar.knowledge import index, rebuild, stored
from vexar.knowledge.entries import Entry
from vexar.knowledge.index import add_entries, remove_entries
from vexar.knowledge.search import search
from vexar.models import KnowledgeChunk, KnowledgeEntry, KnowledgeTerm

FILLER = "A sentence that fills the page says nothing of interest at all. " * 30


def text_of(word, parts):
    sections = (f"# {word} {number}\n\n{word}{number} {FILLER}" for number in range(parts))
    return Entry("custom", f"About {word}", "", "\n\n".join(sections))


def rows_of(store, model, *where):
    return store.read(lambda tx: tx.all(model.select(model).where(*where)))


def check(store, site, number):
    """The index holds exactly what the entry's text gives."""
    [row] = rows_of(store, KnowledgeEntry, KnowledgeEntry.id == number)
    entry = Entry(row.type, row.title, row.question, row.content)
    parts = rows_of(store, KnowledgeChunk, KnowledgeChunk.entry_id == number)
    wanted = index.chunks(entry.content)
    assert sorted((part.heading, part.begins, part.ends) for part in parts) == sorted(
        (part.heading, part.begins, part.ends) for part in wanted)
    terms = rows_of(store, KnowledgeTerm, KnowledgeTerm.site_id == site.id)
    assert {term.chunk_id for term in terms} <= {part.id for part in parts}
    told = sum(len(index.field_counts(entry, part, row.lang)) for part in wanted)
    assert (len(terms), row.length > 0, row.index_version) == (told, True, index.INDEX_VERSION)


@pytest.mark.parametrize("interrupted", ["_add_chunks", "_insert_terms", "_finish"])
def test_who_is_overtaken_writes_nothing_more(store, monkeypatch, interrupted):
    site = make_site(store)
    number = add_entries(store, site.id, [text_of("heron", 2)])[0]
    real, calls = store.write, []

    def write(job, **args):
        if job.__name__ == interrupted and not calls:
            calls.append(1)
            assert stored.change(store, site.id, number, text_of("walrus", 3))
        return real(job, **args)

    monkeypatch.setattr(store, "write", write)
    assert stored.change(store, site.id, number, text_of("badger", 5))
    monkeypatch.undo()
    check(store, site, number)
    assert search(store, site.id, "walrus2").passages[0].entry_id == number
    assert search(store, site.id, "badger2").passages == ()


def test_many_changes_at_once_leave_one_whole_text(store):
    site = make_site(store)
    number = add_entries(store, site.id, [text_of("heron", 1)])[0]
    words = ("walrus", "badger", "otter", "lynx", "stoat", "vole")
    start = threading.Barrier(len(words) + 1)

    def change(word, parts):
        start.wait()
        stored.change(store, site.id, number, text_of(word, parts))

    def rebuild_all():
        start.wait()
        rebuild.rebuild(store, site.id)

    at_once = [threading.Thread(target=change, args=(word, place)) for place, word in enumerate(words, 1)]
    at_once.append(threading.Thread(target=rebuild_all))
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    check(store, site, number)


def test_an_entry_that_is_removed_while_it_is_changed_leaves_nothing_behind(store, monkeypatch):
    site = make_site(store)
    number = add_entries(store, site.id, [text_of("heron", 2)])[0]
    real = store.write

    def write(job, **args):
        if job.__name__ == "_add_chunks":
            monkeypatch.undo()
            remove_entries(store, site.id, [number])
        return real(job, **args)

    monkeypatch.setattr(store, "write", write)
    stored.change(store, site.id, number, text_of("badger", 2))
    for model in (KnowledgeEntry, KnowledgeChunk, KnowledgeTerm):
        assert rows_of(store, model, model.site_id == site.id) == []


@pytest.mark.parametrize("words", ["київ", "КИЇВ", "über uns", "Über", "ΑΘΉΝΑ", "/Ñu"])
def test_the_list_is_searched_without_regard_to_case_in_every_alphabet(store, words):
    site = make_site(store)
    [number] = add_entries(store, site.id, [Entry("custom", "ÜBER UNS", "", "Магазин у місті Київ. Αθήνα.", "/Ñusta")])
    rows, total = store.read_heavy(stored.page, site_id=site.id, kind="", search=words, limit=5, offset=0)
    assert ([row.id for row in rows], total) == ([number], 1)
