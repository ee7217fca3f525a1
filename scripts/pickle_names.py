"""Makes the lists of names that pickles of ML libraries may use, from the sources of the libraries.

    python scripts/pickle_names.py FOLDER...

Each FOLDER is an installed or unpacked library (``site-packages``, or a wheel unzipped into a folder of its own); several versions may
be given, and what one of them has is listed. Sources are parsed and never imported. It writes the files ``lib_*.txt`` in
``src/headwater/modelfiles/pickles/allowed`` and says on stderr which classes were left out, and why (``--why CLASS`` follows one). A list
is added to, never emptied: delete it first to make it anew.

A class is listed where what an unpickler runs of it (``__new__``, ``__setstate__``, ``__del__``, of the class and all its bases) calls
nothing but what is known here to be harmless, and what it may run on the way (``__getattr__``, ``__setitem__``, ``append``, ``__hash__``,
``__eq__`` and the like) calls nothing that is known to do harm. Default deny: an unknown call, an unknown base, or a name that cannot be
followed leaves the class out. It may be called, too, where its own ``__reduce__`` says that it is, or where it is an Enum, and its
constructor passes the same test.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import re
import sys
from collections import defaultdict
from pathlib import Path

OUT = Path(__file__).parent.parent / "src/headwater/modelfiles/pickles/allowed"

# Parts of libraries whose classes hold models and data. The rest (servers, compilers, test tools, downloads) is never listed.
PARTS = {
    "sklearn": "sklearn",
    "imblearn": "imblearn",
    "xgboost": "xgboost.sklearn xgboost.core xgboost.callback xgboost.compat xgboost.training",
    "lightgbm": "lightgbm",
    "catboost": "catboost.core catboost.eval catboost.utils",
    "pandas": "pandas.core pandas.tseries pandas._libs",
    "scipy": "scipy.sparse scipy.stats scipy.interpolate scipy.spatial scipy.optimize scipy.signal scipy.special scipy._lib._bunch",
    "statsmodels": "statsmodels.base statsmodels.discrete statsmodels.genmod statsmodels.iolib statsmodels.regression statsmodels.tsa "
    "statsmodels.tools statsmodels.stats statsmodels.robust statsmodels.gam statsmodels.nonparametric "
    "statsmodels.multivariate statsmodels.duration",
    "numpy": "numpy.ma numpy.polynomial numpy.matrixlib",
    "torch": "torch.nn torch.optim torch.distributions torch.utils.data torch.ao.nn torch.ao.quantization torch._tensor torch.quantization "
    "torch.sparse torch.amp torch.cuda.amp torch.nested torch.serialization torch.storage torch.distributed.fsdp torch.distributed.optim "
    "torch.masked torch.return_types torch.types torch.torch_version torch._namedtensor_internals torch.utils._pytree torch.utils.hooks",
    "torchvision": "torchvision.models torchvision.ops torchvision.transforms torchvision.datasets torchvision.tv_tensors",
    "torchaudio": "torchaudio.models torchaudio.transforms",
    "transformers": "transformers.models transformers.configuration_utils transformers.modeling_utils transformers.modeling_outputs "
    "transformers.tokenization_utils transformers.tokenization_utils_base transformers.tokenization_utils_fast transformers.training_args "
    "transformers.training_args_seq2seq transformers.trainer_utils transformers.trainer_callback transformers.trainer_pt_utils "
    "transformers.generation transformers.activations transformers.pytorch_utils transformers.cache_utils transformers.modeling_layers "
    "transformers.image_processing_utils transformers.feature_extraction_utils transformers.processing_utils transformers.utils.generic "
    "transformers.utils.quantization_config transformers.tokenization_python transformers.tokenization_utils_tokenizers "
    "transformers.feature_extraction_sequence_utils transformers.image_processing_base transformers.modelcard transformers.optimization "
    "transformers.integrations.tpu transformers.quantizers transformers.image_utils",
    "timm": "timm.models timm.layers timm.data timm.optim timm.scheduler timm.loss",
    "diffusers": "diffusers.models diffusers.schedulers diffusers.configuration_utils",
    "sentence_transformers": "sentence_transformers",
    "peft": "peft",
    "accelerate": "accelerate.state accelerate.utils.dataclasses accelerate.optimizer accelerate.scheduler",
    "pytorch_lightning": "pytorch_lightning",
    "lightning": "lightning.pytorch lightning.fabric.utilities lightning_fabric.utilities",
    "lightning_fabric": "lightning_fabric.utilities",
    "ultralytics": "ultralytics.nn ultralytics.utils ultralytics.models",
    "torchmetrics": "torchmetrics",
    "torch_geometric": "torch_geometric.nn torch_geometric.data torch_geometric.transforms torch_geometric.utils",
    "gensim": "gensim.models gensim.corpora gensim.matutils gensim.utils gensim.similarities",
    "category_encoders": "category_encoders",
    "hdbscan": "hdbscan",
    "umap": "umap",
    "pynndescent": "pynndescent",
    "mlxtend": "mlxtend",
    "omegaconf": "omegaconf",
    "lifelines": "lifelines",
    "pmdarima": "pmdarima",
    "feature_engine": "feature_engine",
    "skorch": "skorch",
    "sktime": "sktime",
    "speechbrain": "speechbrain.nnet speechbrain.lobes speechbrain.utils",
    "econml": "econml",
    "interpret": "interpret",
    "statsforecast": "statsforecast",
    "nltk": "nltk.tokenize nltk.stem nltk.classify nltk.tag nltk.probability nltk.lm nltk.util nltk.tree",
    "joblib": "joblib.numpy_pickle joblib.memory",
}
SKIPPED = frozenset(
    [
        "tests",
        "test",
        "testing",
        "_testing",
        "conftest",
        "setup",
        "externals",
        "distutils",
        "f2py",
        "cli",
        "commands",
        "bin",
        "__main__",
        "benchmark",
        "benchmarks",
        "tools",
        "scripts",
        "_build_utils",
        "examples",
        "datasets_download",
        "serving",
        "agents",
        "pipelines",
        "distributed_test",
        "_dynamo",
        "_inductor",
        "onnx",
        "jit",
        "fx",
        "_sources",
        "vendor",
        "_vendor",
    ]
)

RUN = ("__new__", "__setstate__", "__del__")
LESS = ("__getattr__", "__getattribute__", "__setattr__", "__setitem__", "append", "extend", "add", "__hash__", "__eq__")
"""Run for their side only (a lookup, a key of a dict): these are judged by the names that they call, not by a list of what they may."""
FUNCTIONS = {  # whose functions models hold by name, to call them when they are used
    "sklearn": "sklearn.metrics sklearn.feature_selection sklearn.preprocessing sklearn.gaussian_process sklearn.neighbors "
    "sklearn.utils._weight sklearn.feature_extraction sklearn.neural_network sklearn.manifold sklearn.cluster "
    "sklearn.utils.extmath sklearn.utils._encode "
    "sklearn.utils.validation sklearn.decomposition sklearn.ensemble sklearn.inspection",
    "torch": "torch.nn.functional torch.nn.init torch.ao.quantization.observer torch.ao.quantization.fake_quantize "
    "torch.optim.lr_scheduler torch.utils.data._utils.collate",
    "torchvision": "torchvision.models torchvision.transforms.functional torchvision.ops",
    "transformers": "transformers.activations",
    "timm": "timm.models timm.layers",
    "scipy": "scipy.spatial.distance scipy.special scipy.stats scipy.sparse",
    "xgboost": "xgboost.training xgboost.sklearn",
    "lightgbm": "lightgbm.sklearn lightgbm.callback",
    "pandas": "pandas.core.reshape pandas.core.ops",
    "ultralytics": "ultralytics.nn",
}
HARMFUL = re.compile(
    r"^(open|eval|exec|execfile|compile|__import__|import_module|system|popen|Popen|call|check_call|check_output|run|urlopen|urlretrieve|request|"
    r"requests|download\w*|fetch\w*|load\w*|read\w*|save\w*|write\w*|dump\w*|mkdir\w*|makedirs|remove|unlink|rmtree|rename|copyfile|CDLL|spawn\w*|"
    r"from_pretrained|loads|unpickle|hub|getattr|setattr|delattr|globals|locals|vars|cpp_extension|script|trace)$"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LOOKUPS = frozenset(("getattr", "setattr", "delattr", "vars", "call"))

CALLS = _words(
    # of Python
    "isinstance issubclass len hasattr type super id range tuple list dict set frozenset int float str bool bytes repr "
    "zip enumerate min max abs sum any "
    "all iter next sorted reversed map filter hash slice callable property cast format "
    # of data
    "get items keys values update pop popitem setdefault copy append extend insert add remove discard clear join split "
    "strip lstrip rstrip startswith "
    "endswith replace lower upper count index deepcopy move_to_end from_iterable partition rpartition isdigit "
    # of objects
    "__new__ __init__ __setattr__ __getattr__ __getattribute__ __setitem__ __delattr__ __setstate__ __hash__ __eq__ "
    "__class__ __post_init__ "
    # of numbers
    "asarray array ascontiguousarray zeros ones empty full astype reshape view dtype RLock Lock local defaultdict "
    "OrderedDict deque Counter "
    "nditer prod cumsum arange as_tensor tensor is_tensor Tensor Parameter Size item detach squeeze get_default_dtype "
    "zeros_like ones_like to "
    "empty_like clone float64 requires_grad_ Version parse parse_version "
    # that say something
    "warn warn_once warning debug info warn_explicit simplefilter "
    # errors
    "ValueError TypeError AttributeError RuntimeError NotImplementedError KeyError IndexError InconsistentVersionWarning ImportError "
    "DeprecationWarning FutureWarning UserWarning ModuleAttributeError AssertionError ModuleNotFoundError "
    # weak references and counters
    "ref proxy WeakKeyDictionary WeakValueDictionary WeakSet count wraps field fields total_ordering "
    "chain fromkeys is_first_time decode encode _check_call _is_tracing isscalar "
    "partial dataclass replace torch_function_unary _get_version is_scripting is_compiling"
)
BASES = frozenset(f"builtins.{name}" for name, kind in vars(builtins).items() if isinstance(kind, type)) | frozenset(
    [
        "abc.ABC",
        "abc.ABCMeta",
        "typing.Generic",
        "typing.Protocol",
        "typing.NamedTuple",
        "typing.TypedDict",
        "typing_extensions.Protocol",
        "typing_extensions.TypedDict",
        "typing_extensions.Self",
        "enum.Enum",
        "enum.IntEnum",
        "enum.Flag",
        "enum.IntFlag",
        "enum.StrEnum",
        "collections.OrderedDict",
        "collections.UserDict",
        "collections.UserList",
        "collections.defaultdict",
        "collections.deque",
        "collections.Counter",
        "collections.abc.Mapping",
        "collections.abc.MutableMapping",
        "collections.abc.Sequence",
        "collections.abc.MutableSequence",
        "collections.abc.Set",
        "collections.abc.MutableSet",
        "collections.abc.Iterable",
        "collections.abc.Iterator",
        "collections.abc.Callable",
        "collections.abc.Sized",
        "collections.abc.Container",
        "collections.abc.Hashable",
        "collections.abc.Collection",
        "collections.abc.KeysView",
        "typing.Sequence",
        "typing.Mapping",
        "typing.MutableMapping",
        "typing.Iterable",
        "typing.Iterator",
        "typing.Dict",
        "typing.List",
        "typing.Callable",
        "typing.Tuple",
        "typing.Sized",
        "typing.Collection",
        "numpy.ndarray",
        "numpy.generic",
        "torch._C.TensorBase",
        "torch._C._TensorBase",
        "torch._C.DisableTorchFunction",
        "torch._C.DisableTorchFunctionSubclass",
        "numpy.void",
        "pandas._libs.arrays.NDArrayBacked",
        "pandas._libs.tslibs.dtypes.PeriodDtypeBase",
        "pandas._libs.tslibs.offsets.BaseOffset",
        "pandas._libs.internals.SharedBlock",
        "pandas._libs.internals.Block",
        "pandas._libs.properties",
        "pandas._libs.internals.BlockManager",
        "pandas._libs.internals.NumpyBlock",
        "datetime.tzinfo",
        "string.Formatter",
        "ast.NodeVisitor",
        "ast.NodeTransformer",
        "numbers.Integral",
        "numbers.Number",
        "numbers.Real",
        "typing_extensions.NamedTuple",
        "torch._C._FunctionBase",
        "torch._C._nn",
        "torch._C._ParameterMeta",
        "torch._C._TensorMeta",
        "threading.local",
        "contextlib.ContextDecorator",
        "contextlib.AbstractContextManager",
        "contextlib.AbstractContextManager",
        "unittest.TestCase",
        "dataclasses.dataclass",
    ]
)
REVIEWED = {
    "torch.optim.optimizer.Optimizer": "its __setstate__ wraps its own step",
    "pandas.core.indexes.base.Index": "its __new__ converts an array",
    "pandas.core.dtypes.dtypes.PeriodDtype": "its __new__ parses a frequency",
    "pandas.core.arrays.categorical.Categorical": "its __setstate__ makes a dtype of categories",
    "pandas.core.indexes.category.CategoricalIndex": "its __new__ converts an array, as those of all indexes do",
    "pandas.core.indexes.datetimes.DatetimeIndex": "the same",
    "pandas.core.indexes.interval.IntervalIndex": "the same",
    "pandas.core.indexes.multi.MultiIndex": "the same",
    "pandas.core.indexes.numeric.NumericIndex": "the same",
    "pandas.core.indexes.period.PeriodIndex": "the same",
    "pandas.core.indexes.range.RangeIndex": "the same",
    "pandas.core.indexes.timedeltas.TimedeltaIndex": "the same",
    "omegaconf.basecontainer.BaseContainer": "its __setstate__ sets fields and asks for types",
    "torch._tensor.Tensor": "its __setstate__ sets a storage",
    "skorch.net.NeuralNet": "its __setstate__ asks for a device",
    "scipy.interpolate._rbfinterp.RBFInterpolator": "its __setstate__ finds the array library of a known list",
    "scipy.spatial.transform._rotation.Rotation": "the same",
    "scipy.stats._distn_infrastructure.rv_generic": "its __setstate__ runs a text of its state, which is looked at",
    "sklearn.isotonic.IsotonicRegression": "its __setstate__ makes an interp1d of numbers",
    "sklearn.gaussian_process.kernels.Hyperparameter": "its __new__ repeats an array",
    "torch.nn.utils.rnn.PackedSequence": "its __new__ inverts a permutation",
    "torch.nn.parallel.distributed.DistributedDataParallel": "its __setstate__ asks for a process group, and fails without one",
    "torch.storage.TypedStorage": "its __new__ makes an empty storage",
    "patsy.desc.Term": "a tuple of factors",
    "scipy.spatial._ckdtree.cKDTree": "numbers, in Cython",
    "scipy.interpolate._interpnd.NDInterpolatorBase": "numbers, in Cython",
    "pandas._libs.interval.IntervalMixin": "Cython",
    "pandas._libs.tslibs.period.PeriodMixin": "Cython",
    "catboost._catboost._PoolBase": "Cython",
    "catboost._catboost._CatBoost": "Cython: its state is a model that the library's own parser reads",
    "catboost.core._CatBoostBase": "the same",
    "collections.ChainMap": "of Python",
    "numpy._core.multiarray.ndarray": "of numpy",
    "numpy._core.ndarray": "of numpy",
    "numpy.core.multiarray.ndarray": "of numpy",
    "torch._C.StorageBase": "a buffer",
    "pandas._libs.index.BaseMultiIndexCodesEngine": "Cython",
}
"""Classes that fail the test and were read: why they are harmless all the same."""

ENUMS = frozenset(["enum.Enum", "enum.IntEnum", "enum.Flag", "enum.IntFlag", "enum.StrEnum"])


class Library:
    """The modules of one version of a library, parsed when they are asked for."""

    def __init__(self, root: Path, others: list[Path]) -> None:
        self.root = root
        self.roots = [root, *(one for one in others if one != root)]
        self.trees: dict[str, ast.Module | None] = {}
        self.names: dict[str, dict[str, tuple[str, str]]] = {}
        self.defined: dict[str, dict[str, ast.stmt]] = {}

    def path(self, module: str) -> Path | None:
        for root in self.roots:
            base = root.joinpath(*module.split("."))
            for path in (base / "__init__.py", base.with_suffix(".py")):
                if path.is_file():
                    return path
        return None

    def has(self, module: str) -> bool:
        if module not in self.trees:
            self.read(module)
        return self.trees[module] is not None

    def read(self, module: str) -> None:
        self.trees[module] = None
        path = self.path(module)
        if path is None:
            return
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, RecursionError):
            return
        self.trees[module] = tree
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names: dict[str, tuple[str, str]] = {}
        defined: dict[str, ast.stmt] = {}
        self._collect(tree.body, package, names, defined)
        self.names[module], self.defined[module] = names, defined

    def _collect(
        self, body: list[ast.stmt], package: str, names: dict[str, tuple[str, str]], defined: dict[str, ast.stmt], prefix: str = ""
    ) -> None:
        for stmt in body:
            if isinstance(stmt, ast.ClassDef):
                defined[prefix + stmt.name] = stmt
                self._collect(stmt.body, package, {}, defined, f"{prefix}{stmt.name}.")
            elif isinstance(stmt, ast.FunctionDef) and not prefix:
                defined[stmt.name] = stmt
            elif isinstance(stmt, ast.ImportFrom):
                base = stmt.module or ""
                if stmt.level:
                    parts = package.split(".")
                    parts = parts[: len(parts) - stmt.level + 1]
                    base = ".".join([*parts, base] if base else parts)
                for alias in stmt.names:
                    if alias.name == "*":
                        names[f"*{base}"] = (base, "*")
                    else:
                        names[alias.asname or alias.name] = (base, alias.name)
            elif isinstance(stmt, ast.Import):
                for alias in stmt.names:
                    names[alias.asname or alias.name.partition(".")[0]] = (alias.name if alias.asname else alias.name.partition(".")[0], "")
            elif isinstance(stmt, ast.Assign) and len(stmt.targets) == 1 and isinstance(stmt.targets[0], ast.Name):
                value = stmt.value
                if isinstance(value, ast.Call) and (_last(value.func) or "") in ("namedtuple", "_make_tuple_bunch"):
                    defined[prefix + stmt.targets[0].id] = stmt
                elif isinstance(value, ast.Name | ast.Attribute) and not prefix:
                    names[stmt.targets[0].id] = ("=", ast.unparse(value))
            elif isinstance(stmt, ast.If | ast.Try):
                for part in ("body", "orelse", "finalbody"):
                    self._collect(getattr(stmt, part, []), package, names, defined, prefix)
                for handler in getattr(stmt, "handlers", []):
                    kept: dict[str, tuple[str, str]] = {}
                    self._collect(handler.body, package, kept, {}, prefix)
                    for name, where in kept.items():
                        names.setdefault(name, where)

    def resolve(self, module: str, dotted: str, steps: int = 0) -> tuple[str, str]:
        """Where a name of a module is defined."""
        if f"{module}.{dotted}" in REVIEWED or f"{module}.{dotted}" in BASES:
            return (f"{module}.{dotted}".rpartition(".")[0], dotted.rpartition(".")[2])
        if steps > 20:
            return "?", dotted
        first, _, rest = dotted.partition(".")
        if self.has(module):
            if dotted in self.defined[module] or first in self.defined[module]:
                return module, dotted
            if first in self.names[module]:
                base, name = self.names[module][first]
                if base == "=":
                    if name.partition(".")[0] == first:
                        return "?", dotted
                    return self.resolve(module, f"{name}.{rest}" if rest else name, steps + 1)
                if not name or self.has(f"{base}.{name}"):
                    inner = f"{base}.{name}" if name else base
                    while rest and self.has(f"{inner}.{rest.partition('.')[0]}"):
                        inner, rest = f"{inner}.{rest.partition('.')[0]}", rest.partition(".")[2]
                    return self.resolve(inner, rest, steps + 1) if rest else (inner, "")
                if base == module and name == first:
                    return f"{module}.{first}", rest
                if rest and not self.has(base):
                    return f"{base}.{name}", rest
                return self.resolve(base, f"{name}.{rest}" if rest else name, steps + 1)
            for base, name in self.names[module].values():
                if name == "*" and base != module and self.has(base):
                    found = self.resolve(base, dotted, steps + 5)
                    if found[0] not in ("?", "builtins"):
                        return found
            if rest and (self.has(f"{module}.{first}") or self.root.joinpath(*module.split("."), first).exists()):
                return self.resolve(f"{module}.{first}", rest, steps + 1)
            if hasattr(builtins, first):
                return "builtins", dotted
            return "?", f"{module}:{dotted}"
        return module, dotted


def _last(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


class Review:
    """Whether what an unpickler runs of a class is harmless."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.verdicts: dict[tuple[str, str], str] = {}
        self.enums: set[tuple[str, str]] = set()

    def why_not(self, module: str, name: str) -> str:
        """Empty where a class may be made without its constructor; else the reason why not."""
        key = (module, name)
        if key not in self.verdicts:
            self.verdicts[key] = "it is its own base"
            self.verdicts[key] = self._why_not(module, name)
        return self.verdicts[key]

    def _why_not(self, module: str, name: str) -> str:
        if f"{module}.{name}" in REVIEWED:
            return ""
        if f"{module}.{name}" in BASES:
            if f"{module}.{name}" in ENUMS:
                self.enums.add((module, name))
            return ""
        node = self.library.defined.get(module, {}).get(name) if self.library.has(module) else None
        if isinstance(node, ast.Assign):
            return ""
        if not isinstance(node, ast.ClassDef):
            return "" if self.cython(module, name) else f"base {module}.{name} is not known"
        for base in node.bases:
            said = self._base(module, name, base)
            if said:
                return said
        for method in RUN:
            for body in _methods(node, method):
                said = self.harmless(module, name, body, set())
                if said:
                    return f"{name}.{method}: {said}"
        for method in LESS:
            for body in _methods(node, method):
                for one in ast.walk(body):
                    if isinstance(one, ast.Call) and (called := _last(one.func)) and HARMFUL.match(called) and called not in LOOKUPS:
                        return f"{name}.{method}: calls {called}"
        return ""

    def _base(self, module: str, name: str, base: ast.expr) -> str:
        while isinstance(base, ast.Subscript):
            base = base.value
        if isinstance(base, ast.Call):
            called = _last(base.func)
            if called == "with_metaclass":
                return next((said for one in base.args[1:] if (said := self._base(module, name, one))), "")
            return "" if called in ("namedtuple", "NamedTuple") else f"base {ast.unparse(base)[:60]} is computed"
        if not isinstance(base, ast.Name | ast.Attribute):
            return "a base is computed"
        where = self.library.resolve(module, ast.unparse(base))
        said = self.why_not(*where)
        if where in self.enums:
            self.enums.add((module, name))
        return said

    def cython(self, module: str, name: str) -> bool:
        """A class of Cython whose source is shipped: numbers only, where it imports nothing that acts."""
        path = self.library.root.joinpath(*module.split(".")).with_suffix(".pyx")
        if not path.is_file():
            return False
        text = path.read_text("utf-8", "replace")
        if re.search(r"\bimport (os|sys|subprocess|pickle)\b|\b(open|eval|exec|__import__)\(", text):
            return False
        return re.search(rf"^(cdef )?class {re.escape(name)}\b", text, re.M) is not None

    def harmless(self, module: str, owner: str, body: ast.AST, seen: set[int]) -> str:
        """Empty where a function calls nothing but what is known."""
        if id(body) in seen or len(seen) > 60:
            return "" if id(body) in seen else "it calls too much to be followed"
        seen.add(id(body))
        for node in ast.walk(body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                if isinstance(node, ast.ImportFrom) or all(
                    alias.name in ("warnings", "copy", "math", "numpy", "torch") for alias in node.names
                ):
                    continue
                return f"imports {ast.unparse(node)}"
            if not isinstance(node, ast.Call):
                continue
            called = _last(node.func)
            if called is None:
                if isinstance(node.func, ast.Call) and _last(node.func.func) == "getattr":
                    return "calls an attribute by a computed name"
                return f"calls {ast.unparse(node.func)[:60]}"
            if called == "getattr":
                continue  # what is found is not called unless said below
            if called == "setattr":
                continue
            if called in CALLS:
                continue
            inner = self._followed(module, owner, node.func)
            if inner is None:
                return f"calls {ast.unparse(node.func)[:60]}"
            if isinstance(inner[2], ast.ClassDef):
                for method in ("__init__", "__new__", "__post_init__"):
                    for one in _methods(inner[2], method):
                        said = self.harmless(inner[0], inner[1], one, seen)
                        if said:
                            return f"{inner[1]}: {said}"
                continue
            said = self.harmless(inner[0], inner[1], inner[2], seen)
            if said:
                return f"{called}: {said}"
        return ""

    def _followed(self, module: str, owner: str, called: ast.expr) -> tuple[str, str, ast.AST] | None:
        """The function that is called, where it is found in the library."""
        if isinstance(called, ast.Attribute) and (
            (isinstance(called.value, ast.Name) and called.value.id in ("self", "cls"))
            or (isinstance(called.value, ast.Call) and _last(called.value.func) == "super")
        ):
            return self._method(module, owner, called.attr, 0)
        where = self.library.resolve(module, ast.unparse(called)) if isinstance(called, ast.Name | ast.Attribute) else ("?", "")
        found = self.library.defined.get(where[0], {}).get(where[1]) if self.library.has(where[0]) else None
        return (where[0], where[1], found) if isinstance(found, ast.FunctionDef | ast.ClassDef) else None

    def _method(self, module: str, owner: str, name: str, depth: int) -> tuple[str, str, ast.AST] | None:
        node = self.library.defined.get(module, {}).get(owner) if self.library.has(module) else None
        if not isinstance(node, ast.ClassDef) or depth > 12:
            return None
        for body in _methods(node, name):
            return module, owner, body
        for base in node.bases:
            while isinstance(base, ast.Subscript):
                base = base.value
            if isinstance(base, ast.Name | ast.Attribute):
                where = self.library.resolve(module, ast.unparse(base))
                if (found := self._method(*where, name, depth + 1)) is not None:
                    return found
        return None

    def callable(self, module: str, name: str) -> bool:
        """Whether its own reduction calls the class, and its constructor is harmless."""
        if (module, name) in self.enums:
            return True
        reduced = self._method(module, name, "__reduce__", 0) or self._method(module, name, "__reduce_ex__", 0)
        if reduced is None or not re.search(rf"type\(self\)|self\.__class__|return \(?{re.escape(name)}\b", ast.unparse(reduced[2])):
            return False
        for method in ("__init__", "__post_init__"):
            found = self._method(module, name, method, 0)
            if found is not None and self.harmless(found[0], found[1], found[2], set()):
                return False
        return True


def _methods(node: ast.ClassDef, name: str) -> list[ast.AST]:
    found: list[ast.AST] = []
    for stmt in node.body:
        if isinstance(stmt, ast.FunctionDef | ast.AsyncFunctionDef) and stmt.name == name:
            found.append(stmt)
        elif isinstance(stmt, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in stmt.targets):
            if not isinstance(stmt.value, ast.Constant | ast.Name | ast.Attribute):
                found.append(stmt)
    return found


def modules(root: Path, part: str) -> list[str]:
    """The modules below one, without those that are never listed."""
    base = root.joinpath(*part.split("."))
    paths = list(base.rglob("*.py")) if base.is_dir() else [base.with_suffix(".py")]
    paths += list(base.rglob("*.pyx")) if base.is_dir() else []
    found = set()
    for path in paths:
        if path.is_file():
            names = path.relative_to(root).with_suffix("").parts
            names = names[:-1] if names[-1] == "__init__" else names
            if not SKIPPED.intersection(names) and not names[-1].startswith("test_"):
                found.add(".".join(names))
    return sorted(found)


def functions(library: Library, module: str) -> list[str]:
    """Functions of a module that do nothing but compute, as far as the names in them tell."""
    found = []
    for name, node in library.defined.get(module, {}).items():
        if isinstance(node, ast.FunctionDef):
            called = {_last(one.func) or "" for one in ast.walk(node) if isinstance(one, ast.Call)}
            if not any(HARMFUL.match(one) for one in called | {name}):
                found.append(name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--why", help="say why one class, MODULE.CLASS, is left out")
    options = parser.parse_args()
    uses: dict[str, dict[str, dict[str, set[str]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(set)))
    left: dict[str, dict[str, str]] = defaultdict(dict)
    for root in options.folders:
        library = Library(root, options.folders)
        review = Review(library)
        for package, parts in PARTS.items():
            if not (root / package).is_dir():
                continue
            for part in parts.split():
                for module in modules(root, part):
                    if not library.has(module):
                        pyx = root.joinpath(*module.split(".")).with_suffix(".pyx")
                        if pyx.is_file():
                            for name in re.findall(r"^cdef class (\w+)", pyx.read_text("utf-8", "replace"), re.M):
                                if review.cython(module, name):
                                    uses[package]["call"][module].add(name)
                        continue
                    for name, node in library.defined[module].items():
                        if isinstance(node, ast.FunctionDef):
                            continue
                        said = review.why_not(module, name)
                        if options.why == f"{module}.{name}":
                            print(root, said or "listed", file=sys.stderr)
                        if said:
                            left[package][f"{module}.{name}"] = said
                        else:
                            uses[package]["call" if review.callable(module, name) else "new"][module].add(name)
            for part in FUNCTIONS.get(package, "").split():
                for module in modules(root, part):
                    if library.has(module):
                        uses[package]["name"][module].update(functions(library, module))
    OUT.mkdir(exist_ok=True)
    for package, by_use in uses.items():
        path = OUT / f"lib_{package}.txt"
        if path.is_file():
            for line in path.read_text("utf-8").splitlines():
                use, module, *names = line.partition("#")[0].split() or ("", "")
                by_use[use][module].update(names)
        lines = ["# Made by scripts/pickle_names.py. What of this library a pickle may name, make an instance of (new), or call."]
        for use in ("call", "new", "name"):
            for module, names in sorted(by_use[use].items()):
                stronger = set().union(
                    *(
                        by_use[one][module]
                        for one in ("call", "new", "name")
                        if ("call", "new", "name").index(one) < ("call", "new", "name").index(use)
                    )
                )
                if names - stronger:
                    lines.append(f"{use} {module} {' '.join(sorted(names - stronger))}")
        path.write_text("\n".join(lines) + "\n", "utf-8")
        listed = {f"{module}.{name}" for use in ("call", "new") for module, names in by_use[use].items() for name in names}
        for name, said in sorted(left[package].items()):
            if name not in listed:
                print(f"left out {name}: {said}", file=sys.stderr)


if __name__ == "__main__":
    main()
