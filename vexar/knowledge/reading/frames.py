"""Bytes with their length before them: how a reader and its processes talk through a pipe."""

from __future__ import annotations

from typing import BinaryIO

PIECE_BYTES = 1_048_576


def write_frame(pipe: BinaryIO, data: bytes) -> None:
    """Write one; an empty one ends an answer. Raises OSError."""
    pipe.write(len(data).to_bytes(4, "big"))
    pipe.write(data)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> bytes:
    """Read one. Raises EOFError when the other side is gone."""
    return _exactly(pipe, int.from_bytes(_exactly(pipe, 4), "big"))


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = pipe.read(min(size - len(data), PIECE_BYTES))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)
