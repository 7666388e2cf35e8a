"""Signing in and out, passwords, API keys, and what follows from a one-time link.

Whatever is wrong with a sign-in is the same answer after the same work, so that nobody learns which accounts exist.
"""

from __future__ import annotations

import math
import secrets
import time
from typing import TYPE_CHECKING, Any

from vexar.conversing.messages import to_time
from vexar.errors import ApiError, invalid
from vexar.models import Operator
from vexar.people import failures, links, sessions
from vexar.people.auth import hash_token
from vexar.people.passwords import Passwords, check_new, is_outdated
from vexar.store import P, Statement, Transaction

if TYPE_CHECKING:
    from config import Config
    from vexar.limits import Limits
    from vexar.store import Store

FOR_A_PERSON = (links.INVITE, links.PASSWORD)

_IS_ACTIVE = Operator.is_active == 1
_BY_EMAIL = Statement(Operator.select(Operator).where((Operator.email == P.email) & _IS_ACTIVE))
_BY_ID = Statement(Operator.select(Operator).where((Operator.id == P.id) & _IS_ACTIVE))
_OWNER = Statement(
    Operator.select(Operator.id)
    .where((Operator.is_owner == 1) & _IS_ACTIVE & Operator.password_hash.is_null(False)).limit(1)
)
_ADD_OWNER = Statement(
    Operator.insert(
        email=P.email, name=P.name, avatar_url=None, is_owner=1, key_hash=None, created_ms=P.now_ms,
        password_hash=P.password_hash, is_active=1,
    )
)
_SET_PASSWORD = Statement(Operator.update(password_hash=P.password_hash).where((Operator.id == P.id) & _IS_ACTIVE))
_SET_OWNER = Statement(Operator.update(is_owner=1).where(Operator.id == P.id))
_SET_NAME = Statement(Operator.update(name=P.name).where(Operator.id == P.id))
# Somebody may have changed it meanwhile; the newer one stands.
_REHASH = Statement(
    Operator.update(password_hash=P.password_hash).where((Operator.id == P.id) & (Operator.password_hash == P.old))
)
_SET_KEY = Statement(Operator.update(key_hash=P.key_hash).where((Operator.id == P.id) & _IS_ACTIVE))


class Accounts:
    """The accounts of one installation. Close it."""

    def __init__(self, config: Config, store: Store, limits: Limits) -> None:
        self._config = config
        self._store = store
        self._limits = limits
        self._passwords = Passwords()

    def login(self, email: str, password: str, bucket: str | None) -> str:
        """The token of a new session; `bucket`: Address.bucket. Raises ApiError unauthorized, rate_limited."""
        email = plain_email(email)
        self._limit(bucket)
        operator = self._check(email, password, bucket)
        token = links.new_token()
        rehashed = self._passwords.hash(password) if is_outdated(operator.password_hash) else None
        self._store.write(_welcome, operator=operator, token=token, rehashed=rehashed)
        return token

    def logout(self, token: str) -> None:
        """End the session of this token; an API key is no session and stays."""
        self._store.write(sessions.end, token=token)

    def change_password(self, operator: Any, token: str, *, current: str, new: str, bucket: str | None) -> None:
        """Also ends every session but that of `token`. Raises ApiError invalid, rate_limited."""
        check_new(new, operator.email, field="new_password")
        self._limit(bucket)
        # A stolen session must not become a way to try passwords without end.
        try:
            self._check(operator.email, current, bucket)
        except ApiError as problem:
            if problem.status == 401:
                raise invalid(current_password="is not your password") from None
            raise
        self._store.write(
            _change_password, operator_id=operator.id, password_hash=self._passwords.hash(new), kept_token=token
        )

    def new_key(self, operator_id: int) -> str:
        """A new API key, shown this once; the earlier one ends."""
        key = secrets.token_hex(32)
        self._store.write(set_key, operator_id=operator_id, key=key)
        return key

    def whose(self, token: str) -> Any:
        """The person an invitation or a link for a new password is for. Raises ApiError not_found."""
        operator = self._store.read(_find_invited, token=token)
        if operator is None:
            raise dead_link()
        return operator

    def accept(self, token: str, password: str, name: str | None = None) -> str:
        """Set the password by a link, which is void then; the token of a new session, every other has ended.
        Raises ApiError not_found, invalid."""
        operator = self.whose(token)
        check_new(password, operator.email)
        session = links.new_token()
        is_done = self._store.write(
            _accept, token=token, operator_id=operator.id, name=name, password_hash=self._passwords.hash(password),
            session=session,
        )
        if not is_done:
            raise dead_link()
        return session

    def check_setup(self, token: str) -> None:
        """Whether the first owner's link works. Raises ApiError not_found."""
        if not self._store.read(_may_set_up, token=token):
            raise dead_link()

    def set_up(self, token: str, *, email: str, name: str, password: str) -> str:
        """Make the first owner; the token of a new session. Raises ApiError not_found, invalid."""
        self.check_setup(token)
        email = plain_email(email)
        check_new(password, email)
        session = links.new_token()
        is_done = self._store.write(
            _set_up, token=token, email=email, name=name, password_hash=self._passwords.hash(password),
            session=session,
        )
        if not is_done:
            raise dead_link()
        return session

    def owner_link(self) -> str | None:
        """A new link for the first owner; None where an owner has a password already."""
        token = links.new_token()
        is_made = self._store.write(_add_owner_link, token=token)
        return links.url(self._config, links.OWNER, token) if is_made else None

    def personal_link(self, operator_id: int) -> tuple[str, int]:
        """A new link for one person, the earlier ones are void: (url, until_ms). An invitation, or for a new password
        where there was one. Raises ApiError not_found."""
        token = links.new_token()
        made = self._store.write(add_personal_link, token=token, operator_id=operator_id)
        if made is None:
            raise ApiError("not_found")
        purpose, until_ms = made
        return links.url(self._config, purpose, token), until_ms

    def close(self) -> None:
        """End the native threads."""
        self._passwords.close()

    def _limit(self, bucket: str | None) -> None:
        try:
            self._limits.check_login(bucket)
        except ApiError as problem:
            raise _blocked(time.time() * 1000 + problem.retry_after * 1000, problem.retry_after) from None

    def _check(self, email: str, password: str, bucket: str | None) -> Any:
        """The operator whose password this is. Raises ApiError unauthorized, rate_limited."""
        names = {"account": failures.account_name(email), "address": failures.address_name(bucket)}
        blocked_until_ms, now_ms = self._store.write(_admit, **names)
        if blocked_until_ms:
            raise _blocked(blocked_until_ms, math.ceil((blocked_until_ms - now_ms) / 1000))
        operator = self._store.read(find_by_email, email=email)
        if not self._passwords.fits(password, operator and operator.password_hash):
            raise ApiError("unauthorized", "Email or password is wrong.")
        self._store.write(failures.forgive, **names)
        return operator


def plain_email(email: str) -> str:
    """An address as accounts are found by: lower case, without blanks around it."""
    return email.strip().lower()


def dead_link() -> ApiError:
    """The one answer for every link that does not work."""
    return ApiError("not_found", "This link does not work any more; ask for a new one.")


def find_by_email(tx: Transaction, *, email: str) -> Any:
    """The row of an active operator, or None."""
    return tx.one(_BY_EMAIL, email=email)


def find_by_id(tx: Transaction, *, operator_id: int) -> Any:
    """The row of an active operator, or None."""
    return tx.one(_BY_ID, id=operator_id)


def set_key(tx: Transaction, *, operator_id: int, key: str) -> None:
    """Store the hash of an API key in place of the earlier one."""
    tx.run(_SET_KEY, id=operator_id, key_hash=hash_token(key))


def add_personal_link(tx: Transaction, *, token: str, operator_id: int) -> tuple[str, int] | None:
    """Store a link for this person: (purpose, until_ms), or None for nobody."""
    operator = tx.one(_BY_ID, id=operator_id)
    if operator is None:
        return None
    purpose = links.INVITE if operator.password_hash is None else links.PASSWORD
    return purpose, links.add(tx, token=token, purpose=purpose, operator_id=operator_id)


def _blocked(until_ms: float, retry_after_s: int) -> ApiError:
    sentence = f"Too many attempts to sign in; try again in {_duration(retry_after_s)}."
    return ApiError(
        "rate_limited", sentence, retry_after=retry_after_s, more={"blocked_until": to_time(int(until_ms))}
    )


def _duration(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes"


def _admit(tx: Transaction, *, account: str, address: str | None) -> tuple[int, int]:
    return failures.admit(tx, account=account, address=address), tx.now_ms()


def _welcome(tx: Transaction, *, operator: Any, token: str, rehashed: str | None) -> None:
    if rehashed:
        tx.run(_REHASH, id=operator.id, old=operator.password_hash, password_hash=rehashed)
    sessions.add(tx, operator.id, token)


def _change_password(tx: Transaction, *, operator_id: int, password_hash: str, kept_token: str) -> None:
    tx.run(_SET_PASSWORD, id=operator_id, password_hash=password_hash)
    links.void(tx, operator_id=operator_id)
    sessions.end_all(tx, operator_id=operator_id, kept_token=kept_token)


def _find_invited(tx: Transaction, *, token: str) -> Any:
    link = links.find(tx, token=token, purposes=FOR_A_PERSON)
    return link and tx.one(_BY_ID, id=link.operator_id)


def _accept(
    tx: Transaction, *, token: str, operator_id: int, name: str | None, password_hash: str, session: str
) -> bool:
    operator = tx.one(_BY_ID, id=operator_id)
    if tx.may_be_done and operator and operator.password_hash == password_hash:
        return True
    if operator is None or not links.spend(tx, token=token, purposes=FOR_A_PERSON):
        return False
    _change_password(tx, operator_id=operator_id, password_hash=password_hash, kept_token=session)
    if name:
        tx.run(_SET_NAME, id=operator_id, name=name)
    failures.forget(tx, account=failures.account_name(operator.email))
    sessions.add(tx, operator_id, session)
    return True


def _may_set_up(tx: Transaction, *, token: str) -> bool:
    return bool(links.find(tx, token=token, purposes=(links.OWNER,))) and tx.one(_OWNER) is None


def _set_up(tx: Transaction, *, token: str, email: str, name: str, password_hash: str, session: str) -> bool:
    known = tx.one(_BY_EMAIL, email=email)
    if tx.may_be_done and known and known.password_hash == password_hash:
        return True
    # The link first: it locks the others', and then nobody becomes owner between the question and the answer.
    if not links.spend_owner(tx, token=token) or tx.one(_OWNER) is not None:
        return False
    if known is None:
        operator_id = tx.insert(
            _ADD_OWNER, email=email, name=name, password_hash=password_hash, now_ms=tx.now_ms()
        )
    else:
        # Invited already, or an operator of the command line: whoever holds this link may do everything.
        operator_id = known.id
        tx.run(_SET_OWNER, id=known.id)
        tx.run(_SET_NAME, id=known.id, name=name)
        _change_password(tx, operator_id=known.id, password_hash=password_hash, kept_token=session)
    sessions.add(tx, operator_id, session)
    return True


def _add_owner_link(tx: Transaction, *, token: str) -> bool:
    if tx.one(_OWNER) is not None:
        return False
    links.add(tx, token=token, purpose=links.OWNER, operator_id=None)
    return True
