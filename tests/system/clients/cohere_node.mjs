// Cohere for Node: both versions of its interface. It has no variable for its address.
import { CohereClient, CohereClientV2 } from "cohere-ai";

const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "weather", parameters } }];
const found = {};
const asked = (content = "Hello") => ({ model: "command-a-03-2025", messages: [{ role: "user", content }] });

const client = new CohereClientV2({ environment: process.env.CO_API_URL });
found["text"] = (await client.chat(asked())).message.content[0].text;
let text = "";
for await (const one of await client.chatStream(asked())) if (one.type === "content-delta") text += one.delta.message.content.text;
found["stream"] = text;
const call = (await client.chat({ ...asked(), tools })).message.toolCalls[0].function;
found["tool"] = [call.name, JSON.parse(call.arguments)];
const wanted = { type: "json_object", jsonSchema: parameters };
found["structured"] = JSON.parse((await client.chat({ ...asked(), responseFormat: wanted })).message.content[0].text);
const embed = { model: "embed-english-v3.0", texts: ["a", "b"], inputType: "search_query", embeddingTypes: ["float"] };
found["embedding"] = (await client.embed(embed)).embeddings.float.map((one) => one.length);
found["error"] = await client.chat(asked("fail")).catch((problem) => problem.body.message);

const first = new CohereClient({ environment: process.env.CO_API_URL });
found["first text"] = (await first.chat({ message: "Hello" })).text;
text = "";
for await (const one of await first.chatStream({ message: "Hello" })) if (one.eventType === "text-generation") text += one.text;
found["first stream"] = text;
console.log(JSON.stringify(found));
