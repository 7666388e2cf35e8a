"""Which pages may read the public answers: the site's list decides, a preflight never knows the site."""

from __future__ import annotations

import pytest

from tests.cast import API, GETS, ORIGIN, POSTS, Cast, open_app, picture

CORS = "access-control-"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("origins")) as app:
        yield app


@pytest.fixture
def cast(app):
    return Cast(app, allowed_origins=[ORIGIN])


def cors(answer):
    """The CORS headers of an answer, in lower case."""
    return {name.lower(): value for name, value in answer.headers if name.lower().startswith(CORS)}


def preflight(client, path, origin, method="POST"):
    """Ask as a browser does before the request itself."""
    return client.options(f"{API}/{path}", headers={
        "Origin": origin, "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type, last-event-id",
    })  # fmt: skip


def test_an_allowed_origin_may_read(cast):
    answer = cast.ann.get("chat/history", {"Origin": ORIGIN})
    assert answer.status_code == 200
    assert cors(answer)["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("origin", [
    "https://evil.example", "http://shop.example", "https://shop.example:8443", "https://www.shop.example",
    "https://shop.example.evil.example", "https://shop.exampl", "null", "", "https://shop.example/path",
])  # fmt: skip
def test_exact_scheme_host_and_port_decide_and_null_is_none_of_them(cast, origin):
    answer = cast.ann.get("chat/history", {"Origin": origin})
    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")
    assert cors(answer) == {}


@pytest.mark.parametrize("path", POSTS)
def test_a_post_of_a_refused_origin_is_403_without_cors_headers_and_changes_nothing(cast, path):
    before = cast.rows()
    answer = cast.ann.post(path, {"Origin": "https://evil.example"}, **POSTS[path])
    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")
    assert cors(answer) == {}
    assert cast.rows() == before


@pytest.mark.parametrize("path", GETS)
def test_a_get_of_a_refused_origin_is_403_without_cors_headers(cast, path):
    answer = cast.ann.get(path, {"Origin": "https://evil.example"}, **GETS[path])
    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")
    assert cors(answer) == {}


@pytest.mark.parametrize("wrong", [
    lambda ann, headers: ann.get("chat/history", headers, limit=0),
    lambda ann, headers: ann.get("chat/config", headers, lang="not a language"),
    lambda ann, headers: ann.get("chat/stream", headers, message_id="m" * 65),
    lambda ann, headers: ann.post("chat/rate", headers, score=9),
    lambda ann, headers: ann.post("chat/stream", headers, message=""),
    lambda ann, headers: ann.post("chat/contact", headers),
    lambda ann, headers: ann.post("chat/stream", headers, message="a\0b"),
], ids=["history", "config", "stream", "rate", "empty", "contact", "nul"])  # fmt: skip
def test_what_is_wrong_with_a_request_is_told_to_allowed_pages_only(cast, wrong):
    allowed, refused = wrong(cast.ann, {"Origin": ORIGIN}), wrong(cast.ann, {"Origin": "https://evil.example"})
    assert (allowed.status_code, cors(allowed)["access-control-allow-origin"]) == (422, ORIGIN)
    assert (refused.status_code, refused.json["code"], cors(refused)) == (403, "origin_not_allowed", {})
    assert wrong(cast.ann, {}).status_code == 422


@pytest.mark.parametrize("site_key", ["", "sk_nobody_has_this_key_at_all", "sk_a b", 5, None, "sk_\0", ["sk"]])
def test_without_the_key_of_a_site_what_is_wrong_is_told_to_every_page(cast, site_key):
    body = {"site_key": site_key, "session_id": "a", "score": 9}
    answer = cast.client.post(f"{API}/chat/rate", json=body, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, cors(answer)["access-control-allow-origin"]) == (422, "https://evil.example")


def test_an_upload_of_a_refused_origin_stores_nothing(cast):
    before = cast.rows()
    cast.client.environ_base["HTTP_ORIGIN"] = "https://evil.example"
    answer = cast.ann.upload(picture())
    assert (answer.status_code, cors(answer)) == (403, {})
    assert cast.rows() == before


def test_a_request_without_an_origin_is_answered(cast):
    answer = cast.ann.get("chat/history")
    assert answer.status_code == 200


@pytest.mark.parametrize("origin", ["https://any.example", "null", "http://localhost:3000", "file://"])
def test_a_star_allows_every_origin_and_null_too(app, origin):
    answer = Cast(app, allowed_origins=["*"]).ann.get("chat/history", {"Origin": origin})
    assert answer.status_code == 200
    assert cors(answer)["access-control-allow-origin"] == origin


@pytest.mark.parametrize(("allowed", "origin"), [
    ("https://shop.example:443", "https://shop.example"), ("https://shop.example", "https://shop.example:443"),
    ("http://shop.example:80", "http://shop.example"), ("http://shop.example/", "http://shop.example:80"),
    ("https://[2001:db8::1]:443", "https://[2001:db8::1]"), ("HTTPS://Shop.example", "https://shop.example"),
])  # fmt: skip
def test_the_port_of_the_scheme_may_be_named_or_not(app, allowed, origin):
    ann = Cast(app, allowed_origins=[allowed]).ann
    assert ann.get("chat/history", {"Origin": origin}).status_code == 200


@pytest.mark.parametrize("origin", ["https://shop.example:80", "http://shop.example:443", "https://shop.example:4430"])
def test_another_port_is_another_origin(app, origin):
    ann = Cast(app, allowed_origins=["https://shop.example", "http://shop.example"]).ann
    assert ann.get("chat/history", {"Origin": origin}).status_code == 403


def test_null_is_allowed_by_a_star_only_not_by_its_name(app):
    ann = Cast(app, allowed_origins=["null", ORIGIN]).ann
    assert ann.get("chat/history", {"Origin": "null"}).status_code == 403
    assert ann.get("chat/history", {"Origin": ORIGIN}).status_code == 200


def test_vexars_own_origin_is_always_allowed(cast):
    assert cast.ann.get("chat/history", {"Origin": "http://localhost"}).status_code == 200
    assert cast.ann.get("chat/history", {"Origin": "https://localhost"}).status_code == 403


def test_the_public_url_is_vexars_own_origin_whatever_the_host_of_the_request(tmp_path):
    with open_app(tmp_path, public_url="https://chat.example/vexar") as app:
        ann = Cast(app, allowed_origins=[]).ann
        assert ann.get("chat/history", {"Origin": "https://chat.example"}).status_code == 200
        assert ann.get("chat/history", {"Origin": "https://other.example"}).status_code == 403


def test_behind_a_trusted_proxy_the_own_origin_has_the_scheme_the_visitor_used(tmp_path):
    with open_app(tmp_path, trusted_proxies="127.0.0.0/8") as app:
        forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Host": "chat.example"}
        ann = Cast(app, allowed_origins=[]).ann
        assert ann.get("chat/history", {**forwarded, "Origin": "https://chat.example"}).status_code == 200
        assert ann.get("chat/history", {**forwarded, "Origin": "http://chat.example"}).status_code == 403


def test_the_own_origin_may_come_with_the_port_of_its_scheme(tmp_path):
    with open_app(tmp_path, trusted_proxies="127.0.0.0/8", public_url="https://public.example:443/chat") as app:
        forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Host": "chat.example:443"}
        ann = Cast(app, allowed_origins=[]).ann
        for origin in ("https://chat.example", "https://public.example"):
            assert ann.get("chat/history", {**forwarded, "Origin": origin}).status_code == 200


def test_behind_a_proxy_nobody_named_the_own_origin_may_have_either_scheme(cast):
    """What that proxy says of the scheme is not believed, and its own pages must work."""
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Host": "chat.example"}
    image_url = f"https://chat.example{cast.ann.upload(picture()).json['url']}"
    for scheme in ("http", "https"):
        origin = {"Origin": f"{scheme}://chat.example"}
        assert cast.ann.get("chat/history", {**forwarded, **origin}).status_code == 200
    assert cast.ann.get("chat/history", {**forwarded, "Origin": "https://evil.example"}).status_code == 403
    assert cast.ann.post("chat/stream", forwarded, message="", image_url=image_url).status_code == 200


@pytest.mark.parametrize("path", [*POSTS, "chat/upload-image"])
def test_a_preflight_is_answered_for_any_origin_and_cacheable_for_two_hours(cast, path):
    answer = preflight(cast.client, path, "https://evil.example")
    headers = cors(answer)
    assert (answer.status_code, answer.data) == (204, b"")
    assert headers["access-control-allow-origin"] == "https://evil.example"
    assert headers["access-control-max-age"] == "7200"
    assert "POST" in headers["access-control-allow-methods"]
    assert {"content-type", "last-event-id"} <= set(headers["access-control-allow-headers"].lower().split(", "))


def test_an_answer_without_a_body_names_no_content_type(cast):
    assert "Content-Type" not in preflight(cast.client, "chat/stream", ORIGIN).headers


def test_retry_after_and_the_made_message_id_are_exposed(cast):
    answer = cast.ann.get("chat/history", {"Origin": ORIGIN})
    assert {"Retry-After", "Vexar-Message-Id"} <= set(cors(answer)["access-control-expose-headers"].split(", "))


def test_a_limited_page_can_read_its_429(tmp_path):
    with open_app(tmp_path, limit_polls_per_minute=1) as app:
        ann = Cast(app).ann
        answers = [ann.get("chat/history", {"Origin": ORIGIN}) for _ in range(2)]
    assert answers[1].status_code == 429
    assert cors(answers[1])["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("origin", [ORIGIN, "https://evil.example"])
def test_there_is_no_credentialed_cors(cast, origin):
    answers = [cast.ann.get("chat/history", {"Origin": origin}), preflight(cast.client, "chat/email", origin)]
    assert all("access-control-allow-credentials" not in cors(answer) for answer in answers)


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}, {"Origin": "https://evil.example"}])
def test_public_answers_vary_by_origin_whatever_they_say(cast, headers):
    for answer in (cast.ann.get("chat/history", headers), cast.ann.get("chat/config", headers),
                   cast.ann.post("chat/email", headers), cast.ann.post("chat/stream", headers, message="Hello"),
                   cast.client.get(f"{API}/chat/nothing", headers=headers)):  # fmt: skip
        assert "Origin" in answer.headers["Vary"], answer.request.path


def test_other_answers_have_no_cors_headers(cast):
    assert cors(cast.client.get("/healthz", headers={"Origin": ORIGIN})) == {}


def test_the_widget_and_its_parts_may_be_loaded_by_every_page(cast):
    for name in ("chatbot.js", "panel.js", "widget.css"):
        answer = cast.client.get(f"/widget/{name}", headers={"Origin": "https://any.example"})
        assert answer.status_code == 200, name
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin", name
