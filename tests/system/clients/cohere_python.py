"""Cohere for Python: both versions of its interface."""

import json

import cohere

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
FIRST = {"name": "weather", "description": "The weather.", "parameter_definitions": {"city": {"type": "str", "required": True}}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}}}
found = {}


def asked(text="Hello"):
    return {"model": "command-a-03-2025", "messages": [{"role": "user", "content": text}]}


client = cohere.ClientV2()
found["text"] = client.chat(**asked()).message.content[0].text
found["stream"] = "".join(one.delta.message.content.text for one in client.chat_stream(**asked()) if one.type == "content-delta")
call = client.chat(**asked(), tools=[TOOL]).message.tool_calls[0]
found["tool"] = [call.function.name, json.loads(call.function.arguments)]
stream = list(client.chat_stream(**asked(), tools=[TOOL]))
start = next(one.delta.message.tool_calls.function.name for one in stream if one.type == "tool-call-start")
pieces = [one.delta.message.tool_calls.function.arguments for one in stream if one.type == "tool-call-delta"]
found["tool stream"] = [start, json.loads("".join(pieces))]
wanted = {"type": "json_object", "schema": SCHEMA}
found["structured"] = json.loads(client.chat(**asked(), response_format=wanted).message.content[0].text)
vectors = client.embed(model="embed-english-v3.0", texts=["a", "b"], input_type="search_query", embedding_types=["float"])
found["embedding"] = [len(one) for one in vectors.embeddings.float_]
found["rerank"] = client.rerank(model="rerank-v3.5", query="red car", documents=["blue sky", "a red car"]).results[0].index
try:
    client.chat(**asked("fail"))
except cohere.BadRequestError as problem:
    found["error"] = problem.body["message"]

first = cohere.Client()
found["first text"] = first.chat(message="Hello").text
found["first stream"] = "".join(one.text for one in first.chat_stream(message="Hello") if one.event_type == "text-generation")
call = first.chat(message="Hello", tools=[FIRST]).tool_calls[0]
found["first tool"] = [call.name, call.parameters]
found["first completion"] = first.generate(prompt="Hello").generations[0].text
found["first embedding"] = [len(one) for one in first.embed(texts=["a"], model="embed-english-v3.0", input_type="search_query").embeddings]
written = cohere.ClientV2(base_url="https://api.cohere.com")
found["hard-coded"] = written.chat(**asked()).message.content[0].text
print(json.dumps(found))
