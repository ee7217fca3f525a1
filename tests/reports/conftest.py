"""A review made by hand: three files, one with wide characters, one with hostile text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from headwater.config import Config
from headwater.files.source import Source
from headwater.findings import Confidence, Coverage, Finding, Gap, Place, Review, Severity, Step, Trace
from headwater.reports.view import View, view
from headwater.rules.load import Rule, read

MODEL = """\
from openai import OpenAI

client = OpenAI()


def ask(question: str) -> str:
    answer = client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": question}], temperature=0.0, max_tokens=20)
    return answer.choices[0].message.content
"""

# Tabs, an astral character and wide ones before the sink: code points, UTF-16 units and cells all differ.
AGENT = """\
from app.model import ask


class Agent:
\tdef run(self, question: str) -> None:
\t\t名前 = "🌊"; code = ask(question)
\t\tprint("🌊 波", code); exec(code, {"__builtins__": {}})
\t\treturn None
"""

# An escape sequence, a right-to-left override, a zero-width space, rich markup, a SARIF link.
HOSTILE = """\
def load(path):
    title = "\x1b[31mred\u202e\u200b [bold]x[/bold] [link](1) {0}"
    import pickle
    return pickle.load(
        open(path, "rb"),
        encoding="latin-1",
        fix_imports=False,
        errors="strict",
        buffers=None,
    )
"""

RULE = """\
---
id: model-output-run-as-code
title: Model output is run as code
severity: critical
message: "{source} reaches {sink}."
fix: Do not run it.
flow:
  from: [llm-output, user-prompt]
  to: [code]
mappings:
  owasp-llm: ["LLM05:2025", "LLM10:2026"]
  owasp-agentic: ["ASI05:2026"]
  atlas: [AML.T0050]
  cwe: [95, 1426]
tags: [agent]
---

# Model output is run as code

## What it is

The answer of a model is handed to `exec` or `eval`.

## How to fix

Do not run it. If you must, run it in a sandbox.

## References

- [CWE-95](https://cwe.mitre.org/data/definitions/95.html)

```python
exec(answer)  # expect: model-output-run-as-code
```
"""

CALL_RULE = """\
---
id: unsafe-model-file
title: A model file is loaded with pickle
severity: high
message: Loading it runs the code in it.
fix: Use safetensors.
calls:
  - path: pickle.load
mappings:
  owasp-llm: ["LLM03:2025", "LLM04:2026"]
  cwe: [502]
---

# A model file is loaded with pickle

## What it is

`pickle.load` runs what the file says.
"""


def place(source: Source, text: str, after: str = "") -> Place:
    data = text.encode()
    start = source.data.index(data, source.data.index(after.encode()))
    return Place(source.path, start, start + len(data))


@pytest.fixture
def rules() -> dict[str, Rule]:
    return {
        "model-output-run-as-code": read(RULE, "model-output-run-as-code.md"),
        "unsafe-model-file": read(CALL_RULE, "unsafe-model-file.md"),
    }


@pytest.fixture
def review(rules: dict[str, Rule]) -> Review:
    model, agent, hostile = (
        Source("app/model.py", MODEL.encode()),
        Source("app/agent 1.py", AGENT.encode()),
        Source("lib/[x].py", HOSTILE.encode()),
    )
    call = 'client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": question}], temperature=0.0, max_tokens=20)'
    flow = Trace(
        "llm-output",
        (
            Step(place(model, call), "the answer of the model comes in", "llm-output", "app.model.ask", "source"),
            Step(place(model, "answer.choices[0].message.content"), "is returned by app.model.ask", "llm-output", "app.model.ask"),
            Step(
                place(agent, "ask(question)"),
                "comes back into Agent.run, where it is kept in the variable code",
                "llm-output",
                "app.agent.Agent.run",
            ),
            Step(
                place(agent, 'exec(code, {"__builtins__": {}})'),
                "exec() runs it as Python code",
                "llm-output",
                "app.agent.Agent.run",
                "sink",
            ),
        ),
    )
    other = Trace(
        "user-prompt",
        (
            Step(place(agent, "question: str"), "what the user asks", "user-prompt", "app.agent.Agent.run", "source"),
            Step(
                place(agent, 'exec(code, {"__builtins__": {}})'),
                "exec() runs it as Python code",
                "user-prompt",
                "app.agent.Agent.run",
                "sink",
            ),
        ),
    )
    whole = HOSTILE[HOSTILE.index("pickle.load(") : HOSTILE.rindex(")") + 1]
    findings = (
        Finding(
            rule="unsafe-model-file",
            title="A model file is loaded with pickle",
            message="pickle.load runs the code in \x1b[31mred\u202e [bold]x[/bold] [link](1) {0}: whoever writes the file runs code here.",
            severity=Severity.HIGH,
            confidence=Confidence.LOW,
            place=place(hostile, whole),
            function="lib.x.load",
            sink_class="",
            kind="",
            expression="pickle.load(…)",
            ordinal=0,
            traces=(),
            fix="Use safetensors, which holds no code.",
            cwe=(502,),
            mappings=rules["unsafe-model-file"].mappings,
            weaknesses=("the path is checked by a prefix test only",),
        ),
        Finding(
            rule="model-output-run-as-code",
            title="Model output is run as code",
            message="The answer of the model reaches exec(): whoever writes what the model reads (a page, a user) runs code here.",
            severity=Severity.CRITICAL,
            confidence=Confidence.HIGH,
            place=place(agent, 'exec(code, {"__builtins__": {}})'),
            function="app.agent.Agent.run",
            sink_class="code",
            kind="llm-output",
            expression='exec(code, {"__builtins__": {}})',
            ordinal=0,
            traces=(flow, other),
            fix="Run generated code in a sandbox without network and secrets, or let the model choose among functions that you wrote.",
            cwe=(95, 1426),
            mappings=rules["model-output-run-as-code"].mappings,
        ),
        Finding(
            rule="unsafe-model-file",
            title="A model file is loaded with pickle",
            message="A note.",
            severity=Severity.LOW,
            confidence=Confidence.HIGH,
            place=place(hostile, "import pickle"),
            function="lib.x.load",
            sink_class="",
            kind="",
            expression="import pickle",
            ordinal=0,
            traces=(),
            fix="Use safetensors.",
            cwe=(502,),
            mappings=rules["unsafe-model-file"].mappings,
        ),
    )
    gaps = (
        Gap("parse-error", "old/print.py", 3, "unexpected text after 'print'; what is around it was not analysed"),
        Gap("parse-error", "lib/[x].py", 2, "unexpected \x1b[2J"),
        Gap("too-large", "data/big.py", 0, "5,242,880 bytes, over the limit of 4,000,000"),
        Gap("binary", "logo.py", 0, "holds NUL bytes", False),
        *(Gap("no-frontend", f"web/{name}.ts", 0, "TypeScript is not analysed yet") for name in "abcdef"),
    )
    coverage = Coverage(3, 31, 3, {"python": 3}, gaps, {"calls": 12, "resolved": 9})
    return Review("/somewhere/else", findings, coverage, {source.path: source for source in (model, agent, hostile)})


@pytest.fixture
def show(review: Review, rules: dict[str, Rule]) -> Callable[[Config], View]:
    return lambda config: view(review, config, rules, "0.0.0")
