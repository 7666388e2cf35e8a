"""Images: what is accepted, what is left of it, where it lies, whose it is, and when it goes."""

from __future__ import annotations

import io
import logging
import random
import re
import struct
import threading
import zlib

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tests.conftest import config_for
from vexar.errors import ApiError
from vexar.media import uploads as uploads_module
from vexar.media.images import clean
from vexar.media.uploads import Uploads, claim
from vexar.models import Site, Upload

# pytest puts its own filters in the place of ours.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]

ANN, BEN = 1, 2
DAY_MS = 24 * 3600 * 1000
FORMATS = ["JPEG", "PNG", "WEBP", "GIF"]
SEED = 4509


def picture(size=(64, 48), mode="RGB"):
    """Four coloured quarters, so that turning and mixing up shows: red green / blue white."""
    image = Image.new("RGB", size, (255, 0, 0))
    half = size[0] // 2, size[1] // 2
    image.paste((0, 160, 0), (half[0], 0, size[0], half[1]))
    image.paste((0, 0, 255), (0, half[1], half[0], size[1]))
    image.paste((255, 255, 255), (*half, *size))
    return image.convert(mode)


def encoded(image, kind, **options):
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def opened(image):
    """The pixels of a CleanImage."""
    with Image.open(io.BytesIO(image.data)) as read:
        read.load()
        assert read.format == image.format
        assert read.size == (image.width, image.height)
        return read


def corners(image):
    """The colours in the four quarters, left to right, top to bottom."""
    width, height = image.size
    places = [(width // 4, height // 4), (3 * width // 4, height // 4), (width // 4, 3 * height // 4)]
    return [image.convert("RGB").getpixel(place) for place in places]


def is_close(colours, others, tolerance=12):
    pairs = zip(colours, others, strict=True)
    return all(abs(a - b) <= tolerance for one, two in pairs for a, b in zip(one, two, strict=True))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(width, height, depth=8, colour=2):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


@pytest.fixture
def config(tmp_path):
    return config_for(tmp_path)


def small(tmp_path, **values):
    return config_for(tmp_path, **values)


def refusal(data, config):
    with pytest.raises(ApiError) as caught:
        clean(data, config)
    return caught.value.code


# What an image may be.


@pytest.mark.parametrize(
    ("kind", "kept", "ending"),
    [("JPEG", "JPEG", ".jpg"), ("PNG", "PNG", ".png"), ("WEBP", "WEBP", ".webp"), ("GIF", "PNG", ".png")],
)
def test_the_four_formats_are_kept_with_their_colours(config, kind, kept, ending):
    image = clean(encoded(picture(), kind), config)
    assert (image.format, image.ending, image.width, image.height) == (kept, ending, 64, 48)
    assert is_close(corners(opened(image)), corners(picture()))


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM", "ICO", "JPEG2000", "AVIF", "PDF"])
def test_other_formats_are_refused(config, kind):
    assert refusal(encoded(picture(), kind), config) == "unsupported_image"


@pytest.mark.parametrize(
    "data",
    [b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html><script>alert(1)</script>", b"MZ\x90\x00",
     b"%!PS-Adobe-3.0 EPSF-3.0\n", b"RIFF\x00\x00\x00\x00AVI ", b"\x00" * 5000, b"/* XPM */", b"GIF88a" + b"0" * 90],
)
def test_what_is_no_image_is_refused(config, data):
    assert refusal(data, config) == "unsupported_image"


def test_an_empty_file_is_a_damaged_one(config):
    assert refusal(b"", config) == "corrupt_image"


def test_a_file_is_what_it_holds_whatever_another_reader_would_see_in_it(config):
    page = b"<script>alert(1)</script>"
    for kind in FORMATS:
        image = clean(encoded(picture(), kind) + page, config)
        assert page not in image.data
    assert refusal(page + encoded(picture(), "PNG"), config) == "unsupported_image"


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_keeps_its_picture(config, mode):
    source = picture().convert("L").convert("I;16") if mode == "I;16" else picture(mode=mode)
    if mode == "I;16":
        source = source.point(lambda value: value * 257)
    image = opened(clean(encoded(source, "PNG"), config))
    expected = picture(mode="L" if mode == "I;16" else mode).convert("L")
    assert is_close(corners(image.convert("L")), corners(expected), 1)


def test_transparency_stays(config):
    clear = picture(mode="RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    for kind in ("PNG", "WEBP"):
        alpha = opened(clean(encoded(clear, kind), config)).getchannel("A")
        assert alpha.getpixel((5, 0)) < 20
        assert alpha.getpixel((5, 47)) > 235
    holes = picture(mode="P")
    hole = holes.getpixel((1, 1))
    for kind in ("PNG", "GIF"):
        image = opened(clean(encoded(holes, kind, transparency=hole), config))
        assert image.getpixel((1, 1))[3] == 0
        assert image.getpixel((60, 1))[3] == 255
    image = opened(clean(encoded(picture(), "PNG", transparency=(255, 0, 0)), config))
    assert image.getpixel((1, 1))[3] == 0


def test_a_cmyk_jpeg_becomes_rgb_with_the_right_colours(config):
    image = opened(clean(encoded(picture(mode="CMYK"), "JPEG", quality=95), config))
    assert image.mode == "RGB"
    assert is_close(corners(image), corners(picture()), 25)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_stays(config, kind):
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("black", "white", "red")]
    data = encoded(picture(), kind, save_all=True, append_images=frames)
    image = opened(clean(data, config))
    assert getattr(image, "n_frames", 1) == 1
    assert is_close(corners(image), corners(picture()))


def test_a_jpeg_of_several_pictures_is_a_jpeg(config):
    data = encoded(picture(), "MPO", save_all=True, append_images=[picture().rotate(180)])
    image = clean(data, config)
    assert image.format == "JPEG"
    assert is_close(corners(opened(image)), corners(picture()))


# Size.


def test_more_bytes_than_allowed_are_refused(tmp_path):
    data = encoded(picture(), "PNG") + b"0" * 5000
    assert refusal(data, small(tmp_path, max_image_bytes=4000)) == "image_too_large"
    assert clean(data, small(tmp_path, max_image_bytes=len(data))).width == 64


@pytest.mark.parametrize("kind", FORMATS)
def test_the_bound_of_pixels_is_exact_but_for_jpeg(tmp_path, kind):
    data = encoded(picture(), kind)
    assert clean(data, small(tmp_path, max_image_pixels=64 * 48)).width == 64
    if kind != "JPEG":
        assert refusal(data, small(tmp_path, max_image_pixels=64 * 48 - 1)) == "image_too_large"


def test_a_larger_jpeg_is_decoded_at_reduced_scale(tmp_path):
    config = small(tmp_path, max_image_pixels=100_000, max_image_side=100)
    image = clean(encoded(picture((500, 400)), "JPEG"), config)
    assert (image.width, image.height) == (100, 80)
    assert is_close(corners(opened(image)), corners(picture()))
    assert refusal(encoded(picture((800, 600)), "JPEG"), config) == "image_too_large"


def test_a_larger_progressive_jpeg_is_refused_as_it_is_held_in_full(tmp_path):
    config = small(tmp_path, max_image_pixels=100_000, max_image_side=100)
    assert refusal(encoded(picture((500, 400)), "JPEG", progressive=True), config) == "image_too_large"
    assert clean(encoded(picture((300, 300)), "JPEG", progressive=True), config).width == 100


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("size", "kept"), [((400, 300), (100, 75)), ((300, 400), (75, 100)), ((900, 3), (100, 1)),
                                            ((100, 100), (100, 100)), ((1, 1), (1, 1))])
def test_the_longer_side_is_bounded(tmp_path, kind, size, kept):
    image = clean(encoded(picture(size), kind), small(tmp_path, max_image_side=100))
    assert (image.width, image.height) == kept == opened(image).size


def test_a_huge_size_in_the_header_takes_no_memory(config):
    jpeg = bytearray(encoded(picture(), "JPEG"))
    frame = re.search(rb"\xff\xc0", jpeg).start()
    jpeg[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"
    gif = bytearray(encoded(picture(), "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    frame_of_gif = bytearray(encoded(picture(), "GIF"))
    place = frame_of_gif.rindex(b"," + b"\0" * 4 + struct.pack("<HH", 64, 48))
    frame_of_gif[place + 5 : place + 9] = b"\xff\xff\xff\xff"
    webp = bytearray(encoded(picture(), "WEBP"))
    webp[26:30] = b"\xff\x3f\xff\x3f"
    lossless = bytearray(encoded(picture(), "WEBP", lossless=True))
    lossless[21:25] = b"\xff\xff\xff\x0f"
    extended = bytearray(encoded(picture(mode="RGBA"), "WEBP", exif=b"Exif\0\0"))
    extended[24:30] = b"\xff" * 6
    png = png_header(60000, 60000) + chunk(b"IDAT", b"")
    hostile = (jpeg, gif, frame_of_gif, webp, lossless, extended, png)
    assert [refusal(bytes(data), config) for data in hostile] == ["image_too_large"] * len(hostile)


def test_a_bomb_of_a_few_kilobytes_is_refused(config):
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(30_001)) for _ in range(100)) + packer.flush()
    bomb = png_header(10_000, 10_000) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    assert len(bomb) < 10_000
    assert refusal(bomb, config) == "image_too_large"


@pytest.mark.parametrize("name", [b"zTXt", b"iCCP"])
def test_a_bomb_in_the_text_of_a_png_does_no_harm(config, name):
    text = b"name\0\0" + zlib.compress(bytes(100_000_000), 9)
    plain = encoded(picture(), "PNG")
    data = plain[:33] + chunk(name, text) + plain[33:]
    survives(data, config)


def test_a_jpeg_of_countless_scans_is_refused(config):
    data = encoded(picture(), "JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    assert clean(data, config).width == 64
    assert refusal(data[:-2] + data[scan:-2] * 50 + b"\xff\xd9", config) == "corrupt_image"


def test_scans_behind_the_end_of_a_jpeg_do_not_count(config):
    data = encoded(picture(), "JPEG")
    assert clean(data + (b"\0\2" + data[data.index(b"\xff\xda") :]) * 50, config).width == 64


# What is left of it.

SECRET = b"ann lives here"


def private_exif(orientation=1):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 0.0)})
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_that_tells_of_the_person_stays(config, kind):
    options = {"exif": private_exif(), "xmp": b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"}
    if kind == "JPEG":
        options["comment"] = SECRET
    if kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Author", SECRET.decode())
    data = encoded(picture(), kind, **options)
    with Image.open(io.BytesIO(data)) as before:
        assert before.getexif().get_ifd(0x8825)
    assert SECRET in data
    image = clean(data, config)
    assert SECRET not in image.data
    assert b"Exif" not in image.data
    assert b"xmp" not in image.data.lower()
    after = opened(image)
    assert not dict(after.getexif())
    assert not {"exif", "xmp", "comment", "icc_profile", "Author", "XML:com.adobe.xmp"} & set(after.info)


def test_a_comment_of_a_gif_goes(config):
    data = encoded(picture(), "GIF", comment=SECRET)
    assert SECRET in data
    assert SECRET not in clean(data, config).data


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(config, kind, orientation):
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = picture().transpose(back[orientation]) if orientation in back else picture()
    image = clean(encoded(stored, kind, exif=private_exif(orientation)), config)
    assert (image.width, image.height) == (64, 48)
    assert is_close(corners(opened(image)), corners(picture()))


def test_a_good_picture_with_broken_exif_is_accepted(config):
    for exif in (b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0no TIFF at all", b"Exif\0\0"):
        for kind in ("JPEG", "PNG", "WEBP"):
            assert clean(encoded(picture(), kind, exif=exif), config).width == 64
    assert clean(encoded(picture(), "JPEG", exif=private_exif(99)), config).width == 64


def test_colours_are_turned_into_srgb(config):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = opened(clean(encoded(picture(), "JPEG", icc_profile=lab), config))
    assert is_close(corners(image), corners(picture()))
    for broken in (b"no profile", lab[:200], lab[:100] + b"\xff" * 100 + lab[200:]):
        image = clean(encoded(picture(), "PNG", icc_profile=broken), config)
        assert is_close(corners(opened(image)), corners(picture()))


# Hostile files.


def survives(data, config):
    """Cleaning ends in a picture that can be read, or in one of the three errors; whether it was a picture."""
    try:
        image = clean(data, config)
    except ApiError as error:
        code = error.code
    else:
        opened(image)
        return True
    assert code in ("corrupt_image", "unsupported_image", "image_too_large")
    return False


def samples(kind):
    yield encoded(picture((40, 30)), kind)
    if kind == "JPEG":
        yield encoded(picture((40, 30)), kind, progressive=True, exif=private_exif(6), comment=b"x")
    if kind == "PNG":
        yield encoded(picture((40, 30), "P"), kind, transparency=3)
    if kind in ("WEBP", "GIF"):
        yield encoded(picture((40, 30)), kind, save_all=True, append_images=[picture((40, 30)).rotate(90)])


@pytest.mark.parametrize("kind", FORMATS)
def test_cut_files_are_told_from_whole_ones(config, kind):
    for data in samples(kind):
        assert survives(data, config)
        offsets = {*range(40), *range(40, len(data), max(1, len(data) // 60))}
        whole = sum(survives(data[:offset], config) for offset in sorted(offsets) if offset < len(data) // 4)
        assert whole == 0
        for offset in sorted(offsets):
            survives(data[:offset], config)


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_never_bring_another_error(config, kind):
    dice = random.Random(SEED)
    for data in samples(kind):
        for _ in range(120):
            damaged = bytearray(data)
            for _ in range(dice.choice((1, 1, 3, 20))):
                damaged[dice.randrange(len(damaged))] = dice.choice((0, 0xFF, dice.randrange(256)))
            survives(bytes(damaged), config)


@pytest.mark.parametrize("begin", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x10\x00\x00WEBP", b"GIF89a"])
def test_a_right_beginning_does_not_make_an_image(config, begin):
    dice = random.Random(SEED)
    assert refusal(begin, config) == "corrupt_image"
    for length in (1, 10, 100, 5000):
        assert not survives(begin + dice.randbytes(length), config)


# Where it lies and whose it is.


@pytest.fixture
def site_id(store):
    def add(tx):
        return tx.insert(Site.insert(
            site_key="sk_1", name="", url="", is_active=1, settings="{}", identity_secret="", upload_bytes=0,
            knowledge_version=0, created_ms=0, changed_ms=0,
        ))

    return store.write(add)


@pytest.fixture
def uploads(store, config):
    made = Uploads(config, store)
    yield made
    made.close()


def rows(store):
    return store.read(lambda tx: tx.all(Upload.select(Upload.path, Upload.bytes, Upload.is_used, Upload.visitor_id)))


def counted_bytes(store):
    return store.read(lambda tx: tx.one(Site.select(Site.upload_bytes))).upload_bytes


def files(config):
    return sorted(str(file.relative_to(config.upload_dir)) for file in config.upload_dir.rglob("*") if file.is_file())


def age(store, path, by_ms):
    change = Upload.update({Upload.created_ms: Upload.created_ms - by_ms}).where(Upload.path == path)
    assert store.write(lambda tx: tx.run(change)) == 1


def claims(store, visitor_id, path):
    return store.write(lambda tx: claim(tx, visitor_id, path))


def send(uploads, site_id, visitor_id=ANN, kind="PNG"):
    """Upload a picture; its path."""
    return uploads.path_of(uploads.receive(site_id, visitor_id, encoded(picture(), kind))["url"])


def test_an_upload_has_a_random_name_a_row_and_a_file(uploads, store, site_id, config):
    answer = uploads.receive(site_id, ANN, encoded(picture(), "GIF"))
    assert answer.keys() == {"url", "width", "height"}
    assert (answer["width"], answer["height"]) == (64, 48)
    assert re.fullmatch(r"/uploads/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.png", answer["url"])
    file, content_type = uploads.open(answer["url"].removeprefix("/uploads/"))
    assert content_type == "image/png"
    [row] = rows(store)
    assert row == (answer["url"].removeprefix("/uploads/"), file.stat().st_size, 0, ANN)
    assert counted_bytes(store) == row.bytes
    assert files(config) == [row.path]
    assert is_close(corners(Image.open(file)), corners(picture()))


def test_every_digit_of_a_name_is_random(uploads, site_id):
    """32 of them are 128 bits."""
    data = encoded(picture(), "PNG")
    urls = [uploads.receive(site_id, ANN, data)["url"] for _ in range(8)]
    names = [url.removeprefix("/uploads/").removesuffix(".png").replace("/", "") for url in urls]
    assert {len(name) for name in names} == {32}
    assert all(len(set(digits)) > 1 for digits in zip(*names, strict=True))


def test_the_url_is_absolute_when_the_public_one_is_known(store, site_id, tmp_path):
    uploads = Uploads(small(tmp_path, public_url="https://chat.example/vexar/"), store)
    url = uploads.receive(site_id, ANN, encoded(picture(), "PNG"))["url"]
    uploads.close()
    assert url.startswith("https://chat.example/vexar/uploads/")
    assert uploads.open(uploads.path_of(url))


def test_only_our_own_urls_lead_to_an_upload(store, tmp_path):
    uploads = Uploads(small(tmp_path, public_url="https://chat.example"), store)
    path = "ab/cd/" + "0" * 28 + ".jpg"
    own = "http://127.0.0.1:8000"
    assert uploads.path_of(f"/uploads/{path}") == path
    assert uploads.path_of(f"https://chat.example/uploads/{path}") == path
    assert uploads.path_of(f"{own}/uploads/{path}", own) == path
    for url in ("", path, f"{own}/uploads/{path}", f"https://chat.example.evil/uploads/{path}", f"/uploads/{path}?a",
                f"/uploads/{path}\n", f"/uploads//{path}", f"/uploads/../{path}", f"/uploads/{path[:-4]}.svg",
                f"https://evil.example/uploads/{path}", f"/uploads/{path.upper()}", "/uploads/", "javascript:1"):
        assert uploads.path_of(url) is None
    uploads.close()


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../secret.png", "ab/cd/../../secret.png", "/etc/passwd", "ab/cd/" + "0" * 28 + ".png.part",
     "ab/cd/" + "0" * 28, "ab/cd/" + "0" * 28 + ".html", "ab\\cd\\" + "0" * 28 + ".png",
     "ab/cd/" + "0" * 27 + "\0.png"],
)
def test_only_names_of_our_own_making_are_served(uploads, config, path):
    config.upload_dir.mkdir(parents=True)
    (config.upload_dir.parent / "secret.png").write_bytes(b"secret")
    assert uploads.open(path) is None


def test_what_was_never_stored_is_not_served(uploads):
    assert uploads.open("ab/cd/" + "0" * 28 + ".png") is None


def test_a_refused_image_leaves_nothing(uploads, store, site_id, config):
    with pytest.raises(ApiError, match="damaged"):
        uploads.receive(site_id, ANN, b"\x89PNG\r\n\x1a\n")
    assert rows(store) == []
    assert files(config) == []


def test_a_site_has_a_quota_of_bytes(uploads, store, site_id, config):
    data = encoded(picture(), "PNG")
    length = len(clean(data, config).data)
    for _ in range(2):
        uploads.receive(site_id, ANN, data, quota_bytes=2 * length)
    with pytest.raises(ApiError) as caught:
        uploads.receive(site_id, ANN, data, quota_bytes=3 * length - 1)
    assert (caught.value.code, caught.value.status) == ("quota", 413)
    assert counted_bytes(store) == 2 * length
    assert len(rows(store)) == len(files(config)) == 2


def test_uploads_at_the_same_time_do_not_overrun_the_quota(uploads, store, site_id, config):
    data = encoded(picture(), "PNG")
    length = len(clean(data, config).data)
    outcomes = []

    def upload():
        try:
            uploads.receive(site_id, ANN, data, quota_bytes=4 * length)
            outcomes.append("stored")
        except ApiError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=upload) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["quota"] * 6 + ["stored"] * 4
    assert counted_bytes(store) == 4 * length
    assert len(files(config)) == 4


def test_an_unknown_site_cannot_upload(uploads, store):
    with pytest.raises(ApiError) as caught:
        uploads.receive(77, ANN, encoded(picture(), "PNG"))
    assert caught.value.code == "site_not_found"
    assert rows(store) == []


def test_too_much_at_once_is_asked_to_wait(uploads, store, site_id, monkeypatch):
    data = encoded(picture(), "PNG")
    monkeypatch.setattr(uploads_module, "MAX_WAITING_BYTES", len(data) + 10)
    with uploads._room(11), pytest.raises(ApiError) as caught:
        uploads.receive(site_id, ANN, data)
    assert (caught.value.code, caught.value.status) == ("unavailable", 503)
    assert caught.value.retry_after >= 1
    assert send(uploads, site_id)


def test_a_visitor_claims_an_own_upload_as_often_as_wanted(uploads, store, site_id):
    path = send(uploads, site_id)
    assert claims(store, ANN, path)
    assert claims(store, ANN, path)
    assert rows(store)[0].is_used == 1


def test_nobody_claims_what_another_visitor_uploaded(uploads, store, site_id):
    path, operators = send(uploads, site_id), send(uploads, site_id, visitor_id=None)
    assert not claims(store, BEN, path)
    assert not claims(store, ANN, operators)
    assert not claims(store, ANN, "ab/cd/" + "0" * 28 + ".png")
    assert [row.is_used for row in rows(store)] == [0, 0]


# When it goes.


def test_the_sweep_removes_what_no_message_took_within_a_day(uploads, store, site_id, config):
    used, fresh, old = (send(uploads, site_id) for _ in range(3))
    assert claims(store, ANN, used)
    age(store, used, 40 * DAY_MS)
    age(store, fresh, DAY_MS - 60_000)
    age(store, old, DAY_MS + 1000)
    assert uploads.sweep() == 1
    assert {row.path for row in rows(store)} == {used, fresh}
    assert files(config) == sorted([used, fresh])
    assert counted_bytes(store) == sum(row.bytes for row in rows(store))
    assert uploads.sweep() == 0
    assert uploads.open(old) is None
    assert claims(store, ANN, used)


def test_nobody_claims_what_is_about_to_be_swept(uploads, store, site_id):
    path = send(uploads, site_id)
    age(store, path, DAY_MS - 60_000)
    assert not claims(store, ANN, path)


def test_a_crash_while_an_image_is_written_leaves_nothing_for_good(uploads, store, site_id, config):
    path = send(uploads, site_id)
    file = config.upload_dir / path
    file.rename(file.with_name(file.name + ".part"))
    assert uploads.open(path) is None
    assert uploads.open(path + ".part") is None
    age(store, path, 2 * DAY_MS)
    assert uploads.sweep() == 1
    assert (rows(store), files(config), counted_bytes(store)) == ([], [], 0)


def test_a_crash_before_an_image_is_written_leaves_nothing_for_good(uploads, store, site_id, config):
    path = send(uploads, site_id)
    (config.upload_dir / path).unlink()
    age(store, path, 2 * DAY_MS)
    assert uploads.sweep() == 1
    assert (rows(store), counted_bytes(store)) == ([], 0)


def test_a_long_sweep_goes_in_slices(uploads, store, site_id, config, monkeypatch):
    for _ in range(5):
        age(store, send(uploads, site_id), 2 * DAY_MS)
    monkeypatch.setattr(uploads_module, "SWEEP_SLICE_ROWS", 2)
    assert uploads.sweep() == 5
    assert (rows(store), files(config), counted_bytes(store)) == ([], [], 0)


def test_several_workers_may_sweep_at_once(uploads, store, site_id, config):
    for _ in range(6):
        age(store, send(uploads, site_id), 2 * DAY_MS)
    kept = send(uploads, site_id)
    others = [uploads, Uploads(config, store), Uploads(config, store)]
    removed = []
    threads = [threading.Thread(target=lambda one=one: removed.append(one.sweep())) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others[1:]:
        one.close()
    assert sum(removed) == 6
    assert files(config) == [kept]
    assert counted_bytes(store) == rows(store)[0].bytes


def test_a_file_that_cannot_be_removed_keeps_its_row(uploads, store, site_id, config, caplog):
    stuck, other = send(uploads, site_id), send(uploads, site_id)
    for path in (stuck, other):
        age(store, path, 2 * DAY_MS)
    file = config.upload_dir / stuck
    file.unlink()
    (file / "a folder in its place").mkdir(parents=True)
    with caplog.at_level(logging.ERROR):
        assert uploads.sweep() == 1
    assert [row.path for row in rows(store)] == [stuck]
    assert "cannot be removed" in caplog.text


def test_a_full_disk_is_told_and_counted_back(uploads, store, site_id, config, caplog):
    config.upload_dir.write_bytes(b"a file where the folder should be")
    with pytest.raises(ApiError) as caught:
        uploads.receive(site_id, ANN, encoded(picture(), "PNG"))
    assert caught.value.code == "unavailable"
    assert (rows(store), counted_bytes(store)) == ([], 0)
    assert "cannot be stored" in caplog.text
