// Mistral for Node, which has no variable for its address.
import { Mistral } from "@mistralai/mistralai";

const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "weather", parameters } }];
const found = {};
const asked = (content = "Hello") => ({ model: "mistral-large-latest", messages: [{ role: "user", content }] });

const client = new Mistral({ apiKey: process.env.MISTRAL_API_KEY, serverURL: process.env.MISTRAL_BASE_URL });
found["text"] = (await client.chat.complete(asked())).choices[0].message.content;
let text = "";
for await (const one of await client.chat.stream(asked())) text += one.data.choices[0].delta.content ?? "";
found["stream"] = text;
const call = (await client.chat.complete({ ...asked(), tools })).choices[0].message.toolCalls[0].function;
found["tool"] = [call.name, JSON.parse(call.arguments)];
const responseFormat = { type: "json_schema", jsonSchema: { name: "weather", schemaDefinition: parameters } };
found["structured"] = JSON.parse((await client.chat.complete({ ...asked(), responseFormat })).choices[0].message.content);
const vectors = await client.embeddings.create({ model: "mistral-embed", inputs: ["a", "b"] });
found["embedding"] = vectors.data.map((one) => one.embedding.length);
found["error"] = await client.chat.complete(asked("fail")).catch((problem) => JSON.parse(problem.body).message);
console.log(JSON.stringify(found));
