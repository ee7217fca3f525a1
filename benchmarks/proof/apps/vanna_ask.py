"""Vanna answers a question from a database: the model writes the statement."""

import os
import sqlite3

from vanna.mock import MockEmbedding, MockVectorDB
from vanna.openai.openai_chat import OpenAI_Chat


class MyVanna(MockVectorDB, MockEmbedding, OpenAI_Chat):  # The library's own stand-ins: a real store would download a model for embeddings.
    def __init__(self, config):
        MockVectorDB.__init__(self, config=config)
        OpenAI_Chat.__init__(self, config=config)


with sqlite3.connect("shop.sqlite") as database:
    database.execute("CREATE TABLE customers (customer TEXT, sales INTEGER)")
    database.executemany("INSERT INTO customers VALUES (?, ?)", [("Ada", 1200), ("Grace", 950)])

vn = MyVanna({"api_key": os.environ["OPENAI_API_KEY"], "model": "gpt-4"})
vn.connect_to_sqlite("shop.sqlite")
print(vn.ask("Who are our best customers?", visualize=False))
