"""Makes benign model files with the real libraries that are installed, to measure false alarms on.

    python scripts/benign_models.py FOLDER
    headwater models FOLDER --fail-on never

It needs scikit-learn; xgboost, lightgbm, catboost, torch, transformers, pandas, scipy, dill and cloudpickle are used where they are
installed. File names tell how a file was made: the library, the class, the way it was saved.
"""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")


class Maker:
    """Writes files and says what could not be made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.made = 0

    def write(self, name: str, make: Callable[[], Any], save: Callable[[Any, str], None], suffix: str) -> None:
        path = self.folder / f"{name}.{suffix}"
        try:
            save(make(), str(path))
            self.made += 1
        except Exception as error:  # whatever a library cannot do in this version
            path.unlink(missing_ok=True)
            print(f"not made: {path.name}: {type(error).__name__} {str(error)[:80]}", file=sys.stderr)


def dumped(protocol: int, module: str = "pickle") -> Callable[[Any, str], None]:
    """Saves with a pickling library."""

    def save(value: Any, path: str) -> None:
        with open(path, "wb") as file:
            importlib.import_module(module).dump(value, file, protocol=protocol)

    return save


def sklearn_files(maker: Maker) -> None:
    import joblib
    import numpy as np
    from sklearn.utils import all_estimators

    rng = np.random.RandomState(0)
    x = np.abs(rng.rand(40, 4))
    y = (x[:, 0] > 0.5).astype(int)
    ways: list[tuple[Callable[[Any, str], None], str]] = [
        (dumped(4), "pkl"),
        (joblib.dump, "joblib"),
        (functools.partial(joblib.dump, compress=3), "z.joblib"),
        (dumped(2), "p2.pkl"),
        (dumped(0), "p0.pkl"),
        (dumped(5), "p5.pkl"),
        (functools.partial(joblib.dump, compress=("lzma", 3)), "xz.joblib"),
        (functools.partial(joblib.dump, compress=("gzip", 3)), "gz.joblib"),
    ]
    for number, (name, kind) in enumerate(all_estimators()):

        def make(kind: Any = kind) -> Any:
            estimator = kind()
            try:
                estimator.fit(x, y)
            except Exception:  # some want text or other shapes: unfitted is a file, too
                estimator = kind()
            return estimator

        for way in (ways[number % len(ways)], ways[(number + 3) % len(ways)]):
            maker.write(f"sklearn-{name}", make, *way)
    extra_sklearn(maker, x, y)


def extra_sklearn(maker: Maker, x: Any, y: Any) -> None:
    import joblib
    import numpy as np
    from scipy.stats import loguniform, randint, uniform
    from sklearn import (
        compose,
        ensemble,
        feature_extraction,
        feature_selection,
        gaussian_process,
        linear_model,
        metrics,
        model_selection,
        neighbors,
        pipeline,
        preprocessing,
        svm,
    )

    kernels = gaussian_process.kernels
    kernel = 1.0 * kernels.RBF(1.0) + kernels.WhiteKernel() + kernels.Matern()
    made = {
        "pipeline": lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), svm.SVC(probability=True)).fit(x, y),
        "columns": lambda: compose.ColumnTransformer(
            [("a", preprocessing.FunctionTransformer(np.log1p), [0])], remainder="passthrough"
        ).fit(x),
        "random-search": lambda: model_selection.RandomizedSearchCV(
            linear_model.LogisticRegression(), {"C": loguniform(1e-3, 10), "tol": uniform(0, 1)}, n_iter=3
        ).fit(x, y),
        "halving": lambda: model_selection.RandomizedSearchCV(
            ensemble.RandomForestClassifier(3), {"max_depth": randint(2, 5)}, n_iter=2
        ).fit(x, y),
        "scorer": lambda: metrics.make_scorer(metrics.f1_score, average="macro"),
        "select": lambda: feature_selection.SelectKBest(feature_selection.f_classif, k=2).fit(x, y),
        "tfidf": lambda: feature_extraction.text.TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3)).fit(["a text", "another one"]),
        "hist": lambda: ensemble.HistGradientBoostingClassifier(max_iter=3).fit(x, y),
        "gp": lambda: gaussian_process.GaussianProcessRegressor(kernel).fit(x, y),
        "kdtree": lambda: neighbors.KDTree(x),
        "balltree": lambda: neighbors.BallTree(x, metric="haversine") if False else neighbors.BallTree(x),
        "stack": lambda: ensemble.StackingClassifier([("a", svm.LinearSVC()), ("b", ensemble.ExtraTreesClassifier(3))]).fit(x, y),
        "isolation": lambda: ensemble.IsolationForest(n_estimators=4, random_state=np.random.RandomState(1)).fit(x),
        "splits": lambda: [model_selection.KFold(3), model_selection.ShuffleSplit(2), model_selection.TimeSeriesSplit()],
        "rng": lambda: [np.random.default_rng(3), np.random.RandomState(4), np.random.SeedSequence(5)],
    }
    for name, make in made.items():
        maker.write(f"extra-{name}", make, dumped(4), "pkl")
        maker.write(f"extra-{name}", make, joblib.dump, "joblib")
        for module in ("cloudpickle", "dill"):
            if has(module):
                maker.write(f"extra-{name}-{module}", make, dumped(4, module), "pkl")


def has(module: str) -> bool:
    try:
        importlib.import_module(module)
    except Exception:
        return False
    return True


def data_files(maker: Maker) -> None:
    import numpy as np
    import pandas as pd
    from scipy import interpolate, sparse, spatial, stats

    index = pd.date_range("2024-01-01", periods=6, tz="UTC")
    frame = pd.DataFrame({"a": range(6), "b": list("xyzxyz"), "c": pd.Categorical(list("ppqqrr")), "d": index}, index=index)
    made = {
        "frame": lambda: frame,
        "series": lambda: frame["a"],
        "multi": lambda: frame.set_index(["b", "a"]),
        "nullable": lambda: frame.assign(e=pd.array([1, None, 3, 4, 5, 6], dtype="Int64"), f=pd.array([True, None] * 3, dtype="boolean")),
        "periods": lambda: pd.Series(range(3), index=pd.period_range("2024", periods=3, freq="M")),
        "intervals": lambda: pd.cut(pd.Series(range(6)), 3),
        "deltas": lambda: pd.to_timedelta([1, 2], unit="h"),
        "timestamp": lambda: [pd.Timestamp("2024-01-01", tz="Europe/Berlin"), pd.Timedelta("1h"), pd.NaT, pd.NA],
        "csr": lambda: sparse.random(9, 9, 0.3, format="csr"),
        "coo": lambda: sparse.random(9, 9, 0.3, format="coo"),
        "lil": lambda: sparse.random(9, 9, 0.3, format="lil"),
        "csr-array": lambda: sparse.csr_array(sparse.random(9, 9, 0.3, format="csr")),
        "spline": lambda: interpolate.BSpline(np.arange(9.0), np.arange(5.0), 3),
        "cubic": lambda: interpolate.CubicSpline(np.arange(9.0), np.arange(9.0) ** 2),
        "interp1d": lambda: interpolate.interp1d(np.arange(9.0), np.arange(9.0)),
        "rbf": lambda: interpolate.RBFInterpolator(np.random.rand(9, 2), np.arange(9.0)),
        "ckdtree": lambda: spatial.cKDTree(np.random.rand(20, 3)),
        "rotation": lambda: spatial.transform.Rotation.from_euler("x", 1),
        "frozen": lambda: [stats.norm(0, 1), stats.beta(2, 3), stats.poisson(2), stats.loguniform(1, 10)],
        "kde": lambda: stats.gaussian_kde(np.random.rand(9)),
        "masked": lambda: np.ma.masked_array([1, 2, 3], [0, 1, 0]),
        "structured": lambda: np.zeros(3, dtype=[("a", "f4"), ("b", "U5"), ("c", "i8", (2,))]),
        "objects": lambda: np.array([{"a": 1}, None, "x"], dtype=object),
        "scalars": lambda: [np.float32(1), np.int8(2), np.bool_(True), np.datetime64("2024-01-01"), np.complex64(1j), np.str_("a")],
        "recarray": lambda: np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        "poly": lambda: [np.poly1d([1, 2]), np.polynomial.Polynomial([1, 2])],
    }
    for name, make in made.items():
        for protocol in (2, 5):
            maker.write(f"data-{name}-{protocol}", make, dumped(protocol), "pkl")
    maker.write("data-structured", made["structured"], lambda value, path: np.save(path, value), "npy")
    maker.write("data-objects", made["objects"], lambda value, path: np.save(path, value, allow_pickle=True), "npy")
    maker.write("data-arrays", lambda: {"a": np.zeros((3, 4)), "b": np.ones(5, "i2")}, lambda value, path: np.savez(path, **value), "npz")
    maker.write("data-packed", lambda: {"a": np.zeros((300, 4))}, lambda value, path: np.savez_compressed(path, **value), "npz")


def boosters(maker: Maker) -> None:
    import joblib
    import numpy as np

    x = np.random.RandomState(0).rand(60, 4)
    y = (x[:, 0] > 0.5).astype(int)
    kinds: dict[str, Callable[[], Any]] = {}
    if has("xgboost"):
        import xgboost

        for name in ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRanker"):
            kinds[f"xgboost-{name}"] = lambda name=name: getattr(xgboost, name)(n_estimators=3).fit(
                x, y, **({"qid": [0] * 60} if "Ranker" in name else {})
            )
        kinds["xgboost-Booster"] = lambda: xgboost.train({}, xgboost.DMatrix(x, y), 3)
    if has("lightgbm"):
        import lightgbm

        for name in ("LGBMClassifier", "LGBMRegressor"):
            kinds[f"lightgbm-{name}"] = lambda name=name: getattr(lightgbm, name)(n_estimators=3, verbose=-1).fit(x, y)
        kinds["lightgbm-Booster"] = lambda: lightgbm.train({"verbose": -1}, lightgbm.Dataset(x, y), 3)
    if has("catboost"):
        import catboost

        for name in ("CatBoostClassifier", "CatBoostRegressor"):
            kinds[f"catboost-{name}"] = lambda name=name: getattr(catboost, name)(iterations=3, verbose=0, allow_writing_files=False).fit(
                x, y
            )
    for name, make in kinds.items():
        maker.write(name, make, dumped(4), "pkl")
        maker.write(name, make, dumped(2), "p2.pkl")
        maker.write(name, make, joblib.dump, "joblib")


def torch_files(maker: Maker) -> None:
    import torch
    from torch import nn

    def old(value: Any, path: str) -> None:
        torch.save(value, path, _use_new_zipfile_serialization=False)

    layers: dict[str, Callable[[], Any]] = {}
    for name in sorted(dir(nn)):
        kind = getattr(nn, name)
        if isinstance(kind, type) and issubclass(kind, nn.Module):
            for args in ((), (4,), (4, 4), (1, 4, 3), (4, 2, 4), (2, 4, 4)):
                try:
                    kind(*args)
                except Exception:
                    continue
                layers[name] = lambda kind=kind, args=args: kind(*args)
                break
    for number, (name, make) in enumerate(layers.items()):
        maker.write(f"torch-{name}", make, torch.save if number % 3 else old, "pt")
    parameters = [nn.Parameter(torch.zeros(3))]
    for name in sorted(dir(torch.optim)):
        kind = getattr(torch.optim, name)
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer:

            def optimizer(kind: Any = kind) -> Any:
                return kind(parameters, lr=0.1)

            maker.write(f"optimizer-{name}", optimizer, torch.save, "pt")
            maker.write(f"optimizer-{name}-state", lambda make=optimizer: make().state_dict(), old, "pth")
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    mixed = {
        "checkpoint": lambda: {
            "epoch": 3,
            "model": model[:2].state_dict(),
            "args": __import__("argparse").Namespace(lr=0.1),
            "rng": torch.get_rng_state(),
        },
        "dtypes": lambda: [
            torch.zeros(2, dtype=one) for one in (torch.bfloat16, torch.half, torch.int8, torch.bool, torch.complex64, torch.uint8)
        ],
        "sparse": lambda: [torch.eye(3).to_sparse(), torch.eye(3).to_sparse_csr()],
        "quantized": lambda: torch.quantize_per_tensor(torch.rand(3), 0.1, 0, torch.quint8),
        "nested": lambda: torch.nested.nested_tensor([torch.rand(2), torch.rand(3)]),
        "meta": lambda: torch.zeros(3, device="meta"),
        "misc": lambda: [
            torch.Size([1, 2]),
            torch.device("cpu"),
            torch.float16,
            torch.strided,
            torch.channels_last,
            torch.finfo(torch.float32).max,
        ],
        "distribution": lambda: torch.distributions.Normal(0.0, 1.0),
        "transformer": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 2),
        "packed": lambda: nn.utils.rnn.pack_padded_sequence(torch.rand(3, 2, 1), [3, 2]),
        "scheduler": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(torch.optim.SGD(parameters, lr=0.1), 3),
        "dataset": lambda: torch.utils.data.TensorDataset(torch.rand(3, 2)),
    }
    for name, make in mixed.items():
        maker.write(f"torch-mixed-{name}", make, torch.save, "pt")
        maker.write(f"torch-mixed-{name}", make, old, "old.pt")
        maker.write(f"torch-mixed-{name}", make, dumped(4), "pkl")
    maker.write("torch-script", lambda: torch.jit.script(model[:4]), torch.jit.save, "pt")
    maker.write("torch-trace", lambda: torch.jit.trace(nn.Linear(3, 2), torch.rand(1, 3)), torch.jit.save, "pt")
    maker.write("torch-export", lambda: torch.export.export(nn.Linear(3, 2), (torch.rand(1, 3),)), torch.export.save, "pt2")


def transformers_files(maker: Maker) -> None:
    import torch
    import transformers

    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 30}
    for name in ("Bert", "Roberta", "Llama", "Mistral", "Qwen2", "Electra", "Albert", "T5", "GPT2", "ViT", "DistilBert"):

        def make(name: str = name) -> Any:
            config = getattr(transformers, f"{name}Config")(**small)
            return getattr(transformers, f"{name}Model")(config)

        maker.write(f"transformers-{name}", make, torch.save, "pt")
        maker.write(f"transformers-{name}-config", lambda make=make: make().config, dumped(4), "pkl")
        maker.write(f"transformers-{name}-state", lambda make=make: make().state_dict(), torch.save, "bin")
    maker.write("transformers-arguments", lambda: transformers.TrainingArguments("out", report_to=[]), torch.save, "bin")


def main() -> None:
    maker = Maker(Path(sys.argv[1]))
    for make, needs in (
        (sklearn_files, "sklearn"),
        (data_files, "pandas"),
        (boosters, "numpy"),
        (torch_files, "torch"),
        (transformers_files, "transformers"),
    ):
        if has(needs):
            try:
                make(maker)
            except Exception as error:  # one library less is no reason to stop
                print(f"{make.__name__} stopped: {type(error).__name__} {error}", file=sys.stderr)
    print(f"{maker.made} files")


if __name__ == "__main__":
    main()
