"""LangChain answers a question from a database: the model writes the statement."""

import sqlite3

from langchain import SQLDatabase, SQLDatabaseChain
from langchain.chat_models import ChatOpenAI

with sqlite3.connect("shop.sqlite") as database:
    database.execute("CREATE TABLE employees (name TEXT, salary INTEGER)")
    database.executemany("INSERT INTO employees VALUES (?, ?)", [("Ada", 1200), ("Grace", 950)])

chain = SQLDatabaseChain.from_llm(
    ChatOpenAI(model_name="gpt-3.5-turbo", temperature=0), SQLDatabase.from_uri("sqlite:///shop.sqlite"), verbose=True
)
print(chain.run("How many employees are there?"))
