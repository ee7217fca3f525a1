"""smolagents answers a question with code: the model writes it, an interpreter with an allow-list of modules runs it."""

from smolagents import CodeAgent, OpenAIServerModel

agent = CodeAgent(tools=[], model=OpenAIServerModel(model_id="gpt-4o"), additional_authorized_imports=["os"], max_steps=4)
print(agent.run("How many files are in the current folder?"))
