"""The knowledge endpoints, through HTTP: what is added is findable at once, and what is removed is not."""

from __future__ import annotations

import io

import pytest

from tests.cast import add_site
from tests.people import Person, open_house
from vexar.knowledge.crawling import rows as crawl_rows
from vexar.people.auth import PERMISSIONS

CSV = (
    "type,title,question,content,url\nfaq,Ship,Do you ship to Canada?,Yes in 5 days.,/c\nfaq,X,,Y,\ncustom,,,Walrus,\n"
)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_house(tmp_path_factory.mktemp("knowledge")) as app:
        yield app


@pytest.fixture
def olga(app):
    """She may edit one new site, `olga.site`."""
    site = add_site(app.extensions["vexar"].store)
    olga = Person(app, site_ids=(site.id,), **dict.fromkeys(PERMISSIONS, 1))
    olga.site = f"sites/{site.id}/knowledge"
    return olga


def upload(olga, name, data, **fields):
    return olga.client.post(
        f"/api/v1/{olga.site}/import", data={"file": (io.BytesIO(data), name), **fields},
        content_type="multipart/form-data", headers={"Authorization": f"Bearer {olga.token}"},
    )  # fmt: skip


def ask(olga, question):
    return olga.post(f"{olga.site}/ask", question=question).json


def test_an_import_answers_ids_in_row_order_and_all_are_findable(olga):
    answer = upload(olga, "shop.csv", CSV.encode(), lang="en")
    assert answer.status_code == 201
    assert (answer.json["success"], answer.json["imported"]) == (True, 2)
    assert answer.json["skipped"] == [{"row": 3, "error": "question is missing, and a faq needs one."}]
    first, second = answer.json["ids"]
    told = ask(olga, "do you ship to canada?")
    assert (told["sources"][0]["knowledge_id"], told["answered"]) == (first, True)
    assert ask(olga, "walrus")["sources"][0]["knowledge_id"] == second


@pytest.mark.parametrize(("name", "data"), [("a.exe", b"MZ"), ("a.pdf", b"%PDF"), ("a.csv", b"x\n1\n")])
def test_a_file_that_cannot_be_used_is_a_wrong_field(olga, name, data):
    answer = upload(olga, name, data)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["file"])


def test_an_entry_is_added_changed_found_by_its_new_words_only_and_removed(olga):
    added = olga.post(olga.site, type="faq", title="Hours", question="When are you open?", content="Nine to five.")
    assert added.status_code == 201
    number = added.json["entry"]["id"]
    assert olga.get(f"knowledge/{number}").json["entry"]["content"] == "Nine to five."
    changed = olga.put(f"knowledge/{number}", content="The walrus opens at ten.", url="/hours")
    assert (changed.json["entry"]["id"], changed.json["entry"]["url"]) == (number, "/hours")
    assert ask(olga, "walrus")["sources"][0]["knowledge_id"] == number
    assert ask(olga, "nine five")["sources"] == []
    assert olga.delete(f"knowledge/{number}").status_code == 200
    assert olga.get(f"knowledge/{number}").status_code == 404
    assert ask(olga, "walrus")["sources"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [({"type": "faq", "content": "x"}, "question"), ({"content": " "}, "content"),
     ({"type": "page", "content": "x"}, "type"),
     ({"content": "x", "more": 1}, "more")],
)  # fmt: skip
def test_a_wrong_entry_names_its_field(olga, body, field):
    answer = olga.post(olga.site, **body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_the_list_is_paged_filtered_searched_and_exported(olga):
    ids = olga.post(f"{olga.site}/batch", entries=[
        {"question": f"Question {n}?", "content": "=Answer", "url": "/q"} for n in range(5)
    ] + [{"content": "Ein Walroß für 100% Spaß", "title": "A_b"}]).json["ids"]  # fmt: skip
    page = olga.get(f"{olga.site}?per_page=2&page=2&type=faq").json
    assert [row["id"] for row in page["data"]] == [ids[2], ids[1]]
    assert page["pagination"] == {"total": 5, "page": 2, "per_page": 2, "pages": 3}
    for words, count in (("walroß", 1), ("100%", 1), ("a_b", 1), ("a%b", 0), ("question 3", 1), ("/q", 5), ("", 6)):
        found = olga.client.get(f"/api/v1/{olga.site}", query_string={"search": words},
                                headers={"Authorization": f"Bearer {olga.token}"}).json  # fmt: skip
        assert found["pagination"]["total"] == count, words
    table = olga.get(f"{olga.site}?format=csv").data.decode("utf-8-sig").splitlines()
    assert (len(table), table[2].split(",")[4]) == (7, "'=Answer")


def test_a_batch_is_all_or_nothing_and_at_most_a_thousand(olga):
    answer = olga.post(f"{olga.site}/batch", entries=[{"content": "fine"}, {"type": "faq", "content": "x"}])
    assert (answer.status_code, "entry 1" in answer.json["errors"]["entries"]) == (422, True)
    assert olga.post(f"{olga.site}/batch", entries=[{"content": "x"}] * 1001).status_code == 422
    assert olga.get(olga.site).json["pagination"]["total"] == 0
    ids = olga.post(f"{olga.site}/batch", entries=[{"content": f"word{n}"} for n in range(300)]).json["ids"]
    assert (len(set(ids)), ids) == (300, sorted(ids))
    assert ask(olga, "word250")["sources"][0]["knowledge_id"] == ids[250]
    assert olga.post(f"{olga.site}/rebuild").json["count"] == 300
    assert ask(olga, "word250")["sources"][0]["knowledge_id"] == ids[250]
    assert olga.delete(f"{olga.site}/all").json["count"] == 300
    assert ask(olga, "word250")["sources"] == []


def test_a_crawl_is_ordered_once_and_its_status_is_told(olga):
    site = olga.site.removesuffix("/knowledge")
    assert olga.get(f"{site}/crawl-status").json == {"success": True, "crawl": None}
    # Ordered, and in the hands of another worker.
    site_id = int(site.removeprefix("sites/"))
    assert olga.store.write(crawl_rows.begin, site_id=site_id)
    olga.store.write(crawl_rows.take, owner="another")
    answer = olga.post(f"{site}/crawl")
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    olga.store.write(crawl_rows.end, site_id=site_id, owner="another", outcome="complete", detail="")
    told = olga.get(f"{site}/crawl-status").json["crawl"]
    assert (told["state"], told["pages_done"], told["outcomes"]) == ("complete", 0, {})


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://127.0.0.1/", "file:///etc/hostname"])
def test_a_page_of_another_server_is_a_wrong_field(olga, url):
    answer = olga.post(f"{olga.site.removesuffix('/knowledge')}/crawl-url", url=url)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["url"])
