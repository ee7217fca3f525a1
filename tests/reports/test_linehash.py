"""The line hash agrees with the one of GitHub's upload action; the values are those of its own tests."""

from __future__ import annotations

import random

import pytest

from headwater.reports.linehash import hashes

ENDED = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (" a\nb\n  \t\tc\n d", ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]),
        (
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
            [
                "8b7cf3e952e7aeb2:1",
                "b1ae1287ec4718d9:1",
                "bff680108adb0fcc:1",
                "c6805c5e1288b612:1",
                "b86d3392aea1be30:1",
                "e6ceba753e1a442:1",
            ],
        ),
        (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", ENDED),
        (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", ENDED),
        (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", ENDED),
        (" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", ENDED),
        (
            "Lorem ipsum dolor sit amet.\n" * 10,
            [
                *(f"a7f2ff13bc495cf2:{number}" for number in range(1, 7)),
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
        (
            "x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n",
            [
                "e54938cc54b302f1:1",
                "bb609acbe9138d60:1",
                "1131fd5871777f34:1",
                "5c482a0f8b35ea28:1",
                "54517377da7028d2:1",
                "2c644846cb18d53e:1",
                "f1b89f20de0d133:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
    ],
)
def test_known_hashes(text: str, wanted: list[str]) -> None:
    assert hashes(text.encode()) == wanted


def rolling(text: str) -> list[str]:
    """The same hash by its definition as a rolling one, character by character."""
    data = text.encode("utf-16-le")
    units = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]
    kept: list[tuple[int, bool]] = []
    line_start, after_cr = True, False
    for unit in [*units, 0xFFFF]:
        if unit in (0x20, 0x09) or (after_cr and unit == 0x0A):
            after_cr = False
            continue
        after_cr = unit == 0x0D
        unit = 0x0A if unit == 0x0D else unit
        kept.append((unit, line_start))
        line_start = unit == 0x0A
    found, seen = [], dict[str, int]()
    value, window = 0, [0] * 100
    padded = [*kept, *[(0, False)] * 100]
    for at, (unit, _) in enumerate(padded):
        if at >= 100 and padded[at - 100][1]:
            word = f"{value:x}"
            seen[word] = seen.get(word, 0) + 1
            found.append(f"{word}:{seen[word]}")
        value = (value * 37 + unit - window[at % 100] * 37**100) % 2**64
        window[at % 100] = unit
    return found


@pytest.mark.parametrize("seed", range(30))
def test_agrees_with_the_rolling_hash(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice(["a", "b", "é", "波", "🌊", " ", "\t", "\r", "\n", "\r\n", "\ufeff", "x" * 30]) for _ in range(400))
    assert hashes(text.encode()) == rolling(text)
