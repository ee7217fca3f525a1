"""A small vector store: hashed words, cosine similarity, a snapshot on disk."""

import math
import pickle
import zlib
from dataclasses import dataclass
from pathlib import Path

SIZE = 128


@dataclass
class Chunk:
    document: str
    text: str
    vector: list[float]


def embed(text: str) -> list[float]:
    vector = [0.0] * SIZE
    for word in text.lower().split():
        vector[zlib.crc32(word.strip(".,;:!?").encode()) % SIZE] += 1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


class Retriever:
    def __init__(self, snapshot: Path) -> None:
        self.snapshot = snapshot
        self.chunks: list[Chunk] = []
        if snapshot.exists():
            with snapshot.open("rb") as file:
                self.chunks = pickle.load(file)

    def add(self, document: str, text: str) -> int:
        parts = [part for part in text.split("\n\n") if part.strip()]
        self.chunks += [Chunk(document, part, embed(part)) for part in parts]
        self.save()
        return len(parts)

    def search(self, question: str, count: int = 3) -> list[Chunk]:
        wanted = embed(question)
        ranked = sorted(self.chunks, key=lambda chunk: -sum(a * b for a, b in zip(wanted, chunk.vector, strict=True)))
        return ranked[:count]

    def save(self) -> None:
        self.snapshot.write_bytes(self.export())

    def export(self) -> bytes:
        return pickle.dumps(self.chunks)

    def restore(self, data: bytes) -> int:
        """Take over the index of another instance."""
        self.chunks = pickle.loads(data)
        self.save()
        return len(self.chunks)
