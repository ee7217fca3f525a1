"""The player against small applications that read answers as real ones do: how many questions it needs until its payload runs."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from headwater.prove.attempts import Attempt
from headwater.prove.events import Event
from headwater.prove.player import Player
from headwater.prove.talk import Answer, Ask, Offered, Turn

PREFIX = "hwc0000aa"


class World:
    """Starts an application again and again, as a campaign does."""

    def __init__(self, scratch: Path, **options: Any) -> None:
        self.scratch = scratch
        self.player = Player(PREFIX, scratch, lambda token: f"http://127.0.0.1:9/{token}", **options)
        self.events: list[Event] = []
        self.asks = 0
        self.starts = 0

    def ask(self, *turns: tuple[str, str], **options: Any) -> Answer:
        self.asks += 1
        made = tuple(Turn(role, text) for role, text in turns)  # type: ignore[arg-type]
        return self.player.answer(Ask("openai", turns=made, **options))

    def note(self, kind: str, value: str) -> None:
        self.events.append(Event(kind, kind, value, tuple(dict.fromkeys(re.findall(PREFIX + "[0-9a-f]{4}", value)))))

    def compile(self, code: str) -> ast.Module:
        self.note("compile", code)
        return ast.parse(code)

    def exec(self, code: str, scope: dict[str, Any] | None = None) -> dict[str, Any]:
        scope = {} if scope is None else scope
        made = compile(code, "<answer>", "exec")
        self.note("exec", code)
        exec(made, scope)
        return scope

    def proved(self) -> list[Attempt]:
        return [attempt for attempt in self.player.attempts if (self.scratch / attempt.token).exists()]

    def until_proof(self, application: Callable[[World], object], starts: int = 12) -> Attempt | None:
        """The attempt that ran, if one did before the player had nothing left."""
        for run in range(1, starts + 1):
            self.starts = run
            self.player.begin(run)
            self.events = []
            try:
                application(self)
            except Exception as error:
                self.note("start", repr(error))
            self.player.heard(self.events)
            if self.proved():
                return self.proved()[0]
            if self.player.exhausted:
                return None
        return None


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_fence_of_python(world: World) -> None:
    def application(world: World) -> None:
        answer = world.ask(
            ("system", "The following is a table df with the results of the query."),
            ("user", "Can you generate the Python code to chart df? Respond with only Python code. Do not answer with any explanations."),
        )
        found = re.findall(r"```[\w\s]*python\n([\s\S]*?)```|```([\s\S]*?)```", answer.text)
        world.exec(found[0][0] or found[0][1] if found else answer.text, {"df": 1})

    proved = world.until_proof(application)
    assert proved is not None
    assert (proved.family, world.asks) == ("naive", 1)


def test_fence_that_must_end_the_answer(world: World) -> None:
    prompt = """Translate a math problem into Python code that can be executed in Python 3 REPL. Use the output to answer the question.

Question: ${Question with math problem.}
```python
${Code that solves the problem and prints the solution}
```
```output
${Output of running the code}
```
Answer: ${Answer}

Begin.

Question: What is 2 + 2?
"""

    def application(world: World) -> None:
        text = world.ask(("user", prompt), purpose="completion").text.strip()
        if not text.startswith("```python"):
            raise ValueError(f"unknown format from LLM: {text}")
        world.exec(text[9:-4])

    assert world.until_proof(application) is not None
    assert world.asks == 1


def test_one_line_in_a_fence_of_text(world: World) -> None:
    """Names of variables are looked up first, so that no built-in is left."""
    prompt = """Translate a math problem into a expression that can be executed. Use the output of running this code to answer the question.

Question: ${Question with math problem.}
```text
${single line mathematical expression that solves the problem}
```
...evaluate(text)...
```output
${Output of running the code}
```
Answer: ${Answer}

Question: What is 37593 * 67?
```text
37593 * 67
```
...evaluate("37593 * 67")...
```output
2518731
```
Answer: 2518731

Question: 2 + 2
"""

    def application(world: World) -> None:
        found = re.search(r"^```text(.*?)```", world.ask(("user", prompt), purpose="completion").text.strip(), re.DOTALL)
        if not found:
            raise ValueError("unknown format from LLM")
        made = compile(found[1].strip(), "<expression>", "eval")
        world.note("compile", found[1])
        names = {name: object() for name in made.co_names}
        world.note("exec", found[1])
        eval(made, names)

    proved = world.until_proof(application)
    assert proved is not None
    assert proved.family == "subclass-chain"
    assert world.asks <= 4


SOLUTION = "\n\n".join(
    f'''Q: A has {number} apples. He eats one. How many are left?

# solution in Python:


def solution():
    """A has {number} apples. He eats one. How many are left?"""
    apples = {number}
    result = apples - 1
    return result
'''
    for number in range(3)
)


@pytest.mark.parametrize(("checked", "asks", "family"), [(False, 1, "naive"), (True, 4, "subclass-chain")])
def test_function_that_examples_define(world: World, checked: bool, asks: int, family: str) -> None:
    def application(world: World) -> None:
        code = world.ask(
            ("user", SOLUTION + "\n\nQ: B has 7 apples. How many are left?\n\n# solution in Python:\n\n\n"), purpose="completion"
        ).text
        tree = world.compile(code)
        if not any(isinstance(node, ast.FunctionDef) and node.name == "solution" for node in tree.body):
            raise ValueError("missing the solution expression")
        for node in ast.walk(tree) if checked else ():
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                raise ValueError("disallowed imports")
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if called in {"system", "exec", "eval", "__import__", "open"}:
                    raise ValueError("illegal command execution function")
        world.exec(code + "\nprint(solution())")

    proved = world.until_proof(application)
    assert proved is not None
    assert proved.family == family
    assert world.asks <= asks


def test_tags_that_open_and_close_differently(world: World) -> None:
    prompt = """You are provided with a dataframe (df) with 3 rows and 2 columns.
Using the provided dataframe, df, return the python code and make sure to prefix the requested python code with <startCode> exactly and
suffix the code with <endCode> exactly to get the answer to the following question:
"""
    prompt = prompt.replace("<endCode>", "</endCode>")
    builtins = {name: __builtins__[name] for name in ("getattr", "len", "print", "list", "str")}  # type: ignore[index]

    def application(world: World) -> None:
        text = world.ask(("user", prompt + "How many rows?\n\nCode:\n")).text
        found = re.search(r"<startCode>(.*)</endCode>", text, re.DOTALL)
        if not found:
            raise ValueError("No code found in the response")
        tree = world.compile(found[1].strip())
        body = [node for node in tree.body if not isinstance(node, (ast.Import, ast.ImportFrom))]
        world.exec(ast.unparse(ast.Module(body, [])), {"__builtins__": builtins, "df": 1})

    proved = world.until_proof(application)
    assert proved is not None
    assert proved.family == "subclass-chain"
    assert world.asks <= 5


ANALYST = """Update this initial code:
```python
# TODO: import the required dependencies

# Write code here

# Declare result var: type (possible values "string", "number"). Examples: { "type": "string", "value": f"It is {x}." }
```
How many rows?

At the end, declare "result" variable as a dictionary of type and value.

Generate python code and return full updated code:"""


def test_checks_that_are_escaped_within_one_start(world: World) -> None:
    """The application asks again with its error; names that begin with an underscore are refused, known words are cut out."""
    builtins = {name: __builtins__[name] for name in ("getattr", "len", "print", "list", "str")}  # type: ignore[index]

    def run(world: World, text: str) -> None:
        code = text.split("```")[1] if "```" in text else text
        code = re.sub(r"^(python|py)", "", code).strip()
        tree = world.compile(code)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                raise ValueError(f"Access to private attribute '{node.attr}' is not allowed.")
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                raise ValueError("Restricted library import detected")
        body = [node for node in tree.body if not re.search(r"__subclasses__|__builtins__|__import__", ast.dump(node))]
        scope = world.exec(ast.unparse(ast.Module(body, [])), {"__builtins__": builtins})
        if not isinstance(scope.get("result"), dict) or "type" not in scope["result"]:
            raise ValueError("No result returned")

    def application(world: World) -> None:
        answer = world.ask(("user", ANALYST))
        for _ in range(3):
            try:
                run(world, answer.text)
                return
            except Exception as error:
                again = (
                    f"You generated the following Python code:\n{answer.text}\n\nHowever, it resulted in the following error:\n{error}\n\n"
                )
                answer = world.ask(("user", f"{again}Fix the python code above and return the new python code:"))

    proved = world.until_proof(application)
    assert proved is not None
    assert proved.family == "split-names"
    assert world.starts <= 3
    assert world.asks <= 10


def test_an_agent_that_asks_for_a_summary_when_it_gives_up(world: World) -> None:
    """Its code is only interpreted; what it asks at the end shows no form, and says nothing of the next start."""

    def application(world: World) -> None:
        history = ""
        for _ in range(4):
            answer = world.ask(
                ("system", "You solve tasks by code blobs. Write each like this:\n```python\nprint(1)\n```<end_code>"),
                ("user", f"Task: how many files are there?\n{history}"),
            )
            code = re.search(r"```python\n(.*?)\n```", answer.text, re.DOTALL)
            text = code[1] if code else ""
            tree = world.compile(text)
            modules = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
            if modules == ["random"] and "random._os" in text:
                world.exec(text)
                return
            history += f"{answer.text.removesuffix('<end_code>')}\nError: Code execution failed: it is not allowed.\nNow let's retry.\n"
        world.ask(
            ("system", "An agent got stuck and failed. Your task is to give an answer instead."),
            ("user", f"{history}\nBased on the above, answer: how many files are there?"),
        )

    proved = world.until_proof(application)
    assert proved is not None
    assert proved.family == "module-attribute-private"


def test_function_that_an_error_message_demands(world: World) -> None:
    def application(world: World) -> None:
        answer = world.ask(("user", ANALYST))
        for _ in range(2):
            code = re.search(r"```python\n(.*?)\n```", answer.text, re.DOTALL)
            tree = world.compile(code[1] if code else answer.text)
            called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
            if "run_sql_query" in called:
                world.exec(code[1] if code else answer.text, {"run_sql_query": lambda statement: [statement]})
                return
            error = "The code must execute SQL queries using the `run_sql_query` function, which is already defined!"
            answer = world.ask(("user", f"{ANALYST}\nYou generated:\n{answer.text}\nHowever, it resulted in the following error:\n{error}"))

    proved = world.until_proof(application)
    assert proved is not None
    assert "run_sql_query(" in proved.said
    assert world.asks == 2


@pytest.mark.parametrize("fenced", [False, True])
def test_statements_of_sql(world: World, fenced: bool) -> None:
    shown = "```sql\nSELECT 1\n```" if fenced else "SQLQuery: SQL Query to run"
    prompt = f"""Given an input question, first create a syntactically correct sqlite query to run, then look at the results.

Use the following format:

Question: Question here
{shown}

Only use the following tables:

CREATE TABLE users (name TEXT)

Question: How many users are there?
SQLQuery:"""
    tables: set[str] = set()

    def application(world: World) -> None:
        text = world.ask(("user", prompt), purpose="completion").text
        if fenced:
            found = re.search(r"```sql\n(.*?)```", text, re.DOTALL)
            if not found:
                return
            text = found[1]
        database = sqlite3.connect(":memory:")
        world.note("sql", text)
        database.execute(text.strip())
        tables.update(row[0] for row in database.execute("SELECT name FROM sqlite_master"))
        database.close()

    world.until_proof(application, starts=1)
    assert world.player.attempts[0].token in tables


def test_a_check_of_the_text_that_nothing_is_seen_of(world: World) -> None:
    """Words are refused before anything is compiled: monitors see nothing, as if the form were wrong."""

    def application(world: World) -> None:
        text = world.ask(("user", "Write Python code. Answer in a fence:\n```python\n# code\n```"), purpose="completion").text
        found = re.search(r"```python\n(.*?)\n```", text, re.DOTALL)
        if not found or re.search(r"import|__|\bopen\b|\bos\b", found[1]):
            raise ValueError
        world.exec(found[1])

    proved = world.until_proof(application, starts=20)
    assert proved is not None
    assert proved.family in {"split-names", "builtin-self-split"}
    assert world.asks <= 16


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript_in_a_context_of_its_own(world: World) -> None:
    """Nothing but the language is there: what a chain of constructors leads out of."""

    def application(world: World) -> None:
        answer = world.ask(("system", "You write JavaScript. Answer in a fence:\n```js\n// code\n```"), ("user", "Sort the list."))
        found = re.search(r"```js\n(.*?)\n```", answer.text, re.DOTALL)
        if found:
            world.note("compile", found[1])
            script = f"require('vm').runInNewContext({json.dumps(found[1])}, {{}})"
            (world.scratch / "run.js").write_text(script, encoding="utf-8")
            subprocess.run(["node", str(world.scratch / "run.js")], check=False, capture_output=True)

    proved = world.until_proof(application)
    assert proved is not None
    assert proved.family == "constructor-chain"
    assert world.asks <= 3


def test_actions_with_their_inputs(world: World) -> None:
    prompt = """Answer the following questions as best you can. You have access to the following tools:

Search: useful for when you need to answer questions about current events.
Terminal: Run shell commands on this machine. Input is the command.

Use the following format:

Question: the input question you must answer
Thought: you should always think about what to do
Action: the action to take, should be one of [Search, Terminal]
Action Input: the input to the action
Observation: the result of the action
... (this Thought/Action/Action Input/Observation can repeat N times)
Thought: I now know the final answer
Final Answer: the final answer to the original input question

Begin!

Question: what is new?
Thought:"""

    def application(world: World) -> None:
        pad = ""
        for _ in range(6):
            text = world.ask(("user", prompt + pad), purpose="completion").text
            if "Final Answer:" in text:
                return
            found = re.search(r"Action\s*:\s*(.*?)\s*Action Input\s*:\s*(.*)", text, re.DOTALL)
            if not found:
                raise ValueError(f"Could not parse LLM output: `{text}`")
            observation = "nothing found"
            if found[1] == "Terminal":
                world.note("process", found[2])
                observation = subprocess.run(["sh", "-c", found[2]], capture_output=True, text=True, check=False).stdout
            pad += f"{text}\nObservation: {observation}\nThought:"

    proved = world.until_proof(application)
    assert proved is not None
    assert proved.argument == "Terminal"
    assert int(proved.token[-4:], 16) <= 2


def test_a_tool_as_json_in_the_text(world: World) -> None:
    schema = {
        "type": "object",
        "properties": {
            "request": {"type": "string", "default": "table_eval"},
            "expression": {"type": "string", "description": "an expression of Python over df"},
        },
        "required": ["request", "expression"],
    }
    prompt = f"""You are a savvy data scientist. To answer a question, use the `table_eval` tool.
=== ALL AVAILABLE TOOLS and THEIR FORMAT INSTRUCTIONS ===
You have access to the following TOOLS to accomplish your task:

TOOL: table_eval
PURPOSE: To eval a <expression> on the dataframe 'df'
JSON FORMAT: {json.dumps(schema, indent=4)}

When one of the above TOOLs is applicable, you must express your request as "TOOL:" followed by the request in the above format.
"""

    def application(world: World) -> None:
        text = world.ask(("system", prompt), ("user", "How many rows?")).text
        found = re.search(r"\{.*\}", text, re.DOTALL)
        if not found:
            return
        call = json.loads(found[0])
        if call.get("request") != "table_eval":
            return
        world.note("exec", call["expression"])
        eval(call["expression"], {}, {"df": 1})

    proved = world.until_proof(application)
    assert proved is not None
    assert world.asks <= 2


STRUCTURE = {
    "$defs": {
        "Step": {"type": "object", "properties": {"why": {"type": "string"}, "command": {"type": "string"}}, "required": ["why", "command"]}
    },
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 20},
        "kind": {"enum": ["run", "stop"]},
        "steps": {"type": "array", "items": {"$ref": "#/$defs/Step"}},
    },
    "required": ["title", "kind", "steps"],
}


def test_structured_output(world: World) -> None:
    def application(world: World) -> None:
        made = json.loads(world.ask(("system", "Plan the work."), ("user", "Build it."), schema=STRUCTURE).text)
        assert made["kind"] in {"run", "stop"}
        assert len(made["title"]) <= 20
        for step in made["steps"]:
            world.note("process", step["command"])
            subprocess.run(step["command"], shell=True, check=False, capture_output=True)

    proved = world.until_proof(application)
    assert proved is not None
    assert proved.argument == "command"
    assert world.asks <= 2


TOOLS = (
    Offered("get_weather", "Weather of a city", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
    Offered(
        "convert",
        "Converts a document",
        {
            "type": "object",
            "properties": {"name": {"type": "string"}, "format": {"type": "string"}, "depth": {"type": "integer", "minimum": 2}},
            "required": ["name", "format", "depth"],
        },
    ),
)


def loop(world: World, tools: tuple[Offered, ...], functions: Mapping[str, Callable[..., str]], rounds: int = 12) -> None:
    turns = [Turn("system", "You are a helpful assistant."), Turn("user", "Convert my document.")]
    for _ in range(rounds):
        world.asks += 1
        answer = world.player.answer(Ask("openai", turns=tuple(turns), tools=tools))
        if not answer.calls:
            return
        for call in answer.calls:
            try:
                result = functions[call.tool](**call.arguments)
            except Exception as error:
                result = f"Error: {error}"
            turns += [Turn("assistant", ""), Turn("tool", result, tool=call.tool)]


def test_tools_whose_siblings_are_told_by_errors(world: World) -> None:
    def convert(name: str, format: str, depth: int) -> str:
        if format not in {"pdf", "docx"}:
            raise ValueError("format must be one of: pdf, docx")
        if depth < 2:
            raise ValueError("too flat")
        subprocess.run(f"echo {name}.{format}", shell=True, check=False, capture_output=True)
        return "converted"

    proved = world.until_proof(lambda world: loop(world, TOOLS, {"get_weather": lambda city: "sunny", "convert": convert}))
    assert proved is not None
    assert (proved.channel, proved.tool, proved.argument) == ("tool", "convert", "name")
    assert proved.arguments["format"] in {"pdf", "docx"}
    assert world.asks <= 28


def test_a_folder_that_an_error_tells(world: World, tmp_path: Path) -> None:
    """Reading is let through where the path begins with the folder: the sibling of it is found only by who knows its name."""
    root = tmp_path / "files"
    root.mkdir()
    reached: list[str] = []

    def read_file(path: str) -> str:
        if not path.startswith(str(root)):
            raise PermissionError(f"Access denied - path outside allowed directories: {path} not in {root}")
        if ".." in path:
            raise PermissionError("Access denied")
        reached.append(path)
        return "text"

    tool = Offered("read_file", "Reads a file.", {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]})
    loop(world, (tool,), {"read_file": read_file}, rounds=4)
    assert any(path.startswith(f"{root}_evil/{PREFIX}") for path in reached)


def test_rounds_are_bounded_and_end_in_words(world: World) -> None:
    loop(world, TOOLS, {"get_weather": lambda city: "sunny", "convert": lambda **_: "done"}, rounds=30)
    assert world.asks == world.player.rounds + 1


def test_places_behind_others_are_reached(tmp_path: Path) -> None:
    """First a statement is asked for, then code for its result: which is asked for only if the statement gave one."""
    world = World(tmp_path)

    def application(world: World) -> None:
        answer = world.ask(("system", "You write SQL for the table users. Answer with ```sql\n..."), ("user", "How many users?"))
        found = re.search(r"```sql\n(.*?)```", answer.text, re.DOTALL)
        database = sqlite3.connect(":memory:")
        database.execute("CREATE TABLE users (name TEXT)")
        world.note("sql", found[1] if found else "")
        rows = database.execute(found[1] if found else "").fetchall()
        database.close()
        if not rows:
            raise ValueError("no data")
        code = world.ask(("system", "The dataframe df holds the results."), ("user", "Give the Python code of a chart, and only that."))
        found = re.search(r"```python\n(.*?)```", code.text, re.DOTALL)
        world.exec(found[1] if found else code.text)

    for run in range(1, 7):
        world.player.begin(run)
        world.events = []
        with contextlib.suppress(ValueError):
            application(world)
        world.player.heard(world.events)
        world.player.settle(token for event in world.events if event.kind == "sql" for token in event.tokens)
        if world.proved():
            break
    assert world.proved()
    assert run <= 3


def test_a_page_gets_several_marks_at_once(world: World) -> None:
    text = world.ask(("system", "You are the helpful assistant of a shop."), ("user", "Hello!")).text
    assert "<img src=x onerror=" in text
    assert "![x](http://127.0.0.1" in text
    assert {attempt.sink_class for attempt in world.player.attempts} == {"html"}
    assert len({attempt.token for attempt in world.player.attempts}) == len(world.player.attempts) > 2


def test_honest_at_first(tmp_path: Path) -> None:
    world = World(tmp_path, honest=2)
    for _ in range(2):
        assert PREFIX not in world.ask(("user", ANALYST)).text
    assert PREFIX in world.ask(("user", ANALYST)).text
    scope: dict[str, Any] = {}
    honest = World(tmp_path, honest=1).ask(("user", ANALYST)).text
    exec(honest.split("```")[1].removeprefix("python"), scope)
    assert scope["result"]["type"] == "string"


def test_classes_are_kept_to(tmp_path: Path) -> None:
    world = World(tmp_path, classes=frozenset({"path-read"}))
    for run in range(1, 20):
        world.player.begin(run)
        loop(world, TOOLS, {"get_weather": lambda city: "sunny", "convert": lambda **_: "done"})
    assert {attempt.sink_class for attempt in world.player.attempts} == {"path-read"}
    assert world.player.exhausted


def test_what_is_proved_is_not_tried_again(world: World) -> None:
    world.player.begin(1)
    loop(world, TOOLS, {"get_weather": lambda city: "sunny", "convert": lambda **_: "done"})
    first = world.player.attempts[0]
    world.player.settle([first.token])
    seen = len(world.player.attempts)
    for run in range(2, 12):
        world.player.begin(run)
        loop(world, TOOLS, {"get_weather": lambda city: "sunny", "convert": lambda **_: "done"})
    later = {(attempt.tool, attempt.argument, attempt.sink_class) for attempt in world.player.attempts[seen:]}
    assert later
    assert (first.tool, first.argument, first.sink_class) not in later


def test_same_questions_same_answers(tmp_path: Path) -> None:
    said = []
    for _ in range(2):
        world = World(tmp_path)
        for run in (1, 2, 3):
            world.player.begin(run)
            world.ask(("user", ANALYST))
            world.ask(("user", SOLUTION), purpose="completion")
            loop(world, TOOLS, {"get_weather": lambda city: "sunny", "convert": lambda **_: "done"})
        said.append([attempt.said for attempt in world.player.attempts])
    assert said[0] == said[1]
    assert len(said[0]) > 20


def test_tokens_count_and_say_their_run(world: World) -> None:
    for run in (1, 2):
        world.player.begin(run)
        world.note("compile", world.ask(("user", ANALYST)).text)
        world.player.heard(world.events)
    assert [attempt.token for attempt in world.player.attempts] == [f"{PREFIX}0001", f"{PREFIX}0002"]
    assert [attempt.run for attempt in world.player.attempts] == [1, 2]
    assert all(attempt.token in attempt.said for attempt in world.player.attempts)
