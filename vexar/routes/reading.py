"""From a request to a typed struct: `json_reader`, `query_reader` and `form_reader` make one reader per endpoint.

Everything is inspected once, when a route is declared. A reader raises ApiError and names every wrong field at
once; it refuses NUL and unpaired surrogates anywhere, since no database and no encoder takes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from flask import Request
from msgspec import inspect
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from vexar.errors import ApiError, WrongFields
from vexar.parts import parts

Reader = Callable[[Request], Any]
BAD_TEXT = "must not contain NUL characters or unpaired surrogates"
_decode = msgspec.json.Decoder().decode


def json_reader(
    struct: type, *, is_strict: bool = False, max_bytes: Any = None, too_large: str = "body_too_large"
) -> Reader:
    """Read the JSON body as `struct`. `max_bytes`: see `byte_limit`; `too_large`: the code of the 413."""
    plan = Plan(struct, is_strict=is_strict)
    limit = byte_limit(max_bytes)

    def read(request: Request) -> Any:
        raw = _raw_body(request, limit(), too_large)
        if not raw and not plan.required:
            return plan.convert({})
        _check_json_type(request.environ.get("CONTENT_TYPE", ""), raw)
        values = decode_json(raw)
        if not isinstance(values, dict):
            raise ApiError("bad_json", "The body must be a JSON object.")
        return plan.convert(values, _bad_texts(values) if b"\\u" in raw else {})

    return read


def query_reader(struct: type, *, is_strict: bool = False) -> Reader:
    """Read the query string as `struct`; numbers are parsed, of repeated parameters the last counts."""
    plan = Plan(struct, is_strict=is_strict, is_text=True)

    def read(request: Request) -> Any:
        values, is_plain = _query_values(request.environ.get("QUERY_STRING", ""))
        return plan.convert(values, {} if is_plain else _bad_texts(values))

    return read


def form_reader(
    struct: type,
    *,
    files: tuple = (),
    is_strict: bool = False,
    max_bytes: Any = None,
    too_large: str = "body_too_large",
) -> Reader:
    """Read the text fields of a multipart form as `struct`; each of `files` must be there, in `request.files`."""
    plan = Plan(struct, is_strict=is_strict, is_text=True, ignored=frozenset(files))
    limit = byte_limit(max_bytes)

    def read(request: Request) -> Any:
        if request.mimetype != "multipart/form-data":
            raise ApiError("unsupported_media_type", "Send multipart/form-data.")
        request.max_content_length = limit()
        with _told_what_breaks(too_large):
            values = {name: texts[-1] for name, texts in request.form.lists()}
            missing = {name: "is required" for name in files if name not in request.files}
        return plan.convert(values, _bad_texts(values) | missing)

    return read


def byte_limit(max_bytes: Any) -> Callable[[], int]:
    """How many bytes a body may have: an int, a callable that takes the config, or None for `max_body_bytes`."""
    if max_bytes is None:
        return lambda: parts().config.max_body_bytes
    if callable(max_bytes):
        return lambda: max_bytes(parts().config)
    return lambda: max_bytes


def decode_json(raw: bytes) -> Any:
    """The plain value of a JSON text in UTF-8; unpaired surrogates come through. Raises ApiError bad_json."""
    try:
        return _decode(raw)
    except RecursionError:
        raise ApiError("bad_json", "The body is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        # msgspec calls an escaped unpaired surrogate broken JSON; for the caller it is a wrong field.
        if b"\\u" in raw:
            return _decode_with_surrogates(raw)
        raise ApiError("bad_json") from problem


def _decode_with_surrogates(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise ApiError("bad_json") from problem


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _raw_body(request: Request, max_bytes: int, too_large: str) -> bytes:
    # A body without Content-Length would silently be cut at the limit: one byte more tells.
    request.max_content_length = max_bytes + 1
    with _told_what_breaks(too_large):
        raw = request.get_data(cache=False)
    if len(raw) > max_bytes:
        raise ApiError(too_large)
    return raw


@contextmanager
def _told_what_breaks(too_large: str) -> Iterator[None]:
    """While a body is read: what stops that is the sender's fault, and no crash."""
    try:
        yield
    except RequestEntityTooLarge:
        raise ApiError(too_large) from None
    except HTTPException:
        raise
    except Exception as problem:
        # Every server has errors of its own for chunks that are none and connections that end.
        raise ApiError("bad_request", "The body could not be read to its end.") from problem


def _check_json_type(content_type: str, raw: bytes) -> None:
    if not raw or not content_type or content_type == "application/json":
        return
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise ApiError("unsupported_media_type")


def _query_values(query: str) -> tuple[dict[str, str], bool]:
    is_plain = query.isascii() and "%" not in query
    if not query.isascii():
        # WSGI hands raw bytes over as Latin-1.
        query = query.encode("latin-1").decode("utf-8", "surrogateescape")
    return dict(parse_qsl(query, keep_blank_values=True, errors="surrogateescape")), is_plain


def _bad_texts(values: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name, value in values.items():
        if any(map(_is_bad, _texts(name, value))):
            found[name.replace("\0", "\ufffd").encode("utf-8", "replace").decode()] = BAD_TEXT
    return found


def _texts(*values: Any) -> Iterator[str]:
    """Every string within plain values, names of objects included; without recursion, for depth is the caller's."""
    stack = list(values)
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            stack.extend(value)
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def _is_bad(text: str) -> bool:
    if "\0" in text:
        return True
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        return True
    return False


class Plan:
    """How plain values become one struct, and what is said of each field that does not fit.

    `is_text`: values are strings, as in queries and forms. `is_strict`: fields outside the struct and `ignored`
    are refused. A null, or a blank string where one does not fit, leaves an optional field at its default; where
    the default is UNSET, as in partial changes, they are wrong.
    """

    def __init__(
        self, struct: type, *, is_strict: bool = False, is_text: bool = False, ignored: frozenset = frozenset()
    ) -> None:
        self.struct = struct
        self._is_strict = is_strict
        self._is_text = is_text
        self._fields = inspect.type_info(struct).fields
        self._types = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
        self._known = frozenset(self._types) | ignored
        self.required = frozenset(field.encode_name for field in self._fields if field.required)

    def convert(self, values: dict, errors: Mapping[str, str] | None = None) -> Any:
        """The struct. Raises WrongFields with `errors` and every further wrong field."""
        try:
            return self._convert(values, errors)
        except ApiError as problem:
            # Also what a struct says of two of its fields.
            raise WrongFields(problem.errors, values) from None

    def _convert(self, values: dict, errors: Mapping[str, str] | None) -> Any:
        if not errors and not (self._is_strict and values.keys() - self._known):
            try:
                return msgspec.convert(values, self.struct, strict=not self._is_text)
            except msgspec.ValidationError:
                pass
        return self._convert_each(values, dict(errors or {}))

    def _convert_each(self, values: dict, errors: dict[str, str]) -> Any:
        good = {}
        for field in self._fields:
            name = field.encode_name
            if name in errors or (name not in values and not field.required):
                continue
            try:
                self._convert_one(field, values.get(name), good)
            except ValueError as problem:
                errors[name] = str(problem)
        if self._is_strict:
            errors.update((name, "is not a known field") for name in values.keys() - self._known - errors.keys())
        if errors:
            raise ApiError("invalid", errors=errors)
        return msgspec.convert(good, self.struct)

    def _convert_one(self, field: inspect.Field, value: Any, good: dict) -> None:
        is_blank = value is None or (isinstance(value, str) and not value.strip())
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value) if _is_whole_number(field.type) else value
        try:
            good[field.encode_name] = msgspec.convert(value, self._types[field.encode_name], strict=not self._is_text)
        except msgspec.ValidationError as problem:
            if not is_blank or _has_no_default(field):
                raise ValueError(_where(problem) or sentence(field.type)) from None
            if field.required:
                raise ValueError("is required") from None


def sentence(kind: inspect.Type) -> str:
    """What a value of this type must be, for a person; follows the name of the field."""
    if isinstance(kind, inspect.Metadata):
        return (kind.extra or {}).get("sentence") or sentence(kind.type)
    if isinstance(kind, inspect.UnionType):
        kinds = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        return sentence(kinds[0]) if len(kinds) == 1 else "has a wrong value"
    if isinstance(kind, inspect.IntType):
        return "must be a whole number" + _range(kind)
    if isinstance(kind, inspect.FloatType):
        return "must be a number" + _range(kind)
    if isinstance(kind, inspect.LiteralType):
        return "must be one of " + ", ".join(map(str, kind.values))
    return _SENTENCES.get(type(kind), "has a wrong value")


_SENTENCES = {
    inspect.StrType: "must be text",
    inspect.BoolType: "must be true or false",
    inspect.ListType: "must be a list",
    inspect.StructType: "must be an object",
    inspect.DictType: "must be an object",
}


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None and kind.le < 2**53 - 1:
        return f" from {kind.ge} to {kind.le}"
    return "" if kind.ge is None else f" of at least {kind.ge}"


def _has_no_default(field: inspect.Field) -> bool:
    """Whether leaving it out means "as it was" (its default is UNSET): then a blank is a value, and a wrong one."""
    return not field.required and field.default is field.default_factory is msgspec.NODEFAULT


def _is_whole_number(kind: inspect.Type) -> bool:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    bare = {type(one.type if isinstance(one, inspect.Metadata) else one) for one in kinds}
    return inspect.IntType in bare and inspect.FloatType not in bare


def _where(problem: msgspec.ValidationError) -> str:
    place = re.search(r"at `\$\.?(.*)`$", str(problem))
    return f"has a wrong value at {place[1]}" if place else ""
