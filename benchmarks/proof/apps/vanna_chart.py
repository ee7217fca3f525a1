"""Vanna makes a chart of a table: the model writes the code for Plotly."""

import os

import pandas as pd

try:
    from vanna.mock import MockEmbedding, MockVectorDB
    from vanna.openai.openai_chat import OpenAI_Chat
except ImportError:  # from version 2 on
    from vanna.legacy.mock import MockEmbedding, MockVectorDB
    from vanna.legacy.openai.openai_chat import OpenAI_Chat


class MyVanna(MockVectorDB, MockEmbedding, OpenAI_Chat):  # The library's own stand-ins: a real store would download a model for embeddings.
    def __init__(self, config):
        MockVectorDB.__init__(self, config=config)
        OpenAI_Chat.__init__(self, config=config)


vn = MyVanna({"api_key": os.environ["OPENAI_API_KEY"], "model": "gpt-4"})
df = pd.DataFrame({"customer": ["Ada", "Grace", "Alan"], "sales": [1200, 950, 700]})
code = vn.generate_plotly_code(
    question="Who are our best customers?", sql="SELECT customer, sales FROM customers", df_metadata=f"df.dtypes:\n {df.dtypes}"
)
print(vn.get_plotly_figure(plotly_code=code, df=df))
