// The AI SDK of Vercel over OpenAI.
import { createOpenAI, openai } from "@ai-sdk/openai";
import { embedMany, generateObject, generateText, streamText, tool } from "ai";
import { z } from "zod";

const found = {};
const prompt = "Hello";
const weather = tool({ inputSchema: z.object({ city: z.string() }) });
const schema = z.object({ city: z.string(), degrees: z.number() });

for (const [name, model] of [["", openai("gpt-4o")], ["chat ", openai.chat("gpt-4o")]]) {
  found[`${name}text`] = (await generateText({ model, prompt })).text;
  found[`${name}stream`] = await streamText({ model, prompt }).text;
  const call = (await generateText({ model, prompt, tools: { weather } })).toolCalls[0];
  found[`${name}tool`] = [call.toolName, call.input];
  const later = (await streamText({ model, prompt, tools: { weather } }).toolCalls)[0];
  found[`${name}tool stream`] = [later.toolName, later.input];
  found[`${name}structured`] = (await generateObject({ model, prompt, schema })).object;
  found[`${name}error`] = await generateText({ model, prompt: "fail", maxRetries: 0 }).catch((problem) => problem.message);
}
const vectors = await embedMany({ model: openai.embedding("text-embedding-3-small"), values: ["a", "b"] });
found["embedding"] = vectors.embeddings.map((one) => one.length);
console.log(JSON.stringify(found));
