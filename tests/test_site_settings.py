"""The chatbot settings: each field with its rule, partial changes that lose nothing, secrets, and that they work."""

from __future__ import annotations

import hashlib
import hmac
import threading

import pytest

from tests.cast import API, ORIGIN, Cast, open_app
from tests.desk import Desk
from tests.services import wait_until
from vexar.models import Site
from vexar.routes.chatbot import Settings
from vexar.sites.settings import SiteSettings

HOURS = {
    "timezone": "Europe/Berlin",
    "days": {"mon": [["09:00", "12:00"], ["13:00", "24:00"]], "sun": [["22:00", "02:00"]]},
}

# A value of each field, and how it is shown afterwards where that differs.
GOOD = {
    "bot_name": "Ада 🦊", "bot_avatar_url": "https://shop.example/a.png", "welcome_message": "",
    "primary_color": "#abc", "header_color": "#AABBCC", "position": "left", "button_style": "square",
    "starters": ["Shipping?"], "ai_provider": "builtin", "ai_model": "m-9", "system_prompt": "Be June.",
    "custom_instructions": "Say please.",
    "behavior_preset": "sales", "behavior_tone": "formal", "behavior_goals": ["Sell lamps"], "collect_email": True,
    "collect_data": "both", "lead_when": "start", "lead_strategy": "gentle", "operator_enabled": False,
    "operator_routing": "least_busy", "operator_id": None, "working_hours": HOURS, "operator_timeout": 0,
    "first_reply_timeout": 10, "reply_timeout": 20, "visitor_timeout": 30, "photo_upload_enabled": False,
    "upload_quota_bytes": 5_000, "allowed_origins": ["HTTPS://Shop.Example:443/", "*", "https://shop.example"],
    "identity_required": False, "retention_days": 90, "messages_per_month": 7, "tokens_per_day": 8,
    "answer_threshold": 0.5, "data_api_enabled": False, "data_api_url": "https://api.example/x", "data_api_timeout": 30,
    "webhook_url": "https://hook.example",
}  # fmt: skip
SHOWN = {
    "primary_color": "#aabbcc", "header_color": "#aabbcc", "allowed_origins": ["https://shop.example", "*"],
}  # fmt: skip
SECRETS = ("identity_secret", "data_api_key", "webhook_secret")
BAD = {
    "bot_name": ["", " ", None, 7, "x" * 101],
    "bot_avatar_url": ["javascript:alert(1)", "data:image/png;base64,x", "x"],
    "primary_color": ["", "red", "#12", "#12345", "#ggg", "#abc\n", None], "header_color": ["red", None],
    "position": ["top", "", None], "button_style": ["bar", ""], "starters": ["x", [""], ["x"] * 9, ["x" * 201], None],
    "ai_provider": ["gpt", None], "ai_model": ["x" * 201], "system_prompt": ["x" * 16_001, "a\0b", None],
    "behavior_preset": ["evil"], "behavior_tone": ["rude"], "behavior_goals": [[" "], "x"], "collect_email": ["yes", 1],
    "collect_data": ["fax", ""], "lead_when": ["always"], "lead_strategy": ["pushy"], "operator_enabled": [0, "true"],
    "operator_routing": ["random"], "operator_id": [0, "1"], "operator_timeout": [-1, 604_801, 1.5, "5"],
    "visitor_timeout": [-1], "allowed_origins": [["shop.example"], ["https://a.example/path"], ["null"], "*",
                                                 ["https://u@a.example"]],
    "identity_secret": ["ümlaut", "a b", "x" * 129], "retention_days": [-1, 36_501], "messages_per_month": [-1],
    "tokens_per_day": [-1], "answer_threshold": [-0.1, 1.1], "data_api_timeout": [2, 31],
    "data_api_url": ["ftp://x", "https://user:word@x.example"], "webhook_url": ["/hook"], "webhook_secret": ["a\nb"],
    "working_hours": [
        {"timezone": "Mars/Olympus"}, {"timezone": "Factory"}, {"days": {"monday": []}},
        {"days": {"mon": [["9:00", "17:00"]]}}, {"days": {"mon": [["09:00", "24:01"]]}},
        {"days": {"mon": [["09:60", "17:00"]]}}, {"days": {"mon": [["09:00"]]}},
        {"days": {"mon": [["09:00", "09:00"]]}}, {"days": {"mon": [["24:00", "02:00"]]}},
        {"days": {"mon": [["09:00", "13:00"], ["12:00", "17:00"]]}},
        {"days": {"sun": [["22:00", "10:00"]], "mon": [["09:00", "17:00"]]}}, {"open": True}, "always",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("settings"), ai_model="m-1") as app:
        yield app


@pytest.fixture
def cast(app):
    return Cast(app)


@pytest.fixture
def editor(cast):
    return Desk(cast.client, cast.store, cast.site.id, name="Edda", can_chat=1, can_view_conversations=0, can_edit=1)


@pytest.fixture
def path(cast):
    return f"sites/{cast.site.id}/chatbot"


def row(cast):
    """The site's row."""
    return cast.store.read(lambda tx: tx.one(Site.select(Site).where(Site.id == cast.site.id)))


def test_every_setting_is_a_field_and_every_field_a_setting():
    fields = set(Settings.__struct_fields__) - {"identity_secret"}
    assert fields == set(SiteSettings.__struct_fields__) - {"nudge_figures_after_id"}
    assert set(GOOD) | set(SECRETS) == set(Settings.__struct_fields__)


def test_a_change_touches_what_it_names_and_comes_back(editor, path):
    before = editor.get(path).json["config"]
    for name, value in GOOD.items():
        after = editor.put(path, **{name: value})
        assert after.status_code == 200, after.text
        before = before | {name: SHOWN.get(name, value)}
        assert after.json["config"] == before, name
    assert editor.get(path).json["config"] == before
    # The whole of it may be sent back as it is.
    assert editor.put(path, **before).json["config"] == before
    assert editor.put(path, bot_avatar_url=None, working_hours=None).json["config"] == before | {
        "bot_avatar_url": None, "working_hours": None,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_wrong_value_is_told_by_field_and_nothing_changes(cast, editor, path, name, value):
    before = row(cast)
    refused = editor.put(path, **{name: value, "lead_when": "start", **({} if name != "lead_when" else {name: value})})
    assert refused.status_code == 422, refused.text
    assert list(refused.json["errors"]) == [name]
    assert len(refused.json["errors"][name]) > 8
    assert row(cast) == before


def test_every_wrong_field_is_told_at_once_and_unknown_ones_too(editor, path):
    refused = editor.put(path, position="top", operator_timeout=-1, colour="red")
    assert refused.json["errors"].keys() == {"position", "operator_timeout", "colour"}


def test_secrets_go_in_and_never_come_out(cast, editor, path):
    first = editor.get(path)
    assert first.json["secrets"] == dict.fromkeys(SECRETS, False)
    answer = editor.put(path, identity_secret="s3cret-one", data_api_key="s3cret-two", webhook_secret="s3cret-three")
    assert answer.json["secrets"] == dict.fromkeys(SECRETS, True)
    assert "s3cret" not in answer.text + editor.get(path).text
    assert not answer.json["config"].keys() & set(SECRETS)
    assert row(cast).identity_secret == "s3cret-one"
    # What is not named stays.
    editor.put(path, bot_name="June")
    assert row(cast).identity_secret == "s3cret-one"
    assert editor.put(path, webhook_secret=None, data_api_key="").json["secrets"] == {
        "identity_secret": True, "data_api_key": False, "webhook_secret": False,
    }  # fmt: skip


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"identity_required": True}, "identity_required"), ({"data_api_enabled": True}, "data_api_enabled"),
    ({"operator_routing": "one"}, "operator_id"), ({"operator_routing": "one", "operator_id": 999_999}, "operator_id"),
])  # fmt: skip
def test_fields_have_to_fit_each_other(editor, path, fields, wrong):
    assert list(editor.put(path, **fields).json["errors"]) == [wrong]


def test_one_person_is_asked_only_who_may_chat_there(cast, editor, path):
    stranger = Desk(cast.client, cast.store, cast.elsewhere.id, name="Oscar")
    assert editor.put(path, operator_routing="one", operator_id=stranger.id).status_code == 422
    assert editor.put(path, operator_routing="one", operator_id=editor.id).status_code == 200


@pytest.mark.parametrize("times", [4])
def test_changes_at_once_all_stay(cast, editor, path, times):
    fields = {"bot_name": "June", "welcome_message": "Hi", "retention_days": 5, "position": "left", "starters": ["A"],
              "behavior_tone": "casual", "webhook_url": "https://hook.example", "identity_secret": "abc"}  # fmt: skip
    threads = [
        threading.Thread(target=lambda name=name, value=value: editor.put(path, **{name: value}))
        for name, value in fields.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = editor.get(path).json
    assert {name: after["config"][name] for name in fields if name != "identity_secret"} == {
        name: value for name, value in fields.items() if name != "identity_secret"
    }
    assert after["secrets"]["identity_secret"] is True


def test_only_who_may_edit_reads_and_changes_settings(cast, path):
    chatter = Desk(cast.client, cast.store, cast.site.id, name="Carl", can_edit=0)
    before = row(cast)
    assert chatter.get(path).status_code == chatter.put(path, bot_name="x").status_code == 403
    assert row(cast) == before


# They work.


def test_looks_and_forms_reach_the_widget(cast, editor, path):
    editor.put(path, **{name: GOOD[name] for name in (
        "bot_name", "bot_avatar_url", "welcome_message", "primary_color", "position", "button_style", "starters",
        "collect_email", "collect_data", "lead_when", "operator_enabled", "photo_upload_enabled",
    )})  # fmt: skip
    config = cast.client.get(f"{API}/chat/config", query_string={"site_key": cast.site.site_key}).json
    assert (config["name"], config["primary_color"], config["header_color"]) == ("Ада 🦊", "#aabbcc", "#aabbcc")
    assert (config["position"], config["button_style"], config["starters"]) == ("left", "square", ["Shipping?"])
    assert {"collect_data": "both", "collect_email": True, "lead_when": "start"}.items() <= config["forms"].items()
    assert (config["operator"], config["upload"]) == (False, False)


def test_without_people_asking_for_one_is_answered_truthfully(cast, editor, path):
    editor.put(path, operator_enabled=False)
    cast.ann.ask()
    answer = cast.ann.post("chat/request-operator").json
    assert (answer["waiting"], answer["available"]) == (False, False)


def asked(app, visitor, question="Do you ship?"):
    """What the model was asked: the body of the request."""
    bodies = []

    def keep(wire, body):
        bodies.append(body)
        wire.answer(["Yes."])

    app.upstream.script(keep)
    events = visitor.ask(question)
    return bodies[0] if bodies else None, events


def test_behaviour_and_model_reach_the_prompt(app, cast, editor, path):
    plain, _ = asked(app, cast.visitor())
    assert plain["model"] == "m-1"
    fields = ("system_prompt", "custom_instructions", "behavior_preset", "behavior_tone", "behavior_goals",
              "lead_strategy", "ai_model")  # fmt: skip
    editor.put(path, **{name: GOOD[name] for name in fields})
    body, _ = asked(app, cast.visitor())
    system = body["messages"][0]["content"]
    assert system.startswith("Be June.")
    assert "Say please." in system
    assert "- Sell lamps" in system
    assert body["model"] == "m-9"
    for name in ("behavior_preset", "behavior_tone", "lead_strategy"):
        editor.put(path, **{name: ""})
        shorter = asked(app, cast.visitor())[0]["messages"][0]["content"]
        assert len(shorter) < len(system), name
        system = shorter


def test_the_prompt_offers_a_person_only_where_there_is_one(app, cast, editor, path):
    system = asked(app, cast.visitor())[0]["messages"][0]["content"]
    editor.put(path, operator_enabled=False)
    assert "offer to ask a person" in system
    assert "offer to ask a person" not in asked(app, cast.visitor())[0]["messages"][0]["content"]


def test_the_provider_is_chosen_by_the_site(app, cast, editor, path):
    editor.put(path, ai_provider="builtin")
    count = app.upstream.count
    events = cast.ann.ask("Do you ship?")
    assert events[-1].type == "done"
    assert app.upstream.count == count
    editor.put(path, ai_provider="openai")
    cast.ann.ask("Do you ship?")
    wait_until(lambda: app.upstream.count == count + 1, "the model to be asked")


def test_a_provider_that_is_not_there_cannot_be_chosen_but_may_stay(cast, editor, path, monkeypatch):
    editor.put(path, ai_provider="openai")
    monkeypatch.delitem(cast.parts.runs.providers.providers, "openai")
    assert editor.put(path, bot_name="June").status_code == 200
    assert editor.put(path, ai_provider="").status_code == 200
    assert list(editor.put(path, ai_provider="openai").json["errors"]) == ["ai_provider"]


def test_origins_and_identity_are_in_force_at_once(cast, editor, path):
    editor.put(path, allowed_origins=[ORIGIN], identity_secret="key", identity_required=True)
    assert cast.ann.get("chat/history", headers={"Origin": "https://evil.example"}).status_code == 403
    assert cast.ann.post("chat/stream", message="Hi").json["code"] == "bad_user_hash"
    user_hash = hmac.new(b"key", b"42", hashlib.sha256).hexdigest()
    assert cast.ann.post("chat/stream", message="Hi", user_id="42", user_hash=user_hash).status_code == 200
    assert list(editor.put(path, identity_secret="").json["errors"]) == ["identity_required"]
