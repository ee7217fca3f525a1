"""The one place that talks to the model."""

from openai import OpenAI

from supportdesk.config import Settings


class ChatClient:
    def __init__(self, settings: Settings) -> None:
        self.client = OpenAI(base_url=settings.base_url, api_key=settings.api_key)
        self.model = settings.model

    def ask(self, system: str, user: str) -> str:
        reply = self.client.chat.completions.create(
            model=self.model,
            messages=[{"role": "system", "content": system}, {"role": "user", "content": user}],
        )
        return reply.choices[0].message.content or ""

    def step(self, messages: list[dict], tools: list[dict]):
        """One turn of an agent: the message may hold tool calls."""
        reply = self.client.chat.completions.create(model=self.model, messages=messages, tools=tools)
        return reply.choices[0].message
