"""Passwords: hashed with scrypt in native threads, and compared so that an unknown account takes as long as a known.

A hash says its own parameters (`scrypt$n$r$p$salt$key`), so that they can grow; a sign-in then makes it anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import unicodedata
from dataclasses import dataclass

from vexar.errors import ApiError, invalid
from vexar.native import NativePool

MIN_CHARS = 10
MAX_CHARS = 200
# What OWASP names for scrypt at 16 MiB: little memory for a small server, the work made up for by p.
N, R, P = 2**14, 8, 5
SALT_BYTES = 16
KEY_BYTES = 32
# scrypt takes 128 * n * r bytes and a little more.
MAX_MEMORY_BYTES = 2**28
HASHERS = 2
# Each takes about a fifth of a second of a core: more that wait would answer after their callers gave up.
MAX_WAITING = 32
BUSY_RETRY_AFTER_S = 3


@dataclass(frozen=True)
class Hash:
    """A stored hash, taken apart."""

    n: int
    r: int
    p: int
    salt: bytes
    key: bytes

    def text(self) -> str:
        """As it is stored; fits VARCHAR(200)."""
        salt, key = (base64.b64encode(data).decode() for data in (self.salt, self.key))
        return f"scrypt${self.n}${self.r}${self.p}${salt}${key}"


class Passwords:
    """The native threads that hash. Close it."""

    def __init__(self) -> None:
        self._pool = NativePool(HASHERS)
        self._waiting = 0
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        """What to store for a new password. Raises ApiError unavailable under too much of it."""
        salt = secrets.token_bytes(SALT_BYTES)
        return Hash(N, R, P, salt, self._derive(password, N, R, P, salt)).text()

    def fits(self, password: str, stored: str | None) -> bool:
        """Whether this is the password; with None (no account, no password) always false, after the same work."""
        known = parse(stored) if stored else Hash(N, R, P, b"\0" * SALT_BYTES, b"")
        key = self._derive(password, known.n, known.r, known.p, known.salt)
        return hmac.compare_digest(key, known.key)

    def close(self) -> None:
        """End the threads."""
        self._pool.close()

    def _derive(self, password: str, n: int, r: int, p: int, salt: bytes) -> bytes:
        with self._lock:
            if self._waiting >= MAX_WAITING:
                raise ApiError("unavailable", "Too many people sign in at the moment; try again.",
                               retry_after=BUSY_RETRY_AFTER_S)
            self._waiting += 1
        try:
            return self._pool.run(_scrypt, password, n, r, p, salt)
        finally:
            with self._lock:
                self._waiting -= 1


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than new ones are."""
    known = parse(stored)
    return (known.n, known.r, known.p) != (N, R, P)


def parse(stored: str) -> Hash:
    """A stored hash taken apart."""
    kind, n, r, p, salt, key = stored.split("$")
    if kind != "scrypt":
        raise ValueError("not a scrypt hash")
    return Hash(int(n), int(r), int(p), base64.b64decode(salt), base64.b64decode(key))


def check_new(password: str, email: str, field: str = "password") -> None:
    """Refuse a password that is easily guessed. Raises ApiError invalid for `field`."""
    if len(password) < MIN_CHARS:
        raise invalid(**{field: f"must have at least {MIN_CHARS} characters"})
    if len(set(password)) < 4:
        raise invalid(**{field: "must not repeat the same few characters"})
    if password.casefold() in (email.casefold(), email.partition("@")[0].casefold()):
        raise invalid(**{field: "must not be your email address"})


def _scrypt(password: str, n: int, r: int, p: int, salt: bytes) -> bytes:
    # Two keyboards may write the same letter in two ways.
    data = unicodedata.normalize("NFKC", password).encode()
    return hashlib.scrypt(data, salt=salt, n=n, r=r, p=p, maxmem=MAX_MEMORY_BYTES, dklen=KEY_BYTES)
