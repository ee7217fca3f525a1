"""What the model may call. The customer is bound here, from the session; the model cannot choose it."""

from collections.abc import Callable
from functools import partial

from supportdesk.attachments import read_attachment
from supportdesk.calculator import evaluate
from supportdesk.config import load_settings
from supportdesk.diagnostics import COMMANDS, diagnose_host
from supportdesk.store import REPORTS, Store
from supportdesk.web import fetch_page

store = Store(load_settings().data / "desk.db")


def run_report(customer: int, name: str) -> str:
    if name not in REPORTS:
        raise ValueError(f"one of {sorted(REPORTS)}")
    return "\n".join(str(row) for row in store.report(name, customer))


def tools_of(customer: int) -> dict[str, Callable[..., str]]:
    return {
        "calculate": evaluate,
        "diagnose_host": diagnose_host,
        "fetch_page": fetch_page,
        "read_attachment": partial(read_attachment, customer),
        "run_report": partial(run_report, customer),
    }


def describe(name: str, text: str, parameter: str, values: list[str] | None = None) -> dict:
    kind: dict = {"type": "string", "enum": values} if values else {"type": "string"}
    schema = {"type": "object", "properties": {parameter: kind}, "required": [parameter], "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": text, "parameters": schema}}


DESCRIPTIONS = [
    describe("calculate", "Compute + - * / on numbers.", "expression"),
    describe("diagnose_host", "Resolve the name of one of our hosts.", "host", sorted(COMMANDS)),
    describe("fetch_page", "Fetch a page of our help or status site.", "url"),
    describe("read_attachment", "Read a file that the customer uploaded.", "name"),
    describe("run_report", "A report on the customer's orders.", "name", sorted(REPORTS)),
]
