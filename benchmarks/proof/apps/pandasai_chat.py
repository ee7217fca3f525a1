"""PandasAI answers a question from a table: the model writes the program."""

import pandas as pd
from pandasai import SmartDataframe
from pandasai.llm import OpenAI

df = pd.DataFrame({"country": ["United States", "United Kingdom", "France"], "gdp": [19294482, 2891615, 2411255]})
smart = SmartDataframe(df, config={"llm": OpenAI(), "enable_cache": False, "verbose": True})
print(smart.chat("Which are the 2 countries with the highest GDP?"))
