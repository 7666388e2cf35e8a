"""The crash audit itself: it sees each kind of broken promise, and a few rounds of it on both engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.crash_audit import Plan, audit
from tests.crash_checks import Row, RunRow, Stored, Told, unended, violations

HELLO = "Hi?: " + " ".join(f"a1-{number}" for number in range(1, 20))
META = {"message_id": "m-1", "reply_id": 2, "finish_reason": "stop"}


def told() -> Told:
    """Ann asked once and was answered."""
    return Told("ann", "m-1", "Hi?", is_acknowledged=True, endings=[(HELLO, META)])


def stored(*rows: Row) -> Stored:
    """What the database holds after that; `rows` replace or follow what is there."""
    messages = {
        ("ann", 1): Row("ann", 1, "visitor", "m-1", "Hi?", "complete", None),
        ("ann", 2): Row("ann", 2, "assistant", None, HELLO, "complete", 1),
    }
    messages.update({(row.session_id, row.seq): row for row in rows})
    return Stored(messages, [RunRow("ann", 1, 1, "ended", "stop", 2)], {"ann": len(messages)})


def without(seq: int) -> Stored:
    whole = stored()
    del whole.messages["ann", seq]
    return whole


ANSWER = stored().messages["ann", 2]
QUESTION = stored().messages["ann", 1]


def test_nothing_is_wrong_when_everything_is_in_place():
    interrupted = ANSWER._replace(seq=3, content=HELLO[:-6], status="interrupted")
    assert violations([told()], stored(), stored()) == []
    assert violations([told()], stored(interrupted), stored()) == []
    assert unended([told()], stored()) == []


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("lost", without(1)),
        ("lost", without(2)),
        ("changed", stored(QUESTION._replace(content="Ho?"))),
        ("changed", stored(ANSWER._replace(content=HELLO[:-6]))),
        ("changed", stored(ANSWER._replace(seq=3, content=HELLO[:-6].replace("a1-7", "b2-7"), status="interrupted"))),
        ("doubled", stored(QUESTION._replace(seq=3))),
        ("doubled", stored(ANSWER._replace(seq=3))),
        ("doubled", stored(QUESTION._replace(seq=3, message_id="m-2"))),
        ("gap", stored(QUESTION._replace(seq=4, message_id="m-2"))),
        ("gap", replace(stored(), last_seqs={"ann": 3})),
        ("reply_to", stored(ANSWER._replace(reply_to=2))),
        ("reply_to", stored(ANSWER._replace(reply_to=None))),
    ],
)
def test_a_wrong_state_of_the_database_is_seen(kind: str, state: Stored):
    assert kind in {sentence.partition(":")[0] for sentence in violations([told()], state)}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("changed", lambda one: one.endings.append((HELLO[:-6], META))),
        ("lost", lambda one: one.endings.append((HELLO, {**META, "reply_id": None}))),
        ("lost", lambda one: one.endings.append((HELLO, {**META, "reply_id": 7}))),
        ("reply_to", lambda one: one.endings.append((HELLO, {**META, "message_id": "m-2"}))),
        ("refused", lambda one: one.refusals.append("was answered with 500")),
    ],
)
def test_a_visitor_told_something_untrue_is_seen(kind: str, change: Callable[[Told], None]):
    one = told()
    change(one)
    assert kind in {sentence.partition(":")[0] for sentence in violations([one], stored())}


def test_a_row_that_was_different_before_is_seen():
    before = stored(ANSWER._replace(status="interrupted"))
    assert violations([told()], stored(), before) == ["changed: ('ann', 2) was stored differently before"]


def test_what_never_ends_is_seen():
    running = replace(stored(), runs=[RunRow("ann", 1, 2, "running", "", None)])
    waiting = replace(told(), endings=[])
    assert len(unended([told()], running)) == 1
    assert len(unended([waiting], stored())) == 1
    assert unended([replace(waiting, has_left=True)], stored()) == []


@pytest.mark.servers
def test_three_kills_of_every_process_lose_double_and_change_nothing(engine, tmp_path, make_database, request):
    mariadb = request.getfixturevalue("mariadb") if engine == "mysql" else None
    plan = Plan(rounds=3, visitors=6, seed=20, may_leave=False)
    verdict = audit(plan, tmp_path, make_database(engine), mariadb)
    assert verdict.violations == []
    assert min(verdict.acknowledged, verdict.answered, verdict.reconnections) > 0
