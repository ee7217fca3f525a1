"""Langroid answers a question from a table: the model calls a tool with an expression of pandas."""

import langroid as lr
import langroid.language_models as lm
import pandas as pd
from langroid.agent.special.table_chat_agent import TableChatAgent, TableChatAgentConfig

df = pd.DataFrame({"country": ["France", "Brazil", "Japan"], "population": [68, 214, 125]})
agent = TableChatAgent(TableChatAgentConfig(data=df, llm=lm.OpenAIGPTConfig(chat_model="gpt-4o", stream=False)))
print(lr.Task(agent, interactive=False).run("Which country has the largest population?", turns=8))
