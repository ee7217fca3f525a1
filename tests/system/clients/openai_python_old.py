"""OpenAI for Python before version 1."""

import json

import openai

FUNCTION = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
found = {}


def asked(text="Hello"):
    return {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": text}]}


found["text"] = openai.ChatCompletion.create(**asked())["choices"][0]["message"]["content"]
stream = openai.ChatCompletion.create(**asked(), stream=True)
found["stream"] = "".join(one["choices"][0]["delta"].get("content") or "" for one in stream)
call = openai.ChatCompletion.create(**asked(), functions=[FUNCTION])["choices"][0]["message"]["function_call"]
found["tool"] = [call["name"], json.loads(call["arguments"])]
found["completion"] = openai.Completion.create(model="text-davinci-003", prompt="Hello")["choices"][0]["text"]
try:
    openai.ChatCompletion.create(**asked("fail"))
except openai.error.InvalidRequestError as problem:
    found["error"] = problem.user_message
openai.api_base = "https://api.openai.com/v1"
found["hard-coded"] = openai.ChatCompletion.create(**asked())["choices"][0]["message"]["content"]
print(json.dumps(found))
