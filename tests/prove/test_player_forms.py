"""Forms that prompts ask for: which is tried first, and that hostile prompts cost no more than others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from headwater.prove import examples, forms
from headwater.prove.candidates import candidates, demanded
from headwater.prove.hostile import Poisoner
from headwater.prove.player import SAME, Player, alike, shape, words
from headwater.prove.talk import Ask, Offered, Turn


def ask(text: str, **options: Any) -> Ask:
    return Ask("openai", turns=(Turn("user", text),), **options)


def first(given: Ask) -> tuple[str, str]:
    """The form and the language that are tried first."""
    wanted = forms.wants(given)
    best = max(candidates(forms.forms(given, wanted), wanted, None), key=lambda candidate: candidate.weight)
    return best.form.name, best.payload.language


@pytest.mark.parametrize(
    ("prompt", "form", "language"),
    [
        ("Write Python code. Answer in a fence:\n```python\n# code\n```", "fence-python", "python"),
        ("Write a SQL query for the question. Answer in a fence:\n```sql\nSELECT 1\n```", "fence-sql", "sql"),
        ("You are a SQLite expert. Generate a SQL query. Return only the SQL, without any explanation.", "bare", "sql"),
        ("Write a bash command that does it. Answer only with the command.", "bare", "sh"),
        ("Answer with JavaScript that runs in Node.js:\n```js\n```", "fence-js", "javascript"),
        ("Put the code between <code> and </code> tags. Use Python.", "tag-code", "python"),
        ("Prefix the Python code with <begin_code> exactly and suffix it with <end_code> exactly.", "tag-begin_code", "python"),
        ("Write Python code like this:\n```py\nprint(1)\n```<end_code>\nand end it so.", "fence-py-end_code", "python"),
        ('Respond with a JSON object with the keys "explanation" and "python_code".', "keys-python_code", "python"),
        ('Respond in JSON format: {"reason": "<why>", "sql": "<the SQL query>"}', "json-1-sql", "sql"),
        ("Suggest Python code, in a python coding block, for the user to execute. Only one block.", "fence-python", "python"),
        ("Write Python code. Answer with the code only, do not use markdown code blocks.", "bare", "python"),
        ("Hello, who are you?", "bare", "html"),
        ("Calculate it. Answer with a single line mathematical expression in Python:\n```text\n1 + 1\n```", "fence-text", "python"),
    ],
)
def test_first_form(prompt: str, form: str, language: str) -> None:
    assert first(ask(prompt)) == (form, language)


@pytest.mark.parametrize(
    "example",
    [
        '{"thought": "...", "command": "<shell command>"}',
        "{{\n  \"thought\": string, // why\n  'command': string,\n}}",
        '{"thought": $THOUGHT, "command": $COMMAND}',
        "{thought: why, command: what}",
    ],
)
def test_examples_of_json_as_prompts_write_them(example: str) -> None:
    given = ask(f"You run shell commands. Respond with JSON of this form:\n{example}\n")
    wanted = forms.wants(given)
    best = max(candidates(forms.forms(given, wanted), wanted, None), key=lambda candidate: candidate.weight)
    made = json.loads(best.form.dress('a "quoted"\nvalue'))
    assert made["command"] == 'a "quoted"\nvalue'
    assert isinstance(made["thought"], str)


def test_the_tool_that_a_format_names_is_kept() -> None:
    shown = '{"tool": "run", "input": {"cmd": "ls"}}'
    given = ask(f"Answer with a JSON object, for example:\n```json\n{shown}\n```")
    for form in forms.forms(given, forms.wants(given)):
        if form.name.startswith("json-"):
            text = re.search(r"\{.*\}", form.dress("x"), re.DOTALL)
            assert text is not None
            assert json.loads(text[0]) == {"tool": "run", "input": {"cmd": "x"}}


def test_a_blob_of_an_action() -> None:
    prompt = """You have access to the following tools:

python: Runs Python code.
shell: Runs a shell command.

Use a json blob with an `action` key and an `action_input` key. The only values that should be in the "action" field are: python, shell

Action:
```
{
  "action": $TOOL_NAME,
  "action_input": $INPUT
}
```"""
    given = ask(prompt)
    made = [form for form in forms.forms(given, forms.wants(given)) if form.name.startswith("react-json")]
    assert {form.slot for form in made} == {"python", "shell"}
    blob = re.search(r"```(?:json)?\n(.*?)```", made[0].dress("a\nb"), re.DOTALL)
    assert blob is not None
    assert json.loads(blob[1]) == {"action": made[0].slot, "action_input": "a\nb"}


def test_what_is_demanded_of_code() -> None:
    prompt = """Write Python code. Store the answer in the variable `total`.

def solve(items):
    return 1

def solve(items):
    return 2

Error: the code must call the function `load_items()`."""
    wanted = forms.wants(ask(prompt))
    code = demanded("print(1)", wanted)
    scope: dict[str, Any] = {"load_items": lambda *_: []}
    exec(code, scope)
    assert scope["solve"]([1]) == 1
    assert "load_items(" in code
    assert "total = " in code


def test_seats_do_not_depend_on_numbers_and_tokens() -> None:
    one = ask("At 10:31 of 2026-11-30 (id 4f3c2a1b9d): write Python code for hwc0000aa0001.")
    two = ask("At 11:02 of 2026-12-01 (id 99aa88bb77): write Python code for hwc0000aa0017.")
    assert alike(words(one), words(two)) == 1
    assert alike(words(one), words(ask("Summarise the text."))) < SAME
    assert shape(ask("Hello", tools=(Offered("run"),))) != shape(ask("Hello"))


def test_a_template_is_one_seat_whatever_it_is_filled_with(tmp_path: Path) -> None:
    player = Player("hwc0000aa", tmp_path, lambda token: f"http://127.0.0.1:9/{token}")
    for row in ("France,Germany", "Peru,Chile", "Norway,Sweden"):
        rules = "You are provided with a table. Return the code that answers the question, and nothing else. Use Python."
        player.answer(ask(f"{rules}\nThese are its first rows:\ncountry,neighbour\n{row}\nQuestion: which one is larger?"))
    assert len(player.seats) == 1
    player.answer(Ask("openai", turns=(Turn("system", "You name the conversation in three words."), Turn("user", "Hello"))))
    assert len(player.seats) == 2


@pytest.mark.parametrize(
    "prompt",
    [
        "{" * 60_000,
        '{"a": ' * 10_000,
        "[a " * 20_000,
        "<a>" * 20_000,
        "```python\n" * 6_000,
        "def f(" * 10_000,
        "must use " * 7_000,
        '"a" keys ' * 7_000,
        "one of: " + "a, " * 20_000,
        "A: b\n" * 12_000 + "format",
        "Action:\nAction Input:\n" + "name: description of it\n" * 2_500,
        '\ue000slot\ue000 {"a": "\ue000slot\ue000"}',
        "variable " * 7_000,
        "\x00\ud800" * 100,
    ],
    ids=lambda prompt: repr(prompt[:12]),
)
def test_prompts_that_are_made_to_exhaust(prompt: str, tmp_path: Path) -> None:
    player = Player("hwc0000aa", tmp_path, lambda token: f"http://127.0.0.1:9/{token}")
    assert player.answer(ask(prompt)).text
    assert player.answer(ask(prompt, json=True)).text
    assert not player.exhausted


def test_texts_of_other_roles(tmp_path: Path) -> None:
    player = Player("hwc0000aa", tmp_path, lambda token: f"http://127.0.0.1:9/{token}")
    poisoner = Poisoner(player.take)
    made = [*poisoner.documents(), *poisoner.results()]
    assert len({poison.attempt.token for poison in made}) == len(made)
    assert {poison.attempt.channel for poison in made} == {"document", "mcp"}
    assert all(poison.attempt.value in poison.text for poison in made)
    assert {poison.attempt.sink_class for poison in poisoner.documents(frozenset({"html"}))} == {"html"}
    listed = list(poisoner.tools())
    assert len(listed) > 1
    assert all(tool["inputSchema"]["type"] == "object" for tool, _ in listed)
    assert all(poison.attempt.value in tool["description"] for tool, poison in listed if poison is not None)
    # Tokens of the player go on behind them.
    player.answer(ask("Hello"))
    assert player.attempts[0].token not in {poison.attempt.token for poison in made}


PLANNER = """Tools that you may use:
- tool_id: calculator
  about: Evaluates an expression of Python.
  parameters:
    expression: the expression
- tool_id: clock
  about: Says what time it is.

Answer in the format: JSON
{
  "decision": <'call' | 'finish'>, // what to do now
  "steps": [
    {
      "why": <str>,
      "tool_id": <str>, // one of the tools
      "tool_parameters": <dict>
    },
    ...
  ]
}
"""


def test_example_is_filled_in_with_what_the_prompt_says_elsewhere() -> None:
    """The first choice, the name of a tool, and that of its argument: the value stands where the application hands it to the tool."""
    given = ask(PLANNER)
    made = {form.slot: form.dress("1 + 1") for form in forms.forms(given, forms.wants(given)) if form.name.startswith("json-")}
    assert json.loads(made["expression"]) == {
        "decision": "call",
        "steps": [{"why": "<str>", "tool_id": "calculator", "tool_parameters": {"expression": "1 + 1"}}],
    }
    assert first(given) == ("json-1-steps.0.tool_parameters.expression", "python")


@pytest.mark.parametrize(
    ("value", "text", "filled"),
    [
        ({"kind": "a|b|c"}, "", {"kind": "a"}),
        ({"kind": "<str>"}, "kind: sum\nkind: other", {"kind": "sum"}),
        ({"args": "..."}, '{"name": "run", "parameters": {"code": {"type": "string"}}}', {"args": {"code": "..."}}),
        # Nothing is said of it, or it is no place for anything
        ({"kind": "<str>"}, "The kind: see below.", {"kind": "<str>"}),
        ({"args": "..."}, "no arguments are named", {"args": "..."}),
        ({"kind": "sum"}, "kind: other", {"kind": "sum"}),
        ({"list": ["..."]}, "", {"list": ["..."]}),
    ],
)
def test_what_an_example_is_filled_in_with(value: object, text: str, filled: object) -> None:
    assert examples.filled(value, text) == filled
