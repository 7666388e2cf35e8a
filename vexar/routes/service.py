"""For those who run and connect to a server: health, version, numbers, and the documentation of the API."""

from __future__ import annotations

import hmac
from pathlib import Path

import msgspec
from flask import Blueprint, Response, current_app, request, send_from_directory

import vexar
from config import Config
from vexar import metrics
from vexar.addresses import client_address
from vexar.errors import ApiError
from vexar.parts import parts
from vexar.routes import openapi
from vexar.routes.api import endpoint
from vexar.routes.fields import OneOf
from vexar.store.db import is_migrated

DOCS = Path(__file__).parent.parent.parent / "static" / "docs"
DOCS_MAX_AGE_S = 300
DOCS_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

service = Blueprint("service", __name__)


class Health(msgspec.Struct, kw_only=True):
    """The process answers."""

    status: OneOf("ok")


class Readiness(msgspec.Struct, kw_only=True):
    """The server can work; `degraded`: something it can do without, such as Redis, is away."""

    status: OneOf("ok", "degraded")


class Version(msgspec.Struct, kw_only=True):
    """Which release this is."""

    version: str


@endpoint(service, "GET", "/healthz", answer=Health, summary="Does the process answer?")
def healthz() -> dict:
    """Asks nothing but the process itself, so that a lost database does not restart the server."""
    return {"status": "ok"}


@endpoint(service, "GET", "/readyz", answer=Readiness, summary="Can the server work?")
def readyz() -> dict:
    """503 while the database cannot be reached or has an older schema."""
    live = parts()
    if not is_migrated(live.store):
        raise ApiError("unavailable", "The database has an older schema; restart the server to migrate it.")
    is_degraded = live.limits.degraded or live.broker.degraded
    return {"status": "degraded" if is_degraded else "ok"}


@endpoint(service, "GET", "/version", answer=Version, summary="Which release is this?")
def version() -> dict:
    """The version of the code that answers."""
    return {"version": vexar.__version__}


@service.get("/metrics")
def metrics_page() -> Response:
    """The numbers of all workers, for Prometheus."""
    _check_metrics_access(parts().config)
    metrics.store_counted(**parts().store.counts())
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE, headers={"Cache-Control": "no-store"})


@service.get("/openapi.json")
def openapi_page() -> Response:
    """The API as OpenAPI 3.2; built at the first request."""
    body = current_app.extensions.get("vexar.openapi")
    if body is None:
        body = current_app.extensions["vexar.openapi"] = msgspec.json.encode(openapi.document(current_app))
    answer = Response(body, content_type="application/json")
    answer.cache_control.public = True
    answer.cache_control.max_age = DOCS_MAX_AGE_S
    answer.add_etag()
    return answer.make_conditional(request)


@service.get("/docs")
def docs_page() -> Response:
    """The same for people: one page without anything from elsewhere."""
    return _docs_file("index.html")


@service.get("/docs/<any('docs.js', 'docs.css', 'example.js'):name>")
def docs_file(name: str) -> Response:
    """What the page is made of."""
    return _docs_file(name)


@service.after_app_request
def count(answer: Response) -> Response:
    """Count every answer of the app, and what its store did meanwhile."""
    metrics.request_answered(request.endpoint or "none", answer.status_code)
    metrics.store_counted(**parts().store.counts())
    return answer


def _docs_file(name: str) -> Response:
    answer = send_from_directory(DOCS, name, max_age=DOCS_MAX_AGE_S)
    answer.headers.update(DOCS_HEADERS)
    return answer


def _check_metrics_access(config: Config) -> None:
    if client_address(request.remote_addr, request.headers, config.trusted_proxies).is_local:
        return
    if not config.metrics_token:
        raise ApiError("forbidden", "Ask from the machine itself, or set VEXAR_METRICS_TOKEN and send it.")
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), config.metrics_token.encode()):
        raise ApiError("unauthorized")
