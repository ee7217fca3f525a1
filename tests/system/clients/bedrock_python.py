"""boto3 for Amazon Bedrock: Converse, InvokeModel, their streams, and an address that is written in the code."""

import json

import boto3

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
TOOL = {"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}}}}
SCHEMA = json.dumps({"type": "object", "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}}})
found = {}


def asked(text="Hello"):
    return {"modelId": CLAUDE, "messages": [{"role": "user", "content": [{"text": text}]}]}


def invoked(model, body):
    return json.loads(client.invoke_model(modelId=model, body=json.dumps(body))["body"].read())


client = boto3.client("bedrock-runtime")
found["text"] = client.converse(**asked())["output"]["message"]["content"][0]["text"]
events = [one["contentBlockDelta"]["delta"] for one in client.converse_stream(**asked())["stream"] if "contentBlockDelta" in one]
found["stream"] = "".join(one["text"] for one in events)
call = client.converse(**asked(), toolConfig={"tools": [TOOL]})["output"]["message"]["content"][0]["toolUse"]
found["tool"] = [call["name"], call["input"]]
stream = list(client.converse_stream(**asked(), toolConfig={"tools": [TOOL]})["stream"])
pieces = [one["contentBlockDelta"]["delta"]["toolUse"]["input"] for one in stream if "contentBlockDelta" in one]
start = next(one["contentBlockStart"]["start"]["toolUse"]["name"] for one in stream if "contentBlockStart" in one)
found["tool stream"] = [start, json.loads("".join(pieces))]
wanted = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": SCHEMA}}}}
found["structured"] = json.loads(client.converse(**asked(), outputConfig=wanted)["output"]["message"]["content"][0]["text"])
try:
    client.converse(**asked("fail"))
except client.exceptions.ValidationException as problem:
    found["error"] = problem.response["Error"]["Message"]

body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
found["invoke text"] = invoked(CLAUDE, body)["content"][0]["text"]
chunks = client.invoke_model_with_response_stream(modelId=CLAUDE, body=json.dumps(body))["body"]
every = [json.loads(one["chunk"]["bytes"]) for one in chunks]
found["invoke stream"] = "".join(one["delta"]["text"] for one in every if one["type"] == "content_block_delta")
found["invoke titan"] = invoked("amazon.titan-text-express-v1", {"inputText": "Hello"})["results"][0]["outputText"]
found["invoke llama"] = invoked("meta.llama3-8b-instruct-v1:0", {"prompt": "Hello"})["generation"]
nova = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
found["invoke nova"] = invoked("amazon.nova-lite-v1:0", nova)["output"]["message"]["content"][0]["text"]
found["invoke embedding"] = len(invoked("amazon.titan-embed-text-v2:0", {"inputText": "Hello"})["embedding"])
found["invoke embeddings"] = [len(one) for one in invoked("cohere.embed-english-v3", {"texts": ["a", "b"]})["embeddings"]]
written = boto3.client("bedrock-runtime", endpoint_url="https://bedrock-runtime.us-east-1.amazonaws.com")
found["hard-coded"] = written.converse(**asked())["output"]["message"]["content"][0]["text"]
print(json.dumps(found))
