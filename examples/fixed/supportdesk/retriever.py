"""A small vector store: hashed words, cosine similarity, a JSON snapshot on disk. Every chunk belongs to a customer."""

import math
import zlib
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

SIZE = 128


class Chunk(BaseModel):
    customer: int
    document: str
    text: str
    vector: list[float]


CHUNKS = TypeAdapter(list[Chunk])


def embed(text: str) -> list[float]:
    vector = [0.0] * SIZE
    for word in text.lower().split():
        vector[zlib.crc32(word.strip(".,;:!?").encode()) % SIZE] += 1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


class Retriever:
    def __init__(self, snapshot: Path) -> None:
        self.snapshot = snapshot
        self.chunks: list[Chunk] = CHUNKS.validate_json(snapshot.read_bytes()) if snapshot.exists() else []

    def add(self, customer: int, document: str, text: str) -> int:
        parts = [part for part in text.split("\n\n") if part.strip()]
        self.chunks += [Chunk(customer=customer, document=document, text=part, vector=embed(part)) for part in parts]
        self.save()
        return len(parts)

    def search(self, customer: int, question: str, count: int = 3) -> list[Chunk]:
        wanted = embed(question)
        own = [chunk for chunk in self.chunks if chunk.customer == customer]
        return sorted(own, key=lambda chunk: -sum(a * b for a, b in zip(wanted, chunk.vector, strict=True)))[:count]

    def save(self) -> None:
        self.snapshot.write_bytes(self.export())

    def export(self) -> bytes:
        return CHUNKS.dump_json(self.chunks)

    def restore(self, data: bytes) -> int:
        """Take over the index of another instance."""
        self.chunks = CHUNKS.validate_json(data)
        self.save()
        return len(self.chunks)
