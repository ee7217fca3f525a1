"""Hostile values for arguments: which classes fit, valid siblings, and what is learned from messages of applications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from headwater.prove import arguments, schemas
from headwater.prove.attempts import Payload
from headwater.prove.payloads import by_id, fill, prepare, values, word
from headwater.prove.talk import Offered

TOKEN = "hwc0000aa0001"


def filler(payload: Payload, benign: str) -> str:
    return fill(payload, values(TOKEN, Path("/scratch"), f"http://127.0.0.1:9/{TOKEN}", benign=benign))


def tool(called: str, about: str = "", /, **properties: Any) -> Offered:
    return Offered(called, about, {"type": "object", "properties": properties, "required": list(properties)})


@pytest.mark.parametrize(
    ("name", "about", "of_tool", "first"),
    [
        ("command", "", "run", "shell"),
        ("filePath", "", "read_file", "path-read"),
        ("path", "", "write_file", "path-write"),
        ("output_dir", "", "", "path-write"),
        ("sql", "", "", "sql"),
        ("query", "a SQL statement", "", "sql"),
        ("url", "", "", "url"),
        ("expression", "", "calculator", "code"),
        ("python_code", "", "", "code"),
        ("template", "", "", "template"),
        ("branch", "", "git_log", "shell"),
        ("value", "The shell command to run", "", "shell"),
        ("input", "", "execute_sql", "sql"),
    ],
)
def test_first_class(name: str, about: str, of_tool: str, first: str) -> None:
    assert next(iter(arguments.classes_of(name, about, of_tool))) == first


def test_what_the_tool_does_decides_where_a_name_says_little() -> None:
    python = tool("python_repl", "A Python shell. Use this to execute python commands.", query={"type": "string"})
    found = [hostile.payload for hostile in arguments.hostile(python, filler)]
    assert (found[0].sink_class, found[0].language) == ("code", "python")
    script = tool("run_js", "Runs JavaScript in Node.", code={"type": "string"})
    assert next(arguments.hostile(script, filler)).payload.language == "javascript"
    assert next(arguments.hostile(tool("execute_sql", "", query={"type": "string"}), filler)).payload.sink_class == "sql"


def test_all_classes_are_tried_at_last() -> None:
    assert set(arguments.classes_of("whatever")) == set(arguments.ALL)


SCHEMAS: list[dict[str, Any]] = [
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 3, "maxLength": 8},
            "kind": {"enum": ["one", "two"]},
            "count": {"type": "integer", "minimum": 5, "maximum": 9},
            "when": {"type": "string", "format": "date-time"},
            "key": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"},
            "flag": {"type": "boolean"},
        },
        "required": ["name", "kind", "count", "when", "key", "flag"],
    },
    {
        "$defs": {"Item": {"type": "object", "properties": {"path": {"type": "string"}, "size": {"type": "number"}}, "required": ["path"]}},
        "type": "object",
        "properties": {
            "items": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/Item"}},
            "note": {"anyOf": [{"type": "null"}, {"type": "string"}]},
        },
        "required": ["items", "note"],
    },
    {
        "type": "object",
        "properties": {
            "where": {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {"required": ["a"]}]}
        },
        "required": ["where"],
    },
    {
        "type": ["object", "null"],
        "properties": {"mode": {"const": "x"}, "text": {"type": ["string", "null"]}},
        "required": ["mode", "text"],
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_siblings_are_valid(schema: dict[str, Any]) -> None:
    offered = Offered("do", "", schema)
    jsonschema.validate(arguments.benign(offered), schema)
    seen = set()
    for hostile in arguments.hostile(offered, filler):
        seen.add(hostile.argument)
        place = next(place for place in schemas.places(schema) if place.name == hostile.argument)
        # With the one value made plain again, all of it is valid.
        jsonschema.validate(schemas.put(hostile.arguments, place.path, place.benign), schema)
        assert str(hostile.arguments).count(TOKEN[:9]) <= 3 * (hostile.value.count(TOKEN[:9]) + 1)
    assert len(seen) >= 1


def test_every_text_has_its_turn_and_likely_ones_come_first() -> None:
    offered = tool(
        "deploy",
        "Deploys a service.",
        note={"type": "string"},
        steps={"type": "array", "items": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}},
        count={"type": "integer"},
    )
    found = list(arguments.hostile(offered, filler))
    assert {hostile.argument for hostile in found} == {"note", "steps.0.command"}
    assert found[0].argument == "steps.0.command"
    assert found[0].payload.sink_class == "shell"
    assert isinstance(found[0].arguments["steps"], list)


def test_optional_arguments_are_tried_too() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "cache_file": {"type": "string"}}, "required": ["city"]}
    found = list(arguments.hostile(Offered("weather", "", schema), filler))
    assert any(hostile.argument == "cache_file" and "city" in hostile.arguments for hostile in found)
    assert all(set(hostile.arguments) == {"city"} for hostile in found if hostile.argument == "city")


@pytest.mark.parametrize(
    "description",
    [
        "Runs it.\n\nArgs:\n    command (str): what to run\n    folder: where to run it\n\nReturns:\n    str: the output",
        "Runs it. Takes the parameters `command` and `folder`, both are texts.",
        "Runs it.\n- command: what to run\n- folder (string): where",
    ],
)
def test_names_that_stand_in_the_description_only(description: str) -> None:
    found = list(arguments.hostile(Offered("do", description), filler))
    assert {"command"} <= {hostile.argument for hostile in found} <= {"command", "folder"}
    assert found[0].argument == "command"


def test_payloads_beside_a_folder_wait_until_one_is_known() -> None:
    offered = tool("read_file", "", path={"type": "string"})
    assert not any("_evil" in hostile.value for hostile in arguments.hostile(offered, filler))
    known = schemas.Known(root="/scratch/files")
    assert any("{root}_evil" in hostile.payload.text for hostile in arguments.hostile(offered, filler, known=known))


@pytest.mark.parametrize(
    ("message", "name", "value"),
    [
        ("Error: format must be one of: pdf, docx", "format", "pdf"),
        ("1 validation error\nformat\n  Input should be 'pdf' or 'docx' [type=literal_error]", "format", "pdf"),
        ("ValueError: unknown format 'a'. Supported formats: pdf, docx", "format", "pdf"),
        ("format: invalid value, does not match ^[A-Z]{2}-[0-9]+$", "format", "AB-12"),
        ("Invalid format", "format", "abcdefgh12345678"),
    ],
)
def test_what_is_learned_of_siblings(message: str, name: str, value: str) -> None:
    offered = tool("convert", "", name={"type": "string"}, format={"type": "string"})
    known = schemas.Known()
    assert arguments.learn(known, offered, message, "name")
    assert known.values[name] == value
    assert "name" not in known.values


@pytest.mark.parametrize(
    ("message", "root"),
    [
        ("Access denied - path outside allowed directories: /etc/x not in /srv/files, /srv/more", "/srv/files"),
        ("Allowed directories: /srv/files", "/srv/files"),
        ("The path must be within /srv/files.", "/srv/files"),
        ("File not found: /srv/files/a.txt", ""),
    ],
)
def test_a_folder_is_learned(message: str, root: str) -> None:
    known = schemas.Known()
    arguments.learn(known, tool("read_file", "", path={"type": "string"}), message, "path")
    assert known.root == root


def test_missing_arguments_and_hosts_are_learned() -> None:
    schema = {"type": "object", "properties": {"url": {"type": "string"}, "mode": {"type": "string"}}, "required": ["url"]}
    offered = Offered("fetch", "", schema)
    known = schemas.Known()
    assert arguments.learn(known, offered, "missing required argument: 'mode'", "url")
    assert set(arguments.benign(offered, known)) == {"url", "mode"}
    arguments.learn(known, offered, "URL must start with https://api.example.com/", "url")
    assert known.host == "api.example.com"


def test_a_file_that_must_be_there(tmp_path: Path) -> None:
    offered = tool("convert", "", source_file={"type": "string"}, command={"type": "string"})
    known = schemas.Known()
    made = tmp_path / "plain.txt"
    arguments.learn(known, offered, "[Errno 2] No such file or directory: 'a.txt'", "command", str(made))
    assert arguments.benign(offered, known)["source_file"] == str(made)


def test_each_argument_has_its_turn_before_all_payloads_of_one() -> None:
    offered = tool("do", "", command={"type": "string"}, path={"type": "string"}, sql={"type": "string"})
    first = [plan.argument for plan in arguments.plans(offered)[:9]]
    assert {first.count(name) for name in ("command", "path", "sql")} <= {2, 3, 4}


def test_files_of_payloads_are_made_in_the_scratch_folder_only(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    for root in (scratch / "files", tmp_path / "work", scratch / ".." / "work"):
        for name in ("path-absolute", "path-sibling"):
            given = values(TOKEN, scratch, "http://127.0.0.1:9/", root=str(root))
            prepare(by_id()[name], given, scratch)
    assert {path.name for path in tmp_path.iterdir()} == {"scratch"}
    made = sorted(path for path in scratch.rglob("*") if path.is_file())
    assert made == [scratch / "files_evil" / TOKEN, scratch / "secrets" / f"{TOKEN}.txt"]
    assert {path.read_text() for path in made} == {word(TOKEN)}


def test_schemas_that_are_made_to_exhaust() -> None:
    loop: dict[str, Any] = {
        "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"type": "string"}}, "required": ["a"]}}
    }
    loop |= {"type": "object", "properties": {"x": {"$ref": "#/$defs/A"}}, "required": ["x"]}
    assert arguments.benign(Offered("do", "", loop))
    assert len(list(arguments.hostile(Offered("do", "", loop), filler))) < 1_000
    same: dict[str, Any] = {"$defs": {"A": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"}
    assert list(arguments.hostile(Offered("do", "", same), filler)) == []
    wide = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(5_000)}}
    assert len(list(arguments.hostile(Offered("do", "", wide), filler))) < 1_000
    for broken in (
        {"type": 3},
        {"properties": [1]},
        {"properties": {"a": 5}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}},
    ):
        list(arguments.hostile(Offered("do", "", broken), filler))
    slow = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    assert list(arguments.hostile(Offered("do", "", slow), filler))


@pytest.mark.parametrize(
    ("name", "alone", "below"),
    [
        ("repo_path", ".", "/data/notes"),
        ("projectPath", ".", "/data/notes"),
        ("folder", ".", "/data/notes"),
        ("file_path", "a.txt", "/data/notes/a.txt"),
        ("url", "http://127.0.0.1/", "http://127.0.0.1/"),
    ],
)
def test_valid_paths_lie_where_the_application_works(name: str, alone: str, below: str) -> None:
    """Where no folder is known that it may use, what is relative means the one in which it was started."""
    of = tool("change", **{name: {"type": "string"}, "message": {"type": "string"}})
    for known, value in ((None, alone), (schemas.Known(root="/data/notes"), below)):
        assert {plan.place.base[name] for plan in arguments.plans(of, known) if plan.argument == "message"} == {value}


def test_a_list_that_is_a_command_begins_with_an_allowed_program() -> None:
    schema = {"type": "object", "properties": {"command": {"type": "array", "items": {"type": "string"}}}, "required": ["command"]}
    tool = Offered("run", "Execute a command.\nAllowed commands: wc, cat, ls", schema)
    made = {plan.argument: plan.place.put("X") for plan in arguments.plans(tool)}
    assert made == {"command.0": {"command": ["X", "test"]}, "command.1": {"command": ["wc", "X"]}}
    assert arguments.benign(tool) == {"command": ["wc", "test"]}


def test_a_command_begins_with_an_allowed_program() -> None:
    schema = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
    tool = Offered("run", "Runs a command. Permitted programs are: git", schema)
    assert {plan.benign for plan in arguments.plans(tool)} == {"git test"}


def test_an_argument_is_missing_that_the_schema_does_not_require() -> None:
    schema = {"type": "object", "properties": {"contents": {"type": "string"}, "file_name": {"type": "string"}}}
    tool, known = Offered("save_file", "Saves a file.", schema), schemas.Known()
    message = "1 validation error for Notes.save_file\ncontents\n  Missing required argument [type=missing_argument, input_value=...]"
    assert arguments.learn(known, tool, message, "file_name")
    made = {plan.argument: plan.place.put("X") for plan in arguments.plans(tool, known)}
    assert made["file_name"] == {"contents": "test", "file_name": "X"}


def test_a_path_must_be_absolute() -> None:
    run, known = tool("run", command={}, directory={}), schemas.Known()
    assert arguments.learn(known, run, "Error: Directory must be an absolute path: .", "command")
    assert known.values == {"directory": "/tmp"}
