"""A small application whose map has most kinds of parts, and one whose names, paths and texts are hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from headwater.findings import Review

APP = '''\
import os
import subprocess

from fastapi import FastAPI
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent

app = FastAPI()
KEY = os.environ["OPENAI_API_KEY"]


@tool
def run(command: str) -> str:
    """Run a command."""
    return subprocess.run(command, shell=True, capture_output=True, text=True).stdout


llm = ChatOpenAI(model="gpt-4o")
agent = create_react_agent(llm, [run], prompt="You help the people who keep the machines of this house.")


@app.post("/chat")
def chat(question: str) -> str:
    return agent.invoke({"messages": [("user", question)]})["messages"][-1].content
'''

WORDS = "\\ud800 </code><script>alert(1)</script> | ``` [x](http://evil.example) @all \\x1b[31m \u202e ##[error] \\n::error::"


def reviewed(folder: Path) -> Review:
    return headwater.review(folder, Config(processes=1))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("app")
    (made / "app.py").write_text(APP, encoding="utf-8")
    return made


@pytest.fixture(scope="session")
def small(folder: Path) -> Review:
    return reviewed(folder)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Review:
    made = tmp_path_factory.mktemp("hostile")
    name = "<b>|`x`@all\u202e\x1b[31m ##[error].py"
    text = APP.replace('model="gpt-4o"', f'model="{WORDS}"').replace("OPENAI_API_KEY", WORDS).replace("You help", WORDS)
    (made / name).write_text(text, encoding="utf-8")
    return reviewed(made)
