"""Files that are damaged at random: each has a verdict, none raises, none takes long, and a payload in front of the damage is found."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import time

import pytest
from pickle_assembler import PAYLOAD, RUN, Code, build, call, examined, name, new, pickled, value
from test_containers import PACKED, npy, seven, tarred, zipped
from test_embedded_code import function
from test_pickles import wrapper

from headwater import limits

ESTIMATOR = build(new(name("sklearn.svm._classes", "SVC")), {"C": 1.0, "gamma": "scale", "names": ["a", "b"], 3: (1, 2, None), "n": 2**30})
SEEDS = [
    PAYLOAD,
    pickled(ESTIMATOR),
    pickled(ESTIMATOR) + pickled([1, 2]) + PAYLOAD,
    pickled(function(("numpy", "log1p"))),
    b"\x80\x04}" + b"\x8c\x01w" + value(wrapper((2,), "f8")) + b"\1" * 16 + b"s.",
    b"(dp0\nS'a'\np1\nI1\nsV\\u20acb\np2\nF1.5\nsL12L\n(lp3\ns.",
    pickled(
        call(
            name("torch._utils", "_rebuild_tensor_v2"),
            Code(value(("storage", name("torch", "FloatStorage"), "0", "cpu", 4)) + b"Q"),
            0,
            (4,),
            (1,),
        )
    ),
    zipped({"m/data.pkl": pickled(ESTIMATOR), "m/data/0": b"\0" * 64, "m/version": b"3\n"}),
    zipped({"m/code/__torch__/m.py": b"def f(x):\n  return torch.relu(x)\n", "m/data.pkl": pickled(1)}),
    zipped({"a.npy": npy("'<f8'", "(2,)", b"\0" * 16), "handler.py": b"import os\n"}),
    tarred({"a/model.pkl": pickled(ESTIMATOR), "b" * 120: b"x" * 600}, links={"c": "a/model.pkl"}),
    gzip.compress(tarred({"model.pkl": PAYLOAD})),
    bz2.compress(pickled(ESTIMATOR)),
    lzma.compress(pickled(ESTIMATOR)),
    PACKED["lz4"](pickled(ESTIMATOR)),
    PACKED["7z lzma2"](pickled(ESTIMATOR)),
    seven(pickled(ESTIMATOR), b"\0", pickled(ESTIMATOR)),
    npy("'|O'", "(1,)", pickled(ESTIMATOR)),
]
ROUNDS = 60


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes flipped, cut out, doubled, taken from another file."""
    raw = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        if not raw:
            break
        at = chance.randrange(len(raw))
        kind = chance.randrange(6)
        if kind == 0:
            raw[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            raw[at] = chance.choice(b"\0\x7f\x80\xff.RobcituaeQ\x81\x93\x94\x95")
        elif kind == 2:
            del raw[at : at + chance.randint(1, 40)]
        elif kind == 3:
            del raw[at:]
        elif kind == 4:
            raw[at:at] = raw[at : at + chance.randint(1, 60)]
        else:
            other = chance.choice(SEEDS)
            begin = chance.randrange(len(other))
            raw[at:at] = other[begin : begin + chance.randint(1, 200)]
    return bytes(raw)


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_damage_costs_a_verdict_and_nothing_else(number) -> None:
    chance = random.Random(number)
    begin = time.process_time()
    for _ in range(ROUNDS):
        data = damaged(SEEDS[number], chance)
        for result in examined(data, "m.pkl"):
            assert not [one for one in result.concerns if one.check in ("unreadable", "nesting", "memory")], (data, result.concerns)
    assert time.process_time() - begin < 20, "bounded work"


@pytest.mark.parametrize("number", range(40))
def test_what_ran_before_the_damage_is_found(number) -> None:
    chance = random.Random(number)
    front = b"\x80\x04" + value(RUN)
    tail = bytes(chance.randrange(256) for _ in range(chance.randint(0, 200)))
    assert examined(front + tail, "m.pkl")[0].verdict == "malicious"


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04" + b"N" * 2_200_000 + b".",
        b"\x80\x04" + b"]\x94" * 300_000 + b".",
        b"\x80\x04" + b"h\0" * 1000 + b".",
        b"\x80\x04(" * 100_000,
        b"\x80\x04B\xff\xff\xff\xff",
        b"\x80\x04\x8e" + b"\xff" * 8,
        b"\x80\x04N" + b"r\xff\xff\xff\xff" * 100 + b".",
        b"I" + b"9" * 100_000 + b"\n.",
        b"\x80\x02\x8b\xff\xff\xff\x7f",
        b"\x80\x04" + b"\x8c\x02os\x8c\x06system\x93" * 20_000 + b".",
        pickled(1) * 12_000,
        pickled(1) + b"c" * 2_000_000,
        pickled(1) + b"\x80\x04\x95" * 100_000,
        b"PK\3\4" * 200_000,
        b"PK\5\6" * 10_000,
        b"\x93NUMPY\x01\x00\x10\0" + b"[" * 16 + b"(" * 100_000,
        b"7z\xbc\xaf\x27\x1c\0\4" + b"\0\0\0\0" + b"\0" * 8 + b"\x20" + b"\0" * 11 + b"\x01\x05\xff" + b"\xff" * 29,
    ],
    ids=range(17),
)
def test_what_asks_for_much_gets_a_bound(data) -> None:
    begin = time.process_time()
    results = examined(data, "m.pkl")
    assert results
    assert time.process_time() - begin < 15


def test_trials_of_a_whole_file_have_one_bound(monkeypatch) -> None:
    monkeypatch.setattr(limits, "MODEL_PICKLE_TRIALS", 50_000)
    hard = b"\x80\x04]" + b"N0" * 30_000
    data = pickled(1) + b"\xff" + hard * 40
    (result, *_) = examined(data, "m.pkl")
    assert "pickle-trials" in {one.check for one in result.concerns}
    assert result.verdict == "inconclusive"


def test_opcodes_of_a_whole_file_have_one_bound(monkeypatch) -> None:
    monkeypatch.setattr(limits, "MODEL_PICKLE_STEPS", 30_000)
    many = zipped({f"{number}.pkl": b"\x80\x04" + b"N0" * 8_000 + b"N." for number in range(6)})
    verdicts = [one.verdict for one in examined(many) if one.format == "pickle"]
    assert verdicts.count("clean") == 1
    assert verdicts.count("inconclusive") == 5
