"""LiteLLM, which speaks each format by itself."""

import json

import litellm

MESSAGES = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
MODELS = [
    "openai/gpt-4o",
    "anthropic/claude-sonnet-4-5",
    "gemini/gemini-2.5-flash",
    "ollama_chat/llama3.2",
    "mistral/mistral-large-latest",
    "cohere_chat/command-a-03-2025",
    "bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0",
    "azure/gpt-4o",
    "groq/llama-3.1-8b-instant",
    "deepseek/deepseek-chat",
    "openrouter/openai/gpt-4o",
]
found = {}
for model in MODELS:
    name = model.partition("/")[0]
    found[f"{name} text"] = litellm.completion(model=model, messages=MESSAGES).choices[0].message.content
    stream = litellm.completion(model=model, messages=MESSAGES, stream=True)
    found[f"{name} stream"] = "".join(one.choices[0].delta.content or "" for one in stream)
    call = litellm.completion(model=model, messages=MESSAGES, tools=[TOOL]).choices[0].message.tool_calls[0]
    found[f"{name} tool"] = [call.function.name, json.loads(call.function.arguments)]
print(json.dumps(found))
