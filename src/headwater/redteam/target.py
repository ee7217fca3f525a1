"""What is attacked: an HTTP endpoint, a server that speaks OpenAI's protocol, or a command. Each answers a conversation with a text.

Garak and PyRIT never talk to it: they talk to the bridge (``headwater.redteam.bridge``), which asks here. So keys stay in this process,
and one place knows which prompts were not answered.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

import msgspec

from headwater import limits

INPUT: Final = "$INPUT"
PROMPT: Final = "{prompt}"
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(-?\d{1,9})\]|\['([^']*)'\]")


class TargetError(ValueError):
    """What the user gave makes no target; the message says why."""


class UnansweredError(Exception):
    """A prompt that was not answered; the message says why."""


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: str
    text: str


class Target(Protocol):
    """Something that answers."""

    name: str
    whole: bool
    """It is given the whole conversation; else one prompt."""

    def ask(self, turns: Sequence[Turn]) -> str:
        """The answer; raises UnansweredError."""

    def close(self) -> None:
        """Ends what is still at work."""


class Endpoint:
    """A request over HTTP for each prompt."""

    whole = False

    def __init__(
        self,
        url: str,
        *,
        method: str = "",
        request: str = "",
        answer: str = "$",
        headers: Sequence[str] = (),
        timeout: float = 60,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.name = _checked(url)
        self._url = url
        self._request = request
        self._json = _template(request)
        self._method = method or ("POST" if request else "GET")
        self._steps = path(answer)
        self._timeout = timeout
        self._headers = (
            {"Content-Type": "application/json"} if self._json is not None else {"Content-Type": "text/plain"} if request else {}
        )
        for header in headers:
            key, colon, value = header.partition(":")
            if not colon or not key.strip():
                raise TargetError(f"a header is written 'Name: value': {header}")
            self._headers[key.strip()] = filled(value.strip(), environment)
        if INPUT not in url + request:
            raise TargetError(f"neither the address nor the request has {INPUT}, where the prompt goes")

    def ask(self, turns: Sequence[Turn]) -> str:
        prompt = turns[-1].text
        body = None
        if self._json is not None:
            body = json.dumps(_put(self._json, prompt)).encode()
        elif self._request:
            body = self._request.replace(INPUT, prompt).encode("utf-8", "replace")
        data = send(self._url.replace(INPUT, quote(prompt, safe="")), self._method, body, self._headers, self._timeout)
        return found(data, self._steps)

    def close(self) -> None:
        """A request ends by its own time limit."""


class OpenAI:
    """A server that speaks OpenAI's protocol of chats: it is given the whole conversation."""

    whole = True

    def __init__(self, url: str, *, model: str, key: str = "", timeout: float = 60) -> None:
        self.name = _checked(url)
        self._url = url.rstrip("/") + "/chat/completions"
        self._model = model
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}

    def ask(self, turns: Sequence[Turn]) -> str:
        messages = [{"role": turn.role, "content": turn.text} for turn in turns]
        body = json.dumps({"model": self._model, "messages": messages}).encode()
        return found(send(self._url, "POST", body, self._headers, self._timeout), path("$.choices[0].message.content"))

    def close(self) -> None:
        """A request ends by its own time limit."""


class Command:
    """A command that is started for each prompt: it reads the prompt as an argument (``{prompt}``) or from standard input."""

    whole = False

    def __init__(self, command: str, *, timeout: float = 60) -> None:
        self.name = command
        self._timeout = timeout
        self._running: set[subprocess.Popen[bytes]] = set()
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise TargetError(f"--run: {error}") from None
        if not self._words:
            raise TargetError("--run: no command")

    def ask(self, turns: Sequence[Turn]) -> str:
        prompt = turns[-1].text.replace("\0", "\\0")  # no argument can hold it
        words = [word.replace(PROMPT, prompt) for word in self._words]
        given = None if words != self._words else prompt.encode("utf-8", "replace")
        # Files, not pipes: what it leaves running in the background must not hold us.
        with tempfile.TemporaryFile() as read, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
            read.write(given or b"")
            read.seek(0)
            try:
                process = subprocess.Popen(words, stdin=read, stdout=said, stderr=complained, start_new_session=True)
            except (OSError, ValueError) as error:
                raise UnansweredError(f"the command cannot be started: {error}") from None
            self._running.add(process)
            try:
                status = process.wait(self._timeout)
            except subprocess.TimeoutExpired:
                raise UnansweredError(f"the command did not end within {self._timeout:g} s") from None
            finally:
                end(process)
                self._running.discard(process)
            said.seek(0)
            output = said.read(limits.REDTEAM_ANSWER).decode("utf-8", "replace")
            if status:
                complained.seek(0, os.SEEK_END)
                complained.seek(max(0, complained.tell() - 4000))
                last = complained.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
                raise UnansweredError(f"the command ended with status {status}: {last}".rstrip(": "))
        return output

    def close(self) -> None:
        """Ends the commands that other threads wait for."""
        for process in list(self._running):
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process with all that it started in its group."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":  # no groups: what it started stays
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer is that of the address that was given: attacks go nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


# No proxy of the environment either: it would be asked in place of the address.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


def send(url: str, method: str, body: bytes | None, headers: Mapping[str, str], timeout: float) -> bytes:
    """What the address answers, cut."""
    request = urllib.request.Request(url, data=body, headers=dict(headers), method=method)
    try:
        with _OPENER.open(request, timeout=timeout) as response:
            data: bytes = response.read(limits.REDTEAM_ANSWER)
            return data
    except urllib.error.HTTPError as error:
        with error:
            raise UnansweredError(f"the endpoint answers {error.code} {error.reason}") from None
    except (OSError, ValueError) as error:
        raise UnansweredError(f"the endpoint does not answer: {getattr(error, 'reason', error)}") from None
    except Exception as error:  # http.client raises much that is no OSError where the answer is not HTTP
        raise UnansweredError(f"the endpoint's answer is not HTTP: {type(error).__name__}") from None


def path(text: str) -> tuple[str | int, ...]:
    """``$.choices[0].message`` as keys and positions; ``$`` is the whole answer, as text."""
    if not text.startswith("$"):
        text = f"$.{text}"
    steps: list[str | int] = []
    place = 1
    while place < len(text):
        step = _STEP.match(text, place)
        if step is None:
            raise TargetError(f"--answer is written like $.choices[0].message.content: {text}")
        name, position, quoted = step.groups()
        steps.append(int(position) if position is not None else name if name is not None else quoted)
        place = step.end()
    return tuple(steps)


def found(data: bytes, steps: Sequence[str | int]) -> str:
    """The text at a place of a JSON answer."""
    if not steps:
        return data.decode("utf-8", "replace")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise UnansweredError("the answer is no JSON") from None
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            raise UnansweredError(f"the answer has no {step!r} where --answer looks for it") from None
    if value is None:
        raise UnansweredError("the answer is null")
    return value if isinstance(value, str) else json.dumps(value)


def filled(text: str, environment: Mapping[str, str]) -> str:
    """``${NAME}`` is a variable of the environment: keys need not stand on a command line."""

    def value(name: re.Match[str]) -> str:
        if name.group(1) not in environment:
            raise TargetError(f"the environment has no {name.group(1)}, which a header names")
        return environment[name.group(1)]

    return _VARIABLE.sub(value, text)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise TargetError(f"no address of HTTP: {url}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _template(request: str) -> Any:
    """The request as JSON, so that a prompt is put into its texts; None where it is something else."""
    try:
        return json.loads(request)
    except (ValueError, RecursionError):
        return None


def _put(value: Any, prompt: str) -> Any:
    if isinstance(value, str):
        return value.replace(INPUT, prompt)
    if isinstance(value, list):
        return [_put(one, prompt) for one in value]
    if isinstance(value, dict):
        return {key: _put(one, prompt) for key, one in value.items()}
    return value
