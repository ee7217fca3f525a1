"""JSON of all kinds: configurations of Hugging Face, Keras, diffusers, skops; XGBoost, CatBoost, MXNet; what is none of them is unknown."""

from __future__ import annotations

import re
from typing import Any, Final

from headwater import limits
from headwater.modelfiles import hf_config, keras_config, names, payload, skops_schema, texts
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "json"
_STARTS: Final = re.compile(rb'\{\s*(?:"|\})|\[\s*(?:[\[{"\-\d\]]|true|false|null)')

_OF_ARCHIVES: Final = ("config.json", "schema.json")
"""Members that say what an archive of Keras or skops builds."""


def matches(head: bytes, blob: Blob, path: str) -> bool:
    start = texts.first(head)
    return bool(_STARTS.match(start) or (start.startswith(b"{") and names.base(path) in _OF_ARCHIVES)) and texts.is_text(head)


def examine(blob: Blob, work: Examination) -> None:
    text = texts.whole(blob)
    if text is None:
        _long(blob, work)
        return
    try:
        tree = texts.loads(text)
    except (ValueError, RecursionError) as error:
        _broken(work, text, error)
        return
    work.format = kind(tree)
    judge(work, tree)


def kind(tree: object) -> str:
    """What the JSON is; ``unknown`` if it is of no format that is known."""
    if isinstance(tree, list):
        return "hf-config" if tree and isinstance(tree[0], dict) and {"idx", "type"} <= tree[0].keys() else "unknown"
    if not isinstance(tree, dict):
        return "unknown"
    keys = tree.keys()
    if skops_schema.is_schema(tree):
        return "skops"
    if "learner" in keys and ("version" in keys or "learner_model_param" in str(tree.get("learner"))[:20_000]):
        return "xgboost"
    if {"nodes", "arg_nodes", "heads"} <= keys:
        return "mxnet"
    if "oblivious_trees" in keys or ({"features_info", "model_info"} <= keys):
        return "catboost"
    if "class_name" in keys and "config" in keys:
        return "keras"
    if keys & hf_config.KEYS or any(key.startswith("chat_template") for key in keys):
        return "hf-config"
    if "tree_info" in keys and "num_tree_per_iteration" in keys:
        return "lightgbm"
    if "added_tokens" in keys and "model" in keys:
        return "hf-tokenizer"
    return "unknown"


def judge(work: Examination, tree: object) -> None:
    if work.format in ("xgboost", "catboost", "lightgbm"):
        learner = tree.get("learner") if isinstance(tree, dict) else None
        attributes = learner.get("attributes") if isinstance(learner, dict) else None
        for key, value in (attributes or {}).items() if isinstance(attributes, dict) else ():
            if isinstance(value, str):
                payload.look(work, value, f"the attribute '{key[:80]}'")
        return
    if work.format == "skops":
        skops_schema.judge(work, tree)
        return
    if work.format == "keras":
        keras_config.judge(work, tree)
        return
    if isinstance(tree, list):
        hf_config.modules(work, tree)
    if work.format == "mxnet":
        _mxnet(work, tree)
    _walk(work, tree)


def _walk(work: Examination, tree: object) -> None:
    stack: list[object] = [tree]
    left = limits.MODEL_FIELDS
    while stack:
        node = stack.pop()
        left -= 1
        if left < 0:
            work.concern("size", "inconclusive", "It has more entries than are read.")
            return
        if isinstance(node, dict):
            if "class_name" in node and isinstance(node.get("config"), (dict, str)) and ("module" in node or "registered_name" in node):
                if keras_config.judge(work, node):
                    work.format = "keras" if work.format == "unknown" else work.format
                    continue
            hf_config.judge(work, node)
            stack += [value for value in node.values() if isinstance(value, (dict, list))]
        elif isinstance(node, list) and node and isinstance(node[0], (dict, list)):
            stack += [value for value in node if isinstance(value, (dict, list))]


def _mxnet(work: Examination, tree: Any) -> None:
    nodes = tree.get("nodes")
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and node.get("op") in ("Custom", "_Native", "_NDArray"):
            attributes = node.get("attrs") or node.get("param") or {}
            name = attributes.get("op_type", "") if isinstance(attributes, dict) else ""
            message = f"The operator '{str(node.get('name'))[:80]}' is Python code that the loading process has registered as '{name}'."
            work.concern("python-operator", "review", message, str(attributes)[:400])


def _long(blob: Blob, work: Examination) -> None:
    head = blob.read(0, 1 << 20)
    if b'"learner"' in head or head.startswith(b'{"learner') or b'"gbtree' in head:
        work.format = "xgboost"  # numbers and names alone; nothing in it is run
    elif b'"oblivious_trees"' in head or b'"features_info"' in head:
        work.format = "catboost"
    else:
        work.format = "unknown"
        work.concern("size", "inconclusive", "It is too long to be read.", str(blob.size))


def _broken(work: Examination, text: str, error: Exception) -> None:
    """JSON lines, JSON with comments, or a file that was cut: what a lenient loader would find in it is looked for in its text."""
    work.format = "unknown"
    if isinstance(error, RecursionError):
        work.concern("nesting", "inconclusive", "It is nested too deep to be read.")
        return
    if work.depth and names.base(work.path) in _OF_ARCHIVES:
        work.concern("broken", "inconclusive", "What the archive says of the model is no whole JSON: it is cut or damaged.", str(error))
    elif re.search(r'"(?:auto_map|chat_template)"\s*:', text[:1_000_000]) or '"class_name"' in text[:100_000]:
        work.format = "hf-config"
        work.concern("broken", "inconclusive", "It is no whole JSON: it is cut or damaged.", str(error))
