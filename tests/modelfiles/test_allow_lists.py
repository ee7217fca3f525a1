"""The lists of names that a pickle may use: made from libraries, and without anything that acts."""

from __future__ import annotations

import importlib
import sys
from importlib import resources
from pathlib import Path

import pytest

from headwater.modelfiles.pickles import allow, gadgets
from headwater.modelfiles.pickles.values import Global

FOLDER = resources.files("headwater.modelfiles.pickles").joinpath("allowed")
LISTS = sorted(one.name for one in FOLDER.iterdir() if one.name.endswith(".txt"))


def lines(name: str) -> list[tuple[str, str, list[str]]]:
    found = []
    for line in FOLDER.joinpath(name).read_text("utf-8").splitlines():
        use, module, *names = line.partition("#")[0].split() or ("", "")
        if use:
            found.append((use, module, names))
    return found


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_well_formed(name) -> None:
    for use, module, names in lines(name):
        assert use in allow.RANK
        assert names, module
        assert all(part.isidentifier() for one in (module, *names) for part in one.split("."))


@pytest.mark.parametrize("name", [one for one in LISTS if one != "reviewed.txt"])
def test_a_list_speaks_of_its_own_library_alone(name) -> None:
    package = name.removeprefix("lib_").removesuffix(".txt")
    assert {module.partition(".")[0] for _, module, _ in lines(name)} == {package}


def test_what_may_be_called_or_made_is_nothing_that_is_known_to_act() -> None:
    known = {"functools.partial", "builtins.getattr"}
    acting = {
        f"{module}.{one}": gadgets.capability(Global(module, one))
        for name in LISTS
        for use, module, names in lines(name)
        for one in names
        if use == "call" and f"{module}.{one}" not in known and gadgets.capability(Global(module, one))
    }
    harmless = {
        key for key in acting if key.split(".")[0] in ("_codecs", "io", "_io", "pathlib", "threading", "operator", "types", "logging")
    }
    of_torch = {key for key in acting if key.startswith(("torch.", "joblib.", "dill._dill._create_array", "numpy.", "pandas."))}
    assert set(acting) - harmless - of_torch == set()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("builtins", "type"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("numpy", "load"),
        ("pandas", "read_pickle"),
        ("sklearn.datasets._openml", "fetch_openml"),
        ("torch.utils.data.datapipes.datapipe", "_DataPipeSerializationWrapper"),
        ("torch_geometric.nn.conv.message_passing", "MessagePassing"),
        ("transformers.models.xlm.tokenization_xlm", "XLMTokenizer"),
        ("joblib", "load"),
        ("operator", "methodcaller"),
        ("importlib", "import_module"),
        ("nltk.data", "load"),
        ("gensim.utils", "unpickle"),
    ],
)
def test_names_that_must_be_on_no_list(module, name) -> None:
    assert not allow.allowed(module, name, "call")
    assert not allow.allowed(module, name, "new")


@pytest.mark.parametrize(
    ("module", "name", "use"),
    [
        ("sklearn.pipeline", "Pipeline", "new"),
        ("sklearn.ensemble._forest", "RandomForestClassifier", "new"),
        ("torch.nn.modules.linear", "Linear", "new"),
        ("torch.optim.adam", "Adam", "new"),
        ("xgboost.sklearn", "XGBClassifier", "new"),
        ("lightgbm.sklearn", "LGBMRegressor", "new"),
        ("transformers.models.bert.modeling_bert", "BertModel", "new"),
        ("transformers.training_args", "TrainingArguments", "new"),
        ("torchvision.models.resnet", "ResNet", "new"),
        ("timm.models.vision_transformer", "VisionTransformer", "new"),
        ("sklearn.metrics._classification", "f1_score", "name"),
        ("torch.nn.functional", "relu", "name"),
        ("statsmodels.regression.linear_model", "OLS", "new"),
        ("sklearn.tree._tree", "Tree", "call"),
        ("pandas._libs.internals", "_unpickle_block", "call"),
        ("omegaconf.dictconfig", "DictConfig", "new"),
    ],
)
def test_names_that_files_of_libraries_use(module, name, use) -> None:
    assert allow.allowed(module, name, use)


def test_a_module_name_leads_to_no_file_but_a_list() -> None:
    assert not allow.allowed("../reviewed", "x", "name")
    assert not allow.allowed("", "", "name")


LIBRARY = {
    "sklearn/__init__.py": "",
    "sklearn/base.py": "import os\nclass BaseEstimator:\n    def __setstate__(self, state):\n        self.__dict__.update(state)\n",
    "sklearn/good.py": "from .base import BaseEstimator as Base\nclass Good(Base):\n    def fit(self, x):\n        return open(x)\n",
    "sklearn/bad.py": (
        "import os\nfrom sklearn.base import BaseEstimator\n"
        "class Opens(BaseEstimator):\n    def __setstate__(self, state):\n        self.file = open(state['path'])\n"
        "class Below(Opens):\n    pass\n"
        "class Helped(BaseEstimator):\n    def __new__(cls, path):\n        return _help(path)\n"
        "def _help(path):\n    return os.system(path)\n"
        "class Unknown(Elsewhere):\n    pass\n"
        "class Looked(BaseEstimator):\n    def __getattr__(self, name):\n        return eval(name)\n"
        "class Gone(BaseEstimator):\n    def __del__(self):\n        os.unlink(self.path)\n"
    ),
    "sklearn/kinds.py": (
        "import enum\nclass Kind(enum.Enum):\n    A = 1\n"
        "class Called:\n    def __init__(self, a):\n        self.a = a\n    def __reduce__(self):\n        return (type(self), (self.a,))\n"
        "class Runs:\n    def __init__(self, a):\n        run(a)\n    def __reduce__(self):\n        return (type(self), (self.a,))\n"
    ),
    "sklearn/tests/test_x.py": "class Tested:\n    pass\n",
    "sklearn/metrics/__init__.py": "def score(a, b):\n    return abs(a - b)\ndef fetch(a):\n    return urlopen(a)\n",
}


def test_lists_are_made_from_sources_by_default_deny(tmp_path, monkeypatch) -> None:
    for path, text in LIBRARY.items():
        file = tmp_path / "lib" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    maker = importlib.import_module("pickle_names")
    monkeypatch.setattr(maker, "OUT", tmp_path / "out")
    monkeypatch.setattr(sys, "argv", ["pickle_names.py", str(tmp_path / "lib")])
    maker.main()
    found = {line for line in (tmp_path / "out/lib_sklearn.txt").read_text().splitlines() if not line.startswith("#")}
    assert found == {
        "call sklearn.kinds Called Kind",
        "new sklearn.base BaseEstimator",
        "new sklearn.good Good",
        "new sklearn.kinds Runs",
        "name sklearn.metrics score",
    }
