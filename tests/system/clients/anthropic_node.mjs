// Anthropic for Node.
import Anthropic from "@anthropic-ai/sdk";

const tool = { name: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } };
const schema = { type: "object", properties: { city: { type: "string" }, degrees: { type: "number" } }, additionalProperties: false };
const found = {};
const asked = (content = "Hello") => ({ model: "claude-opus-5", max_tokens: 100, messages: [{ role: "user", content }] });

const client = new Anthropic({ maxRetries: 0 });
found["text"] = (await client.messages.create(asked())).content[0].text;
found["stream"] = await client.messages.stream(asked()).finalText();
const call = (await client.messages.create({ ...asked(), tools: [tool] })).content[0];
found["tool"] = [call.name, call.input];
const later = (await client.messages.stream({ ...asked(), tools: [tool] }).finalMessage()).content[0];
found["tool stream"] = [later.name, later.input];
const output_config = { format: { type: "json_schema", schema } };
found["structured"] = JSON.parse((await client.messages.create({ ...asked(), output_config })).content[0].text);
found["error"] = await client.messages.create(asked("fail")).catch((problem) => problem.error.error.message);
console.log(JSON.stringify(found));
