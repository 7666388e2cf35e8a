"""The team: invitations, what members may do where, leaving; the last owner stays."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cast import Visitor, add_site
from tests.people import PASSWORD, Person, open_house, token_of
from vexar.errors import ApiError
from vexar.models import LoginFailure, OneTimeLink, Operator, OperatorSession, OperatorSite, Presence
from vexar.people import team
from vexar.people.auth import hash_token
from vexar.store import open_store

NEW = "another battery staple"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_house(tmp_path_factory.mktemp("team")) as app:
        app.elsewhere = add_site(app.extensions["vexar"].store)
        yield app


@pytest.fixture
def store(app):
    return app.extensions["vexar"].store


@pytest.fixture
def owner(app, store):
    store.write(lambda tx: tx.run(LoginFailure.delete()))
    store.write(lambda tx: tx.run(Operator.update(is_owner=0)))
    return Person(app, is_owner=True, name="Ona")


def invite(owner, email="nina@shop.example", **fields):
    owner.store.write(lambda tx: tx.run(Operator.delete().where(Operator.email == email)))
    return owner.post("team", email=email, name="Nina", **fields)


def accept(app, link, **fields):
    body = {"token": token_of(link), "password": PASSWORD, **fields}
    return app.test_client().post("/api/v1/team/accept-invite", json=body)


def rows(store, model):
    return store.read(lambda tx: tx.all(model.select(model)))


# Inviting.


def test_an_invitation_is_a_link_for_seven_days_and_joining_signs_in(app, owner, store):
    answer = invite(owner, site_ids=[app.site.id], permissions={"can_edit": True})
    assert answer.status_code == 201
    member = answer.json["member"]
    assert member == {
        "id": member["id"], "email": "nina@shop.example", "name": "Nina", "avatar_url": None, "is_owner": False,
        "is_invited": True, "site_ids": [app.site.id], "created_at": member["created_at"],
        "permissions": {"can_chat": True, "can_view_conversations": True, "can_edit": True},
    }  # fmt: skip
    (link,) = [row for row in rows(store, OneTimeLink) if row.operator_id == member["id"]]
    assert link.token_hash == hash_token(token_of(answer.json["link"]))
    assert link.until_ms - link.created_ms == 7 * 24 * 3600 * 1000
    told = app.test_client().get(f"/api/v1/team/validate-invite?token={token_of(answer.json['link'])}").json
    assert told == {"success": True, "email": "nina@shop.example", "name": "Nina", "purpose": "invite"}
    joined = accept(app, answer.json["link"], name="Nina N")
    assert joined.json["user"]["name"] == "Nina N"
    assert owner.get("auth/me", token=joined.json["token"]).json["user"]["id"] == member["id"]
    assert owner.login(PASSWORD, email="nina@shop.example").status_code == 200


def test_every_link_that_does_not_work_is_the_same_answer(app, owner, store):
    used, replaced, expired, removed = (
        invite(owner, email=f"n{number}@shop.example").json for number in range(4)
    )
    accept(app, used["link"])
    owner.post(f"team/{replaced['member']['id']}/link")
    store.write(lambda tx: tx.run(OneTimeLink.update(until_ms=tx.now_ms()).where(
        OneTimeLink.operator_id == expired["member"]["id"]
    )))
    owner.delete(f"team/{removed['member']['id']}")
    before = rows(store, Operator), rows(store, OperatorSession)
    seen = set()
    for link in (used["link"], replaced["link"], expired["link"], removed["link"], "?token=made-up"):
        looked = app.test_client().get("/api/v1/team/validate-invite", query_string={"token": token_of(link)})
        seen |= {(looked.status_code, looked.data), (accept(app, link).status_code, accept(app, link).data)}
    assert len(seen) == 1
    assert seen.pop()[0] == 404
    assert (rows(store, Operator), rows(store, OperatorSession)) == before


def test_two_who_use_one_link_at_once_make_one_session(app, owner, store):
    made = invite(owner, email="twice@shop.example").json
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: accept(app, made["link"]).status_code, range(4)))
    assert sorted(answers) == [200, 404, 404, 404]
    assert len([row for row in rows(store, OperatorSession) if row.operator_id == made["member"]["id"]]) == 1


def test_an_address_of_the_team_is_not_invited_twice(owner):
    invite(owner)
    again = owner.post("team", email="NINA@shop.example", name="Nina")
    assert (again.status_code, again.json["errors"].keys()) == (422, {"email"})


def test_an_unknown_site_is_refused_and_nobody_is_invited(owner, store):
    before = rows(store, Operator)
    assert owner.post("team", email="x@shop.example", name="X", site_ids=[99999]).status_code == 422
    assert rows(store, Operator) == before


def test_a_link_for_a_new_password_works_for_an_hour_and_signs_out_everywhere_else(app, owner, store):
    nina = Person(app)
    for _ in range(5):
        nina.login("forgotten")
    answer = owner.post(f"team/{nina.id}/link").json
    assert "/console/password?token=" in answer["link"]
    (link,) = [row for row in rows(store, OneTimeLink) if row.operator_id == nina.id]
    assert link.until_ms - link.created_ms == 3600 * 1000
    joined = accept(app, answer["link"], password=NEW).json
    assert (nina.is_in(), nina.is_in(joined["token"])) == (False, True)
    assert nina.login(NEW).status_code == 200, "what was guessed before does not block the new password"


def test_a_new_password_makes_a_link_void(app, owner):
    nina = Person(app)
    link = owner.post(f"team/{nina.id}/link").json["link"]
    nina.post("auth/change-password", current_password=PASSWORD, new_password=NEW)
    assert accept(app, link).status_code == 404


# Lists.


def test_the_team_is_listed_by_pages_and_as_csv(app, owner):
    for number in range(3):
        Person(app, name=f"=Nina {number}")
    page = owner.get("team?per_page=2&page=2").json
    assert len(page["data"]) == 2
    assert page["pagination"] == {
        "total": page["pagination"]["total"], "page": 2, "per_page": 2, "pages": -(-page["pagination"]["total"] // 2)
    }
    everybody = owner.get("team?per_page=100").json["data"]
    assert [one["id"] for one in everybody] == sorted(one["id"] for one in everybody)
    file = owner.get("team?format=csv")
    assert file.data.startswith(b"\xef\xbb\xbfid,email,name")
    assert b",'=Nina 1," in file.data


def test_colleagues_see_names_and_rights_and_no_addresses(app, owner, store):
    nina = Person(app, site_ids=(app.site.id,), name="Nina", can_edit=1)
    otto = Person(app, site_ids=(app.elsewhere.id,), name="Otto")
    store.write(lambda tx: tx.run(Presence.insert(
        operator_id=nina.id, site_id=app.site.id, is_online=1, seen_ms=tx.now_ms()
    )))
    found = {one["id"]: one for one in nina.get(f"sites/{app.site.id}/team").json["data"]}
    assert otto.id not in found
    assert found[nina.id] == {
        "id": nina.id, "name": "Nina", "avatar_url": None, "is_owner": False, "online": True, "can_chat": True,
        "can_view_conversations": True, "can_edit": True,
    }  # fmt: skip
    assert (found[owner.id]["is_owner"], found[owner.id]["online"], found[owner.id]["can_edit"]) == (True, False, True)


def test_my_access_says_what_one_may_do(app, owner):
    nina = Person(app, site_ids=(app.site.id,), can_chat=0)
    mine = {"is_owner": False, "can_chat": False, "can_view_conversations": True, "can_edit": False}
    assert nina.get(f"sites/{app.site.id}/my-access").json == {"success": True, **mine}
    assert nina.get(f"sites/{app.elsewhere.id}/my-access").status_code == 404
    assert owner.get(f"sites/{app.elsewhere.id}/my-access").json["can_edit"] is True


# Changing.


def test_sites_and_permissions_change_at_once(app, owner):
    nina = Person(app, site_ids=(app.site.id,))
    changed = owner.put(f"team/{nina.id}", site_ids=[app.elsewhere.id], permissions={"can_edit": True}).json["member"]
    assert (changed["site_ids"], changed["permissions"]["can_edit"]) == ([app.elsewhere.id], True)
    assert nina.get(f"sites/{app.site.id}/my-access").status_code == 404
    assert nina.get(f"sites/{app.elsewhere.id}/my-access").json["can_edit"] is True


def test_who_is_taken_off_a_site_lets_its_conversations_go_there_and_keeps_the_others(app, owner):
    nina = Person(app, site_ids=(app.site.id, app.elsewhere.id))
    visitors = [Visitor(app.test_client(), site.site_key) for site in (app.site, app.elsewhere)]
    for site, visitor in zip((app.site, app.elsewhere), visitors, strict=True):
        visitor.ask("Hello")
        app.extensions["vexar"].conversations.accept(site.id, visitor.session_id, nina)
    owner.put(f"team/{nina.id}", site_ids=[app.elsewhere.id])
    assert [visitor.people(since=0)["mode"] for visitor in visitors] == ["ai", "operator"]


def test_a_change_of_one_thing_keeps_the_others(app, owner):
    nina = Person(app, site_ids=(app.site.id,), can_edit=1)
    before = owner.put(f"team/{nina.id}").json["member"]
    assert owner.put(f"team/{nina.id}", name="Nina N").json["member"] == {**before, "name": "Nina N"}
    after = owner.put(f"team/{nina.id}", site_ids=[app.site.id, app.elsewhere.id]).json["member"]
    assert after["permissions"] == before["permissions"]
    narrowed = owner.put(f"team/{nina.id}", permissions={"can_chat": False}).json["member"]
    assert narrowed["site_ids"] == [app.site.id, app.elsewhere.id]
    assert narrowed["permissions"] == {"can_chat": False, "can_view_conversations": True, "can_edit": False}


def test_an_email_is_free_or_refused(app, owner):
    nina, otto = Person(app), Person(app)
    assert owner.put(f"team/{nina.id}", email=otto.email.upper()).status_code == 422
    assert owner.put(f"team/{nina.id}", email=f"new-{nina.email}").json["member"]["email"] == f"new-{nina.email}"
    assert nina.login(email=f"new-{nina.email}").status_code == 200


def test_a_link_that_went_to_a_wrong_address_is_void_when_the_address_is_put_right(app, owner):
    sent = invite(owner, "wrong@shop.example").json
    number, token = sent["member"]["id"], token_of(sent["link"])
    assert owner.put(f"team/{number}", name="Nina", email="WRONG@shop.example").status_code == 200
    assert app.test_client().get(f"/api/v1/team/validate-invite?token={token}").status_code == 200
    assert owner.put(f"team/{number}", email="right@shop.example").status_code == 200
    assert app.test_client().get(f"/api/v1/team/validate-invite?token={token}").status_code == 404
    assert token_of(owner.post(f"team/{number}/link").json["link"]) != token


# Leaving.


def test_who_is_removed_is_out_at_once_and_the_name_and_the_address_stay_and_go(app, owner, store):
    nina = Person(app, site_ids=(app.site.id,), name="Nina")
    key, link = nina.post("auth/api-key").json["api_key"], owner.post(f"team/{nina.id}/link").json["link"]
    ann = Visitor(app.test_client(), app.site.site_key)
    ann.ask("Hello")
    live = app.extensions["vexar"]
    live.conversations.say(app.site.id, ann.session_id, nina, content="Good morning")
    assert ann.people(since=0)["mode"] == "operator"

    assert owner.delete(f"team/{nina.id}").status_code == 200
    assert not nina.is_in()
    assert not nina.is_in(key)
    assert nina.login().status_code == 401
    assert accept(app, link).status_code == 404
    assert nina.id not in {one["id"] for one in owner.get("team?per_page=100").json["data"]}
    assert [row for row in rows(store, OperatorSite) if row.operator_id == nina.id] == []
    said = [message for message in ann.history() if message["role"] == "operator"]
    assert [message["operator"]["name"] for message in said] == ["Nina"]
    assert ann.people(since=0)["mode"] == "ai", "nobody is left waiting for somebody who is gone"
    assert owner.post("team", email=nina.email, name="Nina again").status_code == 201
    assert owner.delete(f"team/{nina.id}").status_code == 404


def test_the_last_owner_can_be_neither_removed_nor_demoted(app, owner):
    Person(app, is_owner=True, has_password=False)
    for answer in (owner.delete(f"team/{owner.id}"), owner.put(f"team/{owner.id}", is_owner=False)):
        assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert owner.put(f"team/{owner.id}", name="Ona O").status_code == 200
    other = Person(app, is_owner=True)
    assert other.put(f"team/{owner.id}", is_owner=False).json["member"]["is_owner"] is False
    assert other.delete(f"team/{other.id}").status_code == 409


def test_two_owners_who_demote_each_other_at_once_leave_one(engine, make_database):
    url = make_database(engine)
    with contextlib.closing(open_store(url)) as one, contextlib.closing(open_store(url)) as other:
        for round_number in range(5):
            ids = [one.write(_add_owner, name=f"{round_number}-{number}") for number in range(2)]

            def demote(store, operator_id):
                try:
                    store.write(team.change, operator_id=operator_id, site_ids=None, rights=None, is_owner=False)
                except ApiError as problem:
                    return problem.code

            with ThreadPoolExecutor(2) as pool:
                done = [pool.submit(demote, *pair) for pair in zip((one, other), ids, strict=True)]
                assert {task.result() for task in done} == {None, "conflict"}
            one.write(lambda tx: tx.run(Operator.delete()))


def _add_owner(tx, *, name):
    return tx.insert(Operator.insert(email=name, name=name, is_owner=1, created_ms=1, password_hash="x"))
