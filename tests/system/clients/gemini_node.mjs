// Google's client for Node.
import { GoogleGenAI } from "@google/genai";

const functionDeclarations = [{ name: "weather", parameters: { type: "OBJECT", properties: { city: { type: "STRING" } } } }];
const responseSchema = { type: "OBJECT", properties: { city: { type: "STRING" }, degrees: { type: "INTEGER" } } };
const found = {};
const asked = (contents = "Hello", config = {}) => ({ model: "gemini-2.5-flash", contents, config });

const models = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY }).models;
found["text"] = (await models.generateContent(asked())).text;
let text = "";
for await (const one of await models.generateContentStream(asked())) text += one.text ?? "";
found["stream"] = text;
const config = { tools: [{ functionDeclarations }] };
const call = (await models.generateContent(asked("Hello", config))).functionCalls[0];
found["tool"] = [call.name, call.args];
for await (const one of await models.generateContentStream(asked("Hello", config)))
  for (const later of one.functionCalls ?? []) found["tool stream"] = [later.name, later.args];
const wanted = { responseMimeType: "application/json", responseSchema };
found["structured"] = JSON.parse((await models.generateContent(asked("Hello", wanted))).text);
const vectors = await models.embedContent({ model: "text-embedding-004", contents: ["a", "b"] });
found["embedding"] = vectors.embeddings.map((one) => one.values.length);
found["error"] = await models.generateContent(asked("fail")).catch((problem) => JSON.parse(problem.message).error.message);
console.log(JSON.stringify(found));
