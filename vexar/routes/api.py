"""A route is a typed function: `endpoint(...)` reads its request, `install_errors(app)` answers what it raises.

All answers are JSON with `success`, or a Response the function made itself (streams, files, 204). What the
decorator was told is also what /openapi.json says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from flask import Blueprint, Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from vexar.errors import ApiError
from vexar.routes import reading
from vexar.store import StoreError

log = logging.getLogger("vexar.api")
DEFAULT_RETRY_AFTER_S = 1
# Of a row in a path: beyond that no database takes it.
MAX_NUMBER = 2**53 - 1
_encode = msgspec.json.Encoder().encode
_STATUS_CODES = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    408: "bad_request", 409: "conflict", 413: "body_too_large", 415: "unsupported_media_type", 429: "rate_limited",
    503: "unavailable",
}


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What one route takes and gives; the keywords of `endpoint`."""

    function: Callable[..., Any]
    method: str
    summary: str = ""
    tag: str = ""  # the group in the docs; empty: the blueprint's name
    body: type | None = None  # struct of the JSON body
    query: type | None = None  # struct of the query parameters
    form: type | None = None  # struct of the text fields of a multipart form
    files: Mapping[str, str] = field(default_factory=dict)  # required files of that form: name -> content types
    answer: type | None = None  # struct of the answer beside `success`
    stream: Any = None  # type of one event of a text/event-stream answer
    status: int = 200  # of the answer, where the function names none
    may_be_empty: bool = False  # 204 without a body is an answer too
    errors: tuple[str, ...] = ()  # codes beyond those every endpoint of this shape has
    strict: bool = False  # refuse unknown fields
    max_bytes: Any = None  # see reading.byte_limit
    too_large: str = "body_too_large"
    cache: str = "no-store"  # Cache-Control of the JSON answer
    caller: Callable[[], Any] | None = None  # makes the argument `member`, before anything is read; or raises

    @property
    def is_bearer(self) -> bool:
        """Whether it needs an operator's token."""
        return self.caller is not None

    def readers(self) -> tuple[tuple[str, reading.Reader], ...]:
        """The arguments of the function and what reads each from the request."""
        found = []
        limits = {"is_strict": self.strict, "max_bytes": self.max_bytes, "too_large": self.too_large}
        if self.query:
            found.append(("query", reading.query_reader(self.query, is_strict=self.strict)))
        if self.body:
            found.append(("body", reading.json_reader(self.body, **limits)))
        if self.form:
            found.append(("form", reading.form_reader(self.form, files=tuple(self.files), **limits)))
        return tuple(found)


def endpoint(blueprint: Blueprint, method: str, path: str, **told: Any) -> Callable[[Callable], Callable]:
    """Register the decorated function for `method path`; keywords are the fields of Endpoint.

    The function gets `body`, `query` or `form` (structs, where declared), `member` (where a `caller` is) and the
    path's own arguments; it returns a dict, (dict, status), or a Response. It stays callable as it is.
    """

    def register(function: Callable) -> Callable:
        spec = Endpoint(function=function, method=method, **{"tag": blueprint.name, **told})
        view = _view(spec)
        blueprint.add_url_rule(path, function.__name__, view, methods=[method], strict_slashes=False)
        return function

    return register


def _view(spec: Endpoint) -> Callable[..., Response]:
    function = spec.function
    readers = spec.readers()

    def view(**arguments: Any) -> Response:
        current: Request = request._get_current_object()
        if spec.caller is not None:
            arguments["member"] = spec.caller()
        if any(type(value) is int and value > MAX_NUMBER for value in arguments.values()):
            raise ApiError("not_found")
        for name, read in readers:
            arguments[name] = read(current)
        if spec.stream is not None and current.method == "HEAD":
            return Response(mimetype="text/event-stream", headers={"Cache-Control": "no-store"})
        result = function(**arguments)
        if isinstance(result, Response):
            return result
        values, status = result if isinstance(result, tuple) else (result, spec.status)
        return json_answer({"success": True, **(values or {})}, status, {"Cache-Control": spec.cache})

    view.spec = spec
    return view


def json_answer(values: Mapping, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer with exactly these values."""
    return Response(_encode(values), status, headers, content_type="application/json")


def error_answer(problem: ApiError) -> Response:
    """The one JSON envelope of every failure."""
    if problem.status in (429, 503) and problem.retry_after is None:
        problem.retry_after = DEFAULT_RETRY_AFTER_S
    headers = {"Cache-Control": "no-store", **problem.headers}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return json_answer(problem.envelope(), problem.status, headers)


def install_errors(app: Flask) -> None:
    """Answer every failure of `app` with the JSON envelope: its own errors, unknown paths, a lost database, crashes."""
    app.register_error_handler(ApiError, error_answer)
    app.register_error_handler(HTTPException, _http_answer)
    app.register_error_handler(StoreError, _store_answer)
    app.register_error_handler(Exception, _crash_answer)
    # A redirect to the same path with a slash more or less would be a page of HTML.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    for rule in app.url_map.iter_rules():
        rule.strict_slashes = rule.merge_slashes = False
    app.make_default_options_response = lambda: _options_answer(app)
    app.after_request(_tidy_empty)


def _http_answer(problem: HTTPException) -> Response:
    status = problem.code or 500
    if status < 400:
        return Response(status=status, headers=[(n, v) for n, v in problem.get_headers() if n == "Location"])
    if status >= 500 and status != 503:
        return _crash_answer(getattr(problem, "original_exception", None) or problem)
    code = _STATUS_CODES.get(status, "bad_request")
    headers = {name: value for name, value in problem.get_headers() if name in ("Allow", "Retry-After")}
    return error_answer(ApiError(code, headers=headers))


def _store_answer(problem: StoreError) -> Response:
    log.error("the database failed: %s", problem)
    return error_answer(ApiError("unavailable", "The database cannot be reached; try again."))


def _crash_answer(problem: Exception) -> Response:
    log.error("a request crashed", exc_info=problem)
    return error_answer(ApiError("internal"))


def _tidy_empty(response: Response) -> Response:
    """What has no body has no type of one either."""
    if response.status_code == 204:
        response.headers.pop("Content-Type", None)
    return response


def _options_answer(app: Flask) -> Response:
    methods = request.url_rule.methods if request.url_rule else ()
    adapter = app.create_url_adapter(request)
    allowed = sorted(adapter.allowed_methods() if adapter else methods)
    return Response(status=204, headers={"Allow": ", ".join(allowed)})
