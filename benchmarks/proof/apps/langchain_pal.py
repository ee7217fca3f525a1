"""LangChain solves a word problem: the model writes a program for it."""

from langchain.chains import PALChain
from langchain.chat_models import ChatOpenAI

chain = PALChain.from_math_prompt(ChatOpenAI(model_name="gpt-3.5-turbo", temperature=0), verbose=True)
print(
    chain.run("Jan has three times the number of pets as Marcia. Marcia has two more pets than Cindy. Cindy has four. How many have they?")
)
