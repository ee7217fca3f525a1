"""Addresses written in code, in clients that are told to take no proxy: only the monitor in the process can lead them elsewhere."""

import asyncio
import json

import aiohttp
import boto3
import openai
from botocore.config import Config

URL = "https://api.openai.com/v1"
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
found = {}
found["openai text"] = openai.OpenAI(base_url=URL).chat.completions.create(**ASKED).choices[0].message.content


async def later():
    answer = await openai.AsyncOpenAI(base_url=URL).chat.completions.create(**ASKED)
    found["async text"] = answer.choices[0].message.content
    async with aiohttp.ClientSession() as session, session.post(f"{URL}/chat/completions", json=ASKED) as response:
        found["aiohttp text"] = (await response.json())["choices"][0]["message"]["content"]


asyncio.run(later())
client = boto3.client("bedrock-runtime", endpoint_url="https://bedrock-runtime.us-east-1.amazonaws.com", config=Config(proxies={}))
asked = {"modelId": "anthropic.claude-3-haiku-20240307-v1:0", "messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
found["bedrock text"] = client.converse(**asked)["output"]["message"]["content"][0]["text"]
print(json.dumps(found))
