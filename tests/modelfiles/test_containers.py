"""Archives and compressed files: what is in them is found whatever the archive says of itself."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

import pytest
from pickle_assembler import PAYLOAD, Code, call, checks, examined, name, pickled, said, value, verdict

from headwater import limits
from headwater.modelfiles import lz4frame, spool
from headwater.modelfiles.paths import escapes, link_escapes

CLEAN = pickled({"weights": [1, 2, 3]})


def zipped(members: dict[str, bytes], packed: int = zipfile.ZIP_STORED, **more: object) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return file.getvalue()


def tarred(
    members: dict[str, bytes], form: int = tarfile.PAX_FORMAT, links: dict[str, str] | None = None, hard: dict[str, str] | None = None
) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for kind, found in ((tarfile.SYMTYPE, links), (tarfile.LNKTYPE, hard)):
            for link, target in (found or {}).items():
                info = tarfile.TarInfo(link)
                info.type, info.linkname = kind, target
                archive.addfile(info)
        for member, data in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def lz4(data: bytes) -> bytes:
    """A frame with one block of literals and one that is stored."""
    count = len(data)
    literals = (
        bytes([min(count, 15) << 4]) + (b"" if count < 15 else b"\xff" * ((count - 15) // 255) + bytes([(count - 15) % 255]))
    ) + data
    return lz4frame.MAGIC + b"\x60\x40\x82" + struct.pack("<I", len(literals)) + literals + b"\0\0\0\0"


PACKED = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
    "zlib-fast": lambda data: zlib.compress(data, 1),
    "lz4": lz4,
    "zfile": lambda data: b"ZF0x" + hex(len(data))[2:].encode().ljust(17) + zlib.compress(data),
    "zip": lambda data: zipped({"m/data.pkl": data}),
    "deflated": lambda data: zipped({"m/data.pkl": data}, zipfile.ZIP_DEFLATED),
    "zip-bzip2": lambda data: zipped({"data.pkl": data}, zipfile.ZIP_BZIP2),
    "zip-lzma": lambda data: zipped({"data.pkl": data}, zipfile.ZIP_LZMA),
    "pax": lambda data: tarred({"model.pkl": data}),
    "gnu": lambda data: tarred({"a" * 150 + "/model.pkl": data}, tarfile.GNU_FORMAT),
    "ustar": lambda data: tarred({"model.pkl": data}, tarfile.USTAR_FORMAT),
    "v7": lambda data: v7(data),
    "tar.gz": lambda data: gzip.compress(tarred({"model.pkl": data})),
    "zip in zip in zip": lambda data: zipped({"a": zipped({"b": zipped({"c": data})})}),
    "7z stored": lambda data: seven(data, b"\0", data),
    "7z lzma2": lambda data: seven(data, b"\x21", raw_lzma2(data), b"\x18"),
    "7z bzip2": lambda data: seven(data, b"\x04\x02\x02", bz2.compress(data)),
    "7z deflate": lambda data: seven(data, b"\x04\x01\x08", zlib.compress(data)[2:-4]),
    "two streams": lambda data: gzip.compress(CLEAN) + gzip.compress(data),
    "behind a stream": lambda data: gzip.compress(CLEAN) + data,
}


def v7(data: bytes) -> bytes:
    """A header of 1979: no magic."""
    head = bytearray(512)
    head[:9] = b"model.pkl"
    head[100:107], head[108:115], head[116:123] = b"0000644", b"0000000", b"0000000"
    head[124:135], head[136:147] = b"%011o" % len(data), b"00000000000"
    head[148:156] = b" " * 8
    head[148:155] = b"%06o\0" % sum(head)
    return bytes(head) + data.ljust((len(data) + 511) // 512 * 512, b"\0") + bytes(1024)


def raw_lzma2(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 24}])


def seven(data: bytes, coder: bytes, packed: bytes, properties: bytes = b"") -> bytes:
    """An archive of 7z with one member."""

    def number(count: int) -> bytes:
        return bytes([count]) if count < 0x80 else bytes([0xC0 | count >> 16]) + struct.pack("<H", count & 0xFFFF)

    folder = bytes([len(coder) | (0x20 if properties else 0)]) + coder + (number(len(properties)) + properties if properties else b"")
    streams = (
        b"\x06\0\x01\x09" + number(len(packed)) + b"\0" + b"\x07\x0b\x01\0\x01" + folder + b"\x0c" + number(len(data)) + b"\0" + b"\x08\0\0"
    )
    names = b"\0" + "m.pkl".encode("utf-16-le") + b"\0\0"
    header = b"\x01\x04" + streams + b"\x05\x01\x11" + number(len(names)) + names + b"\0\0"
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


@pytest.mark.parametrize("way", PACKED)
def test_a_payload_is_found_and_a_model_is_clean(way) -> None:
    assert verdict(PACKED[way](PAYLOAD)) == "malicious"
    assert verdict(PACKED[way](CLEAN)) == "clean"
    assert any(one.format == "pickle" for one in examined(PACKED[way](CLEAN))), "it is looked into"


@pytest.mark.parametrize("way", [one for one in PACKED if one not in ("7z stored", "zip", "behind a stream")])
def test_what_is_cut_is_inconclusive_or_found(way) -> None:
    data = PACKED[way](CLEAN + b"\0" * 200_000 if way != "v7" else CLEAN)
    for share in (0.4, 0.7, 0.95):
        got = verdict(data[: int(len(data) * share)])
        assert got != "malicious"
        if way not in ("pax", "gnu", "ustar", "v7", "two streams"):  # what follows the last member of these is padding
            assert got in ("inconclusive", "review"), share


def test_members_are_named_by_their_archives() -> None:
    names = [one.path for one in examined(gzip.compress(tarred({"a/model.pkl": PAYLOAD})), "x.tar.gz")]
    assert names == ["x.tar.gz", "x.tar.gz!x.tar", "x.tar.gz!x.tar!a/model.pkl"]


def test_a_member_that_is_not_in_the_directory() -> None:
    hidden, shown = zipped({"m/data.pkl": PAYLOAD}), zipped({"m/version": b"3\n"})
    stray = hidden[: hidden.find(b"PK\1\2")]
    end = shown.rfind(b"PK\5\6")
    directory = int.from_bytes(shown[end + 16 : end + 20], "little")
    moved = shown[: end + 16] + struct.pack("<I", directory + len(stray)) + shown[end + 20 :]
    data = moved[:directory] + stray + moved[directory:]
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["m/version"]
    assert {"zip-hidden", "pickle-call"} <= checks(data)


def test_two_members_of_one_name() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m/data.pkl", PAYLOAD)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("m/data.pkl", CLEAN)
    assert {"zip-duplicate", "pickle-call"} <= checks(file.getvalue())


def test_a_zip_without_its_directory_is_still_read() -> None:
    data = zipped({"m/data.pkl": PAYLOAD, "m/version": b"3\n"})
    assert verdict(data[: data.find(b"PK\1\2")]) == "malicious"
    clean = zipped({"m/data.pkl": CLEAN, "m/version": b"3\n"})
    assert verdict(clean[: clean.find(b"PK\1\2")]) == "inconclusive"


def test_methods_that_differ() -> None:
    data = bytearray(zipped({"m/data.pkl": PAYLOAD * 3}, zipfile.ZIP_DEFLATED))
    at = data.find(b"PK\1\2")
    data[at + 10] = 12
    assert verdict(bytes(data)) == "malicious"


def test_encryption_is_inconclusive_and_a_lie_about_it_is_told() -> None:
    data = bytearray(zipped({"m/data.pkl": CLEAN}))
    data[6] |= 1
    assert checks(bytes(data)) == {"zip-flags"}
    sealed = bytearray(zipped({"m/data.pkl": b"\x91" * 12 + CLEAN}))
    at = sealed.find(b"PK\1\2")
    sealed[6] |= 1
    sealed[at + 8] |= 1
    sealed[at + 24 : at + 28] = struct.pack("<I", len(CLEAN))
    assert verdict(bytes(sealed)) == "inconclusive"


def test_lengths_of_more_than_four_gigabytes_are_in_a_field_of_their_own() -> None:
    member = b"m/data.pkl"
    wide = struct.pack("<HHQQ", 1, 16, len(PAYLOAD), len(PAYLOAD))
    local = (
        struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 45, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(member), len(wide)) + member + wide + PAYLOAD
    )
    entry = (
        struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 45, 45, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(member), len(wide), 0, 0, 0, 0, 0)
        + member
        + wide
    )
    end = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(entry), len(local))
    end += struct.pack("<4sIQI", b"PK\6\7", 0, len(local) + len(entry), 1)
    end += struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert verdict(local + entry + end) == "malicious"
    record = zipped({"m/data.pkl": CLEAN, "m/a": b"x", "m/b": b"y"})
    at = record.rfind(b"PK\5\6")
    directory = record.find(b"PK\1\2")
    extra = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 3, 3, at - directory, directory) + struct.pack(
        "<4sIQI", b"PK\6\7", 0, at, 1
    )
    assert verdict(record[:at] + extra + record[at:]) == "clean", "as torch writes it, whether it is needed or not"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "C:\\x", "..\\x", "\\\\host\\x"])
def test_names_that_leave(path) -> None:
    assert escapes(path)
    assert "path-escape" in checks(tarred({path: b"x"}))
    assert "path-escape" in checks(zipped({path.replace("\\", "/") if path.startswith("\\") else path: b"x"}))


def test_names_that_stay() -> None:
    assert not any(map(escapes, ("a/b", "./a", "a/../b", "a..b/c", "...")))
    assert not link_escapes("a/b", "../c")
    assert link_escapes("a/b", "../../c")


def test_links() -> None:
    assert checks(tarred({}, links={"m/a": "../../etc/passwd"})) == {"link-escape"}
    assert checks(tarred({}, links={"a": "/etc/passwd"})) == {"link-escape"}
    assert checks(tarred({"m/w.bin": b"x"}, links={"m/a": "w.bin", "b/c": "../m/w.bin"})) == set()
    assert checks(tarred({}, hard={"a": "/etc/passwd"})) == {"path-escape"}
    assert checks(tarred({"d/x": b"x"}, links={"d": "../out"})) == {"link-escape", "tar-through-link"}
    info = zipfile.ZipInfo("m/link")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, "../../../etc/passwd")
    assert checks(file.getvalue()) == {"link-escape"}


def test_a_layer_of_an_image_has_links_of_its_own() -> None:
    layer = tarred({"usr/lib/x": b"x", "models/model.pkl": CLEAN}, links={"etc/mtab": "/proc/mounts"})
    assert verdict(gzip.compress(layer)) == "clean"
    assert verdict(gzip.compress(tarred({"usr/lib/x": b"x", "models/model.pkl": PAYLOAD}))) == "malicious"


def test_bombs(monkeypatch) -> None:
    monkeypatch.setattr(spool, "LARGE", 2_000_000)
    bomb = gzip.compress(b"\0" * 3_000_000)
    assert checks(bomb) == {"bomb"}
    assert verdict(zipped({"a": b"\0" * 3_000_000}, zipfile.ZIP_DEFLATED)) == "review"
    monkeypatch.setattr(limits, "MODEL_UNPACKED_BYTES", 1_000_000)
    assert verdict(gzip.compress(bytes(range(256)) * 8000)) == "inconclusive"


def test_members_that_overlap() -> None:
    one = zipped({"a": b"x" * 1000})
    at = one.find(b"PK\1\2")
    end = one.rfind(b"PK\5\6")
    entry = one[at:end]
    many = one[:at] + entry * 50 + one[end : end + 8] + struct.pack("<HHII", 50, 50, len(entry) * 50, at) + b"\0\0"
    assert "zip-overlap" in checks(many)


def test_nesting_has_a_bound() -> None:
    data = PAYLOAD
    for _ in range(12):
        data = gzip.compress(data)
    assert verdict(data) == "inconclusive"


def test_two_files_in_one() -> None:
    archive = zipped({"m/data.pkl": CLEAN})
    assert "polyglot" in checks(b"\xff\xd8\xff" + b"jpeg" * 200 + archive)
    assert verdict(archive + PAYLOAD) == "malicious"
    assert verdict(PAYLOAD + archive) == "malicious"
    assert verdict(CLEAN + zipped({"m/data.pkl": PAYLOAD})) == "malicious"
    assert verdict(tarred({"a": b"x"}) + PAYLOAD) == "malicious"


def test_tensors_that_look_like_pickles_are_numbers() -> None:
    noise = b"\x80\x04\x8cx" + bytes(range(200))
    data = zipped({"m/data.pkl": CLEAN, "m/data/0": noise, "m/data/1": b"\x80\x02N}\x85\x85\x85\x85\x85\x85\xff" * 3, "m/version": b"3\n"})
    assert verdict(data) == "clean"
    assert verdict(zipped({"m/data.pkl": CLEAN, "m/data/0": PAYLOAD})) == "malicious"


SCRIPT = "class M(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    {}\n    return x\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('ops.aten.save(x, "/tmp/marker")', "malicious"),
        ('y = torch.from_file("/etc/passwd", False, 100)', "malicious"),
        ('y = torch.save(x, "/tmp/marker")', "malicious"),
        ("y = ops.evil.run(x)", "review"),
        ("y = torch.relu(torch.add(x, x))", "clean"),
        ("y = ops.quantized.linear(x, x, 1., 0)", "clean"),
        ("y = ops.torchvision.nms(x, x, 0.5)", "clean"),
    ],
)
def test_code_of_torchscript(line, expected) -> None:
    members = {"m/code/__torch__/m.py": SCRIPT.format(line).encode(), "m/constants.pkl": pickled(()), "m/data.pkl": pickled(1)}
    assert verdict(zipped(members)) == expected
    assert verdict(tarred(members)) == expected


def test_classes_of_torchscript_are_no_modules_of_python() -> None:
    model = Code(name("__torch__.torch.nn.modules.linear", "Linear").opcodes + b")\x81}" + b"b")
    assert verdict(zipped({"m/data.pkl": b"\x80\x02" + value(model) + b"."})) == "clean"


def test_python_code_that_comes_with_a_model() -> None:
    manifest = b'{"model": {"handler": "handler.py"}}'
    handler = b"import os\nclass Handler:\n    def handle(self, data, context):\n        os.system('id')\n"
    at_import = b"import os as o\no.system('id')\n"
    installs = b"import subprocess, sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', 'x'])\n"
    plain = b"import joblib\ndef model_fn(folder):\n    return joblib.load(folder + '/model.joblib')\n"
    for code, expected in (
        (handler, "review"),
        (at_import, "malicious"),
        (installs, "review"),
        (plain, "clean"),
        (b"def (:\n", "inconclusive"),
    ):
        data = zipped({"MAR-INF/MANIFEST.json": manifest, "handler.py": code})
        assert verdict(data) == expected, code
        assert examined(data)[0].format == "torchserve"
    assert "os.system('id')" in said(zipped({"MAR-INF/MANIFEST.json": manifest, "handler.py": handler}))


def test_python_code_goes_to_the_review() -> None:
    from headwater.modelfiles.blob import BytesBlob
    from headwater.modelfiles.dispatch import examine
    from headwater.modelfiles.work import Examination

    work = Examination("m.tar", examine=examine)
    examine(BytesBlob(tarred({"code/inference.py": b"x = 1\n"})), work)
    assert work.sources == [("m.tar!code/inference.py", b"x = 1\n")]


def npy(kind: str, shape: str, data: bytes, version: bytes = b"\x01\0") -> bytes:
    head = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H" if version == b"\x01\0" else "<I", len(head)) + head + data


def test_arrays_of_numpy() -> None:
    assert verdict(npy("'<f8'", "(2, 3)", b"\0" * 48)) == "clean"
    assert verdict(npy("'<f8'", "(2, 3)", b"\0" * 48, b"\x02\0")) == "clean"
    assert verdict(npy("'<f8'", "(2, 3)", b"\0" * 40)) == "inconclusive"
    assert verdict(npy("'|O'", "(1,)", PAYLOAD)) == "malicious"
    assert verdict(npy("'|O'", "(1,)", pickled([1]))) == "clean"
    assert verdict(npy("[('a', '<f4'), ('b', '|O')]", "(1,)", PAYLOAD)) == "malicious"
    assert verdict(npy("[('a', '<f4'), ('b', '<i2', (3,))]", "(2,)", b"\0" * 20)) == "clean"
    assert verdict(npy("'<f8'", "(1,)", b"\0" * 8) + npy("'|O'", "(1,)", PAYLOAD)) == "malicious"
    assert verdict(npy("'<f8'", "(1,)", b"\0" * 8) + PAYLOAD) == "malicious"
    assert verdict(npy("__import__('os')", "(1,)", b"")) == "inconclusive"
    assert verdict(zipped({"a.npy": npy("'<f8'", "(1,)", b"\0" * 8), "b.npy": npy("'|O'", "(1,)", PAYLOAD)})) == "malicious"


def test_tar_archives_of_the_first_torch() -> None:
    kind = name("torch", "FloatStorage")
    storages = pickled(1, 2) + b"\x80\x02" + value((7, "cpu", kind)) + b"." + struct.pack("<q", 2) + b"\xff\x80\x02c" * 2 + pickled([], 2)
    tensors = pickled(1, 2) + pickled((1, 7, 2), 2) + struct.pack("<i4xqqq", 1, 2, 1, 0)
    members = {"sys_info": pickled({"a": 1}), "pickle": pickled({"w": 1}), "storages": storages, "tensors": tensors}
    assert verdict(tarred(members)) == "clean"
    assert examined(tarred(members))[0].format == "torch-tar"
    assert verdict(tarred({**members, "pickle": PAYLOAD})) == "malicious"
    bad = pickled(1, 2) + pickled(call(name("posix", "system"), "id"))
    assert verdict(tarred({**members, "storages": bad})) == "malicious"


def test_what_needs_an_extra_says_so(monkeypatch) -> None:
    import importlib

    real = importlib.import_module

    def missing(module: str, *rest: object) -> object:
        if module.endswith("zstd") or module == "zstandard":
            raise ImportError(module)
        return real(module)

    monkeypatch.setattr("headwater.modelfiles.compression.importlib.import_module", missing)
    data = b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello"
    assert checks(data) == {"extra-missing"}
    assert "models" in said(data)
    assert verdict(data) == "inconclusive"


def test_blocks_of_lz4_point_back() -> None:
    history = bytearray()
    assert lz4frame.block(b"\x32abc\x03\x00" + b"\x10d", history, 100) == b"abcabcabcd"
    for broken in (b"\xf0", b"\x10a\x05\x00", b"\x10a\x00\x00", b"\x1fa\x01\x00\xff\xff\xff\xff"):
        with pytest.raises((ValueError, IndexError)):
            lz4frame.block(broken, bytearray(), 100)


def test_a_pickle_behind_a_header_of_another_program() -> None:
    assert verdict(b"MYFORMAT v1\0\0\0" + PAYLOAD) == "malicious"
    assert verdict(b"MYFORMAT v1\0\0\0" + b"\x01\x02" * 900 + b"cposix\nsystem\n(S'id'\ntR.") == "malicious"
    assert verdict(b"MYFORMAT v1\0\0\0" + CLEAN) == "clean"
    assert verdict(b"notes: write c, posix, system\n" * 30) == "clean"


MLMODEL = "artifact_path: model\nflavors:\n  python_function:\n    loader_module: {}\n    model_path: {}\nmlflow_version: 2.9.0\n"


@pytest.mark.parametrize(
    ("loader", "path", "expected"),
    [
        ("mlflow.sklearn", "model.pkl", "clean"),
        ("mycode.loader", "model.pkl", "review"),
        ("os", "model.pkl", "malicious"),
        ("mlflow.sklearn", "../../etc/passwd", "review"),
    ],
)
def test_the_folder_of_mlflow_names_who_loads_it(loader, path, expected) -> None:
    data = MLMODEL.format(loader, path).encode()
    assert examined(data, "MLmodel")[0].format == "mlflow"
    assert verdict(data, "MLmodel") == expected


def test_a_package_of_python_is_no_model() -> None:
    wheel = zipped({"x/__init__.py": b"import os\nos.system('id')\n", "x-1.dist-info/WHEEL": b"Wheel-Version: 1.0\n"})
    assert verdict(wheel) == "clean"


def test_lists_of_words_behind_a_pickle_are_no_calls() -> None:
    words = "".join(f"c{name}\n{name}\n)R" for name in ("Alex", "Maria", "Tom")).encode()
    assert verdict(CLEAN + b"\xff\xfe" + words) == "inconclusive"
    assert verdict(b"Authors\n" + words) == "clean"
