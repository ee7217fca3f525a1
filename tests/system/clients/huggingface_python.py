"""Hugging Face's client for Python: its services of models, and a server of one's own."""

import json
import os

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
MODEL = "meta-llama/Llama-3.1-8B-Instruct"
found = {}


def asked(text="Hello"):
    return [{"role": "user", "content": text}]


client = InferenceClient(MODEL, provider="hf-inference")
found["text"] = client.chat_completion(asked()).choices[0].message.content
found["stream"] = "".join(one.choices[0].delta.content or "" for one in client.chat_completion(asked(), stream=True) if one.choices)
call = client.chat_completion(asked(), tools=[TOOL]).choices[0].message.tool_calls[0]
found["tool"] = [call.function.name, json.loads(call.function.arguments)]
try:
    client.chat_completion(asked("fail"))
except HfHubHTTPError as problem:
    found["error"] = problem.response.json()["error"]["message"]
found["embedding"] = client.feature_extraction("a", model="sentence-transformers/all-MiniLM-L6-v2").shape[-1]
found["auto text"] = InferenceClient(MODEL).chat_completion(asked()).choices[0].message.content

own = InferenceClient(os.environ["OLLAMA_HOST"])
found["own completion"] = own.text_generation("Hello")
found["own completion stream"] = "".join(own.text_generation("Hello", stream=True))
found["own text"] = own.chat_completion(asked()).choices[0].message.content
print(json.dumps(found))
