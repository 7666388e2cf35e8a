"""The epoch rule, raced: 200 persons who come at random moments of an answer, on two workers, on both engines."""

from __future__ import annotations

import random
import time
from collections import Counter
from types import SimpleNamespace

import pytest

from tests.desk import add_operator, far_away
from tests.test_handover import check_cut, take
from tests.wire import all_at_once, ask, follow, history

pytestmark = pytest.mark.servers

ROUNDS = 200
AT_ONCE = 20
WORDS = ["One ", "two ", "three ", "four ", "five."]


def speak(wire, body) -> None:
    """An answer long enough for checkpoints, and for a person to come before, within and after it."""
    wire.head()
    for word in WORDS:
        time.sleep(random.uniform(0.02, 0.1))
        wire.token(word)
    wire.done()


@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
def test_the_ai_never_talks_over_a_person_in_200_races(boot, make_database, upstream, engine):
    upstream.always = speak
    server = boot(workers=2, database_url=make_database(engine), env={"VEXAR_AI_BASE_URL": upstream.url})
    endings: Counter[str] = Counter()
    with far_away(SimpleNamespace(database_url=server.database_url)) as verbs:
        olga = add_operator(verbs._store)

        def come(session: str, verb: str) -> None:
            time.sleep(random.uniform(0, 0.6))
            take(verbs, verb, olga, session)

        def race(number: int) -> None:
            session = f"visitor{number}"
            # So that a person may come before the message does.
            verbs.propose(1, session, None, content="Hello")
            answer, other, _ = all_at_once([
                lambda: ask(server.url, "Hello", "m1", session=session),
                lambda: ask(server.url, "Hello", "m1", session=session),
                lambda: come(session, "accept" if number % 2 else "say"),
            ])
            for told in (answer, other, follow(server.url, "m1", session=session)):
                assert told.types.count("done") == 1
                assert told.types[-1] == "done"
                check_cut(server.url, session, told)
            stored = history(server.url, session)
            assert [message["role"] for message in stored].count("visitor") == 1
            endings[answer.done["finish_reason"]] += 1

        for start in range(0, ROUNDS, AT_ONCE):
            all_at_once([lambda number=number: race(number) for number in range(start, start + AT_ONCE)])
    assert sum(endings.values()) == ROUNDS
    # Not every race was won by the same side.
    assert set(endings) == {"stop", "operator"}
