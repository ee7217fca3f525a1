"""LangChain over OpenAI's client."""

import json

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


class Weather(BaseModel):
    city: str
    degrees: int


@tool
def weather(city: str) -> str:
    """The weather."""
    return city


found = {}
model = ChatOpenAI(model="gpt-4o", max_retries=0)
found["text"] = model.invoke("Hello").content
found["stream"] = "".join(one.content for one in model.stream("Hello"))
call = model.bind_tools([weather]).invoke("Hello").tool_calls[0]
found["tool"] = [call["name"], call["args"]]
found["structured"] = model.with_structured_output(Weather).invoke("Hello").model_dump()
found["embedding"] = [
    len(one) for one in OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False).embed_documents(["a"])
]
print(json.dumps(found))
