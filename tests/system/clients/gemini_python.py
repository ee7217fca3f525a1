"""Google's client for Python: the Gemini API and Vertex AI."""

import json

from google import genai
from google.genai import errors, types
from pydantic import BaseModel


class Weather(BaseModel):
    city: str
    degrees: int


FUNCTION = {"name": "weather", "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}}
TOOLS = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[FUNCTION])])
MODEL = "gemini-2.5-flash"
found = {}


def use(client, name):
    models = client.models
    found[f"{name}text"] = models.generate_content(model=MODEL, contents="Hello").text
    found[f"{name}stream"] = "".join(one.text or "" for one in models.generate_content_stream(model=MODEL, contents="Hello"))
    call = models.generate_content(model=MODEL, contents="Hello", config=TOOLS).function_calls[0]
    found[f"{name}tool"] = [call.name, call.args]
    wanted = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Weather)
    found[f"{name}structured"] = models.generate_content(model=MODEL, contents="Hello", config=wanted).parsed.model_dump()
    found[f"{name}embedding"] = [
        len(one.values) for one in models.embed_content(model="text-embedding-004", contents=["a", "b"]).embeddings
    ]
    try:
        models.generate_content(model=MODEL, contents="fail")
    except errors.ClientError as problem:
        found[f"{name}error"] = problem.message


client = genai.Client()
use(client, "")
calls = [
    call for one in client.models.generate_content_stream(model=MODEL, contents="Hello", config=TOOLS) for call in one.function_calls or ()
]
found["tool stream"] = [calls[0].name, calls[0].args]
found["tokens"] = client.models.count_tokens(model=MODEL, contents="Hello").total_tokens > 0
found["models"] = len(list(client.models.list())) > 3
use(genai.Client(vertexai=True), "vertex ")
written = genai.Client(http_options={"base_url": "https://generativelanguage.googleapis.com"})
found["hard-coded"] = written.models.generate_content(model=MODEL, contents="Hello").text
print(json.dumps(found))
