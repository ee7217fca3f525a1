"""The desk's tools for other assistants: ``python -m supportdesk.mcp_server``."""

from mcp.server.fastmcp import FastMCP

from supportdesk import attachments, diagnostics, web
from supportdesk.toolbox import store

server = FastMCP("supportdesk", host="0.0.0.0", port=8090)


@server.tool()
def read_attachment(name: str) -> str:
    """Read a file that a customer uploaded."""
    return attachments.read_attachment(name)


@server.tool()
def search_attachments(words: str) -> str:
    """Names of the uploaded files that hold these words."""
    return attachments.search_attachments(words)


@server.tool()
def find_orders(email: str) -> str:
    """Orders of a customer."""
    return str(store.orders_of(email))


@server.tool()
def diagnose_host(host: str) -> str:
    """Resolve the name of a customer's host."""
    return diagnostics.diagnose_host(host)


@server.tool()
def fetch_page(url: str) -> str:
    """Fetch a web page."""
    return web.fetch_page(url)


if __name__ == "__main__":
    server.run(transport="streamable-http")
