"""The console's pages and its cookie: who gets in, what a page may do, and that no other page can use the session."""

from __future__ import annotations

import re
import secrets

import pytest

from tests.cast import add_site
from tests.people import PASSWORD, Person, open_house, token_of
from vexar.models import LoginFailure, Operator, OperatorSession
from vexar.routes.console import TITLES, read_files

HTTPS = {"REMOTE_ADDR": "10.9.9.9", "HTTP_X_FORWARDED_FOR": "203.0.113.5", "HTTP_X_FORWARDED_PROTO": "https"}
PAGES = ("/console/", "/console/inbox/12", "/console/login", "/console/password", "/console/join?token=x")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_house(tmp_path_factory.mktemp("console"), trusted_proxies="10.9.9.9") as app:
        app.elsewhere = add_site(app.extensions["vexar"].store)
        yield app


@pytest.fixture
def store(app):
    return app.extensions["vexar"].store


@pytest.fixture
def olga(app, store):
    store.write(lambda tx: tx.run(LoginFailure.delete()))
    return Person(app, site_ids=(app.site.id,))


def enter(person, **options):
    """Sign in by the page."""
    body = {"email": person.email, "password": PASSWORD}
    return person.client.post("/console/login", json=body, **options)


def csrf_of(person):
    """The token in the shell."""
    return re.search(r'<meta name="csrf" content="([0-9a-f]{64})">', person.client.get("/console/").text)[1]


def sessions(store, person):
    return store.read(lambda tx: tx.all(OperatorSession.select(OperatorSession.token_hash).where(
        OperatorSession.operator_id == person.id
    )))


# Pages.


def test_every_page_has_the_strict_headers(olga):
    for is_in in (False, True):
        for path in PAGES:
            answer = olga.client.get(path)
            if answer.status_code == 303:
                continue
            policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
            assert policy["default-src"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
            assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
            assert policy["require-trusted-types-for"] == "'script'"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.content_type == "text/html; charset=utf-8"
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:", answer.text)
        if not is_in:
            enter(olga)


def test_who_is_not_in_is_sent_to_the_login_and_comes_back(app):
    stranger = app.test_client()
    answer = stranger.get("/console/inbox/12?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login?next=/console/inbox/12")
    assert stranger.get("/console/").headers["Location"] == "/console/login"
    assert stranger.get("/console").status_code == 303


def test_who_is_in_gets_the_shell_and_no_login(olga):
    enter(olga)
    assert 'id="main"' in olga.client.get("/console/inbox").text
    answer = olga.client.get("/console/login")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/")


@pytest.mark.parametrize(("path", "page", "status"), [
    ("login", "login", 200), ("password", "forgotten", 200), ("password?token=x", "dead", 404), ("join", "dead", 404),
    ("setup?token=x", "dead", 404),
])  # fmt: skip
def test_the_pages_to_get_in(app, path, page, status):
    answer = app.test_client().get(f"/console/{path}")
    assert (answer.status_code, f"<h1>{TITLES[page]}</h1>" in answer.text) == (status, True)


def test_the_page_of_an_invitation_names_whom_it_is_for_and_nothing_of_it_is_code(app, olga):
    owner = Person(app, is_owner=True)
    name = '"><img src=x onerror=alert(1)>'
    link = owner.post("team", email=f"{secrets.token_hex(4)}@shop.example", name=name).json["link"]
    page = app.test_client().get(link.removeprefix("http://127.0.0.1:8000"))
    assert (page.status_code, "@shop.example</strong>" in page.text) == (200, True)
    assert "<img src=x" not in page.text


def test_files_of_this_version_are_kept_and_others_are_asked_again(app):
    client = app.test_client()
    version, files = read_files()
    assert {"app.js", "app.css", "entry.js", "entry.css", "icon.svg"} <= set(files)
    for name in files:
        answer = client.get(f"/console/static/{version}/{name}")
        assert (answer.status_code, "immutable" in answer.headers["Cache-Control"]) == (200, True), name
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/console/static/app.js").headers["Cache-Control"] == "no-cache"
    assert client.get("/console/static/0000/app.js").headers["Cache-Control"] == "no-cache"
    for wrong in ("app.html", "../widget/chatbot.js", "nothing.js"):
        assert client.get(f"/console/static/{wrong}").status_code == 404


def test_the_shell_loads_files_of_this_version(olga):
    enter(olga)
    version, files = read_files()
    named = re.findall(r'(?:href|src)="/console/static/([^"]+)"', olga.client.get("/console/").text)
    assert named
    for path in named:
        assert path.partition("/")[0] == version
        assert path.partition("/")[2] in files


# The cookie.


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(olga):
    answer = enter(olga)
    assert answer.json["user"]["id"] == olga.id
    assert "token" not in answer.json
    (cookie,) = answer.headers.getlist("Set-Cookie")
    parts = cookie.split("; ")
    assert parts[0].startswith("vexar_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"} <= set(parts)
    assert "Secure" not in parts
    assert not any(part.startswith("Domain") for part in parts)
    assert olga.client.get("/api/v1/auth/me").json["user"]["id"] == olga.id


def test_on_https_the_cookie_is_secure_and_no_other_host_can_plant_one(olga):
    (cookie,) = enter(olga, environ_overrides=HTTPS).headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-vexar_session=")
    assert "; Secure" in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    fresh = olga.client.application.test_client(use_cookies=False)
    headers = {"Cookie": f"vexar_session={token}"}
    assert fresh.get("/api/v1/auth/me", headers=headers, environ_overrides=HTTPS).status_code == 401
    headers = {"Cookie": f"__Host-vexar_session={token}"}
    assert fresh.get("/api/v1/auth/me", headers=headers, environ_overrides=HTTPS).status_code == 200


def test_a_cookie_writes_only_with_its_own_csrf_token(app, olga, store):
    other = Person(app)
    enter(olga), enter(other)
    before = store.read(lambda tx: tx.all(Operator.select(Operator)))
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": csrf_of(other)}):
        answer = olga.client.put("/api/v1/auth/me", json={"name": "Mallory"}, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert store.read(lambda tx: tx.all(Operator.select(Operator))) == before
    headers = {"X-CSRF-Token": csrf_of(olga)}
    assert olga.client.put("/api/v1/auth/me", json={"name": "Olga K"}, headers=headers).status_code == 200


def test_a_bearer_token_needs_no_csrf_token_and_wins_over_the_cookie(app, olga):
    other = Person(app)
    enter(olga)
    headers = {"Authorization": f"Bearer {other.token}"}
    assert olga.client.put("/api/v1/auth/me", json={}, headers=headers).json["user"]["id"] == other.id
    assert olga.client.get("/api/v1/auth/me", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize("path", ["/console/logout", "/api/v1/auth/logout"])
def test_signing_out_ends_the_session_and_takes_the_cookie_away(olga, store, path):
    enter(olga)
    before = len(sessions(store, olga))
    assert olga.client.post(path).status_code == 403
    assert len(sessions(store, olga)) == before
    answer = olga.client.post(path, headers={"X-CSRF-Token": csrf_of(olga)})
    assert (answer.status_code, len(sessions(store, olga))) == (200, before - 1)
    assert re.match(r"vexar_session=;.*Max-Age=0", answer.headers["Set-Cookie"])
    assert olga.client.get("/console/inbox").status_code == 303
    assert olga.client.post("/console/logout").status_code == 401


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
])  # fmt: skip
def test_no_other_page_can_sign_somebody_in(olga, store, headers):
    before = sessions(store, olga)
    for path in ("login", "join", "password", "setup"):
        body = {"email": olga.email, "password": PASSWORD} if path == "login" else {"token": "x", "password": PASSWORD}
        answer = olga.client.post(f"/console/{path}", json=body, headers=headers)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)
    assert sessions(store, olga) == before


def test_vexars_own_page_signs_in(olga):
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert enter(olga, headers=own).status_code == 200


def test_wrong_passwords_count_here_too(olga):
    statuses = [
        olga.client.post("/console/login", json={"email": olga.email, "password": "wrong"}).status_code
        for _ in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2


def test_joining_and_a_new_password_sign_in(app, olga):
    owner = Person(app, is_owner=True)
    link = owner.post("team", email=f"{secrets.token_hex(4)}@shop.example", name="Nina").json["link"]
    nina = app.test_client()
    body = {"token": token_of(link), "password": PASSWORD, "name": "Nina N"}
    assert nina.post("/console/join", json=body).json["user"]["name"] == "Nina N"
    assert nina.get("/console/inbox").status_code == 200
    link = owner.post(f"team/{olga.id}/link").json["link"]
    body = {"token": token_of(link), "password": "another battery staple"}
    assert olga.client.post("/console/password", json=body).status_code == 200
    assert olga.client.get("/console/inbox").status_code == 200
    assert not olga.is_in(), "the session from before has ended"


def test_no_token_reaches_the_log(app, olga, caplog):
    owner = Person(app, is_owner=True)
    token = token_of(owner.post(f"team/{olga.id}/link").json["link"])
    app.test_client().get(f"/console/password?token={token}")
    app.test_client().get(f"/api/v1/team/validate-invite?token={token}")
    enter(olga)
    told = "\n".join(str(vars(record)) for record in caplog.records)
    assert "/console/password" in told
    assert token not in told
    assert PASSWORD not in told
