"""How often an address or a session may do what: rates per minute, and open streams.

Rates live in this process, or in Redis when there is one; while Redis is away every worker counts for itself.
The counters slide over the minute, so a limit of 60 never lets 120 through around a full minute. What is
refused is not counted. Login blocking and budgets are elsewhere: they live in the database.
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from config import ConfigError
from vexar.errors import ApiError

if TYPE_CHECKING:
    from limits.storage import RedisStorage

    from config import Config

log = logging.getLogger(__name__)

WINDOW_S = 60
# Polls of all sessions behind one address, as a multiple of one session's.
ADDRESS_POLLS_FACTOR = 10
STREAMS_RETRY_AFTER_S = 10
# Two windows of so many keys are at most 30 MB.
MAX_KEYS = 50_000
# What a request may lose to a Redis that does not answer, and how often one request tries it again.
REDIS_TIMEOUT_S = 0.25
REDIS_RETRY_S = 5.0

# Weight of the window before this one, seconds until it weighs nothing, count of this window, seconds until this
# window weighs nothing: what the `limits` package calls a sliding window.
Window = tuple[int, float, int, float]


class Windows(Protocol):
    """Where counters are kept; the part of the `limits` package's storages that is used here."""

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int) -> bool:
        """Count one more, unless that is over the limit."""

    def get_sliding_window(self, key: str, expiry: int) -> Window:
        """The state of one counter."""


class Limits:
    """The limits of one process. Every `check_` raises ApiError rate_limited with `retry_after` in seconds.

    `bucket` is Address.bucket: an IPv4 address or an IPv6 /64; None switches the limits by address off.
    """

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._memory = MemoryWindows(clock)
        self._redis = open_redis(config.redis_url) if config.redis_url else None
        self._redis_after = -math.inf
        self._streams: dict[str, int] = {}
        # A slot may be let go by the garbage collector, in the middle of anything.
        self._lock = threading.RLock()
        self.degraded = False

    def check_message(self, bucket: str | None, site_id: int, session_id: str) -> None:
        """Before a new message is received; a repeated one is a poll."""
        self._check(
            (self._config.limit_session_messages_per_minute, _session_key("message", site_id, session_id)),
            (self._config.limit_messages_per_minute, _address_key("message", site_id, bucket)),
        )

    def check_conversation(self, bucket: str | None, site_id: int) -> None:
        """Before a session is stored that nobody has seen."""
        self._check((self._config.limit_conversations_per_minute, _address_key("conversation", site_id, bucket)))

    def check_upload(self, bucket: str | None, site_id: int) -> None:
        """Before an image is read."""
        self._check((self._config.limit_uploads_per_minute, _address_key("upload", site_id, bucket)))

    def check_form(self, bucket: str | None, site_id: int) -> None:
        """Before an email, contact or rating is taken."""
        self._check((self._config.limit_forms_per_minute, _address_key("form", site_id, bucket)))

    def check_poll(self, bucket: str | None, site_id: int, session_id: str) -> None:
        """Before a read, a replay or attaching to a run."""
        polls = self._config.limit_polls_per_minute
        self._check(
            (polls, _session_key("poll", site_id, session_id)),
            (polls * ADDRESS_POLLS_FACTOR, _address_key("poll", site_id, bucket)),
        )

    def check_login(self, bucket: str | None) -> None:
        """Before a password is looked at."""
        self._check((self._config.limit_logins_per_minute, _address_key("login", 0, bucket)))

    def stream_slot(self, bucket: str | None, site_id: int) -> StreamSlot:
        """Take one of the streams an address may hold open in this worker; release it when the stream ends.

        Raises ApiError too_many_streams.
        """
        limit = self._config.limit_streams_per_address
        key = _address_key("stream", site_id, bucket)
        if not limit or key is None:
            return StreamSlot(lambda: None)
        with self._lock:
            if self._streams.get(key, 0) >= limit:
                raise ApiError("too_many_streams", retry_after=STREAMS_RETRY_AFTER_S)
            self._streams[key] = self._streams.get(key, 0) + 1
        return StreamSlot(lambda: self._end_stream(key))

    def _end_stream(self, key: str) -> None:
        with self._lock:
            self._streams[key] -= 1
            if not self._streams[key]:
                del self._streams[key]

    def _check(self, *limits: tuple[int, str | None]) -> None:
        counted = [(limit, key) for limit, key in limits if limit and key]
        if not counted:
            return
        asks_redis = self._redis and self._clock() >= self._redis_after
        wait_s = self._take_in_redis(counted) if asks_redis else _take(self._memory, counted)
        if wait_s:
            raise ApiError("rate_limited", retry_after=math.ceil(wait_s))

    def _take_in_redis(self, counted: list[tuple[int, str]]) -> float:
        if self.degraded:
            # Whoever asks meanwhile does not wait for a Redis that may still be silent.
            self._redis_after = self._clock() + REDIS_RETRY_S
        try:
            wait_s = _take(self._redis, counted)
        except self._redis.base_exceptions as problem:
            self._redis_after = self._clock() + REDIS_RETRY_S
            if not self.degraded:
                log.warning("Redis is away, every worker counts its own rates now: %s", problem)
            self.degraded = True
            return _take(self._memory, counted)
        if self.degraded:
            log.warning("Redis is back, rates are shared again")
            self.degraded, self._redis_after = False, -math.inf
        return wait_s


class StreamSlot:
    """A place for one open stream, also as a context manager. Releasing it twice is harmless."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        """Give the place back."""
        release, self._release = self._release, None
        if release:
            release()

    def __enter__(self) -> StreamSlot:
        return self

    def __exit__(self, *problem: object) -> None:
        self.release()

    def __del__(self) -> None:
        # The generator of a response that was never begun runs no `finally`.
        self.release()


class MemoryWindows:
    """Counters in two dictionaries, this minute's and the last one's; a new minute forgets the older at once.

    The package's own MemoryStorage starts a timer thread that walks over all keys, up to 100 times a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._number = 0
        self._current: dict[str, int] = {}
        self._previous: dict[str, int] = {}

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int = WINDOW_S) -> bool:
        """Count one more, unless that is over the limit."""
        previous, previous_ttl_s, current, _ = self.get_sliding_window(key, expiry)
        if math.floor(previous * previous_ttl_s / expiry) + current + 1 > limit:
            return False
        if len(self._current) >= MAX_KEYS and key not in self._current:
            # A flood of made-up sessions: what was counted weighs a little less, and memory stays bounded.
            self._previous, self._current = self._current, {}
        self._current[key] = self._current.get(key, 0) + 1
        return True

    def get_sliding_window(self, key: str, expiry: int = WINDOW_S) -> Window:
        """The state of one counter."""
        number, age_s = divmod(self._clock(), expiry)
        if number != self._number:
            self._previous = self._current if number == self._number + 1 else {}
            self._current, self._number = {}, number
        left_s = expiry - age_s
        return self._previous.get(key, 0), left_s, self._current.get(key, 0), left_s + expiry


def open_redis(url: str) -> RedisStorage:
    """Counters in Redis; does not connect yet. Raises ConfigError when the redis package is missing."""
    try:
        from limits.storage import RedisStorage
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise ConfigError("VEXAR_REDIS_URL: needs the package redis; pip install redis") from None
    return RedisStorage(
        url, key_prefix="vexar:limit", socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S,
        # The client's default tries three times more, each with the full time-out.
        retry=Retry(NoBackoff(), 0),
    )


def _take(windows: Windows, counted: list[tuple[int, str]]) -> float:
    """Count one on every key, or on none: 0.0, or the seconds until it would fit."""
    for limit, key in counted[1:]:
        if wait_s := _wait_s(windows.get_sliding_window(key, WINDOW_S), limit):
            return wait_s
    for limit, key in counted:
        if not windows.acquire_sliding_window_entry(key, limit, WINDOW_S):
            return _wait_s(windows.get_sliding_window(key, WINDOW_S), limit) or 1.0
    return 0.0


def _wait_s(window: Window, limit: int) -> float:
    """Seconds until one more fits under the limit, 0.0 when it does now. The weights fall linearly."""
    previous, previous_ttl_s, current, current_ttl_s = window
    if current < limit:
        fits_from_s = previous_ttl_s - (limit - current) * WINDOW_S / previous if previous else -1.0
    else:
        # This window must become the previous one first, and then fade until one fits.
        fits_from_s = current_ttl_s - limit * WINDOW_S / current
    # It fits only after that moment, not at it.
    return fits_from_s + 0.001 if fits_from_s >= 0 else 0.0


def _address_key(what: str, site_id: int, bucket: str | None) -> str | None:
    return f"{what}|{site_id}|{bucket}" if bucket else None


def _session_key(what: str, site_id: int, session_id: str) -> str:
    # Session ids are secrets and may be long; neither belongs into Redis.
    digest = hashlib.blake2b(session_id.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"{what}|{site_id}|session {digest}"
