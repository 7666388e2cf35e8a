"""What is made of an embedding endpoint's answers: directions of as many texts, or one clear failure."""

from __future__ import annotations

import math

import pytest

from tests.conftest import config_for
from tests.embedding_upstream import DIMS, EmbeddingUpstream, embed
from tests.upstream import refused_url
from vexar.errors import ProviderError
from vexar.knowledge.meaning.vectors import Compass, signs, squares
from vexar.providers.embeddings import LARGEST, EmbeddingClient, direction, read_directions

TEXTS = ["red trainers", "blue kettles", "opening hours on Sundays"]


@pytest.fixture(scope="module")
def upstream():
    with EmbeddingUpstream() as server:
        yield server


@pytest.fixture
def client(upstream, tmp_path):
    upstream.forget()
    made = EmbeddingClient(config_for(tmp_path, ai_base_url=upstream.url, ai_embedding_model="m", ai_api_key="sk-1"))
    yield made
    made.close()


def cosine(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


@pytest.mark.parametrize("script", ["regular", "unnumbered", "backwards"])
def test_each_text_gets_its_own_direction_in_order(client, upstream, script):
    upstream.script(script)
    found = client.embed(TEXTS, timeout_s=5)
    assert found == [direction(embed(text)) for text in TEXTS]
    assert upstream.bodies == [{"model": "m", "input": TEXTS}]
    assert upstream.keys[-1] == "Bearer sk-1"


@pytest.mark.parametrize(("script", "code", "permanent"), [
    ("uneven", "upstream_broken", False),
    ("short", "upstream_broken", False),
    ("long", "upstream_broken", False),
    ("misnumbered", "upstream_broken", False),
    ("zeros", "upstream_broken", False),
    ("tiny", "upstream_broken", False),
    ("huge", "upstream_broken", False),
    ("not_numbers", "upstream_broken", False),
    ("words", "upstream_broken", False),
    ("base64", "upstream_broken", False),
    ("no_list", "upstream_broken", False),
    ("not_json", "upstream_broken", False),
    ("not_utf8", "upstream_broken", False),
    ("endless", "upstream_broken", False),
    ("cut", "upstream_broken", False),
    ("late", "upstream_timeout", False),
    ("dripping", "upstream_timeout", False),
    ("status_500", "upstream_unavailable", False),
    ("status_429", "upstream_unavailable", False),
    ("status_400", "upstream_rejected", True),
    ("status_401", "upstream_rejected", True),
    ("redirect", "upstream_rejected", True),
])  # fmt: skip
def test_every_other_answer_is_a_failure_that_quotes_nothing(client, upstream, script, code, permanent):
    upstream.script(script)
    with pytest.raises(ProviderError) as raised:
        client.embed(TEXTS, timeout_s=0.5 if script in ("late", "dripping") else 10)
    assert (raised.value.code, raised.value.permanent) == (code, permanent)
    assert "secret" not in str(raised.value)
    # The next request is not the worse for it.
    assert len(client.embed(TEXTS, timeout_s=10)) == len(TEXTS)


def test_an_endpoint_that_is_away_is_a_failure(tmp_path):
    client = EmbeddingClient(config_for(tmp_path, ai_base_url=refused_url(), ai_embedding_model="m"))
    with pytest.raises(ProviderError, match="upstream_unavailable"):
        client.embed(TEXTS, timeout_s=5)
    client.close()
    with pytest.raises(ProviderError):
        client.embed(TEXTS, timeout_s=5)


def test_a_byte_a_dimension_keeps_the_angle():
    vectors = [embed(text, 1536) for text in [*TEXTS, "red kettles", "sneakers that are red"]]
    kept = [direction(vector) for vector in vectors]
    for one, first in zip(vectors, kept, strict=True):
        assert max(max(Compass(first)._numbers), -min(Compass(first)._numbers)) == LARGEST
        for other, second in zip(vectors, kept, strict=True):
            exact, stored = cosine(one, other), Compass(first).cosine(second, squares(second))
            assert abs(exact - stored) < 0.01


def test_signs_differ_the_more_the_farther_two_directions_are_apart():
    near, far = direction(embed("red trainers on Sundays")), direction(embed("opening hours on Sundays"))
    compass = Compass(direction(embed("red sneakers")))
    codes = [int.from_bytes(signs(one), "big") for one in (direction(embed("red sneakers")), near, far)]
    same, close, wide = compass.apart(codes)
    assert same == 0 < close < wide < DIMS


def test_numbers_that_are_no_eighth_of_a_byte_keep_their_signs():
    one = direction([(-1.0) ** place * (place + 1) for place in range(11)])
    assert int.from_bytes(signs(one), "big") == 0b01010101010


def test_integers_are_numbers_too():
    assert read_directions(b'{"data":[{"embedding":[1,0,0,0,0,0,0,-2]}]}', 1) == [bytes([64, 0, 0, 0, 0, 0, 0, 129])]
