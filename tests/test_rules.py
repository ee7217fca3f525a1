"""Laws that hold for every rule, and the errors of those that break them."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from headwater.apis.schema import SINK_CLASSES, SOURCE_KINDS
from headwater.findings import Severity
from headwater.knowledge.load import entry
from headwater.rules.load import FOLDER, KEBAB, Rule, RuleError, load_rules, read

RULES = load_rules()
SECTIONS = ("What it is", "What an attacker gains", "How to fix", "When it is not a problem", "References")

OF_PYTHON = re.compile(
    r"shell=|subprocess|yaml\.|pathlib|\bast\.|jinja2|Sandboxed|nh3|html\.escape|json\.loads|verify=|is_relative_to|pickle"
    r"|argument list without|=(?:True|False|None)\b"
)
"""What only Python has."""
CLASSIC = {"web", "network", "library"}


@pytest.fixture(params=RULES)
def rule(request: pytest.FixtureRequest) -> Rule:
    return RULES[request.param]


def test_id_is_the_name_of_the_file_in_kebab_case(rule: Rule) -> None:
    assert KEBAB.fullmatch(rule.id)
    assert (FOLDER / f"{rule.id}.md").is_file()


def test_finds_something(rule: Rule) -> None:
    assert rule.head.flow or rule.head.patterns or rule.head.model_files


def test_is_mapped_to_the_standards(rule: Rule) -> None:
    mapping = rule.head.mappings
    editions = {entry("owasp-llm", id).edition for id in mapping.owasp_llm}
    # A weakness of any web application has no place in a list of weaknesses of LLM applications.
    assert editions == {"2025", "2026"} or (not editions and CLASSIC & set(rule.head.tags))
    assert mapping.cwe
    assert all(entry("cwe", str(number)) for number in mapping.cwe)
    assert all(entry("atlas", id) for id in mapping.atlas)
    assert all(entry("owasp-agentic", id) for id in mapping.owasp_agentic)


def test_kinds_and_classes_exist(rule: Rule) -> None:
    for kind, class_ in rule.pairs:
        assert kind in SOURCE_KINDS
        assert class_ in SINK_CLASSES


def test_has_a_bad_and_a_good_example(rule: Rule) -> None:
    marked = [bool(file.marks) for case in rule.cases for file in case.files]
    assert any(mark.word == "expect" and mark.rule == rule.id for case in rule.cases for file in case.files for mark in file.marks)
    assert not all(marked)


def test_marks_name_rules(rule: Rule) -> None:
    assert {mark.rule for case in rule.cases for file in case.files for mark in file.marks} <= set(RULES)


def test_examples_are_python(rule: Rule) -> None:
    for case in rule.cases:
        for file in case.files:
            if file.path.endswith(".py"):
                compile(file.text, file.path, "exec")


def test_page_answers_the_questions(rule: Rule) -> None:
    sections = rule.sections
    assert [name for name in SECTIONS if not sections.get(name)] == []


def test_texts_are_sentences(rule: Rule) -> None:
    assert rule.head.message.endswith((".", "!"))
    assert rule.head.fix.endswith((".", "!"))
    assert not rule.head.fix_scripts or rule.head.fix_scripts.endswith((".", "!"))
    assert rule.head.title[0].isupper()
    assert isinstance(rule.severity, Severity)


def test_advice_for_scripts_names_nothing_of_python(rule: Rule) -> None:
    scripts = [file for case in rule.cases for file in case.files if not file.path.endswith(".py")]
    if any(mark.word == "expect" and mark.rule == rule.id for file in scripts for mark in file.marks):
        assert not OF_PYTHON.search(rule.head.fix_scripts or rule.head.fix)


def test_no_two_rules_claim_a_pair() -> None:
    claimed = defaultdict(list)
    for rule in RULES.values():
        for pair in rule.pairs:
            claimed[pair].append(rule.id)
    assert {pair: rules for pair, rules in claimed.items() if len(rules) > 1} == {}


def test_titles_are_told_apart() -> None:
    assert len({rule.head.title for rule in RULES.values()}) == len(RULES)


# ------------------------------------------------------------------------------------------------------------ loading

GOOD = """\
---
id: some-rule
title: Something is bad
severity: high
message: "{source} reaches {sink}."
fix: Change it.
flow:
  from: [llm-output]
  to: [code]
mappings:
  owasp-llm: ["LLM05:2025"]
  cwe: [95]
---

Text.

## Examples

### One

```python path=a/b.py
x = 1  # expect: some-rule
```

````python
'''
```
'''
````

```text
no test
```

### Two

```python
y = 2  # MISSING: some-rule, other-rule
```
"""


def test_a_page_is_read_into_cases() -> None:
    rule = read(GOOD, "some-rule.md")
    one, two = rule.cases
    assert (one.title, one.line, [file.path for file in one.files]) == ("One", 19, ["a/b.py", "example.py"])
    assert one.files[0].line == 22
    assert one.files[1].text == "'''\n```\n'''\n"
    assert (two.title, [file.path for file in two.files]) == ("Two", ["example.py"])
    assert [(mark.line, mark.rule, mark.word) for mark in two.files[0].marks] == [(1, "some-rule", "MISSING"), (1, "other-rule", "MISSING")]
    assert "# expect" not in rule.readable
    assert "path=" not in rule.readable


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("id: some-rule", "id: other-rule", 2, "not the file's name"),
        ("severity: high", "severity: huge", 4, "no severity"),
        ("severity: high", "severety: high", 4, "unknown field"),
        ("fix: Change it.\n", "", 2, "missing required field"),
        ("fix: Change it.", "fix: Change it.\nfix: Again.", 7, "twice"),
        ("{source}", "{sauce}", 5, "only {source}"),
        ("[llm-output]", "[llm-outputs]", 8, "no source kind"),
        ("[code]", "\n    - code\n    - cod", 11, "no sink class"),
        ('["LLM05:2025"]', '["LLM05"]', 11, "the edition belongs to the id"),
        ("cwe: [95]", "cwe: [1428]", 12, "has no '1428'"),
        ("cwe: [95]", "cwe: [a]", 12, "Expected `int`"),
        ("title: Something", "title: some: thing", 3, "mapping values are not allowed"),
        ("flow:", "calls:\n  - path: 'a..b('\nflow:", 8, ""),
        ("flow:", "expressions:\n  odd: '^\"'\nflow:", 8, "double quote"),
        ("flow:", "expressions: {odd: '^x'}\ncalls:\n  - path: a.b\n    when: $0 matches even\nflow:", 10, "quoted regular expression"),
        ("flow:", "expressions: {odd: '('}\ncalls:\n  - path: a.b\n    when: $0 matches odd\nflow:", 10, "bad regular expression"),
        ("---\nid", "id", 1, "front matter"),
    ],
)
def test_errors_name_file_and_line(old: str, new: str, line: int, message: str) -> None:
    with pytest.raises(RuleError) as error:
        read(GOOD.replace(old, new, 1), "some-rule.md")
    assert str(error.value).startswith(f"some-rule.md:{line}: ")
    assert message in str(error.value)


def test_conditions_name_expressions() -> None:
    text = "expressions: {odd: '^x y$', even: z}\ncalls:\n  - path: a.b\n    when: $0 matches odd or $1 matches even\nflow:"
    (call,) = read(GOOD.replace("flow:", text), "some-rule.md").head.calls
    assert call.when == '$0 matches "^x y$" or $1 matches "z"'


@pytest.mark.parametrize("path", ["../x.py", "/x.py"])
def test_examples_stay_in_their_folder(path: str) -> None:
    with pytest.raises(RuleError, match=r"some-rule.md:21: .* leaves the case"):
        _ = read(GOOD.replace("a/b.py", path), "some-rule.md").cases


def test_rules_of_a_folder_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b-rule", "a-rule"):
        (tmp_path / f"{name}.md").write_text(GOOD.replace("id: some-rule", f"id: {name}"))
    assert list(load_rules(tmp_path)) == ["a-rule", "b-rule"]
