"""What the model may call: the functions, and their description for the model."""

from supportdesk.attachments import read_attachment
from supportdesk.calculator import evaluate
from supportdesk.config import load_settings
from supportdesk.diagnostics import diagnose_host
from supportdesk.store import Store
from supportdesk.web import fetch_page

store = Store(load_settings().data / "desk.db")


def run_report(statement: str) -> str:
    return "\n".join(str(row) for row in store.rows(statement))


TOOLS = {
    "calculate": evaluate,
    "diagnose_host": diagnose_host,
    "fetch_page": fetch_page,
    "read_attachment": read_attachment,
    "run_report": run_report,
}


def describe(name: str, text: str, parameter: str) -> dict:
    schema = {"type": "object", "properties": {parameter: {"type": "string"}}, "required": [parameter]}
    return {"type": "function", "function": {"name": name, "description": text, "parameters": schema}}


DESCRIPTIONS = [
    describe("calculate", "Evaluate an arithmetic expression.", "expression"),
    describe("diagnose_host", "Resolve the name of a customer's host.", "host"),
    describe("fetch_page", "Fetch a web page.", "url"),
    describe("read_attachment", "Read a file that the customer uploaded.", "name"),
    describe("run_report", "Run SQL on customers(id, name, email) and orders(id, customer_id, item, total, status).", "statement"),
]
