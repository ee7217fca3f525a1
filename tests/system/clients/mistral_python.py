"""Mistral for Python, which has no variable for its address."""

import json
import os

from mistralai.client import Mistral, errors
from pydantic import BaseModel


class Weather(BaseModel):
    city: str
    degrees: int


TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
found = {}


def asked(text="Hello"):
    return {"model": "mistral-large-latest", "messages": [{"role": "user", "content": text}]}


client = Mistral(api_key=os.environ["MISTRAL_API_KEY"])
found["text"] = client.chat.complete(**asked()).choices[0].message.content
found["stream"] = "".join(one.data.choices[0].delta.content or "" for one in client.chat.stream(**asked()))
call = client.chat.complete(**asked(), tools=[TOOL]).choices[0].message.tool_calls[0]
found["tool"] = [call.function.name, json.loads(call.function.arguments)]
found["id of call"] = len(call.id)
found["structured"] = client.chat.parse(Weather, **asked()).choices[0].message.parsed.model_dump()
found["embedding"] = [len(one.embedding) for one in client.embeddings.create(model="mistral-embed", inputs=["a", "b"]).data]
found["completion"] = client.fim.complete(model="codestral-latest", prompt="Hello").choices[0].message.content
try:
    client.chat.complete(**asked("fail"))
except errors.SDKError as problem:
    found["error"] = json.loads(problem.body)["message"]
print(json.dumps(found))
