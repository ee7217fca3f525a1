"""The system map as an AI-BOM: CycloneDX 1.6 or 1.7, models with their cards, data, services, and the libraries that make them.

Written by ourselves, since the library for CycloneDX knows neither model cards nor data, and drops them. What source does not tell is left
out. The serial number is made from the content, so that the same map gives the same bytes.
"""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

from packaging.utils import canonicalize_name

from headwater import __version__
from headwater.components import Component
from headwater.files.versions import Declaration, Versions
from headwater.findings import Review
from headwater.reports import escape
from headwater.reports.threats_shared import encoded, shown
from headwater.threats.zones import Zone, zone, zones

Spec = Literal["1.6", "1.7"]
REF: Final = 1_000
"""Characters of a reference or a value."""
_MODELS: Final = {"llm": "text-generation", "embedding-model": "feature-extraction", "model-file": ""}
"""What a model is for, where its place in the code tells."""
_DATA: Final = {"dataset": "dataset", "document-source": "other", "prompt": "definition"}
_SERVICES: Final = frozenset({"vector-store", "memory", "mcp-server", "mcp-client", "server"})
_PARTS: Final = frozenset({"agent", "tool", "guard", "retriever"})
_ROOT: Final = "application"
_FORWARD: Final = frozenset({"calls", "offers-tool", "retrieves-from", "delegates-to"})
_BACKWARD: Final = frozenset({"fills-slot", "guards"})
_ENDPOINTS: Final = ("url", "endpoint", "base-url", "base_url")
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]{0,20}://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#].*)?", re.DOTALL)
_LOGIN: Final = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/@]*@", re.IGNORECASE)


def render(review: Review, versions: Versions, spec: Spec = "1.6", at: datetime.datetime | None = None) -> str:
    """One document; ``at``: the time that it states, none where nobody set one."""
    made = _document(review, versions, spec)
    content = json.dumps(made, sort_keys=True, ensure_ascii=True)
    made["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'headwater:bom:{content}')}"
    if at is not None:
        made["metadata"] = {"timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), **made["metadata"]}
    order = ("$schema", "bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "services", "dependencies")
    return encoded({key: made[key] for key in order})


def _document(review: Review, versions: Versions, spec: Spec) -> dict[str, Any]:
    same: dict[str, list[Component]] = {}
    ref_of: dict[str, str] = {}
    for one in review.system.components:
        ref = _ref(one)
        if ref:
            same.setdefault(ref, []).append(one)
            ref_of[one.id] = ref
    components = [_component(ref, found) for ref, found in sorted(same.items()) if found[0].type not in _SERVICES]
    services = [_service(ref, found) for ref, found in sorted(same.items()) if found[0].type in _SERVICES]
    hosted: dict[str, list[Component]] = {}
    for one in review.system.components:
        if (one.type in _MODELS or one.type == "tool") and zones()[zone(one)].network and zone(one) != "model-hub":
            hosted.setdefault(shown(f"service:{_api(one)}", REF), []).append(one)
    services += [_hosted(ref, found) for ref, found in sorted(hosted.items())]
    libraries = _libraries(review.system.components, versions)
    depends: dict[str, set[str]] = {ref: set() for ref in (_ROOT, *same, *hosted, *(one["bom-ref"] for one in libraries))}
    for edge in review.system.edges:
        from_, to = ref_of.get(edge.from_), ref_of.get(edge.to)
        if edge.kind in _BACKWARD:
            from_, to = to, from_
        elif edge.kind not in _FORWARD:
            continue
        if from_ and to and from_ != to:
            depends[from_].add(to)
    for ref, found in hosted.items():
        for one in found:
            depends[ref_of[one.id]].add(ref)
    for ref, found in same.items():
        for one in found:
            if _library(one) and f"library:{_library(one)}" in depends:
                depends[ref].add(f"library:{_library(one)}")
    depends[_ROOT] = set(depends) - {_ROOT}
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{spec}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": spec,
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "headwater", "version": __version__}]},
            "component": {"type": "application", "bom-ref": _ROOT, "name": shown(review.scope) or "repository"},
            "properties": [_property("coverage", review.coverage.status)],
        },
        "components": [*components, *libraries],
        "services": services,
        "dependencies": [{"ref": ref, "dependsOn": sorted(found)} for ref, found in sorted(depends.items())],
    }


def _ref(one: Component) -> str:
    """What a component is known by: one model that is set up in three places is one; empty for what is in no bill of materials."""
    if one.type in _MODELS:
        return shown(f"{one.type}:{_api(one)}:{one.name}", REF)
    if one.type in _DATA or one.type in _SERVICES or one.type in _PARTS:
        return shown(f"{one.type}:{one.file}:{one.name}", REF)
    return ""


def _component(ref: str, found: list[Component]) -> dict[str, Any]:
    one = found[0]
    made: dict[str, Any] = {"type": "application", "bom-ref": ref, "name": shown(one.name)}
    if one.type in _MODELS:
        made["type"] = "machine-learning-model"
        if _MODELS[one.type]:
            made["modelCard"] = {"modelParameters": {"task": _MODELS[one.type]}}
    elif one.type in _DATA:
        made["type"] = "data"
        made["data"] = [{"type": _DATA[one.type], "name": shown(one.name)}]
    if one.type in _MODELS and zone(one) == "model-hub":
        made["externalReferences"] = [{"type": "distribution", "url": f"https://huggingface.co/{escape.uri(one.name)}"}]
    made["evidence"] = {"occurrences": _occurrences(found)}
    made["properties"] = _properties(found)
    return made


def _service(ref: str, found: list[Component]) -> dict[str, Any]:
    one = found[0]
    place = zones()[zone(one)]
    made = {"bom-ref": ref, "name": shown(one.name), **_placed(place), "properties": [*_properties(found), *_places(found)]}
    endpoints = _endpoints(found)
    if endpoints:
        made["endpoints"] = endpoints
    return made


def _hosted(ref: str, found: list[Component]) -> dict[str, Any]:
    """The service behind models and tools that others run."""
    one = found[0]
    made = {
        "bom-ref": ref,
        "name": shown(_api(one)),
        **_placed(zones()[zone(one)]),
        "data": [{"flow": "bi-directional", "classification": "not classified"}],
        "properties": _places(found),
    }
    endpoints = _endpoints(found)
    if endpoints:
        made["endpoints"] = endpoints
    return made


def _placed(place: Zone) -> dict[str, Any]:
    return {"x-trust-boundary": place.network, "trustZone": place.name}


def _endpoints(found: list[Component]) -> list[str]:
    """Addresses that are constant in the source, without the names and passwords that may stand in them."""
    known = dict.fromkeys(_LOGIN.sub(r"\1", one.detail[key]) for one in found for key in _ENDPOINTS if one.detail.get(key))
    return [quote(url, safe="/:?#@!$&'()*+,;=~%") for url in known if _ADDRESS.fullmatch(url)]


def _properties(found: list[Component]) -> list[dict[str, str]]:
    one = found[0]
    rows = [_property("type", one.type)]
    rows += [_property(f"detail:{key}", _LOGIN.sub(r"\1", value)) for key, value in sorted(one.detail.items())]
    for ability in sorted({ability for each in found for ability in each.abilities}):
        rows.append(_property("capability", ability.name))
        rows.append(_property(f"capability:{ability.name}", f"{ability.spot.file}:{ability.spot.line}"))
    return rows


def _places(found: list[Component]) -> list[dict[str, str]]:
    """Services have no evidence in CycloneDX."""
    return [_property("occurrence", f"{one.file}:{one.line}") for one in found]


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"headwater:{shown(name, 100)}", "value": shown(value, REF)}


def _occurrences(found: list[Component]) -> list[dict[str, Any]]:
    return [{"location": escape.line(one.file), "line": one.line} for one in found]


def _api(one: Component) -> str:
    return one.detail.get("api", one.name)


def _library(one: Component) -> str:
    """The package that makes a component, by what is imported; empty where it is the project's own."""
    api = one.detail.get("api", "")
    if one.file.endswith((".py", ".ipynb")):
        return shown(api.partition(".")[0].replace("_", "-"))
    scope, _, rest = api.partition("/")
    return shown(f"{scope}/{rest.partition('/')[0].partition('.')[0]}" if scope.startswith("@") and rest else scope.partition(".")[0])


def _libraries(components: tuple[Component, ...], versions: Versions) -> list[dict[str, Any]]:
    """The libraries that make the parts of the map, with what the repository declares of them."""
    users: dict[str, list[Component]] = {}
    for one in components:
        if _library(one):
            users.setdefault(_library(one), []).append(one)
    made = []
    for name, found in sorted(users.items()):
        row: dict[str, Any] = {"type": "library", "bom-ref": f"library:{name}", "name": shown(name)}
        declared = dict.fromkeys(one for user in found for one in versions.of(user.file, name))
        exact = {one.exact for one in declared if one.exact}
        if len(exact) == 1 and all(one.exact for one in declared):
            row["version"] = next(iter(exact))
            row["purl"] = f"pkg:pypi/{canonicalize_name(name)}@{escape.uri(row['version'])}"
        elif declared:
            row["purl"] = f"pkg:pypi/{canonicalize_name(name)}"
        row["properties"] = [_property("declared", f"{one.path}: {_said(one)}") for one in declared]
        if not row["properties"]:
            row["properties"] = [_property("declared", "nothing that was read")]
        made.append(row)
    return made


def _said(one: Declaration) -> str:
    return f"=={one.exact}" if one.exact else one.allowed or "any version"


def moment(environment: Mapping[str, str]) -> datetime.datetime | None:
    """The time that the document states: SOURCE_DATE_EPOCH, else none. Raises ValueError where it is no time."""
    if not environment.get("SOURCE_DATE_EPOCH"):
        return None
    from headwater.reports import gitlab

    return gitlab.moment(environment)
