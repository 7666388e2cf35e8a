"""Images in, images out: the quota, the files below VEXAR_UPLOAD_DIR and their rows, and the sweep.

Files carry random names and never the sender's. What an image may be is decided in vexar.media.images.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vexar.errors import ApiError
from vexar.media.images import CONTENT_TYPES, CleanImage, clean
from vexar.models import Site, Upload
from vexar.native import NativePool
from vexar.store.statement import P, Statement

if TYPE_CHECKING:
    from config import Config
    from vexar.store.base import Store, Transaction

log = logging.getLogger(__name__)

QUOTA_BYTES = 2**30
# One picture at the bound of pixels takes up to 400 MB while it is decoded.
DECODERS = 2
# What waits for a decoder is held in memory too.
MAX_WAITING_BYTES = 128 * 2**20
BUSY_RETRY_AFTER_S = 3
SWEEP_AFTER_MS = 24 * 3600 * 1000
# Earlier than the sweep, so that no message can take an image whose file is being removed.
CLAIM_WITHIN_MS = 23 * 3600 * 1000
SWEEP_SLICE_ROWS = 100
PREFIX = "/uploads/"
PATH = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}(\.jpg|\.png|\.webp)")
# The unfinished file lies beside its final place: whoever knows the row finds both.
PART = ".part"

SITE_ROOM = Statement(Site.select(Site.upload_bytes).where(Site.id == P.site_id), lock=True)
COUNT_BYTES = Statement(
    Site.update({Site.upload_bytes: Site.upload_bytes + P.bytes}).where(Site.id == P.site_id)
)
ONE_UPLOAD = Statement(Upload.select(Upload.site_id, Upload.bytes).where(Upload.path == P.path), lock=True)
DELETE_UPLOAD = Statement(Upload.delete().where(Upload.path == P.path))
INSERT_UPLOAD = Statement(
    Upload.insert({
        Upload.path: P.path, Upload.site_id: P.site_id, Upload.visitor_id: P.visitor_id, Upload.bytes: P.bytes,
        Upload.width: P.width, Upload.height: P.height, Upload.is_used: 0, Upload.created_ms: P.now_ms,
    })
)
CLAIM = Statement(
    Upload.update({Upload.is_used: 1}).where(
        Upload.path == P.path, Upload.visitor_id == P.visitor_id,
        (Upload.is_used == 1) | (Upload.created_ms > P.claimable_ms),
    )
)
# An operator's own, or one this visitor sent or got: never another visitor's. From now on it is this visitor's, and
# goes with what is erased of it; shared with somebody else it would vanish there, too.
CLAIM_FOR_PERSON = Statement(
    Upload.update({Upload.is_used: 1, Upload.visitor_id: P.visitor_id}).where(
        Upload.path == P.path, Upload.site_id == P.site_id,
        Upload.visitor_id.is_null() | (Upload.visitor_id == P.visitor_id),
        (Upload.is_used == 1) | (Upload.created_ms > P.claimable_ms),
    )
)
UNUSED = Statement(
    Upload.select(Upload.path, Upload.created_ms)
    .where(
        Upload.is_used == 0, Upload.created_ms < P.until_ms,
        (Upload.created_ms > P.after_ms) | ((Upload.created_ms == P.after_ms) & (Upload.path > P.after_path)),
    )
    .order_by(Upload.created_ms, Upload.path)
    .limit(P.limit)
)
IS_UNUSED = Statement(
    Upload.select(Upload.site_id, Upload.bytes).where(Upload.path == P.path, Upload.is_used == 0), lock=True
)


def claim(tx: Transaction, visitor_id: int, path: str) -> bool:
    """Inside a job: tie an upload to a message of this visitor; False when it is not theirs to use.

    Claiming twice is harmless. An upload that nobody claimed within 23 hours is lost.
    """
    claimable_ms = tx.now_ms() - CLAIM_WITHIN_MS
    return tx.run(CLAIM, path=path, visitor_id=visitor_id, claimable_ms=claimable_ms) == 1


def claim_for_person(tx: Transaction, site_id: int, visitor_id: int, path: str) -> bool:
    """The same for a message of an operator to this visitor."""
    claimable_ms = tx.now_ms() - CLAIM_WITHIN_MS
    values = {"path": path, "site_id": site_id, "visitor_id": visitor_id, "claimable_ms": claimable_ms}
    return tx.run(CLAIM_FOR_PERSON, **values) == 1


class Uploads:
    """The images of all sites. `config`: upload_dir, public_url and the bounds of an image."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._decoders = NativePool(DECODERS)
        # Waiting for the disk must not queue behind a picture that takes seconds to decode.
        self._disk = NativePool(1)
        self._waiting_bytes = 0
        self._lock = threading.Lock()

    def receive(
        self, site_id: int, visitor_id: int | None, data: bytes, quota_bytes: int = QUOTA_BYTES
    ) -> dict[str, Any]:
        """Clean and store an image: `{"url", "width", "height"}`. `visitor_id` None: an operator's.

        Raises ApiError image_too_large, unsupported_image, corrupt_image, quota, site_not_found or unavailable.
        """
        with self._room(len(data)):
            image = self._decoders.run(clean, data, self._config)
        path = _random_path(image.ending)
        size = {"bytes": len(image.data), "width": image.width, "height": image.height}
        # Row first: what a crash leaves behind, a part or a whole file that nobody was told about, has a row,
        # and the sweep finds it through that row. File first would leave files that only a walk could find.
        self._store.write(
            _add, site_id=site_id, visitor_id=visitor_id, path=path, size=size, quota_bytes=quota_bytes
        )
        self._save(path, image)
        # Erased together with its visitor or site while it was being written: nobody else knows of the file.
        if self._store.read(_has_no_row, path=path):
            self._disk.run(self._remove_files, [path])
            raise ApiError("unavailable", "The image was removed again.")
        return {"url": self.url_of(path), "width": image.width, "height": image.height}

    def url_of(self, path: str) -> str:
        """Where a browser finds this upload: absolute when config.public_url is set."""
        return f"{self._config.public_url}{PREFIX}{path}"

    def path_of(self, url: str, own_origin: str | None = None) -> str | None:
        """The upload path in a url that a client sends back, or None when it is not one of ours.

        Relative, or absolute with config.public_url or with `own_origin` (scheme://host, as the request came in).
        """
        for base in ("", self._config.public_url, own_origin or ""):
            path = url.removeprefix(base + PREFIX)
            if path != url and PATH.fullmatch(path):
                return path
        return None

    def open(self, path: str) -> tuple[Path, str] | None:
        """The file and content type to serve for what follows /uploads/, or None."""
        named = PATH.fullmatch(path)
        if not named:
            return None
        file = self._file(path)
        return (file, CONTENT_TYPES[named[1]]) if file.is_file() else None

    def sweep(self) -> int:
        """Remove the uploads that no message took within a day, rows and files; how many rows.

        Safe to break off, to repeat and to run in several workers at once.
        """
        removed, after = 0, (0, "")
        while rows := self._store.read(_find_unused, after_ms=after[0], after_path=after[1]):
            paths = [row.path for row in rows]
            # Files first: a row without a file is found again by the next sweep, a file without a row never.
            gone = self._disk.run(self._remove_files, paths)
            if len(gone) < len(paths):
                log.error("%d swept images cannot be removed from the upload folder", len(paths) - len(gone))
            removed += self._store.write(_remove_unused, paths=gone)
            after = (rows[-1].created_ms, rows[-1].path)
        return removed

    def remove(self, paths: list[str]) -> None:
        """Remove these uploads, whoever refers to them. May be repeated."""
        for start in range(0, len(paths), SWEEP_SLICE_ROWS):
            some = paths[start:start + SWEEP_SLICE_ROWS]
            # Files first, as in the sweep; and again for one that was being written meanwhile.
            self._disk.run(self._remove_files, some)
            self._store.write(_remove_rows, paths=some)
            self._disk.run(self._remove_files, some)

    def close(self) -> None:
        """End the threads."""
        self._decoders.close()
        self._disk.close()

    @contextmanager
    def _room(self, length: int) -> Iterator[None]:
        with self._lock:
            if self._waiting_bytes and self._waiting_bytes + length > MAX_WAITING_BYTES:
                raise ApiError("unavailable", "Too many images at once.", retry_after=BUSY_RETRY_AFTER_S)
            self._waiting_bytes += length
        try:
            yield
        finally:
            with self._lock:
                self._waiting_bytes -= length

    def _save(self, path: str, image: CleanImage) -> None:
        try:
            self._disk.run(_write_durably, self._config.upload_dir, path, image.data)
        except OSError as problem:
            log.error("an image cannot be stored: %s", problem)
            self._disk.run(self._remove_files, [path])
            self._store.write(_remove_unused, paths=[path])
            raise ApiError("unavailable", "Images cannot be stored at the moment.",
                           retry_after=BUSY_RETRY_AFTER_S) from problem

    def _remove_files(self, paths: list[str]) -> list[str]:
        """Those of the paths that have no file any more. In the native thread."""
        gone = []
        for path in paths:
            file = self._file(path)
            with suppress(OSError):
                file.with_name(file.name + PART).unlink(missing_ok=True)
                file.unlink(missing_ok=True)
                gone.append(path)
        return gone

    def _file(self, path: str) -> Path:
        return self._config.upload_dir / path


def _random_path(ending: str) -> str:
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name[2:4]}/{name[4:]}{ending}"


def _write_durably(folder: Path, path: str, data: bytes) -> None:
    """Write a file that is either whole or not there, also after a loss of power. In the native thread."""
    file = folder / path
    part = file.with_name(file.name + PART)
    file.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as output:
        output.write(data)
        output.flush()
        os.fsync(output.fileno())
    part.replace(file)
    for parent in (file.parent, file.parent.parent, folder):
        _sync_folder(parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _add(
    tx: Transaction, site_id: int, visitor_id: int | None, path: str, size: dict[str, int], quota_bytes: int
) -> None:
    site = tx.one(SITE_ROOM, site_id=site_id)
    if site is None:
        raise ApiError("site_not_found")
    # Only this very job, repeated after its commit was not heard, can meet its own random name.
    if tx.one(ONE_UPLOAD, path=path):
        return
    if site.upload_bytes + size["bytes"] > quota_bytes:
        raise ApiError("quota")
    tx.run(COUNT_BYTES, site_id=site_id, bytes=size["bytes"])
    tx.run(INSERT_UPLOAD, path=path, site_id=site_id, visitor_id=visitor_id, now_ms=tx.now_ms(), **size)


def _find_unused(tx: Transaction, after_ms: int, after_path: str) -> list:
    until_ms = tx.now_ms() - SWEEP_AFTER_MS
    return tx.all(UNUSED, until_ms=until_ms, after_ms=after_ms, after_path=after_path, limit=SWEEP_SLICE_ROWS)


def _has_no_row(tx: Transaction, path: str) -> bool:
    return tx.one(ONE_UPLOAD, path=path) is None


def _remove_unused(tx: Transaction, paths: list[str]) -> int:
    return _remove_rows(tx, paths, IS_UNUSED)


def _remove_rows(tx: Transaction, paths: list[str], which: Statement = ONE_UPLOAD) -> int:
    freed: dict[int, int] = {}
    removed = 0
    for path in paths:
        row = tx.one(which, path=path)
        if row is None:
            continue
        removed += tx.run(DELETE_UPLOAD, path=path)
        freed[row.site_id] = freed.get(row.site_id, 0) + row.bytes
    for site_id, length in sorted(freed.items()):
        tx.run(COUNT_BYTES, site_id=site_id, bytes=-length)
    return removed
