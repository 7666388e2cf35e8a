"""Images over HTTP: the upload endpoint, what serves them, and that the unused are swept."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from tests.cast import API, ORIGIN, Cast, open_app, picture, wait_until
from vexar.housekeeping import Housekeeping
from vexar.models import Upload
from vexar.sites.settings import SiteSettings

DAY_MS = 24 * 3600 * 1000
PATH = r"/uploads/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("images"), max_image_bytes=60_000, max_image_pixels=40_000) as app:
        yield app


@pytest.fixture
def cast(app):
    return Cast(app)


def refused(answer):
    """Status and code of a failure."""
    return answer.status_code, answer.json["code"]


@pytest.mark.parametrize(("kind", "ending", "content_type"), [
    ("JPEG", ".jpg", "image/jpeg"), ("PNG", ".png", "image/png"), ("WEBP", ".webp", "image/webp"),
    ("GIF", ".png", "image/png"),
])  # fmt: skip
def test_an_image_gets_a_url_and_a_size_and_is_served_with_its_fixed_type(cast, kind, ending, content_type):
    answer = cast.ann.upload(picture(kind, (40, 30)), "Ann's holiday.exe")
    assert answer.json == {"success": True, "url": answer.json["url"], "width": 40, "height": 30}
    assert re.fullmatch(PATH + re.escape(ending), answer.json["url"])
    served = cast.client.get(answer.json["url"])
    assert served.content_type == content_type
    assert Image.open(io.BytesIO(served.data)).size == (40, 30)


def test_where_it_is_the_image_was_stripped_of_its_place_on_earth(cast):
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010E] = "my house"
    url = cast.ann.upload(picture("JPEG", exif=exif)).json["url"]
    served = cast.client.get(url).data
    assert b"my house" not in served
    assert not Image.open(io.BytesIO(served)).getexif()


@pytest.mark.parametrize(("header", "value"), [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Cache-Control", "public, max-age=31536000, immutable"),
])  # fmt: skip
def test_an_image_is_served_with_its_headers_also_when_it_is_unchanged(cast, header, value):
    served = cast.client.get(cast.ann.upload(picture()).json["url"])
    again = cast.client.get(served.request.path, headers={"If-None-Match": served.headers["ETag"]})
    assert (served.status_code, again.status_code) == (200, 304)
    assert served.headers[header] == again.headers[header] == value


@pytest.mark.parametrize("path", [
    "/uploads/", "/uploads/../vexar.db", "/uploads/%2e%2e/vexar.db", "/uploads/aa/bb/" + "0" * 28 + ".png",
    "/uploads/aa/bb/" + "0" * 28 + ".svg", "/uploads//etc/passwd", "/uploads/aa/bb/x.png%00",
])  # fmt: skip
def test_nothing_else_is_served_below_uploads(cast, path):
    assert refused(cast.client.get(path)) == (404, "not_found")


def test_more_bytes_than_allowed_are_413(cast):
    assert refused(cast.ann.upload(b"\xff\xd8" + b"x" * 60_000)) == (413, "image_too_large")
    assert refused(cast.ann.upload(b"\xff\xd8" + b"x" * 500_000)) == (413, "image_too_large")


def test_more_pixels_than_allowed_are_413(cast):
    assert refused(cast.ann.upload(picture("PNG", (201, 200)))) == (413, "image_too_large")
    assert cast.ann.upload(picture("PNG", (200, 200))).status_code == 200


@pytest.mark.parametrize("data", [b"GIF87", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"BM" * 50])
def test_what_is_none_of_the_four_formats_is_415(cast, data):
    assert refused(cast.ann.upload(data)) == (415, "unsupported_image")


def test_a_damaged_image_is_422(cast):
    assert refused(cast.ann.upload(picture("PNG", (50, 50))[:60])) == (422, "corrupt_image")


def test_an_upload_without_the_field_image_names_it(cast):
    answer = cast.client.post(f"{API}/chat/upload-image", data=cast.ann.scope, content_type="multipart/form-data")
    assert refused(answer) == (422, "invalid")
    assert "image" in answer.json["errors"]


def test_an_upload_ignores_unknown_fields(cast):
    cast.ann.scope["unknown"] = "x"
    assert cast.ann.upload(picture()).status_code == 200


def test_a_site_that_takes_no_images_refuses_them_and_stores_nothing(app):
    cast = Cast(app, photo_upload_enabled=False)
    before = cast.rows()
    assert refused(cast.ann.upload(picture())) == (403, "forbidden")
    assert cast.rows() == before


def test_a_site_has_a_gigabyte_unless_it_says_otherwise():
    assert SiteSettings().upload_quota_bytes == 2**30


def test_a_site_has_a_quota_of_bytes(app):
    cast = Cast(app, upload_quota_bytes=len(picture()) + 200)
    statuses = [cast.ann.upload(picture("PNG", (60, 40))).status_code for _ in range(4)]
    assert statuses[0] == 200
    answer = cast.ann.upload(picture("PNG", (60, 40)))
    assert refused(answer) == (413, "quota")


def test_uploads_are_limited_by_address(tmp_path):
    with open_app(tmp_path, limit_uploads_per_minute=2) as app:
        cast = Cast(app)
        answers = [cast.visitor().upload(picture()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_an_image_goes_with_a_message_and_comes_back_with_the_history(cast):
    url = cast.ann.upload(picture()).json["url"]
    cast.ann.ask("", image_url=url)
    assert [message["image_url"] for message in cast.ann.history()] == [url, None]


@pytest.mark.parametrize("whose", ["ben", "stranger"])
def test_an_image_of_somebody_else_cannot_be_sent(cast, whose):
    url = getattr(cast, whose).upload(picture()).json["url"]
    answer = cast.ann.post("chat/stream", message="look", image_url=url)
    assert refused(answer) == (422, "invalid")
    assert "image_url" in answer.json["errors"]
    assert cast.ann.history() == []


def test_the_page_of_the_site_may_read_the_answer_of_an_upload(cast):
    cast.client.environ_base["HTTP_ORIGIN"] = ORIGIN
    assert cast.ann.upload(picture()).headers["Access-Control-Allow-Origin"] == ORIGIN


# The sweep.


def age(cast, by_ms):
    """Make every upload older."""
    def job(tx):
        tx.run(Upload.update(created_ms=Upload.created_ms - by_ms))

    cast.store.write(job)


def test_an_upload_nobody_refers_to_is_swept_after_a_day_and_a_used_one_stays(cast):
    used, unused = (cast.ann.upload(picture()).json["url"] for _ in range(2))
    cast.ann.ask("look", image_url=used)
    age(cast, DAY_MS + 1)
    with_house = Housekeeping(cast.parts.uploads.sweep, first_s=0.0)
    wait_until(lambda: cast.client.get(unused).status_code == 404, "the sweep")
    with_house.close()
    assert cast.client.get(used).status_code == 200


def test_housekeeping_does_every_chore_again_and_again_whatever_one_of_them_does():
    done = []

    def break_down():
        done.append("broken")
        raise OSError("the disk is full")

    house = Housekeeping(break_down, lambda: done.append("swept"), first_s=0.0, every_s=0.001)
    wait_until(lambda: done[:4] == ["broken", "swept"] * 2, "two rounds")
    house.close()
    assert not house.is_running


def test_an_app_keeps_house_until_it_is_closed(tmp_path):
    with open_app(tmp_path) as app:
        house = app.extensions["vexar"].housekeeping
        assert house.is_running
        assert app.extensions["vexar"].uploads.sweep in house.chores
    assert not house.is_running
