"""LlamaIndex answers a question from a table: the model writes the expression."""

import pandas as pd
from llama_index.core.query_engine import PandasQueryEngine
from llama_index.llms.openai import OpenAI

df = pd.DataFrame({"city": ["Toronto", "Tokyo", "Berlin"], "population": [2930000, 13960000, 3645000]})
engine = PandasQueryEngine(df=df, llm=OpenAI(model="gpt-3.5-turbo"), verbose=True)
print(engine.query("What is the city with the highest population?"))
