"""Prompts and message templates."""

from jinja2 import Environment

from supportdesk.config import Settings

environment = Environment()


class Prompts:
    def __init__(self, settings: Settings) -> None:
        self.folder = settings.prompts

    def text(self, name: str) -> str:
        return (self.folder / f"{name}.txt").read_text(encoding="utf-8")

    def system(self, passages: list[str]) -> str:
        return self.text("system") + "\n\nWhat we know:\n" + "\n---\n".join(passages)


def fill(template: str, values: dict[str, str]) -> str:
    return environment.from_string(template).render(**values)
