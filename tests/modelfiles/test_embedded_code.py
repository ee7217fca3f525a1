"""Functions that cloudpickle and dill put into a file: told as code of the file, with what it names; marshal is never loaded."""

from __future__ import annotations

import marshal

from pickle_assembler import Code, call, name, pickled, said, verdict

CODE_TYPE = call(name("cloudpickle.cloudpickle", "_builtin_type"), "CodeType")


def function(names: tuple[str, ...], constants: tuple[object, ...] = (None,)) -> Code:
    code = call(CODE_TYPE, 0, 0, 0, 0, 2, 67, b"\x97\0", constants, names, (), "f.py", "f", "f", 1, b"", b"", (), ())
    return call(name("cloudpickle.cloudpickle", "_make_function"), code, {"__name__": "__main__"}, None, None, None)


def test_a_function_of_the_user_is_for_review_with_what_it_names() -> None:
    data = pickled(function(("numpy", "log1p", "clip")))
    assert verdict(data) == "review"
    assert "'log1p'" in said(data)
    assert "code that is in the file itself" in said(data)


def test_a_function_that_names_a_shell_is_malicious() -> None:
    data = pickled(function(("os", "system"), (None, "curl http://localhost | sh")))
    assert verdict(data) == "malicious"
    assert "curl http://localhost | sh" in said(data)


def test_a_function_that_is_called_on_loading_is_malicious() -> None:
    assert verdict(pickled(call(function(("numpy",)), 1))) == "malicious"


def test_dill_keeps_code_by_the_same_rules() -> None:
    code = call(
        name("dill._dill", "_create_code"),
        0,
        0,
        0,
        0,
        2,
        67,
        b"\x97\0",
        (None,),
        ("os", "popen"),
        (),
        "f.py",
        "f",
        "f",
        1,
        b"",
        b"",
        (),
        (),
    )
    data = pickled(call(name("dill._dill", "_create_function"), code, {}, "f", None, None))
    assert verdict(data) == "malicious"
    assert "popen" in said(data)
    assert verdict(pickled(call(name("dill._dill", "_unmarshal"), marshal.dumps(1)))) == "malicious"


def test_marshalled_code_is_read_and_never_loaded() -> None:
    raw = marshal.dumps(compile("import os\nos.system('curl http://localhost')", "x", "exec"))
    data = pickled(call(name("types", "FunctionType"), call(name("marshal", "loads"), raw), {}))
    assert verdict(data) == "malicious"
    assert "curl http://localhost" in said(data)


def test_modules_for_code_in_the_file() -> None:
    subimport = name("cloudpickle.cloudpickle", "subimport")
    assert verdict(pickled(call(subimport, "numpy"))) == "clean"
    assert verdict(pickled(call(subimport, "os"))) == "review"
    assert verdict(pickled(call(subimport, "mycompany"))) == "review"


def test_a_class_of_the_user() -> None:
    kind = call(name("cloudpickle.cloudpickle", "_make_skeleton_class"), name("builtins", "type"), "Ranker", (), {}, "id", None)
    assert verdict(pickled(kind)) == "review"
