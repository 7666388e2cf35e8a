"""A site's budgets: messages in a month, exactly; tokens in a day, reserved before and settled after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.cast import Cast, open_app, wait_until
from tests.wire import all_at_once
from vexar.conversing.conversations import Conversations
from vexar.conversing.receiving import Incoming
from vexar.models import Budget, Run
from vexar.sites.settings import SiteSettings

# What the upstream of the tests counts for its own answer: 7 for the prompt, one for each of its six words.
USAGE = 13


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("budgets"), ai_fallback=False) as app:
        yield app


def used(cast):
    """What the site has used: {period: (messages, tokens)}."""
    query = Budget.select(Budget).where(Budget.site_id == cast.site.id)
    return {row.period: (row.messages, row.tokens) for row in cast.store.read(lambda tx: tx.all(query))}


def today():
    """The period of tokens."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def refused(answer):
    """Whether the budget refused it before the stream opened; the seconds to wait."""
    assert (answer.status_code, answer.json["code"]) == (429, "budget_exhausted"), answer.text
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"])
    return answer.json["retry_after"]


def send(visitor, message="Hello", **fields):
    """A message, whatever comes of it."""
    return visitor.post("chat/stream", message=message, **fields)


# Messages in a month.


def test_a_site_without_budgets_counts_nothing(app):
    cast = Cast(app)
    cast.ann.ask()
    assert used(cast) == {}


def test_the_message_beyond_the_month_is_refused_until_the_next_and_nothing_of_it_is_stored(app):
    cast = Cast(app, messages_per_month=2)
    cast.ann.ask()
    cast.ben.ask()
    before = cast.rows()
    wait_s = refused(send(cast.ann))
    assert cast.rows() == before
    come_again = datetime.now(UTC) + timedelta(seconds=wait_s)
    assert come_again.day == 1
    assert wait_s <= 31 * 86_400 + 1


def test_sending_a_message_again_is_not_another_message(app):
    cast = Cast(app, messages_per_month=1)
    for _ in range(3):
        assert send(cast.ann, message_id="m_1").status_code == 200
    assert [count for count, _ in used(cast).values()] == [1]
    refused(send(cast.ann, message_id="m_2"))


def test_a_new_run_of_a_message_that_failed_is_not_another_message(app):
    cast = Cast(app, messages_per_month=1)
    app.upstream.script("status_400")
    failed = cast.ann.ask(message_id="m_1")
    assert failed[-1].data["meta"]["finish_reason"] == "error"
    again = cast.ann.ask(message_id="m_1")
    assert again[-1].data["meta"]["finish_reason"] == "stop"
    assert [count for count, _ in used(cast).values()] == [1]


def test_what_is_refused_for_another_reason_is_not_counted(app):
    cast = Cast(app, messages_per_month=5)
    cast.ann.ask(message_id="m_1")
    cast.block(cast.ben)
    statuses = [
        send(cast.ben).status_code, send(cast.ann, "other words", message_id="m_1").status_code,
        send(cast.ann, image_url="/uploads/aa/bb/" + "0" * 28 + ".png").status_code,
    ]  # fmt: skip
    assert statuses == [403, 409, 422]
    assert [count for count, _ in used(cast).values()] == [1]


def test_last_months_messages_do_not_count(app):
    cast = Cast(app, messages_per_month=1)
    cast.store.write(lambda tx: tx.run(Budget.insert(site_id=cast.site.id, period="2020-01", messages=9, tokens=0)))
    assert send(cast.ann).status_code == 200


def test_each_site_has_a_budget_of_its_own(app):
    full, other = Cast(app, messages_per_month=1), Cast(app, messages_per_month=1)
    full.ann.ask()
    refused(send(full.ben))
    assert send(other.ann).status_code == 200


def exact(app):
    """Twelve at the same time, for a budget of five."""
    cast = Cast(app, messages_per_month=5)
    visitors = [type(cast.ann)(app.test_client(), cast.site.site_key) for _ in range(12)]
    statuses = all_at_once([lambda visitor=visitor: send(visitor).status_code for visitor in visitors])
    assert sorted(statuses) == [200] * 5 + [429] * 7
    assert [count for count, _ in used(cast).values()] == [5]


def test_the_months_budget_is_exact_when_everybody_writes_at_once(tmp_path):
    with open_app(tmp_path) as app:
        exact(app)


@pytest.mark.servers
def test_the_months_budget_is_exact_when_everybody_writes_at_once_on_mysql_too(tmp_path, make_database):
    with open_app(tmp_path, database_url=make_database("mysql")) as app:
        exact(app)


# Tokens in a day.


def test_the_tokens_the_upstream_reports_are_counted_when_done_has_left(app):
    cast = Cast(app, tokens_per_day=1000)
    cast.ann.ask()
    assert used(cast)[today()] == (0, USAGE)
    cast.ann.ask()
    assert used(cast)[today()] == (0, 2 * USAGE)


def test_when_the_day_is_used_up_the_next_message_is_refused_until_midnight(app):
    cast = Cast(app, tokens_per_day=USAGE + 1)
    cast.ann.ask()
    cast.ann.ask()
    asked, before = app.upstream.count, cast.rows()
    wait_s = refused(send(cast.ben))
    assert (app.upstream.count, cast.rows()) == (asked, before)
    assert 0 < wait_s <= 86_401


def test_tokens_of_another_day_do_not_count(app):
    cast = Cast(app, tokens_per_day=10)
    cast.store.write(
        lambda tx: tx.run(Budget.insert(site_id=cast.site.id, period="2020-01-01", messages=0, tokens=99))
    )
    assert send(cast.ann).status_code == 200


def test_without_a_report_the_tokens_are_estimated(app):
    cast = Cast(app, tokens_per_day=100_000)
    app.upstream.script("no_done")
    cast.ann.ask("How long is a piece of string?")
    assert used(cast)[today()][1] > 5


def claimed(cast, visitor):
    """A run that another process has claimed and never makes: what a dead worker leaves."""
    other = Conversations(cast.store, cast.parts.broker, cast.parts.config, owner="another process")
    incoming = Incoming(cast.site.id, visitor.session_id, "m_claimed", "Hello")
    return other.receive(incoming, SiteSettings(tokens_per_day=1000)).run


def test_what_a_run_has_reserved_counts_until_its_lease_is_over(app):
    cast = Cast(app, tokens_per_day=1000)
    run = claimed(cast, cast.ann)
    assert run.tokens_reserved > 1000
    refused(send(cast.ben))
    cast.store.write(lambda tx: tx.run(Run.update(lease_until_ms=1).where(Run.visitor_id == run.visitor_id)))
    assert send(cast.ben).status_code == 200


def test_a_message_to_a_person_takes_no_tokens_and_needs_none(app):
    cast = Cast(app, tokens_per_day=USAGE, messages_per_month=9)
    cast.ann.ask()
    cast.olga_says(cast.ann, "Hello")
    assert cast.ann.ask("Good day")[-1].data["meta"]["finish_reason"] == "operator"
    assert used(cast)[today()] == (0, USAGE)
    assert used(cast)[today()[:7]] == (2, 0)


def test_an_answer_that_no_model_gave_takes_no_tokens(tmp_path):
    with open_app(tmp_path) as app:
        cast = Cast(app, tokens_per_day=1000)
        app.upstream.script("status_400")
        assert cast.ann.ask()[-1].data["meta"]["finish_reason"] == "stop"
        assert used(cast).get(today(), (0, 0)) == (0, 0)


def test_an_answer_that_was_stopped_has_taken_its_tokens(app):
    cast = Cast(app, tokens_per_day=100_000)
    app.upstream.script("silent_mid_stream")
    ben = type(cast.ann)(app.test_client(), cast.site.site_key, cast.ann.session_id)
    answer = app.test_client().post(
        "/api/v1/chat/stream", json={**cast.ann.scope, "message": "Hello", "message_id": "m_1"}, buffered=False
    )
    next(iter(answer.response))
    assert ben.post("chat/stop", message_id="m_1").json["stopped"] is True
    answer.close()
    wait_until(lambda: used(cast).get(today(), (0, 0))[1] > 0, "the tokens")
