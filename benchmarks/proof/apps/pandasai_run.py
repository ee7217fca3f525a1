"""PandasAI answers a question from a table: the model writes the program."""

import pandas as pd
from pandasai import PandasAI
from pandasai.llm.openai import OpenAI

df = pd.DataFrame({"country": ["United States", "United Kingdom", "France"], "gdp": [19294482, 2891615, 2411255]})
pandas_ai = PandasAI(OpenAI(), enable_cache=False, verbose=True)
print(pandas_ai.run(df, prompt="Which are the 2 countries with the highest GDP?"))
