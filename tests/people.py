"""People who sign in: the owner and operators of the tests of accounts, team and console, with cheap passwords."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cast import add_site
from tests.conftest import config_for
from vexar.models import Operator, OperatorSession, OperatorSite
from vexar.people import passwords
from vexar.people.auth import hash_token
from vexar.people.passwords import Hash
from vexar.store import Store, Transaction

PASSWORD = "correct horse"


@contextmanager
def open_house(folder: Path, **settings: object) -> Iterator[Any]:
    """An app whose passwords cost next to nothing, with one site (`app.site`)."""
    from app import create_app

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "N", 2**4)
        app = create_app(config_for(folder, **settings))
        live = app.extensions["vexar"]
        app.site = add_site(live.store)
        # The native threads begin with the first work; the leak detector would count them against the first test.
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(live.accounts._passwords.hash, [PASSWORD] * 32))
            list(pool.map(lambda _: live.reader.file("a.txt", b"x" * 100_000), range(16)))
        live.store.read_heavy(lambda tx: None)
        try:
            yield app
        finally:
            live.close()


class Person:
    """Somebody with a password, and a browser or program of its own. `token`: a session, from the start."""

    def __init__(self, app: Any, *, is_owner: bool = False, site_ids: tuple[int, ...] = (), name: str = "Olga",
                 has_password: bool = True, **rights: int) -> None:  # fmt: skip
        self.client = app.test_client()
        self.name = name
        self.store: Store = app.extensions["vexar"].store
        self.email = f"{secrets.token_hex(4)}@shop.example"
        self.token = secrets.token_hex(16)
        row = {
            "email": self.email, "name": name, "avatar_url": None, "is_owner": int(is_owner), "key_hash": None,
            "created_ms": 1, "password_hash": hash_of(PASSWORD) if has_password else None, "is_active": 1,
        }  # fmt: skip
        self.id = self.store.write(_add, row=row, site_ids=site_ids, rights=rights, token=self.token)

    def call(self, method: str, path: str, *, token: str | None = None, **fields: Any) -> Any:
        """One request below /api/v1/ with the session of this person, or with another token."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.client.open(f"/api/v1/{path}", method=method, json=fields or None, headers=headers)

    def get(self, path: str, **options: Any) -> Any:
        """GET with the session."""
        return self.call("GET", path, **options)

    def post(self, path: str, **fields: Any) -> Any:
        """POST with the session."""
        return self.call("POST", path, **fields)

    def put(self, path: str, **fields: Any) -> Any:
        """PUT with the session."""
        return self.call("PUT", path, **fields)

    def delete(self, path: str) -> Any:
        """DELETE with the session."""
        return self.call("DELETE", path)

    def login(self, password: str = PASSWORD, email: str | None = None, **options: Any) -> Any:
        """Sign in over the API."""
        body = {"email": email or self.email, "password": password}
        return self.client.post("/api/v1/auth/login", json=body, **options)

    def is_in(self, token: str | None = None) -> bool:
        """Whether a token of this person still works."""
        return self.get("auth/me", token=token).status_code == 200

    def row(self) -> Any:
        """What is stored of this person."""
        return self.store.read(lambda tx: tx.one(Operator.select(Operator).where(Operator.id == self.id)))


def hash_of(password: str) -> str:
    """A stored hash of the smallest cost, as of an older release."""
    salt = b"0123456789abcdef"
    return Hash(2, 8, 1, salt, passwords._scrypt(password, 2, 8, 1, salt)).text()


def token_of(link: str) -> str:
    """The token of a link."""
    return link.partition("?token=")[2]


def _add(tx: Transaction, *, row: dict, site_ids: tuple, rights: dict, token: str) -> int:
    operator_id = tx.insert(Operator.insert(**row))
    for site_id in site_ids:
        tx.run(OperatorSite.insert(operator_id=operator_id, site_id=site_id, **rights))
    tx.run(OperatorSession.insert(
        token_hash=hash_token(token), operator_id=operator_id, created_ms=1, until_ms=tx.now_ms() + 3_600_000
    ))
    return operator_id
