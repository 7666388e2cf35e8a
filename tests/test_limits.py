"""How often an address or a session may do what, in memory and in Redis."""

from __future__ import annotations

import logging
import socket
import tracemalloc

import pytest

import config as settings
from vexar import limits as limits_module
from vexar.errors import ApiError
from vexar.limits import Limits, MemoryWindows

ANN, BEN = "1.1.1.1", "2.2.2.2"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, now_s=6000.0):
        self.now_s = now_s

    def __call__(self):
        return self.now_s


def make(clock=None, **values):
    environ = {f"VEXAR_{name.upper()}": str(value) for name, value in values.items()}
    return Limits(settings.load(environ, env_file=None), clock or Clock())


def allowed(check, *arguments, tries=2000):
    """How many calls pass before the first refusal."""
    for number in range(tries):
        try:
            check(*arguments)
        except ApiError:
            return number
    return tries


def refusal(check, *arguments):
    with pytest.raises(ApiError) as caught:
        check(*arguments)
    return caught.value


# name of the check, its arguments for ann and ben, the setting, its default
CHECKS = [
    ("check_message", (ANN, 1, "s1"), (BEN, 1, "s2"), "session_messages", 20),
    ("check_conversation", (ANN, 1), (BEN, 1), "conversations", 30),
    ("check_upload", (ANN, 1), (BEN, 1), "uploads", 20),
    ("check_form", (ANN, 1), (BEN, 1), "forms", 30),
    ("check_poll", (ANN, 1, "s1"), (BEN, 1, "s2"), "polls", 120),
    ("check_login", (ANN,), (BEN,), "logins", 10),
]


@pytest.mark.parametrize(("name", "ann", "ben", "setting", "default"), CHECKS)
def test_each_limit_has_its_default_and_counts_everybody_alone(name, ann, ben, setting, default):
    check = getattr(make(), name)
    assert allowed(check, *ann) == default
    error = refusal(check, *ann)
    assert (error.code, error.status) == ("rate_limited", 429)
    assert isinstance(error.retry_after, int)
    assert 1 <= error.retry_after <= 61
    assert allowed(check, *ben) == default


@pytest.mark.parametrize(("name", "ann", "ben", "setting", "default"), CHECKS)
def test_each_limit_can_be_set_and_switched_off(name, ann, ben, setting, default):
    assert allowed(getattr(make(**{f"limit_{setting}_per_minute": 3}), name), *ann) == 3
    off = make(**{f"limit_{setting}_per_minute": 0}, limit_messages_per_minute=0)
    assert allowed(getattr(off, name), *ann) == 2000


def test_sites_are_counted_apart():
    limits = make()
    assert allowed(limits.check_form, ANN, 1) == 30
    assert allowed(limits.check_form, ANN, 2) == 30
    assert allowed(limits.check_message, ANN, 1, "s") == 20
    assert allowed(limits.check_message, ANN, 2, "s") == 20


def test_an_address_may_send_sixty_messages_from_all_its_sessions():
    limits = make()
    assert sum(allowed(limits.check_message, ANN, 1, f"s{number}") for number in range(5)) == 60


def test_an_address_may_poll_ten_times_as_much_as_a_session():
    limits = make(limit_polls_per_minute=5)
    assert sum(allowed(limits.check_poll, ANN, 1, f"s{number}") for number in range(20)) == 50


def test_an_unknown_address_has_no_limits_but_its_session_has():
    limits = make()
    assert allowed(limits.check_form, None, 1) == 2000
    assert allowed(limits.check_login, None) == 2000
    assert allowed(limits.check_message, None, 1, "s") == 20
    assert allowed(limits.check_poll, None, 1, "s") == 120


def test_what_is_refused_does_not_count_on_either_key():
    limits = make(limit_messages_per_minute=5, limit_session_messages_per_minute=3)
    assert allowed(limits.check_message, ANN, 1, "s1") == 3
    for _ in range(50):
        refusal(limits.check_message, ANN, 1, "s1")
    # The address has two left; had the refused ones counted, it would have none.
    assert allowed(limits.check_message, ANN, 1, "s2") == 2
    for _ in range(50):
        refusal(limits.check_message, ANN, 1, "s3")
    assert allowed(limits.check_message, BEN, 1, "s3") == 3


@pytest.mark.parametrize("start_s", [0.0, 1.0, 31.5, 59.9])
@pytest.mark.parametrize("limit", [1, 3, 20])
def test_retry_after_is_long_enough_and_not_a_minute_too_long(start_s, limit):
    clock = Clock(6000.0 + start_s)
    limits = make(clock, limit_forms_per_minute=limit)
    for _ in range(20):
        allowed(limits.check_form, ANN, 1)
        wait_s = refusal(limits.check_form, ANN, 1).retry_after
        assert 1 <= wait_s <= 61
        clock.now_s += wait_s
        limits.check_form(ANN, 1)
        clock.now_s += 17.3


def test_there_is_no_double_burst_around_a_full_minute():
    clock = Clock(6059.0)
    limits = make(clock)
    assert allowed(limits.check_upload, ANN, 1) == 20
    clock.now_s = 6061.0
    assert allowed(limits.check_upload, ANN, 1) <= 1
    clock.now_s = 6090.0
    assert allowed(limits.check_upload, ANN, 1) <= 11


def test_after_two_minutes_everything_is_forgotten():
    clock = Clock()
    limits = make(clock)
    assert allowed(limits.check_upload, ANN, 1) == 20
    clock.now_s += 121
    assert allowed(limits.check_upload, ANN, 1) == 20


def test_memory_stays_bounded_under_a_flood_of_made_up_sessions(monkeypatch):
    monkeypatch.setattr(limits_module, "MAX_KEYS", 1000)
    windows = MemoryWindows(Clock())
    tracemalloc.start()
    for number in range(limits_module.MAX_KEYS * 20):
        windows.acquire_sliding_window_entry(f"poll|1|session {number:024}", 120)
    held_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held_bytes < 600_000
    assert windows.get_sliding_window(f"poll|1|session {number:024}")[2] == 1


def test_a_flood_does_not_set_anybody_free():
    windows = MemoryWindows(Clock())
    for _ in range(5):
        assert windows.acquire_sliding_window_entry("ann", 5)
    for number in range(limits_module.MAX_KEYS):
        windows.acquire_sliding_window_entry(f"{number}", 5)
    assert not windows.acquire_sliding_window_entry("ann", 5)


def test_session_ids_of_any_text_can_be_counted():
    limits = make()
    for session_id in ("", "🦊" * 100, "\ud800", "a|b", "a" * 128):
        assert allowed(limits.check_message, None, 1, session_id) == 20


def test_open_streams_are_bounded_per_address_and_site():
    limits = make(limit_streams_per_address=2)
    first, second = limits.stream_slot(ANN, 1), limits.stream_slot(ANN, 1)
    error = refusal(limits.stream_slot, ANN, 1)
    assert (error.code, error.status) == ("too_many_streams", 429)
    assert error.retry_after >= 1
    with limits.stream_slot(BEN, 1), limits.stream_slot(ANN, 2):
        refusal(limits.stream_slot, ANN, 1)
    first.release()
    first.release()
    third = limits.stream_slot(ANN, 1)
    refusal(limits.stream_slot, ANN, 1)
    second.release()
    third.release()
    assert not limits._streams


def test_a_forgotten_slot_gives_its_place_back():
    limits = make(limit_streams_per_address=1)
    slot = limits.stream_slot(ANN, 1)
    refusal(limits.stream_slot, ANN, 1)
    del slot
    limits.stream_slot(ANN, 1).release()


def test_streams_of_an_unknown_address_or_with_the_limit_off_are_free():
    slots = [make(limit_streams_per_address=1).stream_slot(None, 1) for _ in range(3)]
    off = make(limit_streams_per_address=0)
    slots += [off.stream_slot(ANN, 1) for _ in range(3)]
    assert len(slots) == 6


def test_a_redis_that_is_away_costs_one_log_line_and_no_answer(caplog):
    clock = Clock()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        limits = make(clock, redis_url=f"redis://127.0.0.1:{free.getsockname()[1]}/0")
        with caplog.at_level(logging.WARNING):
            assert allowed(limits.check_form, ANN, 1) == 30
            clock.now_s += limits_module.REDIS_RETRY_S + 1
            refusal(limits.check_form, ANN, 1)
    assert limits.degraded
    assert len(caplog.records) == 1


def test_a_redis_that_is_silent_is_asked_once(caplog):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limits = make(redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        assert allowed(limits.check_message, ANN, 1, "s") == 20
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert limits.degraded


@pytest.mark.servers
@pytest.mark.parametrize(("name", "ann", "ben", "setting", "default"), CHECKS)
def test_workers_share_their_limits_through_redis(redis_url, name, ann, ben, setting, default):
    one, two = make(redis_url=redis_url), make(redis_url=redis_url)
    assert allowed(getattr(one, name), *ann, tries=default - 1) == default - 1
    assert allowed(getattr(two, name), *ann) == 1
    assert 1 <= refusal(getattr(one, name), *ann).retry_after <= 61
    assert allowed(getattr(one, name), *ben) == default
    assert not one.degraded


@pytest.mark.servers
def test_in_redis_what_is_refused_does_not_count_either(redis_url):
    limits = make(redis_url=redis_url, limit_messages_per_minute=5, limit_session_messages_per_minute=3)
    assert allowed(limits.check_message, ANN, 1, "s1") == 3
    for _ in range(10):
        refusal(limits.check_message, ANN, 1, "s1")
    assert allowed(limits.check_message, ANN, 1, "s2") == 2


@pytest.mark.servers
def test_no_session_id_gets_into_redis(redis_url):
    import redis

    make(redis_url=redis_url).check_message(ANN, 1, "ann-secret")
    keys = redis.Redis.from_url(redis_url).keys("*")
    assert keys
    assert not any(b"ann-secret" in key for key in keys)


@pytest.mark.servers
def test_a_redis_that_comes_back_is_used_again(redis_url, redis_server, caplog):
    clock = Clock()
    limits = make(clock, redis_url=redis_url)
    limits.check_form(ANN, 1)
    redis_server.kill()
    try:
        limits.check_form(ANN, 1)
        assert limits.degraded
    finally:
        redis_server.start()
    limits.check_form(ANN, 1)
    assert limits.degraded
    clock.now_s += limits_module.REDIS_RETRY_S + 1
    limits.check_form(ANN, 1)
    assert not limits.degraded
    assert [record.getMessage()[:12] for record in caplog.records] == ["Redis is awa", "Redis is bac"]
