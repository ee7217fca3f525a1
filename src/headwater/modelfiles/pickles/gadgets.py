"""What well-known callables can do, in words. This names what was found; what may be called is decided by the lists alone."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles.pickles.values import Global

PROGRAM: Final = "runs a program"
CODE: Final = "runs code that it is given"
IMPORT: Final = "imports a module or finds any name in one"
LOAD: Final = "loads another pickle or code object"
FILE: Final = "reads, writes or removes files"
NETWORK: Final = "opens a connection"
NATIVE: Final = "loads or calls native code"
REACH: Final = "reaches any attribute or method"
ENVIRONMENT: Final = "changes the process it runs in"

_MODULES: Final[dict[str, str]] = {
    **dict.fromkeys(
        [
            "os",
            "posix",
            "nt",
            "subprocess",
            "_posixsubprocess",
            "_winapi",
            "pty",
            "commands",
            "popen2",
            "multiprocessing.util",
            "multiprocessing.popen_fork",
            "multiprocessing.popen_spawn_posix",
            "multiprocessing.process",
            "multiprocessing.context",
            "asyncio.unix_events",
            "asyncio.windows_events",
            "asyncio.subprocess",
            "asyncio.base_subprocess",
            "distutils.spawn",
            "distutils.core",
            "setuptools",
            "numpy.distutils",
            "webbrowser",
            "antigravity",
            "concurrent.futures",
            "platform",
            "_osx_support",
            "_aix_support",
            "ensurepip",
            "pip",
            "torch.utils.collect_env",
            "_pyrepl",
            "pydoc",
        ],
        PROGRAM,
    ),
    **dict.fromkeys(
        [
            "code",
            "codeop",
            "timeit",
            "cProfile",
            "profile",
            "trace",
            "pdb",
            "bdb",
            "doctest",
            "runpy",
            "idlelib",
            "lib2to3",
            "_interpreters",
            "_xxsubinterpreters",
            "interpreters",
            "concurrent.interpreters",
            "test",
            "this",
            "_testcapi",
            "xdoctest",
            "IPython",
            "numpy.testing",
            "numpy.f2py",
            "pandas.core.computation",
            "torch._dynamo",
            "torch._inductor",
            "torch.jit",
            "torch.fx",
            "torch.package",
            "torch.utils.bottleneck",
            "torch.utils._config_module",
            "torch.fx.experimental",
            "numexpr",
            "sympy",
            "threading",
            "_thread",
            "sched",
            "atexit",
            "signal",
            "faulthandler",
            "contextlib",
            "types",
        ],
        CODE,
    ),
    **dict.fromkeys(
        ["importlib", "_frozen_importlib", "_frozen_importlib_external", "imp", "pkgutil", "zipimport", "site", "sys", "_imp"], IMPORT
    ),
    **dict.fromkeys(
        [
            "pickle",
            "_pickle",
            "cPickle",
            "marshal",
            "dill",
            "dill._dill",
            "cloudpickle",
            "joblib",
            "shelve",
            "yaml",
            "jsonpickle",
            "torch.serialization",
            "torch.hub",
        ],
        LOAD,
    ),
    **dict.fromkeys(
        [
            "shutil",
            "io",
            "_io",
            "pathlib",
            "tempfile",
            "logging",
            "logging.handlers",
            "logging.config",
            "fileinput",
            "glob",
            "linecache",
            "zipfile",
            "tarfile",
            "gzip",
            "bz2",
            "lzma",
            "codecs",
            "mmap",
            "sqlite3",
            "dbm",
            "mailbox",
            "distutils",
            "configparser",
            "ConfigParser",
            "netrc",
            "filecmp",
            "difflib",
            "numpy.lib",
            "numpy.core.records",
        ],
        FILE,
    ),
    **dict.fromkeys(
        [
            "socket",
            "_socket",
            "ssl",
            "_ssl",
            "http",
            "urllib",
            "urllib2",
            "urllib3",
            "requests",
            "httpx",
            "aiohttp",
            "ftplib",
            "smtplib",
            "imaplib",
            "poplib",
            "nntplib",
            "telnetlib",
            "xmlrpc",
            "asyncio",
            "socketserver",
            "httplib",
            "xmlrpclib",
            "wsgiref",
            "paramiko",
        ],
        NETWORK,
    ),
    **dict.fromkeys(["ctypes", "_ctypes", "cffi", "torch.utils.cpp_extension", "torch.ops", "torch._C", "numpy.ctypeslib"], NATIVE),
    **dict.fromkeys(["operator", "_operator", "inspect", "gc", "weakref", "unittest", "functools"], REACH),
    **dict.fromkeys(["resource", "warnings", "builtins.__dict__"], ENVIRONMENT),
}

_NAMES: Final[dict[str, str]] = {
    "builtins.eval": CODE,
    "builtins.exec": CODE,
    "builtins.execfile": CODE,
    "builtins.compile": CODE,
    "builtins.map": CODE,
    "builtins.filter": CODE,
    "builtins.apply": CODE,
    "builtins.type": CODE,
    "builtins.__build_class__": CODE,
    "builtins.help": PROGRAM,
    "builtins.breakpoint": CODE,
    "builtins.__import__": IMPORT,
    "builtins.open": FILE,
    "builtins.file": FILE,
    "builtins.input": CODE,
    "builtins.getattr": REACH,
    "builtins.setattr": REACH,
    "builtins.delattr": REACH,
    "builtins.vars": REACH,
    "builtins.globals": REACH,
    "builtins.locals": REACH,
    "builtins.super": REACH,
    "builtins.exit": ENVIRONMENT,
    "builtins.quit": ENVIRONMENT,
    "numpy.load": LOAD,
    "numpy.fromfile": FILE,
    "numpy.loadtxt": FILE,
    "numpy.savetxt": FILE,
    "numpy.save": FILE,
    "numpy.memmap": FILE,
    "pandas.eval": CODE,
    "torch.load": LOAD,
    "torch.save": FILE,
    "torch.from_file": FILE,
    "torch.compile": CODE,
    "sklearn.datasets.fetch_openml": NETWORK,
}

_HARMLESS: Final = frozenset(
    [
        "functools.partial",
        "weakref.ref",
        "types.SimpleNamespace",
        "types.NoneType",
        "types.MethodType",
        "logging.getLogger",
        "types.MappingProxyType",
        "operator.itemgetter",
        "_operator.itemgetter",
        "platform.uname_result",
        "asyncio.CancelledError",
        "threading.Event",
    ]
)

_METHODS: Final[dict[str, str]] = {
    "read_pickle": LOAD,
    "loads": LOAD,
    "load": LOAD,
    "unpickle": LOAD,
    "eval": CODE,
    "exec": CODE,
    "execfile": CODE,
    "system": PROGRAM,
    "popen": PROGRAM,
    "Popen": PROGRAM,
    "run_path": CODE,
    "run_module": CODE,
    "import_module": IMPORT,
    "urlopen": NETWORK,
    "urlretrieve": NETWORK,
}


def capability(name: Global) -> str | None:
    """What a callable is known to be able to do; None where nothing is known of it."""
    full = name.full
    if full in _HARMLESS:
        return None
    if (said := _NAMES.get(full)) is not None:
        return said
    if full.startswith("builtins.") and (".__" in full or "." in name.name):
        return REACH
    if (said := _METHODS.get(name.name.rpartition(".")[2])) is not None:
        return said
    module = name.module
    while module:
        if (said := _MODULES.get(module)) is not None:
            return said
        module = module.rpartition(".")[0]
    return None
