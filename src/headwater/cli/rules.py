"""``headwater rules``: the list of the rules, the page of one, and their tests."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from headwater.cli import FailureError, common, output

if TYPE_CHECKING:
    from headwater.rules.load import Rule

_SETTINGS = {"help_option_names": ["-h", "--help"]}
WIDTH_MOST = 100  # prose in longer lines is hard to read


@click.group("rules", context_settings=_SETTINGS)
def command() -> None:
    """List the rules, explain one, or run their tests.

    A rule is switched off, or its severity lowered, in headwater.toml.
    """


@command.command("list", context_settings=_SETTINGS)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format of the list.")
@common.own_rules
def list_(format_: str, rule_folders: Sequence[str]) -> None:
    """List all rules: id, severity, title."""
    rules = [rule for _, rule in sorted(_known(rule_folders).items())]
    if format_ == "json":
        import msgspec

        document = {"schema": "headwater-rules", "version": 1, "rules": [_entry(rule) for rule in rules]}
        output.show(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
        return
    width = max(len(rule.id) for rule in rules)
    lines = [f"{rule.id:<{width}}  {rule.severity.word:<8}  {rule.head.title}" for rule in rules]
    output.show(output.encoded("\n".join(lines) + "\n"))


@command.command("explain", context_settings=_SETTINGS)
@click.argument("rule_id", metavar="RULE")
@common.own_rules
def explain(rule_id: str, rule_folders: Sequence[str]) -> None:
    """Show the page of RULE: what it is, what an attacker gains, how to fix it, examples.

    On a terminal it is laid out, in a pipe it is Markdown.
    """
    rules = _known(rule_folders)
    rule = rules.get(rule_id)
    if rule is None:
        near = difflib.get_close_matches(rule_id, rules, n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else "'headwater rules list' shows them all."
        raise click.UsageError(f"There is no rule {rule_id!r}. {hint}")
    from headwater.reports import escape

    page = escape.log(_page(rule))
    if not output.is_terminal(sys.stdout):
        output.show(output.encoded(page))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    width = min(shutil.get_terminal_size().columns, WIDTH_MOST)
    Console(width=width, no_color=bool(os.environ.get("NO_COLOR"))).print(Markdown(page))


@command.command("test", context_settings=_SETTINGS)
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(exists=True, file_okay=False))
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format of the result.")
def test(folders: Sequence[str], format_: str) -> int:
    """Run the tests of the rules and API models in each DIR, or without DIR those of the built-in ones.

    Tests are the examples of a rule's page, those of a file of API models, and code beside them: my-rule.py, or a
    folder my-rule, beside my-rule.md. Comments say what is expected: '# expect: my-rule' on the line itself, or
    '# ruleid: my-rule' and '# ok: my-rule' on the line before. None of the code is run.

    Exit status: 0 all expectations are met; 1 one is not; 2 wrong usage, or a rule that cannot be read.
    """
    from headwater.cli import ruletest

    return ruletest.run(folders, format_)


def _known(folders: Sequence[str]) -> Mapping[str, Rule]:
    """The built-in rules and those in folders of the user's."""
    from headwater.reports import escape
    from headwater.rules import own

    try:
        return own.known(tuple(file for folder in own.each_once(folders) for file in own.read_folder(folder)))
    except own.OwnError as error:
        raise FailureError(escape.line(str(error))) from None


def _entry(rule: Rule) -> dict[str, object]:
    flow = rule.head.flow
    return {
        "id": rule.id,
        "title": rule.head.title,
        "severity": rule.severity.word,
        "confidence": rule.confidence.word,
        "from": list(flow.from_) if flow else [],
        "to": list(flow.to) if flow else [],
        "tags": list(rule.head.tags),
        "mappings": [{"framework": one.framework, "edition": one.edition, "id": one.id, "name": one.name} for one in rule.mappings],
    }


def _page(rule: Rule) -> str:
    """The page with a head that says what the front matter says."""
    body = rule.readable.strip()
    title = "" if body.startswith("# ") else f"# {rule.head.title}\n\n"
    facts = [f"- Rule: `{rule.id}`", f"- Severity: {rule.severity.word}"]
    if rule.head.flow:
        facts += [f"- From: {', '.join(rule.head.flow.from_)}", f"- To: {', '.join(rule.head.flow.to)}"]
    standards = [f"CWE-{one.id} {one.name}" if one.framework == "cwe" else f"{one.id} {one.name}" for one in rule.mappings]
    if standards:
        facts.append(f"- Standards: {'; '.join(standards)}")
    if rule.head.fix_scripts:
        facts.append(f"- Fix in TypeScript and JavaScript: {rule.head.fix_scripts}")
    facts.append(f"- To accept one finding: `# headwater: ignore[{rule.id}] reason`")
    head = "\n".join(facts)
    return f"{title}{head}\n\n{body}\n" if title else f"{head}\n\n{body}\n"
