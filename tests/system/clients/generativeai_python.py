"""Google's older client for Python, which speaks gRPC."""

import json

import google.generativeai as genai
from google.api_core import exceptions

FUNCTION = {"name": "weather", "description": "It.", "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}}
SCHEMA = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}, "degrees": {"type": "INTEGER"}}}
found = {}

model = genai.GenerativeModel("gemini-1.5-flash", system_instruction="rules")
found["text"] = model.generate_content("Hello").text
found["stream"] = "".join(one.text for one in model.generate_content("Hello", stream=True))
call = genai.GenerativeModel("gemini-1.5-flash", tools=[{"function_declarations": [FUNCTION]}]).generate_content("Hello")
call = call.candidates[0].content.parts[0].function_call
found["tool"] = [call.name, dict(call.args)]
wanted = {"response_mime_type": "application/json", "response_schema": SCHEMA}
found["structured"] = json.loads(model.generate_content("Hello", generation_config=wanted).text)
found["embedding"] = [len(one) for one in genai.embed_content(model="models/text-embedding-004", content=["a", "b"])["embedding"]]
found["tokens"] = model.count_tokens("Hello").total_tokens > 0
try:
    model.generate_content("fail")
except exceptions.InvalidArgument as problem:
    found["error"] = problem.message
print(json.dumps(found))
