"""Signing in: sessions, passwords and keys; failures that block; answers that tell nobody which accounts exist."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from config import ConfigError, keep_secret
from tests.cast import wait_until
from tests.conftest import config_for
from tests.people import PASSWORD, Person, hash_of, open_house, token_of
from vexar.errors import ApiError
from vexar.limits import Limits
from vexar.models import LoginFailure, OneTimeLink, Operator, OperatorSession
from vexar.people import failures, links, passwords
from vexar.people.auth import hash_token
from vexar.people.passwords import Passwords, is_outdated
from vexar.store import open_store

NEW = "another battery staple"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_house(tmp_path_factory.mktemp("accounts")) as app:
        yield app


@pytest.fixture
def store(app):
    return app.extensions["vexar"].store


@pytest.fixture
def olga(app):
    return Person(app, site_ids=(app.site.id,))


@pytest.fixture(autouse=True)
def nobody_has_failed(store):
    """All tests share one address."""
    store.write(lambda tx: tx.run(LoginFailure.delete()))


@pytest.fixture
def hashed(monkeypatch):
    """The parameters of every hash that is made, without salt and password."""
    made, real = [], hashlib.scrypt

    def scrypt(password, **options):
        made.append({name: value for name, value in options.items() if name != "salt"})
        return real(password, **options)

    monkeypatch.setattr(hashlib, "scrypt", scrypt)
    return made


def count(store, model, *conditions):
    query = model.select(model).where(*conditions) if conditions else model.select(model)
    return len(store.read(lambda tx: tx.all(query)))


# Passwords.


def test_a_hash_says_its_parameters_and_takes_16_mib(monkeypatch):
    # What open_house makes cheap.
    monkeypatch.setattr(passwords, "N", 2**14)
    hasher = Passwords()
    try:
        stored = hasher.hash(PASSWORD)
        assert re.fullmatch(r"scrypt\$16384\$8\$5\$[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}", stored)
        assert 128 * passwords.N * passwords.R == 16 * 2**20
        assert hasher.fits(PASSWORD, stored)
        assert not hasher.fits(PASSWORD + " ", stored)
        assert hasher.hash(PASSWORD) != stored
    finally:
        hasher.close()


def test_the_same_letters_of_another_keyboard_are_the_same_password():
    hasher = Passwords()
    try:
        assert hasher.fits("ångström sieben", hash_of("a\u030angstro\u0308m sieben"))
        assert not hasher.fits("angstrom sieben", hash_of("ångström sieben"))
    finally:
        hasher.close()


def test_a_sign_in_makes_an_old_hash_anew(olga):
    assert is_outdated(olga.row().password_hash)
    assert olga.login().status_code == 200
    assert not is_outdated(olga.row().password_hash)
    assert olga.login().status_code == 200


@pytest.mark.parametrize("bad", ["short", "aaaaaaaaaaaaaaa", "ababababababab"])
def test_a_password_that_is_easily_guessed_is_refused(olga, bad):
    refused = olga.post("auth/change-password", current_password=PASSWORD, new_password=bad)
    assert refused.status_code == 422
    assert refused.json["errors"].keys() == {"new_password"}
    assert olga.login().status_code == 200


def test_more_who_wait_than_can_be_served_are_told_to_come_again(monkeypatch):
    hasher, gate = Passwords(), threading.Event()
    monkeypatch.setattr(passwords, "MAX_WAITING", 1)
    monkeypatch.setattr(hashlib, "scrypt", lambda *given, **options: gate.wait(10) and b"")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(hasher.fits, PASSWORD, None)
        wait_until(lambda: hasher._waiting, "the first one")
        with pytest.raises(ApiError) as refused:
            hasher.fits(PASSWORD, None)
        gate.set()
        first.result()
    assert (refused.value.code, refused.value.retry_after) == ("unavailable", passwords.BUSY_RETRY_AFTER_S)
    hasher.close()


# Sessions.


def test_a_login_answers_a_token_that_works_and_is_stored_as_a_hash(olga, store, app):
    answer = olga.login()
    token = answer.json["token"]
    assert answer.json["user"] == {
        "id": olga.id, "email": olga.email, "name": "Olga", "avatar_url": None, "is_owner": False,
        "has_api_key": False, "sites": [{
            "id": app.site.id, "name": "Shop", "is_online": True, "can_chat": True, "can_view_conversations": True,
            "can_edit": False,
        }],
    }  # fmt: skip
    assert olga.get("auth/me", token=token).json["user"]["id"] == olga.id
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    session = store.read(lambda tx: tx.one(OperatorSession.select(OperatorSession).where(
        OperatorSession.token_hash == hash_token(token)
    )))
    assert session.until_ms - session.created_ms == 30 * 24 * 3600 * 1000


def test_the_email_is_found_in_any_case(olga):
    assert olga.login(email=f"  {olga.email.upper()} ").status_code == 200


def test_a_session_ends_with_the_sign_out_and_with_its_time(olga, store):
    token = olga.login().json["token"]
    assert olga.call("POST", "auth/logout", token=token).status_code == 200
    assert not olga.is_in(token)
    assert olga.is_in()
    store.write(lambda tx: tx.run(OperatorSession.update(until_ms=tx.now_ms()).where(
        OperatorSession.operator_id == olga.id
    )))
    assert not olga.is_in()


def test_sessions_do_not_pile_up(olga, store, monkeypatch):
    monkeypatch.setattr("vexar.people.sessions.MAX_SESSIONS", 3)
    tokens = [olga.login().json["token"] for _ in range(4)]
    assert count(store, OperatorSession, OperatorSession.operator_id == olga.id) == 3
    assert olga.is_in(tokens[-1])
    assert not olga.is_in()


def test_a_new_password_ends_every_session_but_this_one_and_keeps_the_key(olga):
    other, key = olga.login().json["token"], olga.post("auth/api-key").json["api_key"]
    assert olga.post("auth/change-password", current_password=PASSWORD, new_password=NEW).status_code == 200
    assert (olga.is_in(), olga.is_in(other), olga.is_in(key)) == (True, False, True)
    assert (olga.login().status_code, olga.login(NEW).status_code) == (401, 200)


def test_a_new_password_needs_the_old_one(olga):
    refused = olga.post("auth/change-password", current_password="not it at all", new_password=NEW)
    assert (refused.status_code, refused.json["errors"].keys()) == (422, {"current_password"})
    assert olga.login().status_code == 200


def test_a_stolen_session_cannot_try_passwords_without_end(olga):
    statuses = [
        olga.post("auth/change-password", current_password=f"guess {number}", new_password=NEW).status_code
        for number in range(8)
    ]
    assert statuses == [422] * 5 + [429] * 3


def test_an_api_key_is_shown_once_and_the_next_one_ends_it(olga, store):
    first = olga.post("auth/api-key").json["api_key"]
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert olga.row().key_hash == hash_token(first)
    assert olga.get("auth/me", token=first).json["user"]["has_api_key"] is True
    second = olga.call("POST", "auth/api-key", token=first).json["api_key"]
    assert (olga.is_in(first), olga.is_in(second)) == (False, True)


def test_what_somebody_changes_about_itself(olga):
    answer = olga.put("auth/me", name="Olga K", avatar_url="https://shop.example/olga.png").json["user"]
    assert (answer["name"], answer["avatar_url"]) == ("Olga K", "https://shop.example/olga.png")
    assert olga.put("auth/me", avatar_url=None).json["user"]["avatar_url"] is None
    assert olga.get("auth/me").json["user"]["name"] == "Olga K"
    for wrong in ({"avatar_url": "javascript:alert(1)"}, {"name": " "}, {"is_owner": True}):
        assert olga.put("auth/me", **wrong).status_code == 422


def test_an_operator_cannot_try_out_addresses(app, olga):
    other = Person(app)
    for email in (other.email, "nobody@shop.example"):
        assert olga.put("auth/me", email=email).status_code == 403


# Failures.


def test_twenty_wrong_passwords_are_slowed_and_blocked(olga, hashed):
    answers = [olga.login(f"guess number {number}") for number in range(20)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 15
    assert len(hashed) == 5
    blocked = answers[-1]
    assert blocked.json["code"] == "rate_limited"
    assert 0 < blocked.json["retry_after"] <= 30
    assert blocked.headers["Retry-After"] == str(blocked.json["retry_after"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", blocked.json["blocked_until"])
    assert olga.login().status_code == 429, "the right password does not help either"
    assert olga.is_in(), "who is in stays in"


def test_a_block_grows_and_ends_and_a_right_password_clears_it(olga, store):
    waits = []
    for _ in range(8):
        assert olga.login("wrong password").status_code == 401
        row = store.read(_row_of, email=olga.email)
        waits.append(max(0, row.blocked_until_ms - row.failed_ms))
        store.write(_let_pass, email=olga.email)
    assert waits == [0, 0, 0, 0, 30_000, 60_000, 120_000, 240_000]
    assert failures._block_ms(50, 5) == failures.LONGEST_BLOCK_MS
    assert olga.login().status_code == 200
    assert count(store, LoginFailure, LoginFailure.name == failures.account_name(olga.email)) == 0


def _row_of(tx, *, email):
    return tx.one(LoginFailure.select(LoginFailure).where(LoginFailure.name == failures.account_name(email)))


def _let_pass(tx, *, email):
    tx.run(LoginFailure.update(blocked_until_ms=0).where(LoginFailure.name == failures.account_name(email)))


def test_an_address_is_blocked_over_many_accounts_and_another_is_not(app, olga):
    statuses = [olga.login(email=f"{number}@shop.example").status_code for number in range(21)]
    assert statuses == [401] * 20 + [429]
    assert olga.login().status_code == 429
    assert olga.login(environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_a_guesser_with_an_account_cannot_wipe_the_slate_of_its_address(app, olga, store):
    own = Person(app)
    for number in range(19):
        olga.login(email=f"{number}@shop.example")
    assert own.login().status_code == 200
    assert olga.login(email="20@shop.example").status_code == 401
    assert own.login().status_code == 429


def test_failures_are_counted_exactly_when_they_come_at_once_in_two_processes(store, app, engine, make_database):
    """Each server admits the same five, however many ask at the same moment."""
    url = make_database(engine)
    with contextlib.closing(open_store(url)) as one, contextlib.closing(open_store(url)) as other:
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(store.write, failures.admit, account="a", address=None) for store in (one, other) * 10]
            refused = [done.result() for done in asked if done.result()]
        assert len(refused) == 15
        assert one.read(lambda tx: tx.one(LoginFailure.select(LoginFailure))).failures == 5


def test_a_block_survives_a_restart(tmp_path):
    with open_house(tmp_path) as app:
        olga = Person(app)
        for _ in range(5):
            olga.login("wrong password")
    with open_house(tmp_path) as app:
        again = app.test_client().post("/api/v1/auth/login", json={"email": olga.email, "password": PASSWORD})
        assert again.status_code == 429


def test_old_failures_are_swept(store):
    store.write(lambda tx: tx.run(LoginFailure.insert(name="old", failures=9, failed_ms=1, blocked_until_ms=2)))
    store.write(failures.admit, account="new", address=None)
    assert [row.name for row in store.read(lambda tx: tx.all(LoginFailure.select(LoginFailure)))] == ["new"]


def test_logins_are_also_limited_per_minute(app, olga, monkeypatch):
    accounts = app.extensions["vexar"].accounts
    config = config_for(app.extensions["vexar"].config.data_dir, limit_logins_per_minute=2)
    monkeypatch.setattr(accounts, "_limits", Limits(config))
    answers = [olga.login() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json.keys() >= {"retry_after", "blocked_until"}


# No enumeration.


def test_known_and_unknown_accounts_answer_the_same_after_the_same_work(app, store, hashed):
    """The same status, body and headers, the same hashes with the same parameters, the same jobs and commits."""
    owner = Person(app, is_owner=True)
    known, invited, removed = Person(app), Person(app, has_password=False), Person(app)
    known.login()
    assert owner.delete(f"team/{removed.id}").status_code == 200
    hashed.clear()
    seen = []
    for email in (known.email, invited.email, removed.email, "nobody@shop.example", "desk@localhost"):
        before = store.counts()["jobs"]
        answer = known.login("not the password", email=email)
        headers = {name: value for name, value in answer.headers if name != "X-Request-Id"}
        seen.append((answer.status_code, answer.data, headers, hashed[:], store.counts()["jobs"] - before))
        hashed.clear()
    assert seen[0][0] == 401
    assert len(seen[0][3]) == 1
    assert all(one == seen[0] for one in seen)


def test_unknown_accounts_are_blocked_like_known_ones(app, olga):
    def tries(email):
        return [olga.login("not the password", email=email).status_code for _ in range(7)]

    assert tries("nobody@shop.example") == tries(olga.email) == [401] * 5 + [429] * 2


# The first owner.


@pytest.fixture
def fresh(tmp_path):
    """An installation without anybody."""
    with open_house(tmp_path) as app:
        app.accounts = app.extensions["vexar"].accounts
        yield app


def set_up(app, link, email="olga@shop.example"):
    body = {"token": token_of(link), "email": email, "name": "Olga", "password": PASSWORD}
    return app.test_client().post("/console/setup", json=body)


def test_the_first_owners_link_works_once_for_a_day_and_makes_the_others_void(fresh):
    first, second = fresh.accounts.owner_link(), fresh.accounts.owner_link()
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/console/setup\?token=[\w-]{43}", first)
    store = fresh.extensions["vexar"].store
    row = store.read(lambda tx: tx.all(OneTimeLink.select(OneTimeLink)))[0]
    assert (row.purpose, row.until_ms - row.created_ms) == ("owner", 24 * 3600 * 1000)
    assert set_up(fresh, first).json["user"]["is_owner"] is True
    assert set_up(fresh, first, "b@shop.example").status_code == 404
    assert set_up(fresh, second, "c@shop.example").status_code == 404
    assert fresh.accounts.owner_link() is None
    assert count(store, Operator) == 1
    assert count(store, OneTimeLink) == 0


def test_the_first_owners_link_ends_with_its_time(fresh):
    link = fresh.accounts.owner_link()
    store = fresh.extensions["vexar"].store
    store.write(lambda tx: tx.run(OneTimeLink.update(until_ms=tx.now_ms())))
    assert set_up(fresh, link).status_code == 404


def test_an_owner_made_elsewhere_voids_the_link(fresh):
    link = fresh.accounts.owner_link()
    Person(fresh, is_owner=True)
    assert set_up(fresh, link).status_code == 404


def test_who_was_added_before_becomes_the_owner_by_the_link(fresh):
    link = fresh.accounts.owner_link()
    olga = Person(fresh, has_password=False, site_ids=(fresh.site.id,))
    assert set_up(fresh, link, olga.email).json["user"]["id"] == olga.id
    assert olga.row().is_owner == 1


def test_two_people_with_two_links_make_one_owner(fresh, engine, make_database):
    url = make_database(engine)
    with contextlib.closing(open_store(url)) as one, contextlib.closing(open_store(url)) as other:
        from vexar.people.accounts import _add_owner_link, _set_up

        tokens = [links.new_token() for _ in range(2)]
        for token in tokens:
            one.write(_add_owner_link, token=token)

        def become(store, token):
            return store.write(
                _set_up, token=token, email=f"{token}@x", name="Olga", password_hash="x", session=links.new_token()
            )

        with ThreadPoolExecutor(2) as pool:
            done = [pool.submit(become, store, token) for store, token in zip((one, other), tokens, strict=True)]
            assert sorted(one.result() for one in done) == [False, True]
        assert count(one, Operator) == 1


@pytest.mark.servers
def test_the_server_prints_the_link_once_for_all_workers_and_only_until_there_is_an_owner(boot):
    server = boot(workers=2)
    # The server may answer before what it printed has reached the file.
    (link,) = wait_until(lambda: re.findall(r"http://\S+/console/setup\?token=\S+\n", server.log()), "the link")
    link = link.rstrip()
    with contextlib.closing(open_store(server.database_url)) as store:
        token = token_of(link)
        assert store.read(links.find, token=token, purposes=("owner",))
        assert server.get(f"/console/setup?token={token}")[0] == 200
        assert server.log().count(token) == 1, "the access log must not hold it"
        store.write(lambda tx: tx.run(Operator.insert(
            email="o@x.example", name="O", is_owner=1, created_ms=1, password_hash=hash_of(PASSWORD)
        )))
    server.restart()
    assert server.log().count("/console/setup?token=") == 1


# The secret.


def test_the_secret_is_made_once_for_its_user_alone(tmp_path):
    first, second = (config_for(tmp_path, secret_key="") for _ in range(2))
    keep_secret(first)
    keep_secret(second)
    assert re.fullmatch("[0-9a-f]{64}", first.secret_key)
    assert second.secret_key == first.secret_key
    (file,) = (tmp_path / "var").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_given_secret_is_used_and_nothing_is_written(tmp_path):
    config = config_for(tmp_path, secret_key="given")
    keep_secret(config)
    assert config.secret_key == "given"
    assert not (tmp_path / "var").exists()


def test_of_many_processes_that_start_together_one_makes_the_secret(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, told = context.Barrier(8), context.Queue()
    workers = [context.Process(target=_tell_secret, args=(tmp_path, barrier, told)) for _ in range(8)]
    for worker in workers:
        worker.start()
    secrets = {told.get(timeout=20) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(secrets) == 1
    assert len(list((tmp_path / "var").iterdir())) == 1


def _tell_secret(folder, barrier, told):
    config = config_for(folder, secret_key="")
    barrier.wait()
    keep_secret(config)
    told.put(config.secret_key)


def test_a_damaged_secret_is_one_line_and_no_new_one(tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret_key").write_text("")
    with pytest.raises(ConfigError, match="VEXAR_SECRET_KEY.*damaged"):
        keep_secret(config_for(tmp_path, secret_key=""))
