"""Amazon Bedrock: its paths and errors; the bodies are in ``bedrock_converse`` and ``bedrock_invoke``."""

from __future__ import annotations

import re
from typing import Final

from headwater.prove.talk import Answer, Ask
from headwater.prove.wire import bedrock_converse, bedrock_invoke, eventstream, shape
from headwater.prove.wire.shape import MalformedError, Reply, Request

PATHS: Final = re.compile(r"/model/(?P<model>.+?)/(?P<operation>converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)$")
ERRORS: Final = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}


def match(request: Request) -> str:
    found = PATHS.search(request.path) if request.method == "POST" else None
    return found["operation"] if found else ""


def read(request: Request, operation: str) -> Ask:
    found = PATHS.search(request.path)
    model = found["model"] if found else ""
    body = request.body
    if operation.startswith("invoke"):
        return bedrock_invoke.read(body, model, stream=operation != "invoke")
    if operation == "count-tokens":
        return Ask("bedrock", "other", model)
    if not isinstance(body.get("messages"), list):
        raise MalformedError("1 validation error detected: Value at 'messages' failed to satisfy constraint: Member must not be null")
    return bedrock_converse.converse(body, model, stream=operation == "converse-stream")


def write(request: Request, operation: str, ask: Ask, answer: Answer, serial: int) -> Reply:
    if answer.status != 200:
        kind = ERRORS.get(answer.status, "InternalServerException")
        return shape.reply({"message": answer.text}, answer.status, (("x-amzn-errortype", kind),))
    if operation.startswith("invoke"):
        return bedrock_invoke.write(request, ask, answer, serial)
    if operation == "count-tokens":
        return shape.reply({"inputTokens": 100})
    if ask.stream:
        every = bedrock_converse.events(ask, answer, serial)
        return bedrock_converse.streamed(eventstream.frame(name, shape.pack(value)) for name, value in every)
    return shape.reply(bedrock_converse.whole(ask, answer, serial))
