"""LZ4 frames, unpacked without a library: the format is simple, and what joblib writes with it is small."""

from __future__ import annotations

from typing import Final

MAGIC: Final = b"\x04\x22\x4d\x18"
_SIZES: Final = {4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22}


def _longer(data: bytes, at: int, count: int) -> tuple[int, int]:
    """A length that goes on in the bytes from ``at`` on, and where these end."""
    while True:
        more = data[at]
        at += 1
        count += more
        if more != 255:
            return count, at


def block(data: bytes, history: bytearray, limit: int) -> bytearray:
    """One block. ``history`` is what came before it, to which a block may point back."""
    out = bytearray(history)
    begin = len(out)
    at, end = 0, len(data)
    while at < end:
        token = data[at]
        at += 1
        count = token >> 4
        if count == 15:
            count, at = _longer(data, at, count)
        if at + count > end:
            raise ValueError("a literal runs over the end")
        out += data[at : at + count]
        at += count
        if at >= end:
            break
        back = data[at] | data[at + 1] << 8
        at += 2
        count = (token & 15) + 4
        if count == 19:
            count, at = _longer(data, at, count)
        start = len(out) - back
        if back == 0 or start < 0 or len(out) - begin + count > limit:
            raise ValueError("a match points nowhere")
        if back >= count:
            out += out[start : start + count]
        else:
            piece = bytes(out[start:])
            out += (piece * (count // back + 1))[:count]
    return out[begin:]


class Decompressor:
    """A frame, by the interface of the decompressors of the standard library."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._limit = 0
        self._history = bytearray()
        self._flags = 0
        self.eof = False
        self.unused_data = b""
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        self._held += data
        out = bytearray()
        try:
            while not self.eof and (max_length < 0 or len(out) < max_length):
                piece = self._next()
                if piece is None:
                    self.needs_input = True
                    return bytes(out)
                out += piece
        except IndexError:
            raise ValueError("a block ends in the middle") from None
        self.needs_input = self.eof
        return bytes(out)

    def _next(self) -> bytes | bytearray | None:
        """What the next part of the frame unpacks to; None where more of it must be read first."""
        held = self._held
        if not self._limit:
            return self._header()
        if len(held) < 4:
            return None
        size = int.from_bytes(held[:4], "little")
        if size == 0:
            trailer = 8 if self._flags & 4 else 4
            if len(held) < trailer:
                return None
            self.unused_data = bytes(held[trailer:])
            held.clear()
            self.eof = True
            return b""
        plain, size = size >> 31, size & 0x7FFFFFFF
        if size > self._limit + 64:
            raise ValueError("a block is longer than it may be")
        whole = 4 + size + (4 if self._flags & 16 else 0)
        if len(held) < whole:
            return None
        raw = bytes(held[4 : 4 + size])
        del held[:whole]
        linked = not self._flags & 32
        piece = bytearray(raw) if plain else block(raw, self._history if linked else bytearray(), self._limit)
        if linked:
            self._history = (self._history + piece)[-(1 << 16) :]
        return piece

    def _header(self) -> bytes | None:
        held = self._held
        if len(held) < 7:
            return None
        if held[:4] != MAGIC or held[4] >> 6 != 1:
            raise ValueError("no frame of LZ4")
        self._flags = held[4]
        size = 7 + (8 if self._flags & 8 else 0) + (4 if self._flags & 1 else 0)
        if len(held) < size:
            return None
        limit = _SIZES.get(held[5] >> 4 & 7)
        if limit is None:
            raise ValueError("a size of blocks that there is not")
        del held[:size]
        self._limit = limit
        return b""
