"""Sites over HTTP: making and changing them, the tag, the key; canned replies; who may make answers."""

from __future__ import annotations

import pytest

from tests.cast import API, Cast, open_app
from tests.desk import Desk


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("sites")) as app:
        yield app


@pytest.fixture
def cast(app):
    return Cast(app)


@pytest.fixture
def owner(cast):
    return Desk(cast.client, cast.store, name="Olga", is_owner=True)


@pytest.fixture
def editor(cast):
    return Desk(cast.client, cast.store, cast.site.id, name="Edda", can_chat=0, can_view_conversations=0, can_edit=1)


@pytest.fixture
def chatter(cast):
    return Desk(cast.client, cast.store, cast.site.id, name="Carl", can_edit=0)


def config_of(cast, site_key, **headers):
    """What the widget is told."""
    return cast.client.get(f"{API}/chat/config", query_string={"site_key": site_key}, headers=headers)


def test_a_new_site_works_at_once_with_its_origins(cast, owner):
    made = owner.post("sites", url="https://lamps.example/shop?x=1")
    assert made.status_code == 201
    site = made.json["site"]
    assert (site["name"], site["is_active"]) == ("lamps.example", True)
    assert site["allowed_origins"] == ["https://lamps.example", "https://www.lamps.example"]
    assert made.json["code"] == (
        f'<script src="http://localhost/widget/chatbot.js" data-key="{site["site_key"]}" async></script>'
    )
    assert config_of(cast, site["site_key"], Origin="https://www.lamps.example").json["name"] == "lamps.example"
    assert config_of(cast, site["site_key"], Origin="https://other.example").status_code == 403
    assert owner.get(f"sites/{site['id']}").json["site"] == site
    assert site in owner.get("sites", per_page=100).json["data"]


@pytest.mark.parametrize("url", ["", " ", "lamps.example", "ftp://lamps.example", "https://", "https://a b", None, 7,
                                 "javascript:alert(1)", "https://x:99999", "https://" + "a" * 2_000])  # fmt: skip
def test_an_address_that_is_none_is_refused(owner, url):
    refused = owner.post("sites", url=url)
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["url"])


def test_unknown_fields_are_refused_and_nothing_is_made(owner):
    before = owner.get("sites", per_page=100).json
    assert owner.post("sites", url="https://a.example", colour="red").json["errors"] == {
        "colour": "is not a known field"
    }
    assert owner.get("sites", per_page=100).json == before


def test_an_operator_sees_its_own_sites_only(cast, owner, chatter):
    assert [site["id"] for site in chatter.get("sites", per_page=100).json["data"]] == [cast.site.id]
    assert {cast.site.id, cast.elsewhere.id} <= {site["id"] for site in owner.get("sites", per_page=100).json["data"]}
    for path in ("", "/widget-code", "/chatbot", "/canned-replies", "/nudge/rules", "/nudge/analytics"):
        assert chatter.get(f"sites/{cast.elsewhere.id}{path}").status_code == 404


@pytest.mark.parametrize("path", ["sites/{}", "conversations/{}/export", "visitors/{}/export", "sites/{}/chatbot"])
def test_a_number_that_no_row_can_have_is_found_nowhere(owner, path):
    for number in (0, 2**31, 2**53, 2**63, 10**30):
        assert owner.get(path.format(number)).status_code == 404


def test_name_address_and_activity_change_alone(cast, editor):
    path = f"sites/{cast.site.id}"
    before = editor.get(path).json["site"]
    changed = editor.put(path, name="Lamps & more").json["site"]
    assert changed == before | {"name": "Lamps & more"}
    assert editor.put(path, is_active=False).json["site"]["is_active"] is False
    assert config_of(cast, cast.site.site_key).json["code"] == "site_not_found"
    editor.put(path, is_active=True, url="https://new.example")
    assert config_of(cast, cast.site.site_key).status_code == 200
    assert editor.put(path, name=None).status_code == editor.put(path, name=" ").status_code == 422


def test_a_new_key_takes_the_old_ones_place(cast, owner):
    answer = owner.post(f"sites/{cast.site.id}/rotate-key").json
    assert answer["site_key"].startswith("sk_")
    assert answer["site_key"] in answer["code"]
    assert config_of(cast, cast.site.site_key).status_code == 404
    assert config_of(cast, answer["site_key"]).status_code == 200
    assert owner.get(f"sites/{cast.site.id}/widget-code").json["site_key"] == answer["site_key"]


def test_what_is_the_owners_alone_is_refused_to_others(cast, editor):
    assert editor.post("sites", url="https://a.example").status_code == 403
    assert editor.post(f"sites/{cast.site.id}/rotate-key").status_code == 403
    assert editor.delete(f"sites/{cast.site.id}").status_code == 403
    assert config_of(cast, cast.site.site_key).status_code == 200


def test_the_providers_say_which_are_there(owner):
    answer = owner.get("ai-providers").json
    assert [(one["id"], one["is_available"]) for one in answer["providers"]] == [("builtin", True), ("openai", True)]
    assert answer["default"] == "openai"


# Canned replies.


def test_replies_are_written_by_editors_and_read_by_whoever_chats(cast, editor, chatter):
    path = f"sites/{cast.site.id}/canned-replies"
    made = editor.post(path, shortcut="zip", content="Hello {name}\nGood day")
    assert made.status_code == 201
    reply = made.json["reply"]
    editor.post(path, shortcut="bye", content="Bye")
    assert [one["shortcut"] for one in chatter.get(path).json["data"]] == ["bye", "zip"]
    assert reply in editor.get(path).json["data"]
    changed = editor.put(f"{path}/{reply['id']}", content="Hi").json["reply"]
    assert changed == reply | {"content": "Hi"}
    for refused in (chatter.post(path, shortcut="x", content="y"), chatter.put(f"{path}/{reply['id']}", content="y"),
                    chatter.delete(f"{path}/{reply['id']}")):  # fmt: skip
        assert refused.status_code == 403
    assert editor.delete(f"{path}/{reply['id']}").json == {"success": True}
    assert editor.delete(f"{path}/{reply['id']}").status_code == 404
    assert len(editor.get(path).json["data"]) == 1


def test_a_shortcut_is_one_word_and_used_once(cast, editor, owner):
    path = f"sites/{cast.site.id}/canned-replies"
    editor.post(path, shortcut="hi", content="Hello")
    other = editor.post(path, shortcut="bye", content="Bye").json["reply"]
    for refused in (
        editor.post(path, shortcut="hi", content="x"), editor.put(f"{path}/{other['id']}", shortcut="hi"),
        editor.post(path, shortcut="two words", content="x"), editor.post(path, shortcut="a/b", content="x"),
        editor.post(path, shortcut="", content="x"), editor.post(path, shortcut="s" * 41, content="x"),
    ):
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["shortcut"])
    assert editor.post(path, shortcut="empty", content=" ").status_code == 422
    # The same word is free on another site.
    assert owner.post(f"sites/{cast.elsewhere.id}/canned-replies", shortcut="hi", content="x").status_code == 201


def test_a_reply_of_another_site_cannot_be_met_through_ones_own(cast, editor, owner):
    theirs = owner.post(f"sites/{cast.elsewhere.id}/canned-replies", shortcut="hi", content="x").json["reply"]
    path = f"sites/{cast.site.id}/canned-replies/{theirs['id']}"
    assert editor.put(path, content="stolen").status_code == editor.delete(path).status_code == 404


def test_a_site_has_a_bounded_number_of_replies(cast, editor, monkeypatch):
    monkeypatch.setattr("vexar.sites.canned.MAX_REPLIES", 2)
    path = f"sites/{cast.site.id}/canned-replies"
    made = [editor.post(path, shortcut=f"r{number}", content="x").status_code for number in range(3)]
    assert made == [201, 201, 422]


@pytest.mark.parametrize("path", ["sites", "sites/{}/canned-replies", "sites/{}/team"])
def test_short_lists_come_in_pages_and_as_csv_too(cast, owner, path):
    path = path.format(cast.site.id)
    for number in range(3):
        owner.post("sites", url=f"https://shop{number}.example")
        owner.post(f"sites/{cast.site.id}/canned-replies", shortcut=f"r{number}", content="=1+1")
        Desk(cast.client, cast.store, cast.site.id, name=f"Colleague {number}")
    whole = owner.get(path, per_page=100).json
    assert len(whole["data"]) == whole["pagination"]["total"] >= 3
    second = owner.get(path, page=2, per_page=1).json
    assert second["data"] == whole["data"][1:2]
    assert second["pagination"] == {
        "total": len(whole["data"]), "page": 2, "per_page": 1, "pages": len(whole["data"])
    }
    assert owner.get(path, per_page=101).status_code == 422
    file = owner.get(path, format="csv")
    assert file.content_type == "text/csv; charset=utf-8"
    assert file.text.count("\n") == 1 + len(whole["data"])
    assert ",=" not in file.text
