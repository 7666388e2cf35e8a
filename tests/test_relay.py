"""The loop that writes a response: comments in silence, what came together in one send, an end whatever happens."""

from __future__ import annotations

import pytest

from vexar.events import Event, event
from vexar.sse import BARE_COMMENT, COMMENT, Relay


class Listed:
    """A source that gives what it was told; an exception in the list is raised."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.closed = 0

    def next(self, timeout_s):
        step = self.steps.pop(0) if self.steps else None
        if isinstance(step, Exception):
            raise step
        return step

    def crashed(self):
        return [event("error", code="internal"), event("done", meta={})]

    def close(self):
        self.closed += 1


def test_events_that_came_together_leave_in_one_send():
    source = Listed([Event(b"1", "a-1"), Event(b"2", "a-2")])
    assert list(Relay(source, with_ids=True)) == [COMMENT, b"data: 1\nid: a-1\n\ndata: 2\nid: a-2\n\n"]


def test_a_plain_reader_gets_neither_ids_nor_an_early_comment():
    assert list(Relay(Listed([Event(b"1", "a-1")]), with_ids=False)) == [b"data: 1\n\n"]


def test_a_stream_that_crashes_still_ends_with_an_error_and_done(caplog):
    source = Listed([Event(b"1", "a-1")], RuntimeError("broken inside"), [Event(b"never", None)])
    parts = list(Relay(source, with_ids=True))
    assert parts[-1] == b'data: {"type":"error","code":"internal"}\n\ndata: {"type":"done","meta":{}}\n\n'
    assert b"never" not in b"".join(parts)
    assert "broken inside" in caplog.text
    assert source.closed == 1


@pytest.mark.parametrize("steps", [(), ([Event(b"1", None)],)])
def test_the_source_is_closed_once_also_by_a_reader_that_never_read(steps):
    source = Listed(*steps)
    relay = Relay(source, with_ids=False)
    relay.close()
    relay.close()
    assert source.closed == 1


def test_silence_is_broken_by_comments():
    source = Listed([], [Event(b"1", None)])
    assert list(Relay(source, with_ids=False, heartbeat_s=0)) == [BARE_COMMENT, b"data: 1\n\n"]
