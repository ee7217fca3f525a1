"""The agent: asks the model, runs the tools it calls, asks again."""

import json

from supportdesk.llm import ChatClient
from supportdesk.prompts import Prompts
from supportdesk.retriever import Retriever
from supportdesk.toolbox import DESCRIPTIONS, TOOLS

MAX_STEPS = 8


class SupportAgent:
    def __init__(self, chat: ChatClient, retriever: Retriever, prompts: Prompts) -> None:
        self.chat = chat
        self.retriever = retriever
        self.prompts = prompts

    def answer(self, question: str) -> str:
        passages = [chunk.text for chunk in self.retriever.search(question)]
        messages: list[dict] = [
            {"role": "system", "content": self.prompts.system(passages)},
            {"role": "user", "content": question},
        ]
        for _ in range(MAX_STEPS):
            message = self.chat.step(messages, DESCRIPTIONS)
            if not message.tool_calls:
                return message.content or ""
            messages.append(message.model_dump(exclude_none=True))
            for call in message.tool_calls:
                result = self.dispatch(call.function.name, call.function.arguments)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        return "I could not finish this."

    def dispatch(self, name: str, arguments: str) -> str:
        try:
            return TOOLS[name](**json.loads(arguments))
        except Exception as error:
            return f"failed: {error}"
