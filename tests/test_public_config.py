"""What the widget needs to draw itself, and Vexar's own words in every language of it."""

from __future__ import annotations

import re

import pytest

from tests.cast import API, Cast, open_app
from vexar.conversing.lines import LINES, WEEKDAYS, line
from vexar.wording import STRINGS, strings

LANGUAGES = {"en", "de", "fr", "es", "pt", "it", "nl", "pl", "uk", "tr", "ar", "he", "zh", "ja"}
PROMISED = {
    "name", "avatar_url", "welcome_message", "primary_color", "header_color", "position", "button_style", "starters",
    "forms", "upload", "nudges", "strings",
}  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("config")) as app:
        yield app


def config_of(cast, **query):
    """The answer of chat/config, which needs no session."""
    return cast.client.get(f"{API}/chat/config", query_string={"site_key": cast.site.site_key, **query})


def test_the_config_has_all_that_the_widget_draws(app):
    config = config_of(Cast(app)).json
    assert {"success", *PROMISED} <= set(config)
    assert set(config["forms"]) == {"collect_data", "collect_email", "lead_when"}


def test_the_config_is_what_the_site_has_set(app):
    cast = Cast(
        app, bot_name="June", bot_avatar_url="https://shop.example/june.png", welcome_message="Hello!",
        primary_color="#123456", position="left", button_style="bar", starters=["Shipping?"], collect_data="both",
        photo_upload_enabled=False,
    )  # fmt: skip
    config = config_of(cast).json
    assert (config["name"], config["avatar_url"], config["welcome_message"]) == (
        "June", "https://shop.example/june.png", "Hello!"
    )
    assert (config["position"], config["button_style"], config["starters"]) == ("left", "bar", ["Shipping?"])
    assert (config["primary_color"], config["header_color"]) == ("#123456", "#123456")
    assert (config["forms"]["collect_data"], config["upload"]) == ("both", False)


def test_the_config_tells_no_secret_of_the_site(app):
    cast = Cast(app, system_prompt="Be secretive", custom_instructions="secret", identity_secret="a secret of the site")
    assert "secret" not in config_of(cast).text


def test_the_config_is_cacheable_for_60_seconds_and_varies_by_origin(app):
    answer = config_of(Cast(app))
    assert "max-age=60" in answer.headers["Cache-Control"]
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(("lang", "send"), [
    ("de", "Senden"), ("de-AT", "Senden"), ("DE", "Senden"), ("pt_BR", "Enviar"), ("zh-Hant-TW", "发送"),
    ("xx", "Send"), (None, "Send"),
])  # fmt: skip
def test_the_strings_come_in_the_language_asked_for_and_in_english_where_there_is_none(app, lang, send):
    assert config_of(Cast(app), **({"lang": lang} if lang else {})).json["strings"]["send"] == send


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_every_word(language):
    assert STRINGS[language].keys() == STRINGS["en"].keys()
    assert all(text.strip() for text in STRINGS[language].values())
    assert strings(language) == STRINGS[language]


def test_there_is_no_language_beside_the_promised_ones():
    assert set(STRINGS) == LANGUAGES
    assert all(set(words) == LANGUAGES for words in [*LINES.values(), WEEKDAYS])
    assert all(len(set(days)) == 7 for days in WEEKDAYS.values())


def test_every_line_keeps_its_placeholders_and_is_a_translation():
    for words in LINES.values():
        holes = {language: re.findall(r"\{\w+\}", text) for language, text in words.items()}
        assert all(found == holes["en"] for found in holes.values()), words
        assert len(set(words.values())) == len(words)


def test_a_name_with_braces_stays_as_it_is():
    assert line("joined", "en", name="{name} {0}") == "{name} {0} joined the conversation."
