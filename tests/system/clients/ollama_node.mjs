// Ollama for Node, which has its address from the code: its default takes no variable.
import { Ollama } from "ollama";

const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "weather", parameters } }];
const format = { type: "object", properties: { city: { type: "string" }, degrees: { type: "integer" } } };
const found = {};
const asked = (content = "Hello") => ({ model: "llama3.2", messages: [{ role: "user", content }] });

const client = new Ollama({ host: process.env.OLLAMA_HOST });
found["text"] = (await client.chat(asked())).message.content;
let text = "";
for await (const one of await client.chat({ ...asked(), stream: true })) text += one.message.content;
found["stream"] = text;
const call = (await client.chat({ ...asked(), tools })).message.tool_calls[0].function;
found["tool"] = [call.name, call.arguments];
found["structured"] = JSON.parse((await client.chat({ ...asked(), format })).message.content);
found["completion"] = (await client.generate({ model: "llama3.2", prompt: "Hello" })).response;
found["embedding"] = (await client.embed({ model: "nomic-embed-text", input: ["a", "b"] })).embeddings.map((one) => one.length);
found["models"] = (await client.list()).models.length > 3;
found["error"] = await client.chat(asked("fail")).catch((problem) => problem.message);
console.log(JSON.stringify(found));
