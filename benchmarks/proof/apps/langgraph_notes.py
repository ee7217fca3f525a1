"""An assistant that looks for notes in LangGraph's store: the model calls a tool that filters by a field."""

import json

from langgraph.store.sqlite import SqliteStore
from openai import OpenAI

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_notes",
            "description": "Find the notes of the user in which a field has a value.",
            "parameters": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": "Name of the field, such as topic or author."},
                    "value": {"type": "string", "description": "Value that the field must have."},
                },
                "required": ["field", "value"],
            },
        },
    }
]

client = OpenAI()
with SqliteStore.from_conn_string("notes.sqlite") as store:
    store.setup()
    store.put(("ada", "notes"), "1", {"topic": "garden", "text": "Sow peas in March."})
    store.put(("ada", "notes"), "2", {"topic": "kitchen", "text": "Buy a new kettle."})
    messages = [{"role": "user", "content": "What did I want to do in the garden?"}]
    for _ in range(8):
        message = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS).choices[0].message
        messages.append(message)
        for call in message.tool_calls or []:
            try:
                given = json.loads(call.function.arguments)
                found = str([item.value for item in store.search(("ada", "notes"), filter={given["field"]: given["value"]})])
            except Exception as error:  # The model is told, and may try again.
                found = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call.id, "content": found})
        if not message.tool_calls:
            print(message.content)
            break
