"""The binary framing of AWS's event streams: length, headers, payload, and a checksum over each."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

TEXT_VALUE = 7


def frame(event: str, payload: bytes, kind: str = "application/json") -> bytes:
    """One event."""
    return _frame({":event-type": event, ":content-type": kind, ":message-type": "event"}, payload)


def _frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    packed = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", TEXT_VALUE, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return body + struct.pack("!I", zlib.crc32(body))
