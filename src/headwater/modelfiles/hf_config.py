"""Configurations of the Hugging Face libraries: code that they have fetched and run, chat templates, and places of files."""

from __future__ import annotations

import re
from typing import Any, Final

from headwater import limits
from headwater.modelfiles import names, pycode, targets, templates
from headwater.modelfiles.names import words
from headwater.modelfiles.work import Examination

KEYS: Final = words(
    """auto_map chat_template architectures model_type tokenizer_class processor_class feature_extractor_type image_processor_type peft_type
    _class_name _diffusers_version transformers_version base_model_name_or_path weight_map custom_pipelines trust_remote_code"""
)
_COMPONENTS: Final = re.compile(
    r"(?:diffusers|transformers|optimum|k_diffusion|stable_diffusion|onnxruntime|flax|peft|sentence_transformers)(?:\.|$)"
)
_PIPELINES: Final = re.compile(r"(?:transformers|peft|diffusers|sentence_transformers|open_clip|timm|torch\.nn)(?:\.|$)")

_MODULE: Final = re.compile(r"[A-Za-z_]\w*")
_ACTS: Final = 20  # calls of one module that are told


def judge(work: Examination, node: dict[str, Any], path: str = "") -> None:
    """One object of a configuration; called for all that are nested in it."""
    if "auto_map" in node:
        _auto_map(work, node["auto_map"])
    for key in [key for key in node if key.startswith("chat_template")]:
        _template(work, node[key], key)
    if "custom_pipelines" in node:
        _pipelines(work, node["custom_pipelines"])
    if node.get("trust_remote_code") is True:
        message = "The configuration asks for code of the repository to be run (trust_remote_code)."
        work.concern("remote-code", "review", message, '"trust_remote_code": true')
    if "weight_map" in node and isinstance(node["weight_map"], dict):
        outside = next((value for value in node["weight_map"].values() if isinstance(value, str) and names.leads_out(value)), "")
        if outside:
            work.concern("weight-path", "malicious", "Weights are said to lie outside of the folder of the model.", outside)
    if "_class_name" in node and "_diffusers_version" in node:
        _diffusers(work, node)
    if "peft_type" in node:
        _adapter(work, node)
    for key in ("custom_ops_library", "custom_op_library", "custom_ops_library_path"):
        if isinstance(node.get(key), str) and node[key]:
            work.concern("native-library", "review", f"The runtime loads a library of native code ('{key}').", node[key])
    if isinstance(node.get("_target_"), str):
        targets.judge(work, node["_target_"])


def modules(work: Examination, tree: list[Any]) -> bool:
    """``modules.json`` of sentence-transformers: classes that are imported by name."""
    if not tree or not all(isinstance(one, dict) and isinstance(one.get("type"), str) and "idx" in one for one in tree):
        return False
    for one in tree:
        kind = one["type"]
        if not re.match(r"(?:sentence_transformers|pylate)(?:\.|$)", kind):
            harmful = targets.is_harmful(kind)
            message = f"Loading the model imports '{kind}': it is code of the repository, or of another library."
            work.concern("remote-code", "malicious" if harmful else "review", message, f'"type": "{kind}"')
    return True


def _auto_map(work: Examination, mapping: object) -> None:
    values = mapping.items() if isinstance(mapping, dict) else [("AutoTokenizer", mapping)]
    for key, value in values:
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, str) or not one:
                continue
            repository, _, rest = one.rpartition("--")
            where = f"of another repository, '{repository}'," if repository else "of the repository"
            module = rest.rpartition(".")[0].replace(".", "/")
            message = f"Loading it with trust_remote_code=True imports '{module}.py' {where} and runs it ({key}.from_pretrained)." + (
                " Whoever holds that repository decides what runs." if repository else ""
            )
            work.concern("remote-code", "review", message, f"auto_map {key}: {one}")
            if not repository:
                _code(work, module)


def _code(work: Examination, first: str) -> None:
    """The code that is meant, where it lies beside the configuration, with what it imports from there. Archives have all code looked at."""
    waiting, seen = [first], {first}
    while waiting:
        module = waiting.pop(0)
        data = work.beside(f"{module}.py") if _MODULE.fullmatch(module) else None
        if data is None:
            continue
        for act in (pycode.acts(data) or [])[:_ACTS]:
            when = "importing it" if act.at_import else "using the model"
            message = f"Loading it with trust_remote_code=True imports '{module}.py': {when} calls {act.call[:200]} (line {act.line})."
            work.concern("remote-code", "malicious" if act.at_import and not act.usual else "review", message, act.call)
        for other in pycode.imported(data):
            if other not in seen and len(seen) < limits.MODEL_CODE_BESIDE:
                seen.add(other)
                waiting.append(other)


def _template(work: Examination, value: object, key: str) -> None:
    if isinstance(value, str):
        templates.judge(work, value, "The chat template" if key == "chat_template" else f"The chat template '{key[:120]}'")
    elif isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                name = str(one.get("name", ""))
                for text in (part for part in one.values() if isinstance(part, str)):
                    templates.judge(work, text, f"The chat template '{name[:120]}'")
            elif isinstance(one, str):
                templates.judge(work, one, "A chat template")
    elif isinstance(value, dict):
        for name, text in value.items():
            if isinstance(text, str):
                templates.judge(work, text, f"The chat template '{str(name)[:120]}'")


def _pipelines(work: Examination, pipelines: object) -> None:
    for name, one in pipelines.items() if isinstance(pipelines, dict) else ():
        code = one.get("impl", "") if isinstance(one, dict) else ""
        message = f"The pipeline '{str(name)[:80]}' is code of the repository: it is run with trust_remote_code=True."
        work.concern("remote-code", "review", message, f"custom_pipelines {name}: {code}")


def _diffusers(work: Examination, node: dict[str, Any]) -> None:
    for key, value in node.items():
        if key.startswith("_") and key != "_class_name":
            continue
        if key == "_class_name" and isinstance(value, list):
            message = "The pipeline is made by code of the repository: it is run with trust_remote_code=True."
            work.concern("remote-code", "review", message, f"_class_name: {value}")
        elif isinstance(value, list) and len(value) == 2 and all(isinstance(one, str) for one in value):
            if not _COMPONENTS.match(value[0]) and "_class_name" in node and re.match(r"[A-Za-z_]\w*$", value[1]):
                message = f"The part '{key}' is made by '{value[0]}', which is no library of pipelines: it is code of the repository."
                work.concern("remote-code", "review", message, f"{key}: {value}")


def _adapter(work: Examination, node: dict[str, Any]) -> None:
    mapping = node.get("auto_mapping")
    library = mapping.get("parent_library") if isinstance(mapping, dict) else None
    if isinstance(library, str) and library and not _PIPELINES.match(library):
        message = f"Loading the adapter imports '{library}', which is code of the repository of its base model or of another library."
        work.concern("remote-code", "malicious" if targets.is_harmful(library) else "review", message, f"parent_library: {library}")
