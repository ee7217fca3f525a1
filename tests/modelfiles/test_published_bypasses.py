"""Each way past other scanners that was published, as a file that must not pass here."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest
from pickle_assembler import (
    HARMLESS_COMMAND,
    PAYLOAD,
    RUN,
    STOP,
    SYSTEM,
    Code,
    build,
    call,
    name,
    old_name,
    pickled,
    text,
    value,
    verdict,
)

GHSA = "https://github.com/advisories/GHSA-"
CVE = "https://nvd.nist.gov/vuln/detail/CVE-"
ISSUES = "https://github.com/"

CALLS = [
    (f"{CVE}2025-1716", "pip", "main", (["install", "evil"],)),
    (f"{GHSA}q77w-mwjj-7mqx", "asyncio.unix_events", "_UnixSubprocessTransport._start", ({}, HARMLESS_COMMAND, True)),
    (f"{CVE}2025-10157", "asyncio.unix_events", "_UnixSubprocessTransport._start", ({}, HARMLESS_COMMAND, True)),
    (f"{GHSA}v7x6-rv5q-mhwc", "timeit", "timeit", ("1",)),
    (f"{GHSA}49gj-c84q-6qm9", "cProfile", "runctx", ("1", {}, {})),
    (f"{GHSA}9w88-8rmg-7g2p", "cProfile", "run", ("1",)),
    (f"{GHSA}x696-vm39-cp64", "profile", "Profile.run", (None, "1")),
    (f"{GHSA}6vqj-c2q5-j97w", "profile", "Profile.runctx", (None, "1", {}, {})),
    (f"{GHSA}5qwp-399c-mjwf", "trace", "Trace.run", (None, "1")),
    (f"{GHSA}g344-hcph-8vgg", "trace", "Trace.runctx", (None, "1", {}, {})),
    (f"{GHSA}cj3c-v495-4xqh", "code", "InteractiveInterpreter.runcode", (None, "1")),
    (f"{GHSA}fqq6-7vqf-w3fg", "doctest", "debug_script", ("1",)),
    (f"{GHSA}xp4f-hrf8-rxw7", "ensurepip", "_run_pip", (["install", "evil"],)),
    (f"{GHSA}m869-42cg-3xwr", "idlelib.pyshell", "ModifiedInterpreter.runcode", (None, "1")),
    (f"{GHSA}j343-8v2j-ff7w", "idlelib.pyshell", "ModifiedInterpreter.runcommand", (None, "1")),
    (f"{GHSA}3gf5-cxq9-w223", "idlelib.run", "Executive.runcode", (None, "1")),
    (f"{GHSA}6w4w-5w54-rjvr", "idlelib.autocomplete", "AutoComplete.get_entity", (None, "1")),
    (f"{GHSA}7cq8-mj8x-j263", "idlelib.autocomplete", "AutoComplete.fetch_completions", (None, "1", 1)),
    (f"{GHSA}8r4j-24qv-fmq9", "idlelib.calltip", "Calltip.fetch_tip", (None, "1")),
    (f"{GHSA}9xph-j2h6-g47v", "idlelib.calltip", "get_entity", ("1",)),
    (f"{GHSA}3vg9-h568-4w9m", "idlelib.debugobj", "ObjectTreeItem.SetText", (None, "1")),
    (f"{GHSA}f54q-57x4-jg88", "lib2to3.pgen2.grammar", "Grammar.loads", (None, b"x")),
    (f"{GHSA}p9w7-82w4-7q8m", "lib2to3.pgen2.pgen", "ParserGenerator.make_label", (None, None, "'1'")),
    (f"{GHSA}4whj-rm5r-c2v8", "torch.utils.bottleneck.__main__", "run_autograd_prof", ("1", {})),
    (f"{ISSUES}mmaitre314/picklescan/security", "torch.jit.unsupported_tensor_ops", "execWrapper", ("1", {}, {})),
    (f"{ISSUES}mmaitre314/picklescan/security", "torch._dynamo.guards", "GuardBuilder.get", (None, "1")),
    (
        f"{ISSUES}mmaitre314/picklescan/security",
        "torch.fx.experimental.symbolic_shapes",
        "ShapeEnv.evaluate_guards_expression",
        (None, "1", []),
    ),
    (f"{ISSUES}mmaitre314/picklescan/security", "torch.utils._config_module", "ConfigModule.load_config", (None, b"x")),
    (f"{ISSUES}mmaitre314/picklescan/security", "torch.utils.collect_env", "run", (HARMLESS_COMMAND,)),
    (f"{ISSUES}mmaitre314/picklescan/security", "torch._inductor.codecache", "compile_file", ("", "", ["sh"])),
    (f"{ISSUES}mmaitre314/picklescan/security", "numpy.testing._private.utils", "runstring", ("1", {})),
    (f"{ISSUES}mmaitre314/picklescan/security", "numpy.f2py.crackfortran", "getlincoef", ("1", {})),
    (f"{ISSUES}mmaitre314/picklescan/security", "distutils.file_util", "write_file", ("/tmp/marker", ["x"])),
    (f"{ISSUES}mmaitre314/picklescan/security", "_io", "FileIO", ("/tmp/marker", "w")),
    (f"{ISSUES}mmaitre314/picklescan/security", "logging", "FileHandler", ("/tmp/marker",)),
    (f"{ISSUES}mmaitre314/picklescan/security", "urllib.request", "urlopen", ("http://localhost",)),
    (f"{ISSUES}mmaitre314/picklescan/security", "ssl", "get_server_certificate", (("localhost", 1),)),
    (f"{GHSA}m273-6v24-x4m4", "_operator", "methodcaller", ("system", "x")),
    (f"{GHSA}955r-x9j8-7rhh", "_operator", "attrgetter", ("system",)),
    (f"{GHSA}46h3-79wf-xr6c", "operator", "methodcaller", ("system", "x")),
    (f"{GHSA}vvpj-8cmc-gx39", "pkgutil", "resolve_name", ("os:system",)),
    (f"{CVE}2026-56315", "_aix_support", "_read_cmd_output", (HARMLESS_COMMAND,)),
    (f"{CVE}2026-56315", "_osx_support", "_read_output", (HARMLESS_COMMAND,)),
    (f"{CVE}2026-56315", "_pyrepl.pager", "pipe_pager", ("x", HARMLESS_COMMAND)),
    (f"{CVE}2026-56315", "imaplib", "IMAP4_stream", (HARMLESS_COMMAND,)),
    (f"{CVE}2026-56315", "uuid", "_get_command_stdout", (HARMLESS_COMMAND,)),
    (f"{ISSUES}mmaitre314/picklescan/issues/66", "importlib", "import_module", ("os",)),
    (f"{ISSUES}mmaitre314/picklescan/issues/66", "builtins", "__import__", ("os",)),
    (f"{ISSUES}mmaitre314/picklescan/issues/66", "multiprocessing.util", "spawnv_passfds", (b"/bin/true", [b"true"], ())),
    (f"{GHSA}565g-hwwr-4pp3", "marshal", "loads", (b"\xe3",)),
    (f"{GHSA}565g-hwwr-4pp3", "types", "FunctionType", (None, {})),
    (f"{GHSA}r7v6-mfhq-g3m2", "pty", "spawn", ("/bin/true",)),
    (f"{GHSA}wfq2-52f7-7qvj", "runpy", "run_path", ("/tmp/x",)),
    (f"{GHSA}q5qq-mvfm-j35x", "os.path", "os.system", (HARMLESS_COMMAND,)),
    (f"{GHSA}p523-jq9w-64x9", "cProfile", "run", ("1",)),
    (f"{GHSA}5hvc-6wx8-mvv4", "ctypes", "CDLL", ("libc.so.6",)),
    (f"{CVE}2026-22608", "pydoc", "locate", ("os.system",)),
    (f"{CVE}2026-22612", "builtins", "eval", ("1",)),
    (f"{GHSA}h4rm-mm56-xf63", "builtins", "exec", ("1",)),
    (f"{GHSA}5hwf-rc88-82xm", "uuid", "_load_system_functions", ()),
    (f"{GHSA}5cxw-w2xg-2m8h", "platform", "popen", (HARMLESS_COMMAND,)),
    (f"{GHSA}r48f-3986-4f9c", "linecache", "getlines", ("/etc/passwd",)),
    (f"{GHSA}r48f-3986-4f9c", "gc", "get_objects", ()),
    (f"{GHSA}m6fh-58r7-x697", "difflib", "SequenceMatcher", ()),
    (f"{GHSA}5j3x-jp52-966f", "posixpath", "os.system", (HARMLESS_COMMAND,)),
    (f"{GHSA}6ggj-6f2q-f7mx", "_interpreters", "run_string", (1, "1")),
    (f"{GHSA}wccx-j62j-r448", "sys", "modules.get", ("os",)),
    (f"{ISSUES}protectai/modelscan/issues/269", "pandas", "read_pickle", ("http://localhost/x",)),
    (f"{ISSUES}protectai/modelscan/issues/338", "mlflow.projects.backend.local", "_run_entry_point", (HARMLESS_COMMAND,)),
    (f"{ISSUES}protectai/modelscan/issues/338", "pandas.io.parsers.readers", "read_csv", ("http://localhost/x",)),
    (f"{ISSUES}promptfoo/modelaudit/pull/626", "joblib", "load", ("/tmp/x",)),
    (f"{ISSUES}promptfoo/modelaudit/pull/1059", "configparser", "RawConfigParser.read", (None, "/etc/passwd")),
    (f"{ISSUES}promptfoo/modelaudit/pull/1061", "builtins", "str.format", ("{0.__class__}", 1)),
    (f"{ISSUES}promptfoo/modelaudit/pull/1216", "weakref", "finalize", (1, 2)),
]


@pytest.mark.parametrize(("address", "module", "attribute", "args"), CALLS, ids=[f"{one[1]}.{one[2]}" for one in CALLS])
@pytest.mark.parametrize("find", [name, old_name])
def test_a_callable_that_a_list_of_dangerous_names_did_not_have(address, module, attribute, args, find) -> None:
    assert verdict(pickled({"epoch": 3, "state": call(find(module, attribute), *args)})) in ("malicious", "review"), address


def zipped(members: dict[str, bytes], **options: object) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return file.getvalue()


def named_otherwise() -> bytes:
    """The directory calls the payload ``m/data.txt``, its own header ``m/data.pkl``."""
    data = zipped({"m/data.pkl": PAYLOAD, "m/version": b"3\n"})
    at = data.rfind(b"m/data.pkl")
    return data[:at] + b"m/data.txt" + data[at + 10 :]


def flagged() -> bytes:
    data = bytearray(zipped({"m/data.pkl": PAYLOAD}))
    data[6] |= 1
    data[data.find(b"PK\1\2") + 8] |= 1
    return bytes(data)


def wrong_sum() -> bytes:
    data = bytearray(zipped({"m/data.pkl": PAYLOAD}))
    data[14] ^= 255
    data[data.find(b"PK\1\2") + 16] ^= 255
    return bytes(data)


def tarred(member: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo(member)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


POPPED_CALL = b"\x80\x04(" + SYSTEM.opcodes + text(HARMLESS_COMMAND) + b"o0}."
COMPUTED = call(name("builtins", "str.join"), "", ["po", "six"])
FILES = [
    (f"{CVE}2025-1889", "an extension that is none of pickle's", PAYLOAD, "model.safetensors"),
    (f"{CVE}2025-10155", "a raw pickle called .bin", PAYLOAD, "pytorch_model.bin"),
    (f"{CVE}2025-1944", "other names in the directory", named_otherwise(), "m.pt"),
    (f"{CVE}2025-1945", "a flag that says encrypted", flagged(), "m.pt"),
    (f"{CVE}2025-10156", "a wrong checksum", wrong_sum(), "m.pt"),
    (f"{GHSA}9gvj-pp9x-gcfr", "an opcode that breaks the parser behind the payload", PAYLOAD[:-1] + b"\xff", "m.pkl"),
    (
        f"{ISSUES}mmaitre314/picklescan/issues/22",
        "names from the memo",
        b"\x80\x04"
        + text("posix")
        + b"\x94"
        + text("system")
        + b"\x940"
        + text("x")
        + b"00h\0h\1\x93"
        + value((HARMLESS_COMMAND,))
        + b"R.",
        "m.pkl",
    ),
    (
        "https://www.reversinglabs.com/blog/rl-identifies-malware-ml-model-hosted-on-hugging-face",
        "a broken pickle",
        PAYLOAD[:-1] + b"R",
        "m.pt",
    ),
    (
        f"{ISSUES}mmaitre314/picklescan/issues/66",
        "a name that is computed",
        pickled(call(Code(COMPUTED.opcodes + text("system") + b"\x93"), "x")),
        "m.pkl",
    ),
    (
        f"{ISSUES}protectai/modelscan/issues/331",
        "a name that is joined",
        pickled(call(Code(text("posix") + COMPUTED.opcodes + b"\x93"), "x")),
        "m.pkl",
    ),
    (
        f"{ISSUES}mmaitre314/picklescan/issues/66",
        "an entry of the registry of extensions",
        b"\x80\x02\x82\x01" + value((HARMLESS_COMMAND,)) + b"R.",
        "m.pkl",
    ),
    (f"{GHSA}mxhj-88fx-4pcv", "a call by OBJ whose result is popped", POPPED_CALL, "m.pkl"),
    (f"{GHSA}mhc9-48gj-9gp3", "a BUILD behind the call", pickled(build(RUN, {"a": 1})), "m.pkl"),
    (
        f"{GHSA}cffv-grgg-g429",
        "a function of a library that is allowed otherwise",
        pickled(call(name("torch.hub", "load"), "x/y", "z")),
        "m.pkl",
    ),
    (f"{GHSA}pc6j-px3p-rrj4", "INST", b"(" + b"Vx\n" + b"iposix\nsystem\n.", "m.pkl"),
    (f"{GHSA}fphw-536r-4p88", "the second pickle of a file", pickled({"a": 1}) + PAYLOAD, "m.pkl"),
    (
        f"{ISSUES}protectai/modelscan/issues/85",
        "BUILD on an object of numpy",
        pickled(build(name("numpy", "size"), (None, {"shape": name("numpy", "__builtins__")}))),
        "m.pkl",
    ),
    (
        f"{ISSUES}protectai/modelscan/issues/330",
        "BUILD, then a call through it",
        pickled(call(build(name("numpy", "size"), {"x": 1}), "eval")),
        "m.pkl",
    ),
    (f"{ISSUES}protectai/modelscan/issues/263", "a zip with bytes before it", b"\x7f" * 600 + zipped({"m/data.pkl": PAYLOAD}), "m.pt"),
    (
        f"{ISSUES}protectai/modelscan/pull/262",
        "objects in weights of numpy",
        zipped(
            {
                "weights.npy": b"\x93NUMPY\x01\x00\x46\0"
                + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(69)
                + b"\n"
                + PAYLOAD
            }
        ),
        "model.weights.npz",
    ),
    (f"{ISSUES}promptfoo/modelaudit/pull/518", "a decoy that is popped", b"\x80\x04" + text("decoy") + b"0" + value(RUN) + STOP, "m.pkl"),
    (f"{ISSUES}promptfoo/modelaudit/pull/581", "a pickle behind padding", pickled({"a": 1}) + b"\n" * 70 + PAYLOAD, "m.pkl"),
    ("https://arxiv.org/abs/2508.19774", "an exception behind the payload", PAYLOAD[:-1] + b"\x8b\xff\xff\xff\xff", "m.pkl"),
    ("https://arxiv.org/abs/2508.19774", "compressed by gzip", gzip.compress(PAYLOAD), "m.joblib"),
    ("https://arxiv.org/abs/2508.19774", "compressed by bzip2", bz2.compress(PAYLOAD), "m.joblib"),
    ("https://arxiv.org/abs/2508.19774", "compressed by xz", lzma.compress(PAYLOAD), "m.joblib"),
    ("https://arxiv.org/abs/2508.19774", "in a tar archive", tarred("model.pkl", PAYLOAD), "model.tar"),
    ("https://arxiv.org/abs/2508.19774", "in Base64", pickled({"state": base64.b64encode(PAYLOAD).decode()}), "m.pkl"),
]


@pytest.mark.parametrize(("address", "what", "data", "path"), FILES, ids=[one[1] for one in FILES])
def test_a_file_that_another_parser_reads_otherwise(address, what, data, path) -> None:
    assert verdict(data, path) in ("malicious", "review"), address
