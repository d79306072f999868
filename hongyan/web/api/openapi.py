"""The OpenAPI 3.1 document of the API, made from the declared routes, and a page that shows it."""

from __future__ import annotations

__all__ = ["openapi_document"]

from collections.abc import Mapping, Sequence

from starlette.responses import Response

import hongyan
from hongyan.web.api.declared import API_SCOPES, Access, Done, Route, parameters_of
from hongyan.web.api.values import Schemas, schema_of

_PROBLEM: Mapping[str, object] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "The field of the body, as a JSON pointer."},
                    "parameter": {"type": "string", "description": "The parameter in the path or the query."},
                },
                "required": ["detail"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
}
_ABOUT = (
    "Everything that is not mail; mail is JMAP's and IMAP's. A browser logs in at POST /session and is known by its"
    " cookie; a program sends a key as a bearer token. Faults are problem details (RFC 9457), in English or Chinese by"
    " Accept-Language."
)
_REFUSALS = ("400", "401", "403", "404", "405", "409", "415", "422", "429", "500", "503")


def openapi_document(prefix: str, routes: Sequence[Route]) -> dict[str, object]:
    """Return the document."""
    schemas: Schemas = {"Problem": _PROBLEM}
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(prefix + route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hongyan", "version": hongyan.__version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-hongyan"},
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Scopes: " + " ".join(f"`{name}`: {doc}" for name, doc in API_SCOPES.items()),
                },
            },
        },
    }


def _operation(route: Route, schemas: Schemas) -> dict[str, object]:
    doc = (route.handler.__doc__ or "").strip()
    said: dict[str, object] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": doc.partition(". ")[0].partition("\n")[0].rstrip("."),
        "description": _description(route, " ".join(doc.split())),
        "security": _security(route),
        "responses": _responses(route, schemas),
    }
    parameters = [
        _parameter(route, name, kind, schemas, is_needed=parameter.default is parameter.empty)
        for name, (kind, parameter) in parameters_of(route).items()
    ]
    if parameters:
        said["parameters"] = parameters
    if route.body is not None:
        said["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema_of(route.body, schemas)}},
        }
    return said


def _description(route: Route, doc: str) -> str:
    notes = [doc]
    if route.is_for_admins:
        notes.append("For admins.")
    if route.access is Access.RECENT:
        notes.append("Needs a step-up within the last minutes.")
    return " ".join(notes)


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.access is Access.ANYBODY:
        return []
    return [{"session": []}, {"key": [route.scope]}] if route.scope else [{"session": []}]


def _parameter(route: Route, name: str, kind: object, schemas: Schemas, *, is_needed: bool) -> dict[str, object]:
    place = "path" if name in route.places else "query"
    return {"name": name, "in": place, "required": is_needed, "schema": _single(schema_of(kind, schemas))}


def _single(schema: dict[str, object]) -> dict[str, object]:
    """Return the schema of a parameter, which is there or not, and never null."""
    options = schema.get("anyOf")
    return options[0] if isinstance(options, list) else schema


def _responses(route: Route, schemas: Schemas) -> dict[str, object]:
    content = {"application/problem+json": {"schema": _reference("Problem")}}
    refused = {status: {"description": "Refused.", "content": content} for status in _REFUSALS}
    if route.answer is Done:
        return {"204": {"description": "Done."}, **refused}
    answer: dict[str, object] = {"application/json": {"schema": schema_of(route.answer, schemas)}}
    if route.answer is Response:
        answer = {"*/*": {"schema": {}}}  # a document, a picture, a file: what it is, its Content-Type says
    return {str(route.status): {"description": "Done.", "content": answer}, **refused}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
