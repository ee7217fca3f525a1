"""Dotted names in configurations that a framework imports and calls: ``_target_`` of Hydra and NeMo, handlers, tags of YAML."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles.work import Examination

_HARMFUL: Final = re.compile(
    r"""(?:os|posix|nt|subprocess|pty|shutil|runpy|importlib|ctypes|socket|commands|popen2|code|codeop|marshal|pickle|_pickle|cPickle|dill|
    cloudpickle|builtins|__builtin__|__main__|sys|webbrowser|timeit|cProfile|profile|pdb|bdb|pydoc|pip|ensurepip|asyncio|multiprocessing|
    urllib|http|ftplib|smtplib|tempfile|pathlib|distutils|platform|site|signal|threading|_posixsubprocess|types|inspect|nturl2path)
    (?:\.|$)""",
    re.VERBOSE,
)
_HARMLESS: Final = re.compile(
    r"""(?:builtins|__builtin__)\.(?:int|float|str|bool|list|dict|tuple|set|frozenset|bytes|bytearray|complex|range|slice|object|len|sum|min|max|
    round|sorted|enumerate|zip|map|filter|reversed|abs)$
    |pathlib\.(?:Pure)?(?:Posix|Windows)?Path$|types\.SimpleNamespace$|os\.path\.(?:join|basename|dirname|expanduser|abspath)$
    |os\.(?:cpu_count|getcwd)$|os\.environ\.get$|torch\.""",
    re.VERBOSE,
)
_RUNS: Final = re.compile(
    r"(?:^|\.)(?:system|popen|Popen|eval|exec|execfile|check_output|check_call|getoutput|import_module|run_path|run_module|load_inline|"
    r"__import__|rmtree|unlink|urlretrieve|run_string|literal_eval_file|spawn\w*)$|torch\.hub\.load$|torch\.load$|(?:joblib|pandas\.io\.pickle|numpy)\.(?:load|read_pickle)$"
)

_DATA: Final = re.compile(
    r"""collections\.(?:OrderedDict|defaultdict|Counter|deque)$|argparse\.Namespace$|types\.SimpleNamespace$|easydict\.EasyDict$
    |(?:pathlib\.(?:_local\.)?)(?:Pure)?(?:Posix|Windows)?Path$|numpy\.(?:_?core\.multiarray\.scalar|dtype|float\d+|int\d+)$
    |torch\.(?:device|dtype|Size)$|datetime\.\w+$|decimal\.Decimal$|fractions\.Fraction$|omegaconf\.\w+\.\w+$|uuid\.UUID$""",
    re.VERBOSE,
)


def is_data(name: str) -> bool:
    """Whether it is a class that only holds data: configurations that programs wrote out have them."""
    return bool(_DATA.match(name))


def is_harmful(name: str) -> bool:
    """Whether calling it runs code, other programs, or touches files and the network."""
    return bool(_RUNS.search(name)) or (bool(_HARMFUL.match(name)) and not _HARMLESS.match(name))


def judge(work: Examination, name: str, at: int = -1) -> None:
    """A target that a framework calls when the model is built."""
    if is_harmful(name):
        message = (
            f"Building the model calls '{name}': frameworks that build from a configuration (Hydra, NeMo) import the target and call it."
        )
        work.concern("target", "malicious", message, f"_target_: {name}", at)
