"""Keras, skops, Hugging Face, YAML, PMML, OpenVINO and other configurations: what they build, import and read."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from model_builders import PICKLE, code, evidence, examined, form, hdf5, keras, layer, sequential, verdict, zipped


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


class TestKeras:
    LAMBDA = layer(
        "Lambda", {"name": "l", "function": layer("__lambda__", {"code": code("lambda x: __import__('os').system('id')")}, None)}
    )
    OLD_LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": [code("lambda x: open('f').close()"), None, None]}}

    @staticmethod
    def everywhere(one: dict[str, Any]) -> list[str]:
        """The verdicts of the same layer in each kind of file, at the top and deep in nested models."""
        deep = sequential(sequential(layer("Dense"), sequential(layer("TimeDistributed", {"name": "t", "layer": one}))))
        files = [keras(layer("Dense"), one), keras(deep), hdf5(json.dumps(sequential(one))), hdf5(json.dumps(deep)), dumped(deep)]
        return [verdict(file, "f") for file in files]

    def test_usual(self) -> None:
        usual = layer(
            "Dense",
            {
                "name": "d",
                "units": 3,
                "activation": "relu",
                "kernel_initializer": layer("GlorotUniform", {"seed": None}, "keras.initializers"),
            },
        )
        compiled = {"optimizer": layer("Adam", {"learning_rate": 0.1}, "keras.optimizers"), "loss": layer("function", "mse", "builtins")}
        assert self.everywhere(usual) == ["clean"] * 5
        assert self.everywhere(layer("Dense", compile_config=compiled)) == ["clean"] * 5
        assert self.everywhere(layer("Mine", module="keras_hub.models", registered_name="keras_hub>Mine")) == ["clean"] * 5
        assert next(one.format for one in examined(keras(usual))) == "keras"

    def test_lambda(self) -> None:
        # CVE-2024-3660, CVE-2025-9905 (HDF5): https://github.com/advisories/GHSA-36rr-ww3j-vrjv
        assert self.everywhere(self.LAMBDA) == ["malicious"] * 5
        assert self.everywhere(self.OLD_LAMBDA) == ["malicious"] * 5
        assert "system" in evidence(keras(self.LAMBDA))
        harmless = layer("Lambda", {"name": "l", "function": layer("__lambda__", {"code": code("lambda x: x * 2")}, None)})
        assert self.everywhere(harmless) == ["review"] * 5
        assert self.everywhere(layer("Lambda", {"name": "l", "function": "my_function", "function_type": "function"})) == ["review"] * 5

    @pytest.mark.parametrize(
        ("one", "wanted"),
        [
            # CVE-2025-1550: https://github.com/advisories/GHSA-48g7-3x6r-xfhp
            (layer("function", "system", "os", registered_name="system"), "malicious"),
            (layer("Popen", {"args": "id"}, "subprocess"), "malicious"),
            # CVE-2025-8747: https://github.com/advisories/GHSA-c9rc-mg46-23w3
            (layer("function", "get_file", "keras.utils", registered_name="get_file"), "malicious"),
            # CVE-2025-9906: https://github.com/advisories/GHSA-36fq-jgmw-4r9c
            (layer("function", "enable_unsafe_deserialization", "keras.config"), "malicious"),
            (layer("function", "load_model", "keras.saving"), "malicious"),
            (layer("function", "eval", "builtins"), "malicious"),
            # CVE-2025-12058: https://github.com/advisories/GHSA-mq84-hjqx-cwf2
            (layer("StringLookup", {"name": "s", "vocabulary": "/etc/passwd"}), "malicious"),
            (layer("TextVectorization", {"name": "s", "vocabulary": "http://203.0.113.1/x"}), "malicious"),
            (layer("IntegerLookup", {"name": "s", "vocabulary": "../../secret"}), "malicious"),
            (layer("StringLookup", {"name": "s", "vocabulary": "words.txt"}), "review"),
            (layer("StringLookup", {"name": "s", "vocabulary": ["a", "/etc/passwd"]}), "clean"),
            (layer("MyLayer", {"name": "m"}, "my_package.layers"), "review"),
        ],
        ids=lambda one: one if isinstance(one, str) else f"{one['module']}.{one['class_name']}",
    )
    def test_objects(self, one: dict[str, Any], wanted: str) -> None:
        assert self.everywhere(one) == [wanted] * 5

    def test_torch_module(self) -> None:
        # CVE-2025-49655: https://github.com/advisories/GHSA-28jp-44vh-q42h
        packed = layer("TorchModuleWrapper", {"name": "t", "module": base64.b64encode(PICKLE).decode()})
        assert self.everywhere(packed) == ["malicious"] * 5

    def test_broken_configurations(self) -> None:
        assert verdict(zipped({"config.json": "{", "metadata.json": "{}"})) == "inconclusive"
        assert verdict(hdf5('{"class_name": "Sequential", "config": {"layers": [')) == "inconclusive"
        assert verdict(hdf5()) == "clean"
        assert form(hdf5()) == "hdf5"

    def test_configurations_of_any_length_and_place_in_hdf5(self) -> None:
        long = json.dumps(sequential(layer("Dense", {"name": "d", "note": '}{"' * 40_000}), self.OLD_LAMBDA))
        assert verdict(hdf5(long)) == "malicious"
        assert verdict(hdf5("x" * 9_000_000, long)) == "malicious"
        assert verdict(hdf5(*(json.dumps(sequential(layer("Dense"))) for _ in range(80)), long)) == "inconclusive"


class TestSkops:
    @staticmethod
    def node(loader: str, module: str, name: str, content: Any = None, **more: Any) -> dict[str, Any]:
        return {"__class__": name, "__module__": module, "__loader__": loader, "content": content, "__id__": 1, **more}

    def verdict(self, node: dict[str, Any]) -> str:
        root = self.node("ObjectNode", "sklearn.pipeline", "Pipeline", self.node("DictNode", "builtins", "dict", {"steps": [node]}))
        return verdict(zipped({"schema.json": json.dumps(root)}))

    def test_usual(self) -> None:
        assert self.verdict(self.node("ObjectNode", "sklearn.linear_model._logistic", "LogisticRegression", {})) == "clean"
        assert self.verdict(self.node("FunctionNode", "numpy", "log1p")) == "clean"
        assert self.verdict(self.node("OperatorFuncNode", "operator", "itemgetter", attrs={})) == "clean"
        assert form(zipped({"schema.json": json.dumps(self.node("DictNode", "builtins", "dict", {}))})) == "skops"

    def test_functions(self) -> None:
        assert self.verdict(self.node("FunctionNode", "os", "system")) == "malicious"
        assert self.verdict(self.node("FunctionNode", "builtins", "function", {"module_path": "os", "function": "system"})) == "malicious"
        assert self.verdict(self.node("FunctionNode", "my_package", "transform")) == "review"
        assert self.verdict(self.node("FunctionNode", "numpy.f2py.crackfortran", "getlincoef")) == "review"
        assert self.verdict(self.node("ObjectNode", "subprocess", "Popen", {})) == "malicious"
        assert self.verdict(self.node("TypeNode", "my_package", "Thing")) == "review"

    def test_nodes_that_say_what_they_are_not(self) -> None:
        # CVE-2025-54412 and CVE-2025-54413: https://github.com/advisories/GHSA-m7f4-hrc6-fwg3, GHSA-4v6w-xpmh-gfgp
        assert self.verdict(self.node("OperatorFuncNode", "os", "system", attrs={})) == "malicious"
        inner = self.node("ObjectNode", "sklearn.linear_model", "Ridge", {})
        assert self.verdict(self.node("MethodNode", "sklearn.svm", "SVC", {"func": "fit", "obj": inner})) == "malicious"
        assert self.verdict(self.node("MethodNode", "sklearn.linear_model", "Ridge", {"func": "__reduce__", "obj": inner})) == "malicious"
        assert self.verdict(self.node("MethodNode", "sklearn.linear_model", "Ridge", {"func": "fit", "obj": inner})) == "clean"
        words = self.node("TupleNode", "builtins", "tuple", [self.node("JsonNode", "builtins", "str", '"__class__"')])
        assert self.verdict(self.node("OperatorFuncNode", "operator", "attrgetter", attrs=words)) == "malicious"


class TestHuggingFace:
    @pytest.mark.parametrize(
        ("config", "wanted"),
        [
            ({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, "clean"),
            ({"auto_map": {"AutoModel": "modeling_mine.Mine"}, "model_type": "mine"}, "review"),
            ({"auto_map": {"AutoModel": "someone/else--modeling_mine.Mine"}, "model_type": "mine"}, "review"),
            ({"auto_map": {"AutoTokenizer": ["tok.Slow", None]}, "tokenizer_class": "T"}, "review"),
            ({"auto_map": {}, "model_type": "mine"}, "clean"),
            ({"custom_pipelines": {"mine": {"impl": "pipe.Mine", "pt": ["AutoModel"]}}, "model_type": "m"}, "review"),
            ({"model_type": "m", "trust_remote_code": True}, "review"),
            ({"weight_map": {"w": "model-00001-of-00002.safetensors"}}, "clean"),
            ({"weight_map": {"w": "../../x.safetensors"}}, "malicious"),
            ({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30", "unet": ["diffusers", "UNet2DConditionModel"],
            "safety_checker": [None, None]}, "clean"),
            ({"_class_name": "P", "_diffusers_version": "0.30", "unet": ["my_unet", "MyUNet"]}, "review"),
            ({"_class_name": ["pipeline", "MyPipeline"], "_diffusers_version": "0.30"}, "review"),
            ({"peft_type": "LORA", "base_model_name_or_path": "org/model", "auto_mapping": None}, "clean"),
            ({"peft_type": "LORA", "auto_mapping": {"base_model_class": "M", "parent_library": "transformers.models.llama"}}, "clean"),
            ({"peft_type": "LORA", "auto_mapping": {"base_model_class": "M", "parent_library": "transformers_modules.evil"}}, "review"),
            ({"model": {"decoder": {"session_options": {"custom_ops_library": "./x.so"}}}}, "review"),
            ([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}], "clean"),
            ([{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}], "review"),
            ({"a": {"_target_": "subprocess.call"}}, "malicious"),
        ],
    )  # fmt: skip
    def test_configurations(self, config: Any, wanted: str) -> None:
        assert verdict(dumped(config), "f") == wanted

    def test_other_json_is_unknown(self) -> None:
        for value in ({"name": "x", "version": "1"}, [1, 2], {}, [], {"compilerOptions": {}}):
            assert (form(dumped(value), "f"), verdict(dumped(value), "f")) == ("unknown", "clean")

    def test_escaped_keys_are_read(self) -> None:
        assert verdict(b'{"auto\\u005fmap": {"AutoModel": "a.B"}}', "f") == "review"

    def test_cut_configurations_are_inconclusive(self) -> None:
        assert verdict(b'{"auto_map": {"AutoModel": "a', "f") == "inconclusive"
        assert verdict(b"[" * 100_000, "f") == verdict(b'{"a":' * 100_000, "f") == "inconclusive"


class TestYaml:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("a: !!python/object/apply:os.system ['id']", "malicious"),
            ("a: !!python/object/new:subprocess.Popen [['id']]", "malicious"),
            ("a: !<tag:yaml.org,2002:python/object/apply:os.system> [id]", "malicious"),
            ("%TAG ! tag:yaml.org,2002:python/object/\n--- \na: !apply:os.system [id]", "malicious"),
            ("a: !!python/object/apply:builtins.eval ['1']", "malicious"),
            ("a: !!python/name:os.system", "malicious"),
            ("a: !!python/object:my_package.Thing {x: 1}", "review"),
            ("a: !!python/object/apply:collections.OrderedDict [[[a, 1]]]", "clean"),
            ("a: !!python/tuple [1, 2]", "clean"),
            ("a: !!python/object:argparse.Namespace {x: 1}", "clean"),
            ("a: !!python/name:material.extensions.emoji.twemoji", "clean"),
            ("a: 1\nb: [x, y]", "clean"),
            ("a: '!!python/object/apply:os.system'", "clean"),
            ("# !!python/object/apply:os.system\na: 1", "clean"),
            ("trainer:\n  _target_: os.system", "malicious"),
            ("trainer:\n  _target_: lightning.Trainer", "clean"),
        ],
    )
    def test_tags(self, text: str, wanted: str) -> None:
        assert verdict(text.encode(), "x.yaml") == wanted
        if "python/" in text:
            assert verdict(text.encode(), "x") == wanted  # by its looks

    def test_what_is_called(self) -> None:
        assert "os.system" in evidence(b"a: !!python/object/apply:os.system ['touch x']", "x.yaml")
        assert "touch x" in evidence(b"a: !!python/object/apply:os.system ['touch x']", "x.yaml")


class TestXml:
    PMML = '<?xml version="1.0"?>{0}<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/>{1}<DataDictionary/></PMML>'
    NET = '<net name="m" version="11"><layers><layer id="0" name="x" type="{0}" version="{1}"{2}/></layers><edges/></net>'

    @pytest.mark.parametrize(
        ("doctype", "inside", "wanted"),
        [
            ("", "", "clean"),
            ("", '<Extension name="author" value="me"/>', "clean"),
            ('<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "<a>&x;</a>", "malicious"),
            ('<!DOCTYPE PMML [<!ENTITY % x PUBLIC "p" "http://203.0.113.1/x.dtd"> %x;]>', "", "malicious"),
            ("<!DOCTYPE x [" + "".join(f'<!ENTITY e{n} "{"&e1;" * 10}">' for n in range(9)) + "]>", "", "malicious"),
            ('<!DOCTYPE PMML SYSTEM "http://203.0.113.1/x.dtd">', "", "review"),
            ("", "<Extension name=\"script\">os.system('id')</Extension>", "malicious"),
            ("", '<Extension name="script">x = 1</Extension>', "review"),
            ("", '<script language="groovy">Runtime.getRuntime().exec("id")</script>', "malicious"),
            ("", '<Apply function="java.lang.Runtime.exec"/>', "review"),
            ("", '<Apply function="+"/><Apply function="lowercase"/>', "clean"),
        ],
    )
    def test_pmml(self, doctype: str, inside: str, wanted: str) -> None:
        data = self.PMML.format(doctype, inside).encode()
        assert (form(data), verdict(data)) == ("pmml", wanted)

    @pytest.mark.parametrize(
        ("kind", "version", "more", "wanted"),
        [
            ("MatMul", "opset1", "", "clean"),
            ("Mine", "extension", "", "review"),
            ("Mine", "extension", ' library="/tmp/x.so"', "malicious"),
            ("Custom", "opset1", ' library="evil.dll"', "malicious"),
            ("Custom", "opset1", ' implementation="python"', "review"),
        ],
    )
    def test_openvino(self, kind: str, version: str, more: str, wanted: str) -> None:
        data = self.NET.format(kind, version, more).encode()
        assert (form(data), verdict(data)) == ("openvino", wanted)

    def test_other_xml_is_clean(self) -> None:
        assert verdict(b'<?xml version="1.0"?><project><a library="x.so"/></project>', "pom.xml") == "clean"


def test_trees() -> None:
    xgboost = {"learner": {"attributes": {"note": "best"}, "learner_model_param": {}}, "version": [2, 0, 0]}
    assert (form(dumped(xgboost)), verdict(dumped(xgboost))) == ("xgboost", "clean")
    xgboost["learner"]["attributes"]["note"] = base64.b64encode(PICKLE).decode()  # type: ignore[index]
    assert verdict(dumped(xgboost)) == "malicious"
    symbol: dict[str, Any] = {"nodes": [{"op": "null", "name": "data"}], "arg_nodes": [0], "heads": [[0, 0]]}
    assert (form(dumped(symbol)), verdict(dumped(symbol))) == ("mxnet", "clean")
    symbol["nodes"].append({"op": "Custom", "name": "c", "attrs": {"op_type": "mine"}})
    assert verdict(dumped(symbol)) == "review"
