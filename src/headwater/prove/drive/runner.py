"""Calls a function of the application, again and again, in the application's own interpreter: ``python runner.py module:function``.

A program of its own, with the standard library of Python 3.8 alone. Each line of standard input is a JSON object with ``args`` and
``kwargs``; each
line that it writes to the channel is ``{"text": ...}`` or ``{"error": ...}``. What the application prints goes to standard error.
"""

import asyncio
import importlib
import inspect
import json
import os
import sys
import traceback
from typing import Any


def main() -> None:
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    told = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the application asks nobody
    loop = asyncio.new_event_loop()  # one for all calls: clients keep to the loop in which they were made
    sys.path.insert(0, os.getcwd())
    module, _, names = sys.argv[1].partition(":")
    target: Any = importlib.import_module(module)
    for name in names.split("."):
        target = getattr(target, name)
    channel.write(json.dumps({"text": "ready"}) + "\n")
    for line in told:
        given = json.loads(line)
        try:
            result = target(*given["args"], **given["kwargs"])
            if inspect.isawaitable(result):
                result = loop.run_until_complete(result)
            channel.write(json.dumps({"text": str(result)[:1000000]}) + "\n")
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            traceback.print_exc()
            channel.write(json.dumps({"error": f"{type(error).__name__}: {str(error)[:100000]}"}) + "\n")


if __name__ == "__main__":
    main()
