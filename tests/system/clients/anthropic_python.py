"""Anthropic for Python: messages, tools, streams, and an address that is written in the code."""

import json

import anthropic
from pydantic import BaseModel


class Weather(BaseModel):
    city: str
    degrees: int


TOOL = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
found = {}


def asked(text="Hello"):
    return {"model": "claude-opus-5", "max_tokens": 100, "messages": [{"role": "user", "content": text}]}


client = anthropic.Anthropic(max_retries=0)
found["text"] = client.messages.create(**asked()).content[0].text
with client.messages.stream(**asked()) as stream:
    found["stream"] = stream.get_final_text()
call = client.messages.create(**asked(), tools=[TOOL]).content[0]
found["tool"] = [call.name, call.input]
with client.messages.stream(**asked(), tools=[TOOL]) as stream:
    call = stream.get_final_message().content[0]
found["tool stream"] = [call.name, call.input]
found["structured"] = client.messages.parse(**asked(), output_format=Weather).parsed_output.model_dump()
found["tokens"] = client.messages.count_tokens(model="claude-opus-5", messages=asked()["messages"]).input_tokens > 0
found["models"] = len(client.models.list().data) > 3
try:
    client.messages.create(**asked("fail"))
except anthropic.BadRequestError as problem:
    found["error"] = problem.body["error"]["message"]
written = anthropic.Anthropic(base_url="https://api.anthropic.com")
found["hard-coded"] = written.messages.create(**asked()).content[0].text
print(json.dumps(found))
