"""The OpenAPI 3.2 document of an app, built from what its endpoints were declared with. Nothing is written twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain
from typing import Any

import msgspec
from flask import Flask
from werkzeug.routing import Rule

import vexar
from vexar.errors import CODES
from vexar.routes.api import Endpoint
from vexar.routes.draining import DRAINED

REF = "#/components/schemas/{name}"
_PATH_ARGUMENT = re.compile(r"<(?:(\w+)(?:\([^>]*\))?:)?(\w+)>")
_SUCCESS = {
    "type": "object",
    "description": "Every answer that is not an error has this.",
    "properties": {"success": {"const": True}},
    "required": ["success"],
}
_RETRY_AFTER = {"description": "Seconds to wait, as in retry_after.", "schema": {"type": "integer", "minimum": 0}}
_DESCRIPTION = (
    "The chat API of a self-hosted Vexar. Answers are JSON with success true or false; a failure has a code from one "
    "closed list and a sentence for a person. Times are ISO 8601 in UTC."
)


def document(app: Flask) -> dict[str, Any]:
    """The whole document as plain values, ready for JSON."""
    routes = list(_routes(app))
    specs = [spec for _, spec in routes]
    queries = [spec.query for spec in specs if spec.query]
    structs = list(dict.fromkeys(chain(queries, *map(_kinds_of_content, specs))))
    found, components = msgspec.json.schema_components(structs, ref_template=REF)
    schemas = dict(zip(structs, found, strict=True))
    paths: dict[str, dict] = {}
    for rule, spec in routes:
        operation = _operation(rule, spec, schemas, components)
        paths.setdefault(_PATH_ARGUMENT.sub(r"{\2}", rule.rule), {})[spec.method.lower()] = operation
    # Parameters stand in the operations; a struct that only groups them is no part of the wire.
    for kind in {*queries} - {*chain(*map(_kinds_of_content, specs))}:
        components.pop(_component(schemas[kind]), None)
    document: dict[str, Any] = {
        "openapi": "3.2.0",
        "info": {"title": "Vexar", "version": vexar.__version__, "description": _DESCRIPTION},
        "tags": [{"name": tag} for tag in dict.fromkeys(spec.tag for spec in specs)],
        "paths": paths,
        "components": {"schemas": {"Success": _SUCCESS, "Error": _error_schema(), **components}},
    }
    if any(spec.is_bearer for spec in specs):
        document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return document


def _routes(app: Flask) -> Iterator[tuple[Rule, Endpoint]]:
    for rule in app.url_map.iter_rules():
        spec = getattr(app.view_functions[rule.endpoint], "spec", None)
        if spec is not None:
            yield rule, spec


def _kinds_of_content(spec: Endpoint) -> list[Any]:
    return [kind for kind in (spec.body, spec.form, spec.answer, spec.stream) if kind is not None]


def _operation(rule: Rule, spec: Endpoint, schemas: dict, components: dict) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "tags": [spec.tag],
        "summary": spec.summary,
        "description": " ".join((spec.function.__doc__ or "").split()),
    }
    parameters = list(_path_parameters(rule))
    if spec.query:
        parameters += _query_parameters(components[_component(schemas[spec.query])])
    if parameters:
        operation["parameters"] = parameters
    if spec.body:
        required = bool(components[_component(schemas[spec.body])].get("required"))
        content = {"application/json": {"schema": schemas[spec.body]}}
        operation["requestBody"] = {"required": required, "content": content}
    if spec.form:
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": _form(spec, schemas)}}
    if spec.is_bearer:
        operation["security"] = [{"bearer": []}]
    operation["responses"] = {**_good_responses(spec, schemas), **_error_responses(_codes(rule, spec))}
    return operation


def _path_parameters(rule: Rule) -> Iterator[dict]:
    for converter, name in _PATH_ARGUMENT.findall(rule.rule):
        schema = {"type": "integer", "minimum": 0} if converter == "int" else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(component: dict) -> list[dict]:
    required = component.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(schema)}
        for name, schema in component["properties"].items()
    ]


def _without_null(schema: dict) -> dict:
    """A parameter is left out, never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    bare = kinds[0] if len(kinds) == 1 else schema
    default = {} if schema.get("default") is None else {"default": schema["default"]}
    return {**{name: value for name, value in bare.items() if name != "default"}, **default}


def _form(spec: Endpoint, schemas: dict) -> dict:
    files = {
        "type": "object",
        "properties": {name: {"description": f"A file: {kinds}."} for name, kinds in spec.files.items()},
        "required": list(spec.files),
    }
    return {
        "schema": {"allOf": [schemas[spec.form], files]},
        "encoding": {name: {"contentType": kinds} for name, kinds in spec.files.items()},
    }


def _good_responses(spec: Endpoint, schemas: dict) -> dict[str, dict]:
    if spec.stream is not None:
        content = {"text/event-stream": {"itemSchema": _event_schema(schemas[spec.stream])}}
        responses = {"200": {"description": "A stream of events.", "content": content}}
    else:
        success: dict = {"$ref": REF.format(name="Success")}
        schema = {"allOf": [success, schemas[spec.answer]]} if spec.answer else success
        content = {"application/json": {"schema": schema}}
        responses = {str(spec.status): {"description": HTTPStatus(spec.status).phrase, "content": content}}
    if spec.may_be_empty:
        responses["204"] = {"description": "Nothing more will come."}
    return responses


def _event_schema(event: dict) -> dict:
    return {
        "type": "object",
        "properties": {
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": event},
            "id": {"type": "string", "description": "Send it back as Last-Event-ID to go on behind it."},
        },
        "required": ["data"],
    }


def _codes(rule: Rule, spec: Endpoint) -> list[str]:
    codes = list(spec.errors)
    if rule.rule.startswith(DRAINED):
        codes.append("restarting")
    if spec.body or spec.form:
        codes += ["bad_request", "unsupported_media_type", spec.too_large]
    if spec.body:
        codes.append("bad_json")
    if spec.body or spec.form or spec.query:
        codes.append("invalid")
    if spec.is_bearer:
        codes.append("unauthorized")
    return sorted({*codes, "internal", "unavailable"}, key=list(CODES).index)


def _error_responses(codes: list[str]) -> dict[str, dict]:
    responses: dict[str, dict] = {}
    for status in sorted({CODES[code][0] for code in codes}):
        met = [code for code in codes if CODES[code][0] == status]
        narrowed = {"properties": {"code": {"enum": met}}}
        schema = {"allOf": [{"$ref": REF.format(name="Error")}, narrowed]}
        response = {
            "description": " ".join(CODES[code][1] for code in met),
            "content": {"application/json": {"schema": schema}},
        }
        if status in (429, 503):
            response["headers"] = {"Retry-After": _RETRY_AFTER}
        responses[str(status)] = response
    return responses


def _error_schema() -> dict:
    seconds = {"type": "integer", "minimum": 0, "description": "Seconds to wait; with 429 and 503."}
    return {
        "type": "object",
        "description": "Every failure.",
        "properties": {
            "success": {"const": False},
            "error": {"type": "string", "description": "A sentence for a person; it may change."},
            "code": {"enum": [code for code, (status, _) in CODES.items() if status]},
            "errors": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "What is wrong with each field; with 422.",
            },
            "retry_after": seconds,
            "blocked_until": {"type": "string", "description": "When the next sign-in is allowed; with its 429."},
        },
        "required": ["success", "error", "code"],
    }


def _component(schema: dict) -> str:
    return schema["$ref"].rpartition("/")[2]
