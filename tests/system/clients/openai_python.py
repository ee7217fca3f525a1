"""OpenAI for Python, from version 1 on: chat, responses, completions, embeddings, Azure, and an address that is written in the code."""

import json

import openai
from pydantic import BaseModel


class Weather(BaseModel):
    city: str
    degrees: int


PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": PARAMETERS}}
FLAT = {"type": "function", "name": "weather", "description": "The weather.", "parameters": PARAMETERS}
found = {}


def asked(text="Hello"):
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}


client = openai.OpenAI(max_retries=0)
found["text"] = client.chat.completions.create(**asked()).choices[0].message.content
found["stream"] = "".join(one.choices[0].delta.content or "" for one in client.chat.completions.create(**asked(), stream=True))
call = client.chat.completions.create(**asked(), tools=[TOOL]).choices[0].message.tool_calls[0]
found["tool"] = [call.function.name, json.loads(call.function.arguments)]
with client.chat.completions.stream(**asked(), tools=[TOOL]) as stream:
    call = stream.get_final_completion().choices[0].message.tool_calls[0]
found["tool stream"] = [call.function.name, json.loads(call.function.arguments)]
found["structured"] = client.chat.completions.parse(**asked(), response_format=Weather).choices[0].message.parsed.model_dump()
try:
    client.chat.completions.create(**asked("fail"))
except openai.BadRequestError as problem:
    found["error"] = problem.body["message"]

response = client.responses.create(model="gpt-4o", input="Hello")
found["responses text"] = response.output_text
call = client.responses.create(model="gpt-4o", input="Hello", tools=[FLAT]).output[0]
found["responses tool"] = [call.name, json.loads(call.arguments)]
with client.responses.stream(model="gpt-4o", input="Hello") as stream:
    found["responses stream"] = stream.get_final_response().output_text
with client.responses.stream(model="gpt-4o", input="Hello", tools=[FLAT]) as stream:
    call = stream.get_final_response().output[0]
found["responses tool stream"] = [call.name, json.loads(call.arguments)]
found["responses structured"] = client.responses.parse(model="gpt-4o", input="Hello", text_format=Weather).output_parsed.model_dump()

found["completion"] = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Hello").choices[0].text
found["completion stream"] = "".join(one.choices[0].text for one in client.completions.create(model="m", prompt="Hello", stream=True))
found["embedding"] = [len(one.embedding) for one in client.embeddings.create(model="text-embedding-3-small", input=["a b", "c"]).data]
found["models"] = len(client.models.list().data) > 3
found["moderation"] = client.moderations.create(input="Hello").results[0].flagged

azure = openai.AzureOpenAI()
found["azure"] = azure.chat.completions.create(**asked()).choices[0].message.content
written = openai.OpenAI(base_url="https://api.openai.com/v1")
found["hard-coded"] = written.chat.completions.create(**asked()).choices[0].message.content
print(json.dumps(found))
