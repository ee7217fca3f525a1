"""The desk's tools for another assistant of the same customer, over standard input: ``python -m supportdesk.mcp_server``."""

import os

from mcp.server.fastmcp import FastMCP

from supportdesk import attachments, diagnostics, web
from supportdesk.toolbox import store

server = FastMCP("supportdesk")
CUSTOMER = int(os.environ.get("SUPPORTDESK_CUSTOMER", "0"))


@server.tool()
def read_attachment(name: str) -> str:
    """Read a file that the customer uploaded."""
    return attachments.read_attachment(CUSTOMER, name)


@server.tool()
def search_attachments(words: str) -> str:
    """Names of the uploaded files that hold these words."""
    return attachments.search_attachments(CUSTOMER, words)


@server.tool()
def find_orders() -> str:
    """Orders of the customer."""
    return str(store.report("orders", CUSTOMER))


@server.tool()
def diagnose_host(host: str) -> str:
    """Resolve the name of one of our hosts: mail, portal or local."""
    return diagnostics.diagnose_host(host)


@server.tool()
def fetch_page(url: str) -> str:
    """Fetch a page of our help or status site."""
    return web.fetch_page(url)


if __name__ == "__main__":
    server.run()
