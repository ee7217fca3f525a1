"""Requests of HTTP: as users write them, and as an OpenAPI description (3.0, 3.1) says that they may be."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from headwater.prove.attempts import Attempt
from headwater.prove.talk import Offered

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_DEPTH: Final = 20  # references in references
_SCHEMAS: Final = 2_000  # of one operation, with references filled in: one that refers to itself has no end
_PATH: Final = "%/:@!$&'()*+,;=~{}"  # what stands in a path as it is
BODY: Final = "body"
"""The name of the argument where the whole body is one value."""
_LINE: Final = re.compile(r"(?:([A-Z]+)\s+)?(/\S*)(?:\s+(.*))?", re.DOTALL)


class Request(NamedTuple):
    """One request."""

    method: str
    target: str
    """Path and query, as they stand in the request."""
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    attempt: Attempt | None = None

    @property
    def shown(self) -> str:
        """Method and path."""
        return f"{self.method} {self.target.partition('?')[0]}"


class Operation(NamedTuple):
    """What a service answers: a method of a path, with its arguments."""

    method: str
    path: str
    offered: Offered
    """Its arguments as one object, whatever part of a request they are."""
    places: Mapping[str, str]
    """Each argument's part of the request: path, query, header, cookie, json, form, file, raw."""


def identifies(headers: Iterable[str]) -> bool:
    """Whether headers of these names say who sends a request."""
    return any(re.search(r"auth|cookie|token|key|session", name, re.IGNORECASE) for name in headers)


def parse(line: str) -> Request:
    """A request as users write it: ``POST /chat {"text": "hello"}``, ``GET /orders?email=x``. Raises ValueError."""
    found = _LINE.fullmatch(line.strip())
    if not found:
        raise ValueError(f"{line!r} is no request: METHOD /path [body]")
    method, target, body = found.groups()
    method = method or ("POST" if body else "GET")
    if not body:
        return Request(method, target)
    try:
        json.loads(body)
        kind = "application/json"
    except (ValueError, RecursionError):
        kind = "application/x-www-form-urlencoded" if re.fullmatch(r"[\w.-]+=\S*", body) else "text/plain"
    return Request(method, target, body.encode(), (("Content-Type", kind),))


def of_request(request: Request) -> Operation:
    """The operation that a request is an example of: what it says in query and body are the arguments, with their values as defaults."""
    parts = urllib.parse.urlsplit(request.target)
    properties: dict[str, Any] = {}
    places: dict[str, str] = {}
    for name, value in urllib.parse.parse_qsl(parts.query, keep_blank_values=True):
        properties[name], places[name] = {"type": "string", "default": value}, "query"
    kind = next((value for name, value in request.headers if name == "Content-Type"), "")
    text = (request.body or b"").decode("utf-8", "replace")
    if "json" in kind:
        value = json.loads(text)
        for name, one in value.items() if isinstance(value, dict) else ():
            properties[name], places[name] = _example(one), "json"
        if not isinstance(value, dict):
            properties[BODY], places[BODY] = _example(value), "json"
    elif "form" in kind:
        for name, one in urllib.parse.parse_qsl(text, keep_blank_values=True):
            properties[name], places[name] = {"type": "string", "default": one}, "form"
    elif text:
        properties[BODY], places[BODY] = {"type": "string", "default": text}, "raw"
    offered = Offered(f"{request.method} {parts.path}", "", {"type": "object", "properties": properties, "required": list(properties)})
    return Operation(request.method, parts.path, offered, places)


def of_route(route: str) -> Operation | None:
    """The operation of a route as the system map names it, ``GET /orders/{id}``: its path alone is known. None where it takes nothing."""
    method, _, path = route.rpartition(" ")
    names = re.findall(r"[{<\[:](?:\w+:)?(\w+)[^/]*", path)
    if not names or method not in ("", "GET"):
        return None
    path = re.sub(r"<(?:\w+:)?(\w+)>|:(\w+)|\[(\w+)\]", lambda found: "{" + next(filter(None, found.groups())) + "}", path)
    offered = Offered(f"GET {path}", "", {"type": "object", "properties": {one: {"type": "string"} for one in names}, "required": names})
    return Operation("GET", path, offered, dict.fromkeys(names, "path"))


def _example(value: object) -> dict[str, Any]:
    """A schema that a value follows."""
    match value:
        case bool():
            return {"type": "boolean", "default": value}
        case int() | float():
            return {"type": "number", "default": value}
        case list():
            return {"type": "array", "items": _example(value[0]) if value else {"type": "string"}}
        case dict():
            return {"type": "object", "properties": {str(name): _example(one) for name, one in value.items()}, "required": list(value)}
    return {"type": "string", "default": value if isinstance(value, str) else ""}


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """The operations that a description names, in its order. What cannot be read is left out."""
    made: list[Operation] = []
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        if not isinstance(item, dict) or not isinstance(path, str):
            continue
        for method in _METHODS:
            operation = item.get(method)
            if isinstance(operation, dict):
                made.append(_operation(document, method.upper(), path, operation, item.get("parameters")))
    return made


def _operation(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any], shared: object) -> Operation:
    properties: dict[str, Any] = {}
    required: list[str] = []
    places: dict[str, str] = {}
    for group in (shared, operation.get("parameters")):
        for one in group if isinstance(group, list) else ():
            parameter = _resolved(document, one)
            name, place = parameter.get("name"), parameter.get("in")
            if isinstance(name, str) and place in ("path", "query", "header", "cookie"):
                schema = _whole(document, parameter.get("schema", {}))
                properties[name] = {**schema, "description": str(parameter.get("description", schema.get("description", "")))}
                places[name] = place
                if parameter.get("required"):
                    required.append(name)
    body = _resolved(document, operation.get("requestBody", {}))
    content = body.get("content")
    if isinstance(content, dict) and content:
        kind = next((one for one in content if "json" in one), next(iter(content)))
        media = content[kind]
        schema = _whole(document, media.get("schema", {}) if isinstance(media, dict) else {})
        fields = schema.get("properties")
        if isinstance(fields, dict) and fields:
            for name, field in fields.items():
                uploaded = field.get("format") == "binary" or "contentMediaType" in field
                place = (
                    "json"
                    if "json" in kind
                    else "file"
                    if "multipart" in kind and uploaded
                    else "multipart"
                    if "multipart" in kind
                    else "form"
                )
                properties[name] = field
                places[name] = place
            needed = schema.get("required")
            required += [one for one in needed if isinstance(one, str)] if isinstance(needed, list) else []
        else:
            properties[BODY] = schema or {"type": "string"}
            places[BODY] = "json" if "json" in kind and schema.get("type") != "string" else "raw"
    elif method in ("POST", "PUT", "PATCH"):
        # A handler that reads the body by itself describes none.
        properties[BODY] = {"type": "string", "format": "binary", "description": "serialized object"}
        places[BODY] = "raw"
    told = " ".join(str(operation[key]) for key in ("summary", "description") if isinstance(operation.get(key), str))
    offered = Offered(f"{method} {path}", told, {"type": "object", "properties": properties, "required": required})
    return Operation(method, path, offered, places)


def _resolved(document: Mapping[str, Any], value: object, depth: int = 0) -> Mapping[str, Any]:
    """What a reference within the document points to."""
    if not isinstance(value, dict):
        return {}
    target = value.get("$ref")
    if not isinstance(target, str) or depth > _DEPTH:
        return value
    found: object = document
    for part in target.removeprefix("#/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return _resolved(document, found, depth + 1)


def _whole(document: Mapping[str, Any], schema: object, depth: int = 0, left: list[int] | None = None) -> dict[str, Any]:
    """A schema with its references filled in, as deep as arguments go; keys that hold something else than they should are left out."""
    left = left if left is not None else [_SCHEMAS]
    left[0] -= 1
    found = dict(_resolved(document, schema))
    for key in ("anyOf", "oneOf", "allOf", "enum", "examples"):
        if not isinstance(found.get(key, []), list):
            del found[key]
    for key in ("properties", "items"):
        if not isinstance(found.get(key, {}), dict):
            del found[key]
    deeper = depth < 5 and left[0] > 0
    for key in ("anyOf", "oneOf", "allOf"):
        if key in found:
            found[key] = [_whole(document, one, depth + 1, left) for one in found[key]] if deeper else []
    if not found.get("properties"):
        for one in found.get("allOf", []):
            found = {**one, **found, "properties": {**one.get("properties", {}), **found.get("properties", {})}}
    if "properties" in found:
        named = found["properties"].items() if deeper else ()
        found["properties"] = {str(name): _whole(document, one, depth + 1, left) for name, one in named}
    if "items" in found:
        found["items"] = _whole(document, found["items"], depth + 1, left) if deeper else {}
    return found


def made(operation: Operation, arguments: Mapping[str, object], attempt: Attempt | None = None) -> Request:
    """The request of an operation with these arguments."""
    path = operation.path
    query: list[tuple[str, str]] = []
    headers: list[tuple[str, str]] = []
    fields: dict[str, object] = {}
    forms: list[tuple[str, str]] = []
    files: list[tuple[str, str]] = []
    parts: list[tuple[str, str]] = []
    cookies: list[str] = []
    body: bytes | None = None
    for name, value in arguments.items():
        text = value if isinstance(value, str) else json.dumps(value)
        match operation.places.get(name, "query"):
            case "path":
                path = path.replace("{" + name + "}", urllib.parse.quote(text, safe=""))
            case "query":
                query += [
                    (name, one if isinstance(one, str) else json.dumps(one)) for one in (value if isinstance(value, list) else [value])
                ]
            case "header":
                headers.append((re.sub(r"[^!-9;-~]", "", name), _header(text)))
            case "cookie":
                cookies.append(f"{_header(name)}={_header(text)}")
            case "json":
                if name == BODY:
                    body = json.dumps(value).encode()
                    headers.append(("Content-Type", "application/json"))
                else:
                    fields[name] = value
            case "form":
                forms.append((name, text))
            case "file":
                files.append((name, text))
            case "multipart":
                parts.append((name, text))
            case "raw":
                body = (
                    text.encode("latin-1", "replace")
                    if attempt and attempt.sink_class == "deserialize"
                    else text.encode("utf-8", "replace")
                )
                headers.append(("Content-Type", "application/octet-stream"))
    if fields:
        body = json.dumps(fields).encode()
        headers.append(("Content-Type", "application/json"))
    elif files or parts:
        body, kind = _multipart(parts, files, attempt.token if attempt is not None else "")
        headers.append(("Content-Type", kind))
    elif forms:
        body = urllib.parse.urlencode(forms).encode()
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    if cookies:
        headers.append(("Cookie", "; ".join(cookies)))
    target = urllib.parse.quote(path, safe=_PATH) + ("?" + urllib.parse.urlencode(query) if query else "")
    return Request(operation.method, target, body, tuple(headers), attempt)


def plain(operation: Operation) -> Request:
    """An ordinary request: each argument has the example of its schema, or something of its type."""
    schema = operation.offered.schema
    return made(operation, {name: ordinary(one, name) for name, one in schema.get("properties", {}).items()})


def ordinary(schema: Mapping[str, Any], name: str = "") -> object:
    """A value that a schema allows, as far as its simple words tell."""
    for key in ("const", "default", "example"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(key), list) and schema[key]:
            return ordinary(schema[key][0], name)
    kind = schema.get("type")
    if isinstance(kind, list):  # of OpenAPI 3.1: what may be null has two types
        kind = next((one for one in kind if one != "null"), None)
    match kind:
        case "integer":
            return schema.get("minimum", 1)
        case "number":
            return schema.get("minimum", 1.0)
        case "boolean":
            return False
        case "array":
            return [ordinary(schema.get("items", {}), name)]
        case "object":
            return {key: ordinary(one, key) for key, one in schema.get("properties", {}).items()}
    if "email" in name.lower() or schema.get("format") == "email":
        return "ada@example.com"
    return "hello"


def _header(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", text).encode("latin-1", "replace").decode("latin-1")


_BOUNDARY: Final = "headwater-part-5d1f0c"


def _multipart(parts: list[tuple[str, str]], files: list[tuple[str, str]], token: str) -> tuple[bytes, str]:
    """A form with files. The value of a file is its *name*: what is done with the name is what clients abuse."""
    lines: list[str] = []
    for name, text in parts:
        lines += [f"--{_BOUNDARY}", f'Content-Disposition: form-data; name="{name}"', "", text]
    for name, text in files:
        shown = text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        lines += [
            f"--{_BOUNDARY}",
            f'Content-Disposition: form-data; name="{name}"; filename="{shown}"',
            "Content-Type: text/plain",
            "",
            f"What is told in this file: {token}." if token else "A plain text.",
        ]
    lines += [f"--{_BOUNDARY}--", ""]
    return "\r\n".join(lines).encode("utf-8", "replace"), f"multipart/form-data; boundary={_BOUNDARY}"
