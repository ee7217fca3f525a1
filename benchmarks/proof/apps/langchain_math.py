"""LangChain does a calculation: the model writes the expression."""

from langchain import LLMMathChain
from langchain.chat_models import ChatOpenAI

chain = LLMMathChain(llm=ChatOpenAI(model_name="gpt-3.5-turbo", temperature=0), verbose=True)
print(chain.run("What is 13 raised to the .3432 power?"))
