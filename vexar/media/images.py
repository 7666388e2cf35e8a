"""Turns an uploaded file into a harmless image: decoded within bounds, upright, without metadata, encoded anew.

The only door to Pillow. It runs in a native thread, so it logs nothing and takes no lock.
"""

from __future__ import annotations

import io
import logging
import re
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from PIL import (  # noqa: F401 - a plugin that is loaded here is not imported in the middle of a request
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from vexar.errors import ApiError

if TYPE_CHECKING:
    from config import Config

# An oversized JPEG is decoded at 1/2 to 1/8 scale, row by row; above this many times the bound it is refused.
MAX_REDUCTION = 4
# Each scan of a progressive JPEG is a pass over the whole picture, and an empty one costs a sender ten bytes.
MAX_JPEG_SCANS = 32
ORIENTATION_TAG = 0x0112

CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


class Kind(NamedTuple):
    """A format that is accepted: how it begins, which of Pillow's readers opens it, what it is stored as."""

    begins: re.Pattern
    reader: str
    stored_as: str
    ending: str
    options: dict


KINDS = (
    Kind(re.compile(rb"\xff\xd8\xff"), "JPEG", "JPEG", ".jpg", {"quality": 88}),
    Kind(re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG", "PNG", ".png", {}),
    Kind(re.compile(rb"RIFF....WEBP", re.DOTALL), "WEBP", "WEBP", ".webp", {"quality": 86, "method": 3}),
    Kind(re.compile(rb"GIF8[79]a"), "GIF", "PNG", ".png", {}),
)

# EXIF orientation: what turns the picture upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class CleanImage(NamedTuple):
    """An image that may be stored. `format` is Pillow's name of it, `ending` a key of CONTENT_TYPES."""

    data: bytes
    format: str
    ending: str
    width: int
    height: int


def clean(data: bytes, config: Config) -> CleanImage:
    """Decode, turn upright, strip, scale down and encode anew (animations: the first frame).

    Bounds are config.max_image_bytes, max_image_pixels and max_image_side. Raises ApiError image_too_large,
    unsupported_image or corrupt_image, and nothing else whatever the bytes are.
    """
    if len(data) > config.max_image_bytes:
        raise ApiError("image_too_large", f"The image is larger than {config.max_image_bytes:,} bytes.")
    kind = next((kind for kind in KINDS if kind.begins.match(data)), None)
    if kind is None:
        raise ApiError("unsupported_image" if data else "corrupt_image")
    # Pillow looks only at this global while it reads the header, where a GIF's reader already takes memory.
    Image.MAX_IMAGE_PIXELS = config.max_image_pixels * MAX_REDUCTION
    try:
        return _clean(data, kind, config)
    except ApiError:
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels(config) from None
    except Exception:
        # Hostile files bring IndexError, SyntaxError, struct.error, MemoryError and more out of Pillow.
        raise ApiError("corrupt_image") from None


def _clean(data: bytes, kind: Kind, config: Config) -> CleanImage:
    if kind.reader == "WEBP":
        _bound(_webp_size(data), config)
    with Image.open(io.BytesIO(data), formats=[kind.reader]) as image:
        target = _fit(image.size, config.max_image_side)
        if kind.reader == "JPEG":
            _reduce(image, data, target, config)
        _bound(image.size, config)
        image.load()
        profile, orientation = image.info.get("icc_profile"), _orientation(image)
        picture = _eight_bits(image)
    if picture.size != target:
        picture = picture.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = _in_srgb(picture, profile)
    if orientation in UPRIGHT:
        picture = picture.transpose(UPRIGHT[orientation])
    return _encode(picture, kind)


def _encode(picture: Image.Image, kind: Kind) -> CleanImage:
    # Only a new image is sure to be bare: a JPEG comment, for one, survives a plain re-save.
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    encoded = io.BytesIO()
    bare.save(encoded, kind.stored_as, **kind.options)
    return CleanImage(encoded.getvalue(), kind.stored_as, kind.ending, *bare.size)


def _fit(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    scale = max_side / max(size)
    if scale >= 1:
        return size
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _bound(size: tuple[int, int], config: Config) -> None:
    if size[0] * size[1] > config.max_image_pixels:
        raise _too_many_pixels(config)


def _too_many_pixels(config: Config) -> ApiError:
    return ApiError("image_too_large", f"The image has more than {config.max_image_pixels:,} pixels.")


def _webp_size(data: bytes) -> tuple[int, int]:
    """The size in the header: Pillow's reader takes memory for two canvases as soon as it opens the file."""
    if data[12:16] == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def _reduce(image: Image.Image, data: bytes, target: tuple[int, int], config: Config) -> None:
    """Let the JPEG reader scale down while it decodes: a quarter of the memory, and room for larger pictures."""
    scans, is_single_pass = _jpeg_outline(data)
    if scans > MAX_JPEG_SCANS:
        raise ApiError("corrupt_image")
    pixels = image.width * image.height
    # A picture in several passes is held in full, whatever the scale.
    if pixels > config.max_image_pixels * (MAX_REDUCTION if is_single_pass else 1):
        raise _too_many_pixels(config)
    image.draft(None, target)


# Not FF 00 (a byte FF in the picture), not D0 to D7 (restarts), not FF FF (fill), not 01: none has a length.
_JPEG_SEGMENT = re.compile(rb"\xff([\x02-\xcf\xd9-\xfe])")
_JPEG_END, _JPEG_SCAN, _JPEG_NOT_FRAMES = 0xD9, 0xDA, (0xC4, 0xC8, 0xCC)


def _jpeg_outline(data: bytes) -> tuple[int, bool]:
    """How many scans a JPEG has, and whether one is enough to decode it row by row (ITU T.81, annex B)."""
    position, scans, frame, components, is_single_pass = 2, 0, 0, 0, False
    while (found := _JPEG_SEGMENT.search(data, position)) and found[1][0] != _JPEG_END:
        marker, start = found[1][0], found.end()
        if marker == _JPEG_SCAN:
            scans += 1
            is_single_pass = is_single_pass or (scans == 1 and frame <= 0xC1 and data[start + 2] == components)
        elif 0xC0 <= marker <= 0xCF and marker not in _JPEG_NOT_FRAMES:
            frame, components = marker, data[start + 7]
        position = start + max(2, int.from_bytes(data[start : start + 2], "big"))
    return scans, is_single_pass


def _orientation(image: Image.Image) -> int:
    # Cameras write odd EXIF around good pictures; without a readable orientation it stays as it is.
    with suppress(Exception):
        return image.getexif().get(ORIENTATION_TAG, 1)
    return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """The picture as L, LA, RGB, RGBA or (until its profile was used) CMYK."""
    if image.mode.startswith("I"):
        # A plain conversion would cut every value above 255 instead of scaling.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if "transparency" not in image.info and image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as every browser shows them without a profile."""
    plain_mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    if profile and picture.mode in ("RGB", "RGBA", "CMYK"):
        # A damaged profile is left out, as browsers do.
        with suppress(Exception):
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"), outputMode=plain_mode)
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def _prepare_pillow() -> None:
    Image.preinit()
    # Pillow warns and logs about what it finds in a file: the one remembers every text, the other takes locks.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    for name in list(logging.Logger.manager.loggerDict):
        if name.startswith("PIL."):
            logging.getLogger(name).disabled = True


_prepare_pillow()
