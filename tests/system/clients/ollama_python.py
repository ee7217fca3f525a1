"""Ollama for Python."""

import json

import ollama

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}}}
found = {}


def asked(text="Hello"):
    return {"model": "llama3.2", "messages": [{"role": "user", "content": text}]}


found["text"] = ollama.chat(**asked())["message"]["content"]
found["stream"] = "".join(one["message"]["content"] for one in ollama.chat(**asked(), stream=True))
call = ollama.chat(**asked(), tools=[TOOL]).message.tool_calls[0]
found["tool"] = [call.function.name, dict(call.function.arguments)]
calls = [call for one in ollama.chat(**asked(), tools=[TOOL], stream=True) for call in one.message.tool_calls or ()]
found["tool stream"] = [calls[0].function.name, dict(calls[0].function.arguments)]
found["structured"] = json.loads(ollama.chat(**asked(), format=SCHEMA).message.content)
found["completion"] = ollama.generate(model="llama3.2", prompt="Hello").response
found["completion stream"] = "".join(one.response for one in ollama.generate(model="llama3.2", prompt="Hello", stream=True))
found["embedding"] = [len(one) for one in ollama.embed(model="nomic-embed-text", input=["a", "b"]).embeddings]
found["embedding old"] = len(ollama.embeddings(model="nomic-embed-text", prompt="a").embedding)
found["models"] = len(ollama.list().models) > 3
found["show"] = "tools" in ollama.show("llama3.2").capabilities
found["pull"] = ollama.pull("llama3.2").status
try:
    ollama.chat(**asked("fail"))
except ollama.ResponseError as problem:
    found["error"] = problem.error
print(json.dumps(found))
