"""Requests: as users write them, as descriptions of services tell them, and as they are sent."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.prove import requests
from headwater.prove.attempts import Attempt
from headwater.prove.requests import Operation, Request


def test_requests_as_users_write_them() -> None:
    assert requests.parse('POST /chat {"text": "hello"}') == Request(
        "POST", "/chat", b'{"text": "hello"}', (("Content-Type", "application/json"),)
    )
    assert requests.parse("/orders?email=x") == Request("GET", "/orders?email=x")
    assert requests.parse(" DELETE /orders/1 ") == Request("DELETE", "/orders/1")
    assert requests.parse("/login name=ada&word=x").headers == (("Content-Type", "application/x-www-form-urlencoded"),)
    assert requests.parse("/note Buy milk.") == Request("POST", "/note", b"Buy milk.", (("Content-Type", "text/plain"),))
    assert requests.parse("/deep " + "[" * 200_000).headers == (("Content-Type", "text/plain"),)
    for wrong in ("", "chat", "post /chat", "GET chat"):
        with pytest.raises(ValueError, match="is no request"):
            requests.parse(wrong)


@pytest.mark.parametrize(
    ("line", "places", "values"),
    [
        ('POST /chat?k=1 {"text": "hello", "n": 2}', {"k": "query", "text": "json", "n": "json"}, {"k": "1", "text": "hello", "n": 2}),
        ("POST /login name=ada&word=x", {"name": "form", "word": "form"}, {"name": "ada", "word": "x"}),
        ('POST /list ["a"]', {"body": "json"}, {"body": ["a"]}),
        ("POST /note Buy milk.", {"body": "raw"}, {"body": "Buy milk."}),
        ("GET /plain", {}, {}),
    ],
)
def test_a_request_is_an_example_of_an_operation(line: str, places: dict[str, str], values: dict[str, Any]) -> None:
    request = requests.parse(line)
    operation = requests.of_request(request)
    assert operation.places == places
    again = requests.plain(operation)
    assert {name: requests.ordinary(one) for name, one in operation.offered.schema["properties"].items()} == values
    assert (again.method, again.target) == (request.method, request.target)
    if request.body:  # what is sent is what was written
        if "json" in places.values():
            assert json.loads(again.body or b"") == json.loads(request.body)
        else:
            assert again.body == request.body


@pytest.mark.parametrize(
    "route", ["GET /orders/{id}/{part}", "/orders/<int:id>/<part>", "GET /orders/:id/:part", "GET /orders/[id]/[part]"]
)
def test_routes_of_the_map(route: str) -> None:
    operation = requests.of_route(route)
    assert operation is not None
    assert (operation.path, operation.places) == ("/orders/{id}/{part}", {"id": "path", "part": "path"})


@pytest.mark.parametrize("route", ["GET /orders", "POST /orders/{id}", "/"])
def test_routes_that_tell_too_little(route: str) -> None:
    assert requests.of_route(route) is None


DESCRIPTION: dict[str, Any] = {
    "openapi": "3.0.3",
    "paths": {
        "/orders/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 7}}],
            "get": {
                "summary": "One order.",
                "parameters": [
                    {"$ref": "#/components/parameters/Fields"},
                    {"name": "X-Tenant", "in": "header", "schema": {"type": "string", "default": "a"}},
                    {"name": "mode", "in": "cookie", "schema": {"type": "string", "enum": ["dark", "light"]}},
                    {"name": "lang", "in": "cookie", "schema": {"type": "string", "example": "en"}},
                ],
            },
            "put": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}},
        },
        "/login": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/x-www-form-urlencoded": {
                            "schema": {"type": "object", "properties": {"email": {"type": "string"}}, "required": ["email"]}
                        }
                    }
                }
            }
        },
        "/files": {
            "post": {
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "properties": {"file": {"type": "string", "format": "binary"}, "title": {"type": "string"}},
                                "required": ["file"],
                            }
                        }
                    }
                }
            }
        },
        "/raw": {"post": {"requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}}}, "patch": {}},
    },
    "components": {
        "parameters": {"Fields": {"name": "fields", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}},
        "schemas": {
            "Base": {"properties": {"name": {"type": "string"}}},
            "Order": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"parts": {"$ref": "#/components/schemas/Parts"}}}]},
            "Parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
            "Part": {"type": "object", "properties": {"count": {"type": "integer"}, "inner": {"$ref": "#/components/schemas/Part"}}},
        },
    },
}


def operation(name: str) -> Operation:
    return next(one for one in requests.operations(DESCRIPTION) if one.offered.name == name)


def test_a_description_of_version_3_0() -> None:
    assert [one.offered.name for one in requests.operations(DESCRIPTION)] == [
        "GET /orders/{id}",
        "PUT /orders/{id}",
        "POST /login",
        "POST /files",
        "POST /raw",
        "PATCH /raw",
    ]
    assert operation("GET /orders/{id}").places == {
        "id": "path",
        "fields": "query",
        "X-Tenant": "header",
        "mode": "cookie",
        "lang": "cookie",
    }
    assert operation("GET /orders/{id}").offered.description == "One order."
    assert operation("GET /orders/{id}").offered.schema["required"] == ["id"]
    assert operation("PUT /orders/{id}").places == {"id": "path", "name": "json", "parts": "json"}
    assert operation("POST /files").places == {"file": "file", "title": "multipart"}
    assert operation("POST /raw").places == {"body": "raw"}
    assert operation("PATCH /raw").places == {"body": "raw"}


def test_ordinary_requests_of_a_description() -> None:
    get = requests.plain(operation("GET /orders/{id}"))
    assert get.target == "/orders/7?fields=hello"
    assert dict(get.headers) == {"X-Tenant": "a", "Cookie": "mode=dark; lang=en"}
    put = json.loads(requests.plain(operation("PUT /orders/{id}")).body or b"")
    assert put["name"] == "hello"
    assert put["parts"][0]["count"] == 1
    assert requests.plain(operation("POST /login")).body == b"email=ada%40example.com"


def test_types_of_version_3_1() -> None:
    assert requests.ordinary({"type": ["null", "integer"]}) == 1
    assert requests.ordinary({"type": ["array", "null"], "items": {"type": "boolean"}}) == [False]
    assert requests.ordinary({"type": ["null"]}) == "hello"
    assert requests.ordinary({"anyOf": [{"type": "number"}, {"type": "null"}]}) == 1.0
    assert requests.ordinary({"const": "x", "type": "string"}) == "x"
    assert requests.ordinary({"examples": ["first", "second"]}) == "first"
    document = {
        "openapi": "3.1.0",
        "paths": {"/f": {"post": {"requestBody": {"content": {"multipart/form-data": {"schema": {"properties": {
            "upload": {"type": "string", "contentMediaType": "application/octet-stream"}}}}}}}}},
    }  # fmt: skip
    (only,) = requests.operations(document)
    assert only.places == {"upload": "file"}


HOSTILE = "a/../b?c&d=e#f\r\nX: y \"'%2e é\x00"


@pytest.mark.parametrize("place", ["path", "query", "header", "cookie", "json", "form", "file", "multipart", "raw"])
def test_a_hostile_value_in_each_place_makes_one_request(place: str) -> None:
    offered = requests.of_request(requests.parse("POST /x/{value}")).offered
    made = requests.made(Operation("POST", "/x/{value}", offered, {"value": place}), {"value": HOSTILE})
    assert "\r" not in made.target
    assert all("\r" not in text and "\n" not in text and "\0" not in text for pair in made.headers for text in pair)
    body = (made.body or b"").decode()
    match place:
        case "path":
            assert urllib.parse.unquote(made.target) == f"/x/{HOSTILE}"
            assert made.target.count("/") == 2
        case "query":
            assert urllib.parse.parse_qs(made.target.partition("?")[2]) == {"value": [HOSTILE]}
        case "json":
            assert json.loads(body) == {"value": HOSTILE}
        case "form":
            assert urllib.parse.parse_qs(body) == {"value": [HOSTILE]}
        case "file":
            assert 'filename="a/../b' in body
            assert body.count("\r\nX: y") == 0
        case "multipart" | "raw":
            assert HOSTILE in body


def test_a_file_tells_the_token_of_its_value() -> None:
    attempt = Attempt("hwc0000010001", "p", "path-write", "naive", True, "http", "../../x")
    made = requests.made(operation("POST /files"), {"file": "../../x", "title": "hello"}, attempt)
    body = (made.body or b"").decode()
    assert 'name="file"; filename="../../x"' in body
    assert "hwc0000010001" in body
    assert dict(made.headers)["Content-Type"].partition("boundary=")[2] in body


def test_bytes_of_a_serialized_object_stay_bytes() -> None:
    attempt = Attempt("hwc0000010001", "p", "deserialize", "naive", True, "http", "\x80\x04")
    made = requests.made(operation("POST /raw"), {"body": "\x80\x04"}, attempt)
    assert made.body == b"\x80\x04"


def test_paths_in_other_letters_can_be_sent() -> None:
    document = {"paths": {"/größe /{id}": {"get": {"parameters": [{"name": "id", "in": "path", "schema": {}}]}}}}
    (only,) = requests.operations(document)
    assert requests.plain(only).target == "/gr%C3%B6%C3%9Fe%20/hello"


def test_names_of_headers_and_cookies_cannot_split_a_request() -> None:
    document = {
        "paths": {"/": {"get": {"parameters": [{"name": "a: b\r\nc", "in": "header"}, {"name": "d\r\ne", "in": "cookie"}]}}},
    }
    (only,) = requests.operations(document)
    assert dict(requests.plain(only).headers) == {"abc": "hello", "Cookie": "d  e=hello"}


def test_a_schema_that_refers_to_itself_a_thousand_times_ends() -> None:
    document = {
        "paths": {"/": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/a"}}}}}}},
        "a": {"properties": {f"p{number}": {"$ref": "#/a"} for number in range(300)}},
        "b": {"$ref": "#/b"},
    }
    (only,) = requests.operations(document)
    assert len(only.places) == 300
    assert requests.plain(only).body


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["#/paths", "#/", "object", "path", "query"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["$ref", "type", "properties", "items", "anyOf", "allOf", "required", "enum", "default", "name", "in", "schema", "parameters",
             "requestBody", "content", "application/json", "multipart/form-data", "format", "examples", "minimum"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=25,
)  # fmt: skip


@given(_JSON, _JSON)
def test_any_description_is_read_and_its_requests_made(item: Any, other: Any) -> None:
    schema = {"content": {"application/json": {"schema": other}}}
    for document in (
        {"paths": item},
        {"paths": {"/a": item}},
        {"paths": {"/a": {"get": item, "post": {"parameters": [item], "requestBody": schema}}}},
    ):
        for one in requests.operations(document):
            made = requests.plain(one)
            made.target.encode("ascii")
            assert set(one.places) == set(one.offered.schema["properties"])
