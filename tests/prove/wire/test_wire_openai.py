"""OpenAI's formats, request by request."""

from __future__ import annotations

from typing import Any

from wireplay import Played

from headwater.prove.talk import Answer, Call, Offered, Turn

CHAT = "/v1/chat/completions"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: dict[str, Any] = {"name": "weather", "description": "The weather of a city.", "parameters": SCHEMA}
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
CALLS = Answer(calls=(Call("weather", {"city": "O'Hara; ls"}), Call("weather", {"city": "x" * 100})))


class TestChat:
    def test_a_conversation(self, played: Played) -> None:
        """Parts are joined, the system's turn comes first, a result has the name of its tool."""
        call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
        messages = [
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "b"}],
            },
            {"role": "developer", "content": "rules"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        ]
        found = played.send(CHAT, {"model": "m", "messages": messages})
        assert played.ask.turns == (
            Turn("system", "rules"),
            Turn("user", "a\nb"),
            Turn("assistant", ""),
            Turn("tool", "sunny", "weather", "c1"),
        )
        (choice,) = found.data["choices"]
        assert choice["message"]["content"] == played.script.says.text
        assert choice["finish_reason"] == "stop"
        assert found.data["usage"]["total_tokens"] > 0

    def test_a_stream_gives_the_same_text_in_pieces(self, played: Played) -> None:
        found = played.send(CHAT, {**ASKED, "stream": True, "stream_options": {"include_usage": True}})
        assert found.headers["content-type"] == "text/event-stream"
        assert found.events[-1] == "[DONE]"
        *chunks, usage = found.events[:-1]
        assert usage["choices"] == []
        assert usage["usage"]["completion_tokens"] > 0
        pieces = [one["choices"][0]["delta"].get("content") or "" for one in chunks]
        assert "".join(pieces) == played.script.says.text
        assert len([one for one in pieces if one]) > 1
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        assert played.ask.stream

    def test_calls_of_tools(self, played: Played) -> None:
        played.says(CALLS)
        asked = {**ASKED, "tools": [{"type": "function", "function": WEATHER}], "tool_choice": "required"}
        found = played.send(CHAT, asked).data["choices"][0]
        assert played.ask.tools == (Offered("weather", "The weather of a city.", SCHEMA),)
        assert played.ask.forced == "any"
        assert [one["function"]["arguments"] for one in found["message"]["tool_calls"]] == [
            '{"city":"O\'Hara; ls"}',
            '{"city":"%s"}' % ("x" * 100),
        ]
        assert len({one["id"] for one in found["message"]["tool_calls"]}) == 2
        assert found["finish_reason"] == "tool_calls"

        deltas = [one["choices"][0]["delta"] for one in played.send(CHAT, {**asked, "stream": True}).events[:-1]]
        joined = ["", ""]
        for delta in deltas:
            for call in delta.get("tool_calls", []):
                joined[call["index"]] += call["function"]["arguments"]
        assert joined == [one["function"]["arguments"] for one in found["message"]["tool_calls"]]

    def test_a_named_tool_and_none(self, played: Played) -> None:
        asked = {**ASKED, "tools": [{"type": "function", "function": WEATHER}]}
        played.send(CHAT, {**asked, "tool_choice": {"type": "function", "function": {"name": "weather"}}})
        assert played.ask.forced == "weather"
        played.send(CHAT, {**asked, "tool_choice": "none"})
        assert played.ask.forced == "none"

    def test_functions_as_they_were_before_tools(self, played: Played) -> None:
        played.says(CALLS)
        asked = {**ASKED, "functions": [WEATHER], "function_call": {"name": "weather"}}
        found = played.send(CHAT, asked).data["choices"][0]
        assert played.ask.forced == "weather"
        assert found["message"]["function_call"] == {"name": "weather", "arguments": '{"city":"O\'Hara; ls"}'}
        assert found["finish_reason"] == "function_call"
        deltas = [one["choices"][0]["delta"].get("function_call", {}) for one in played.send(CHAT, {**asked, "stream": True}).events[:-1]]
        assert "".join(one.get("arguments", "") for one in deltas) == '{"city":"O\'Hara; ls"}'

    def test_a_tool_that_takes_text(self, played: Played) -> None:
        played.says(Answer(calls=(Call("shell", {"input": "ls -l"}),)))
        tools = [{"type": "custom", "custom": {"name": "shell"}}]
        (call,) = played.send(CHAT, {**ASKED, "tools": tools}).data["choices"][0]["message"]["tool_calls"]
        assert (call["type"], call["custom"]) == ("custom", {"name": "shell", "input": "ls -l"})

    def test_structured_output(self, played: Played) -> None:
        played.send(CHAT, {**ASKED, "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}})
        assert (played.ask.schema, played.ask.json) == (SCHEMA, False)
        played.send(CHAT, {**ASKED, "response_format": {"type": "json_object"}})
        assert (played.ask.schema, played.ask.json) == (None, True)

    def test_an_error(self, played: Played) -> None:
        played.says(Answer("slow down", status=429))
        found = played.send(CHAT, {**ASKED, "stream": True})
        assert (found.status, found.data["error"]["message"], found.data["error"]["type"]) == (429, "slow down", "rate_limit_error")

    def test_a_request_without_messages_is_refused(self, played: Played) -> None:
        found = played.send(CHAT, {"model": "gpt-4o"})
        assert (found.status, found.data["error"]["type"]) == (400, "invalid_request_error")
        assert played.script.asks == []
        assert [one.answer.status for one in played.server.exchanges] == [400]

    def test_azure_names_the_model_in_the_path(self, played: Played) -> None:
        found = played.send("/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21", {"messages": ASKED["messages"]})
        assert found.data["model"] == played.ask.model == "my-gpt"
