"""Drives a service of HTTP: starts it, waits until it listens, sends the requests of the user and hostile ones."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any

from headwater import limits
from headwater.prove import launch, observe, requests
from headwater.prove.requests import Operation, Request
from headwater.prove.stage import DriveError, Reply, Stage


def drive(
    stage: Stage,
    command: Sequence[str],
    sends: Sequence[Request],
    headers: Mapping[str, str],
    openapi: str,
    known: Sequence[Operation],
    port: int,
) -> None:
    """Starts the service once. ``openapi``: where it tells what it answers, empty: nowhere; ``known``: operations that were found
    otherwise.

    Raises :class:`DriveError` where it does not listen.
    """
    door = stage.door("service")
    process = stage.spawn(command, doors=[(door, port)])
    try:
        if not launch.opened(port, process, limits.PROVE_START_SECONDS, door):
            ended = "" if process.running else f": it ended with status {process.status}"
            process.end()
            raise DriveError(f"the service does not listen on port {port}{ended}\n{process.output[-limits.PROVE_SHOWN :]}".rstrip())
        service = _Service(stage, process, port, door, headers)
        operations = _operations(service, openapi, known)
        told = {one.offered.name for one in operations}
        operations += [one for one in map(requests.of_request, sends) if one.offered.name not in told and one.places]
        given = list(sends) or [requests.plain(operation) for operation in operations]
        _as_website(service, given)
        _as_model(service, given)
        _as_client(service, operations)
        for request in given:  # what clients have left behind comes back in ordinary work
            service.send(request)
            stage.source.goes_on()
    except _GoneError as error:
        stage.notes.append(str(error))
    finally:
        process.end()
        stage.output = process.output


class _GoneError(Exception):
    """The service does not answer any more."""


class _Service:
    def __init__(self, stage: Stage, process: launch.Process, port: int, door: str, given: Mapping[str, str]) -> None:
        self._process = process
        self._silent = 0
        """Requests without an answer, one after another."""
        self.given = given
        self.stage = stage
        self._port = port
        self._door = door
        self.headers: dict[str, str] = {}
        """Of the last answer, in lower case."""

    def ask(self, request: Request) -> Reply:
        """Sends a request; what goes wrong is an answer too."""
        seconds = min(limits.PROVE_REQUEST_SECONDS, self.stage.seconds)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds)
        ending = None
        try:
            connection.sock = launch.connected(self._port, self._door)
            connection.sock.settimeout(seconds)
            ending = launch.ending(connection.sock, seconds)
            connection.request(request.method, request.target, body=request.body, headers={**self.given, **dict(request.headers)})
            response = connection.getresponse()
            text = response.read(limits.PROVE_ANSWER).decode("utf-8", "replace")
            page = (response.getheader("content-type") or "").partition(";")[0].strip() in (
                "text/html",
                "application/xhtml+xml",
                "image/svg+xml",
            )
            self.headers = {name.lower(): value for name, value in response.getheaders()}
            return Reply(text, page, response.status, request.attempt, request.shown)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return Reply(f"{type(error).__name__}: {error}", attempt=request.attempt, request=request.shown)
        finally:
            if ending is not None:
                ending.cancel()
            with contextlib.suppress(OSError):
                connection.close()

    def send(self, request: Request) -> Reply:
        reply = self.ask(request)
        self.stage.replied(reply)
        self._silent = 0 if reply.status else self._silent + 1
        if self._silent and not self._process.running:
            self.stage.source.goes_on()
            raise _GoneError(f"the service ended at {request.shown}")
        if self._silent >= limits.PROVE_SILENT:
            self.stage.source.goes_on()
            raise _GoneError(f"the service was given up after {self._silent} requests without an answer")
        return reply


def _operations(service: _Service, openapi: str, known: Sequence[Operation]) -> list[Operation]:
    if not openapi:
        return list(known)
    reply = service.ask(Request("GET", openapi))
    document: Any = None
    with contextlib.suppress(ValueError, RecursionError):
        document = json.loads(reply.text)
    if reply.status != 200 or not isinstance(document, dict):
        if not known:
            service.stage.notes.append(f"there is no description of the service at {openapi} (status {reply.status})")
        return list(known)
    return requests.operations(document)[: limits.PROVE_TOOLS]


def _as_website(service: _Service, sends: Sequence[Request]) -> None:
    """Asks as a page of another website would, in the browser of somebody who uses the service."""
    for request in sends[:1]:
        service.ask(
            Request("OPTIONS", request.target, None, (("Origin", observe.ORIGIN), ("Access-Control-Request-Method", request.method)))
        )
        shown = observe.cors(service.headers, f"OPTIONS {request.target}")
        if shown is not None:
            service.stage.observed.append(shown)


def _as_model(service: _Service, sends: Sequence[Request]) -> None:
    """Sends ordinary requests, again and again, as long as they make the application ask the model for something that was not answered
    yet."""
    source, rounds = service.stage.source, 0
    for request in sends:
        open_ = False
        while rounds < limits.PROVE_SENDS:
            rounds += 1
            asked, tried = source.asks(), source.tried()
            service.send(request)
            if (
                source.asks() > asked
                and not requests.identifies(service.given)
                and not requests.identifies(dict(request.headers))
                and not open_
            ):
                open_ = True
                service.stage.observed.append(observe.open_model(request.shown, source.asks() - asked))
            more = source.goes_on()
            if source.asks() == asked or source.tried() == tried or not more:
                break


def _as_client(service: _Service, operations: Sequence[Operation]) -> None:
    """Sends hostile requests to each operation."""
    source, rounds = service.stage.source, 0
    for operation in operations:
        for attempt in source.hostile(operation.offered, "http"):
            rounds += 1
            if rounds > limits.PROVE_SENDS:
                service.stage.notes.append(f"not all hostile requests were sent: {limits.PROVE_SENDS} are the most in one start")
                return
            service.send(requests.made(operation, attempt.arguments, attempt))
            source.goes_on()
