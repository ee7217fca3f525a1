// Addresses that are written in code, in clients that take no proxy: only the monitor in the process can lead them elsewhere.
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { Mistral } from "@mistralai/mistralai";
import OpenAI from "openai";

const found = {};
const messages = [{ role: "user", content: "Hello" }];

const client = new OpenAI({ baseURL: "https://api.openai.com/v1" });
found["openai text"] = (await client.chat.completions.create({ model: "gpt-4o", messages })).choices[0].message.content;
const mistral = new Mistral({ apiKey: process.env.MISTRAL_API_KEY });
found["mistral text"] = (await mistral.chat.complete({ model: "mistral-large-latest", messages })).choices[0].message.content;
const bedrock = new BedrockRuntimeClient({ endpoint: "https://bedrock-runtime.us-east-1.amazonaws.com" });
const asked = { modelId: "anthropic.claude-3-haiku-20240307-v1:0", messages: [{ role: "user", content: [{ text: "Hello" }] }] };
found["bedrock text"] = (await bedrock.send(new ConverseCommand(asked))).output.message.content[0].text;
console.log(JSON.stringify(found));
