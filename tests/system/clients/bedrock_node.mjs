// The AWS client of Node for Bedrock, which speaks HTTP/2.
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";

const modelId = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const json = { type: "object", properties: { city: { type: "string" } } };
const toolConfig = { tools: [{ toolSpec: { name: "weather", inputSchema: { json } } }] };
const found = {};
const asked = (text = "Hello") => ({ modelId, messages: [{ role: "user", content: [{ text }] }] });

const client = new BedrockRuntimeClient({ maxAttempts: 1 });
found["text"] = (await client.send(new ConverseCommand(asked()))).output.message.content[0].text;
let text = "";
for await (const one of (await client.send(new ConverseStreamCommand(asked()))).stream) text += one.contentBlockDelta?.delta.text ?? "";
found["stream"] = text;
const call = (await client.send(new ConverseCommand({ ...asked(), toolConfig }))).output.message.content[0].toolUse;
found["tool"] = [call.name, call.input];
let name, input = "";
for await (const one of (await client.send(new ConverseStreamCommand({ ...asked(), toolConfig }))).stream) {
  name = one.contentBlockStart?.start.toolUse.name ?? name;
  input += one.contentBlockDelta?.delta.toolUse.input ?? "";
}
found["tool stream"] = [name, JSON.parse(input)];
found["error"] = await client.send(new ConverseCommand(asked("fail"))).catch((problem) => [problem.name, problem.message]);

const messages = [{ role: "user", content: "Hello" }];
const body = JSON.stringify({ anthropic_version: "bedrock-2023-05-31", max_tokens: 9, messages });
const invoked = await client.send(new InvokeModelCommand({ modelId, body }));
found["invoke text"] = JSON.parse(new TextDecoder().decode(invoked.body)).content[0].text;
text = "";
for await (const one of (await client.send(new InvokeModelWithResponseStreamCommand({ modelId, body }))).body)
  text += JSON.parse(new TextDecoder().decode(one.chunk.bytes)).delta?.text ?? "";
found["invoke stream"] = text;
console.log(JSON.stringify(found));
