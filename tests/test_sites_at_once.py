"""Several at once, on both engines: settings that all stay, rules of which one list stays whole, one shortcut once."""

from __future__ import annotations

import pytest

from tests.conftest import add_site
from tests.wire import all_at_once
from vexar.errors import ApiError
from vexar.models import CannedReply, NudgeRule, Site
from vexar.nudges import nudge_rules
from vexar.sites import canned, site_settings
from vexar.sites.settings import read_settings

CHANGES = (
    {"bot_name": "June"}, {"retention_days": 5}, {"position": "left"}, {"starters": ["A"]}, {"visitor_timeout": 7},
    {"identity_secret": "abc"}, {"behavior_tone": "casual"}, {"webhook_url": "https://hook.example"},
)  # fmt: skip


def rows(store, table):
    """The rows of a table."""
    return store.read(lambda tx: tx.all(table.select(table)))


@pytest.fixture
def site_id(store):
    return add_site(store)


def test_settings_changed_at_once_all_stay(store, site_id):
    all_at_once([
        lambda changes=changes: store.write(site_settings.change, site_id=site_id, changes=changes, providers=())
        for changes in CHANGES
    ])
    (site,) = rows(store, Site)
    settings = read_settings(site.settings)
    wanted = {name: value for changes in CHANGES for name, value in changes.items() if name != "identity_secret"}
    assert {name: getattr(settings, name) for name in wanted} == wanted
    assert site.identity_secret == "abc"


def test_of_lists_of_rules_set_at_once_one_stays_whole(store, site_id):
    lists = [
        [{"path": f"/{name}{number}", "variants": [{"message": name}]} for number in range(3)] for name in "abcd"
    ]
    all_at_once([
        lambda rules=rules: store.write(nudge_rules.replace, site_id=site_id, rules=rules) for rules in lists
    ])
    found = [rule.path for rule in rows(store, NudgeRule)]
    assert found in [[rule["path"] for rule in rules] for rules in lists]


def test_a_shortcut_is_given_once(store, site_id):
    def add():
        try:
            return store.write(canned.add, site_id=site_id, shortcut="hi", content="Hello").id
        except ApiError as problem:
            return problem.code

    outcomes = all_at_once([add] * 4)
    assert sorted(map(str, outcomes))[1:] == ["invalid"] * 3
    assert len(rows(store, CannedReply)) == 1
