"""The page that shows the API: made from its document, in one piece, without scripts and without other hosts."""

from __future__ import annotations

__all__ = ["PAGE_POLICY", "render_page"]

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Final, cast

_STYLE: Final = (
    ":root{color-scheme:light dark;--line:#8884;--soft:#8881}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}"
    "details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}"
    "summary{cursor:pointer}code,pre{font:14px/1.45 ui-monospace,monospace}"
    "pre{background:var(--soft);padding:.6rem;overflow-x:auto;border-radius:4px}"
    ".m{display:inline-block;min-width:4.5rem;font-weight:600}nav a{margin-right:1rem}"
)
PAGE_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The page's own style, and nothing else."""

Object = Mapping[str, object]


def render_page(document: Object) -> str:
    """Return the page."""
    info = _of(document, "info")
    groups: dict[str, list[str]] = {}
    for path, methods in _of(document, "paths").items():
        for method, operation in cast(Object, methods).items():
            said = cast(Object, operation)
            tag = str(cast("list[str]", said["tags"])[0])
            groups.setdefault(tag, []).append(_operation(path, method, said))
    links = "".join(f'<a href="#{_anchor(tag)}">{escape(tag)}</a>' for tag in [*groups, "schemas"])
    sections = "".join(f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2>{"".join(each)}' for tag, each in groups.items())
    schemas = "".join(_schemas(_of(_of(document, "components"), "schemas")))
    title = f"{escape(str(info['title']))} API {escape(str(info['version']))}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main>'
        f"<h1>{title}</h1><p>{escape(str(info['description']))}</p>"
        f'<p><a href="/api/openapi.json">openapi.json</a></p><nav>{links}</nav>'
        f'{sections}<h2 id="schemas">schemas</h2>{schemas}</main></body></html>'
    )


def _operation(path: str, method: str, said: Object) -> str:
    parts = [f"<p>{escape(str(said['description']))}</p>"]
    parameters = cast("list[Object]", said.get("parameters", []))
    if parameters:
        items = "".join(f"<li><code>{escape(str(each['name']))}</code> {_where(each)}</li>" for each in parameters)
        parts.append(f"<ul>{items}</ul>")
    body = cast("Object | None", said.get("requestBody"))
    if body is not None:
        parts.append(f"<p>Body: {_content(body)}</p>")
    for status, answer in _of(said, "responses").items():
        if status.startswith("2"):
            parts.append(f"<p>{status}: {_content(cast(Object, answer))}</p>")
    return (
        f'<details><summary><span class="m">{method.upper()}</span> <code>{escape(path)}</code>'
        f" {escape(str(said['summary']))}</summary>{''.join(parts)}</details>"
    )


def _where(parameter: Object) -> str:
    needed = "" if parameter["required"] else ", may be left out"
    return escape(f"in the {parameter['in']}{needed}: {json.dumps(parameter['schema'])}")


def _content(holder: Object) -> str:
    content = cast("Object | None", holder.get("content"))
    if content is None:
        return "no body"
    schema = cast(Object, cast(Object, next(iter(content.values())))["schema"])
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return f'<a href="#schema-{escape(name)}">{escape(name)}</a>' if name else escape(json.dumps(schema))


def _schemas(schemas: Object) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        text = json.dumps(schema, indent=1, ensure_ascii=False)
        title = escape(name)
        yield f'<details id="schema-{title}"><summary>{title}</summary><pre>{escape(text)}</pre></details>'


def _of(document: Object, name: str) -> Object:
    return cast(Object, document[name])


def _anchor(tag: str) -> str:
    return tag.replace(" ", "-")
