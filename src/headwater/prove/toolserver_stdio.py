"""Speaks over standard input and output for a server that speaks HTTP: ``python -I toolserver_stdio.py ADDRESS``.

A program of its own, with the standard library alone: an application starts it as the command of its MCP server.
"""

from __future__ import annotations

import sys
import urllib.request


def main() -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        request = urllib.request.Request(sys.argv[1], data=line, headers={"Content-Type": "application/json"})
        with opener.open(request, timeout=60) as answer:
            body = answer.read()
        if body:
            sys.stdout.buffer.write(body + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
