"""LlamaIndex answers a question from a table: the model writes the expression."""

import pandas as pd
from llama_index import ServiceContext
from llama_index.llms import OpenAI
from llama_index.query_engine import PandasQueryEngine

df = pd.DataFrame({"city": ["Toronto", "Tokyo", "Berlin"], "population": [2930000, 13960000, 3645000]})
engine = PandasQueryEngine(df=df, service_context=ServiceContext.from_defaults(llm=OpenAI(model="gpt-3.5-turbo")), verbose=True)
print(engine.query("What is the city with the highest population?"))
