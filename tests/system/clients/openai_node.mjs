// OpenAI for Node: chat, responses, completions, embeddings, Azure.
import OpenAI, { AzureOpenAI } from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tool = { type: "function", function: { name: "weather", parameters } };
const flat = { type: "function", name: "weather", parameters, strict: false };
const Weather = z.object({ city: z.string(), degrees: z.number() });
const found = {};
const asked = (content = "Hello") => ({ model: "gpt-4o", messages: [{ role: "user", content }] });
const named = (call) => [call.function.name, JSON.parse(call.function.arguments)];

const client = new OpenAI({ maxRetries: 0 });
found["text"] = (await client.chat.completions.create(asked())).choices[0].message.content;
let text = "";
for await (const one of await client.chat.completions.create({ ...asked(), stream: true })) text += one.choices[0].delta.content ?? "";
found["stream"] = text;
found["tool"] = named((await client.chat.completions.create({ ...asked(), tools: [tool] })).choices[0].message.tool_calls[0]);
const streamed = await client.chat.completions.stream({ ...asked(), tools: [tool] }).finalChatCompletion();
found["tool stream"] = named(streamed.choices[0].message.tool_calls[0]);
const wanted = zodResponseFormat(Weather, "weather");
found["structured"] = (await client.chat.completions.parse({ ...asked(), response_format: wanted })).choices[0].message.parsed;
found["error"] = await client.chat.completions.create(asked("fail")).catch((problem) => problem.error.message);

found["responses text"] = (await client.responses.create({ model: "gpt-4o", input: "Hello" })).output_text;
const call = (await client.responses.create({ model: "gpt-4o", input: "Hello", tools: [flat] })).output[0];
found["responses tool"] = [call.name, JSON.parse(call.arguments)];
found["responses stream"] = (await client.responses.stream({ model: "gpt-4o", input: "Hello" }).finalResponse()).output_text;
const later = (await client.responses.stream({ model: "gpt-4o", input: "Hello", tools: [flat] }).finalResponse()).output[0];
found["responses tool stream"] = [later.name, JSON.parse(later.arguments)];
const format = zodTextFormat(Weather, "weather");
found["responses structured"] = (await client.responses.parse({ model: "gpt-4o", input: "Hello", text: { format } })).output_parsed;

found["completion"] = (await client.completions.create({ model: "gpt-3.5-turbo-instruct", prompt: "Hello" })).choices[0].text;
const vectors = await client.embeddings.create({ model: "text-embedding-3-small", input: ["a", "b"] });
found["embedding"] = vectors.data.map((one) => one.embedding.length);
found["azure"] = (await new AzureOpenAI().chat.completions.create(asked())).choices[0].message.content;
if (process.allowedNodeEnvironmentFlags.has("--use-env-proxy")) {
  // From Node 22 on; older ones ignore the variables of proxies.
  const written = new OpenAI({ baseURL: "https://api.openai.com/v1" });
  found["hard-coded"] = (await written.chat.completions.create(asked())).choices[0].message.content;
}
console.log(JSON.stringify(found));
