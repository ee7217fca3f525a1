"""What the symbolic machine says of a pickle: each opcode as an unpickler runs it, and the words of the result."""

from __future__ import annotations

import base64
import collections
import datetime
import decimal
import io
import pickle
import pickletools
import struct
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pickle_assembler import (
    HARMLESS_COMMAND,
    PAYLOAD,
    RUN,
    STOP,
    SYSTEM,
    Code,
    build,
    call,
    checks,
    examined,
    name,
    new,
    old_name,
    pickled,
    said,
    text,
    value,
    verdict,
)

from headwater.modelfiles.blob import BytesBlob
from headwater.modelfiles.pickles.machine import ACTS, Machine
from headwater.modelfiles.pickles.reader import Reader
from headwater.modelfiles.pickles.render import render
from headwater.modelfiles.pickles.stream import Silent

ESTIMATOR = name("sklearn.linear_model._logistic", "LogisticRegression")


def test_every_opcode_of_python_is_known() -> None:
    known = {code for code, act in enumerate(ACTS) if act is not None} | {ord(".")}
    assert known == {ord(one.code) for one in pickletools.opcodes}


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(plain, st.integers(0, 5))
def test_plain_data_are_read_as_python_reads_them(data, protocol) -> None:
    raw = pickle.dumps(data, protocol=protocol)
    machine = Machine(Reader(BytesBlob(raw)), Silent(), 10**6)
    shown = render(machine.run())
    if protocol >= 3 and len(shown) < 300 and "..." not in shown:
        assert eval(shown, {"__builtins__": {}}) == data  # what was written by render() of plain data made here
    assert verdict(raw) == "clean"


@pytest.mark.parametrize("protocol", range(6))
def test_what_python_pickles_of_its_own_is_clean(protocol) -> None:
    values = [
        {1, 2}, frozenset("ab"), bytearray(b"xyz"), complex(1, 2), slice(1, 2), range(5), collections.OrderedDict(a=1),
        collections.defaultdict(list, a=[1]), collections.Counter("aab"), collections.deque([1], 3), datetime.datetime(2026, 1, 1),
        datetime.timedelta(1), decimal.Decimal("1.5"), uuid.UUID(int=7), b"bytes", int, ValueError("x"),
    ]  # fmt: skip
    for one in values:
        assert verdict(pickle.dumps(one, protocol=protocol)) == "clean", one


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("GLOBAL and REDUCE", pickled(call(old_name("posix", "system"), HARMLESS_COMMAND))),
        ("STACK_GLOBAL and REDUCE", PAYLOAD),
        ("INST", b"(" + text(HARMLESS_COMMAND) + b"iposix\nsystem\n."),
        ("OBJ", b"\x80\x02(" + SYSTEM.opcodes + text(HARMLESS_COMMAND) + b"o."),
        ("NEWOBJ", pickled(new(name("subprocess", "Popen"), HARMLESS_COMMAND))),
        ("NEWOBJ_EX", b"\x80\x04" + name("subprocess", "Popen").opcodes + value((HARMLESS_COMMAND,)) + value({"shell": True}) + b"\x92."),
        ("a name of Python 2", b"c__builtin__\neval\n(S'1'\ntR."),
        ("a module of Python 2", b"ccommands\ngetoutput\n(S'id'\ntR."),
        ("arguments from the memo", b"\x80\x04" + text(HARMLESS_COMMAND) + b"\x94\x85\x940" + SYSTEM.opcodes + b"h\x01R."),
        ("by DUP", b"\x80\x04" + SYSTEM.opcodes + b"2" + value((HARMLESS_COMMAND,)) + b"R0."),
        ("a frame that lies about its length", b"\x80\x04\x95\xff\0\0\0\0\0\0\0" + value(RUN) + STOP),
        ("a protocol that is too low for its opcodes", b"\x80\x00" + value(RUN) + STOP),
        ("no protocol at all", value(RUN) + STOP),
        ("no end", b"\x80\x04" + value(RUN)),
        ("as the key of a dict", b"\x80\x04}" + value(RUN) + b"Ks."),
        ("as an id of the loader's", b"\x80\x04" + value(RUN) + b"Q."),
        ("in a set", b"\x80\x04\x8f(" + value(RUN) + b"\x90."),
        ("behind five million bytes", b"\x80\x04B" + struct.pack("<I", 5_000_000) + b"\0" * 5_000_000 + b"0" + value(RUN) + STOP),
        ("through getattr", pickled(call(call(name("builtins", "getattr"), name("os", "path"), "system"), "x"))),
        ("by copyreg", pickled(call(name("copyreg", "__newobj__"), name("subprocess", "Popen"), "id"))),
        (
            "by a reconstructor with a base that acts",
            pickled(call(name("copyreg", "_reconstructor"), ESTIMATOR, name("subprocess", "Popen"), ["id"])),
        ),
        (
            "through a subclass of a tensor",
            pickled(call(name("torch._tensor", "_rebuild_from_type_v2"), SYSTEM, name("torch", "Tensor"), ("id",), {})),
        ),
        ("through an array of dill", pickled(call(name("dill._dill", "_create_array"), SYSTEM, ("id",), None, None))),
        ("through a name that numpy looks up", pickled(call(name("numpy.core", "_ufunc_reconstruct"), "os", "system"))),
        ("into a partial", pickled(build(call(name("functools", "partial"), name("builtins", "len")), (SYSTEM, ("id",), {}, None)))),
        ("as a partial that is called", pickled(call(call(name("functools", "partial"), name("numpy", "log1p")), 1))),
        ("as a factory", pickled(call(name("collections", "defaultdict"), SYSTEM))),
        ("as an attribute of an estimator", pickled(build(new(ESTIMATOR), {"func": SYSTEM}))),
        ("into an object of a library", b"\x80\x04" + name("os", "environ").opcodes + text("PATH") + text("/tmp") + b"s."),
    ],
)
def test_a_payload_is_found(what, data) -> None:
    assert verdict(data) == "malicious", what


def test_the_call_is_written_as_python() -> None:
    nested = call(name("builtins", "eval"), call(name("builtins", "compile"), "1+1", "x", "eval"), {"a": [1, 2.5, None]})
    assert "eval(compile('1+1', 'x', 'eval'), {'a': [1, 2.5, None]})" in said(pickled(nested))
    assert "Loading it with pickle calls os.system('touch /tmp/marker'): os.system runs a program." in said(pickled(RUN))
    assert "Loading it with torch.load(weights_only=False) calls" in said(pickled(RUN), "m.pt")


def test_classes_and_functions_that_no_list_has_are_told_apart() -> None:
    assert verdict(pickled(new(name("mycompany.models", "Ranker")))) == "review"
    assert verdict(pickled(call(name("mycompany.models", "Ranker"), 1))) == "review"
    assert verdict(pickled(name("mycompany.models", "rank"))) == "review"
    assert verdict(pickled(call(name("mycompany.models", "rank"), 1))) == "malicious"
    assert verdict(pickled(call(name("mycompany.models", "Ranker.rank"), 1))) == "malicious"


def test_a_class_may_be_made_and_not_called() -> None:
    assert verdict(pickled(build(new(ESTIMATOR), {"C": 1.0}))) == "clean"
    assert verdict(pickled(call(ESTIMATOR, 1))) == "review"


@pytest.mark.parametrize(
    "data",
    [
        pickled(build(name("numpy", "mean"), {"x": 1})),
        pickled(build(ESTIMATOR, {"predict": SYSTEM})),
        pickled(build(ESTIMATOR, {"predict": 1})),
    ],
)
def test_state_that_is_built_into_a_name_changes_the_process(data) -> None:
    assert "pickle-changes-global" in checks(data)
    assert verdict(data) == "malicious"


def test_the_text_that_scipy_runs_is_looked_at() -> None:
    kind = new(name("scipy.stats._continuous_distns", "norm_gen"))
    own = (
        "\ndef _parse_args(self, a, loc=0, scale=1):\n    return (a, ), loc, scale\n\n"
        "def _parse_args_rvs(self, a, loc=0, scale=1, size=None):\n    return self._argcheck_rvs(a, loc, scale, size=size)\n\n"
        "def _parse_args_stats(self, a, loc=0, scale=1, moments='mv'):\n    return (a, ), loc, scale, moments\n"
    )
    assert verdict(pickled(build(kind, {"_parse_arg_template": own}))) == "clean"
    assert verdict(pickled(build(kind, {"_parse_arg_template": own + "import os\n"}))) == "malicious"
    twice = Code(b"}(" + text("_parse_arg_template") + text(own) + text("_parse_arg_template") + text("import os") + b"u")
    assert verdict(pickled(build(kind, twice))) == "malicious"
    many = {**{f"k{number}": 1 for number in range(300)}, "_parse_arg_template": "import os"}
    assert verdict(pickled(build(kind, many))) == "malicious"
    assert verdict(pickled(build(kind, call(name("collections", "OrderedDict"), [("_parse_arg_template", "import os")])))) == "malicious"


def test_pickles_one_behind_the_other() -> None:
    ok = pickled({"a": 1})
    assert verdict(ok + ok + ok) == "clean"
    assert verdict(ok + b"\0" * 4096 + ok) == "clean"
    assert verdict(ok + PAYLOAD) == "malicious"
    assert verdict(ok + b"some words between\n" + PAYLOAD) == "malicious"
    assert verdict(ok + b"\x00\x01\x02\xff" * 500 + value(RUN) + STOP) == "malicious"
    assert verdict(ok + b"cposix\nsystem\n(S'id'\ntR.") == "malicious"
    assert verdict(ok + b"\xfe\xdc\xba" * 9) == "inconclusive"


def test_what_is_cut_or_broken_is_never_clean() -> None:
    whole = pickled(build(new(ESTIMATOR), {"C": 1.0, "coef": b"x" * 300}))
    for cut in range(12, len(whole) - 1, 7):
        assert verdict(whole[:cut], "m.pkl") == "inconclusive", cut
    assert verdict(whole[:-1] + b"\xff.") == "inconclusive"


def test_pickles_in_strings() -> None:
    for inner in (PAYLOAD, base64.b64encode(PAYLOAD).decode(), b"cposix\nsystem\n(S'id'\ntR."):
        assert "pickle-nested" in checks(pickled({"state": inner})), inner
    assert verdict(pickled({"state": pickled(7)})) == "clean"
    twice = pickled({"state": pickled({"state": PAYLOAD})})
    assert verdict(twice) == "malicious"


def test_bytes_that_the_loader_loads_are_a_file_of_their_own() -> None:
    storage = name("torch.storage", "_load_from_bytes")
    assert verdict(pickled(call(storage, pickled({"a": 1})))) == "clean"
    results = examined(pickled(call(storage, PAYLOAD)))
    assert [one.verdict for one in results][-1] == "malicious"
    assert verdict(pickled(call(name("pickle", "loads"), pickled(1)))) == "malicious"


def test_extensions_and_ids() -> None:
    assert verdict(b"\x80\x02\x82\x05.") == "review"
    assert verdict(b"\x80\x02\x82\x05)R.") == "malicious"
    storage = b"\x80\x02" + value(("storage", name("torch", "FloatStorage"), "0", "cpu", 4)) + b"Q."
    assert verdict(storage) == "clean"


def test_enum_members_by_python_3_11() -> None:
    kind = name("transformers.trainer_utils", "IntervalStrategy")
    assert verdict(pickled(call(kind, "steps"))) == "clean"
    assert verdict(pickled(call(name("builtins", "getattr"), kind, "STEPS"))) == "clean"
    assert verdict(pickled(call(name("builtins", "getattr"), kind, "__init_subclass__"))) == "malicious"


def test_containers_that_run_objects_when_they_are_made() -> None:
    assert verdict(pickled(call(name("builtins", "list"), new(name("torch.utils.data.dataset", "TensorDataset"))))) == "review"
    assert verdict(pickled(call(name("builtins", "set"), [1, 2]))) == "clean"


def test_a_name_that_is_no_module_of_python_is_an_error_of_the_loader() -> None:
    data = pickled({"a": 1, "b": [1, 2, 3, 4]})[:-1] + b"c../../etc\nx y\n."
    assert verdict(data) == "inconclusive"


def test_text_is_no_pickle() -> None:
    for words in (
        "I am a text.\n",
        "Version 1.0\nnotes\n",
        "(see below)\n",
        "N.B. this\n",
        "config\nname\nvalue\n",
        "]\n",
        "import os\nos.system('x')\n",
    ):
        (result, *_) = examined(words.encode())
        assert result.format == "unknown", words


def test_files_of_torch_before_1_6() -> None:
    first = [b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", pickled(1001, 2), pickled({"little_endian": True}, 2)]
    key = value(("storage", name("torch", "FloatStorage"), "7", "cpu", 3, None)) + b"Q"
    tensor = call(name("torch._utils", "_rebuild_tensor_v2"), Code(key), 0, (3,), (1,), False, call(name("collections", "OrderedDict")))
    data = b"".join(first) + pickled({"w": tensor}) + pickled(["7"]) + struct.pack("<q", 3) + b"\x80\x04\x00\x00" * 3
    assert verdict(data) == "clean"
    assert verdict(data[:-4]) == "inconclusive"
    assert verdict(data + PAYLOAD) == "malicious"
    assert verdict(b"".join(first) + pickled({"w": RUN}) + pickled([])) == "malicious"
    module = value(("module", name("torch.nn.modules.linear", "Linear"), "linear.py", "source")) + b"Q"
    assert verdict(b"".join(first) + pickled(build(new(Code(module)), {"training": True})) + pickled([])) == "clean"


def wrapper(shape: tuple[int, ...], kind: str, padded: bool = False) -> Code:
    state = {
        "subclass": name("numpy", "ndarray"),
        "shape": shape,
        "order": "C",
        "dtype": call(name("numpy", "dtype"), kind, False, True),
        "allow_mmap": True,
        **({"numpy_array_alignment_bytes": 16} if padded else {}),
    }
    return build(new(name("joblib.numpy_pickle", "NumpyArrayWrapper")), state)


def test_arrays_of_joblib_are_passed_over() -> None:
    numbers = b"\xff.\x80R" * 4
    inside = b"\x80\x04}" + text("w") + value(wrapper((2,), "f8")) + numbers + b"s" + text("n")
    assert verdict(inside + value(1) + b"s.") == "clean"
    assert verdict(inside + value(RUN) + b"s.") == "malicious"
    assert (
        verdict(b"\x80\x04" + value(wrapper((2, 2), "U5", padded=True)) + b"\x03\xff\xff\xff" + b"\xee" * 80 + b"0" + value(RUN) + STOP)
        == "malicious"
    )
    assert verdict(b"\x80\x04" + value(wrapper((1,), "O8")) + PAYLOAD + STOP) == "malicious"
    assert verdict(b"\x80\x04" + value(wrapper((1,), "O8")) + pickled([1]) + STOP) == "clean"
    assert verdict(b"\x80\x04" + value(wrapper((2,), "?X")) + STOP) == "inconclusive"
    assert verdict(b"\x80\x04" + value(wrapper((9,), "f8")) + b"\xff" * 8 + value(RUN) + STOP.ljust(64, b"x") + STOP) == "malicious", (
        "wherever it stands in the array"
    )


def test_bytes_of_an_array_that_are_opcodes_for_pickle() -> None:
    hidden = (value(RUN) + STOP).ljust(64, b"\0")
    data = b"\x80\x04" + value(wrapper((8,), "f8")) + hidden + STOP
    assert verdict(data, "m.joblib") == "malicious"
    assert "instead of joblib" in said(data, "m.joblib")


def test_self_reference_and_depth_cost_nothing() -> None:
    itself = b"\x80\x04]\x94h\0a" + SYSTEM.opcodes + b"h\0\x85R."
    assert verdict(itself) == "malicious"
    assert verdict(b"\x80\x04" + b"(" * 20_000 + b"N" + b"t" * 20_000 + b".") == "clean"
    assert verdict(b"\x80\x04N" + b"\x85" * 200_000 + b".") == "clean"


def test_nothing_is_ever_executed(tmp_path, monkeypatch) -> None:
    target = tmp_path / "marker"
    data = pickled(call(name("builtins", "exec"), f"open({str(target)!r}, 'w').close()"))
    assert verdict(data) == "malicious"
    with pytest.raises(ImportError):
        pickle.Unpickler(io.BytesIO(pickled(name("no_such_module_here", "x")))).load()
    assert not target.exists()


@pytest.mark.parametrize(
    "data",
    [
        pickled(new(name("numpy", "memmap"), "/tmp/marker", "uint8", "w+")),
        pickled(call(name("pandas.core.indexes.base", "_new_Index"), name("subprocess", "Popen"), {"args": "id"})),
        pickled(call(name("sklearn.neighbors._kd_tree", "newObj"), name("subprocess", "Popen"))),
        pickled(call(name("numpy.ma.core", "_mareconstruct"), name("numpy", "memmap"), name("numpy", "ndarray"), (0,), "b")),
        pickled(build(call(name("logging", "getLogger"), "root"), {"disabled": True})),
        pickled(call(name("builtins", "getattr"), new(name("pandas", "DataFrame")), "to_csv")),
        pickled(name("pandas", "DataFrame.to_pickle")),
        pickled(call(name("cloudpickle.cloudpickle", "_builtin_type"), "eval")),
        pickled(call(call(name("cloudpickle.cloudpickle", "_builtin_type"), "eval"), "1")),
    ],
)
def test_a_listed_name_is_no_way_around_the_lists(data) -> None:
    assert verdict(data) in ("malicious", "review")


def test_constants_of_torch_are_found_through_any_library() -> None:
    assert verdict(pickled(name("sklearn.externals.array_api_compat", "torch.channels_last"))) == "clean"
    assert verdict(pickled(name("mycompany", "torch.channels_last"))) == "malicious"
    assert verdict(pickled(name("sklearn.externals.array_api_compat", "torch.load"))) == "malicious"


def test_losses_of_scikit_learn_are_named_without_their_package() -> None:
    loss = call(name("_loss", "__pyx_unpickle_CyHalfBinomialLoss"), name("_loss", "CyHalfBinomialLoss"), 1, None)
    assert verdict(pickled(loss)) == "clean"
    assert verdict(pickled(call(name("_loss", "other"), 1))) == "malicious"
