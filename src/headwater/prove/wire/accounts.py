"""What clients ask others before they speak to a model: tokens of clouds, worth nothing here, and who serves a model of Hugging Face."""

from __future__ import annotations

import re
from typing import Any, Final

from headwater.prove.wire import shape
from headwater.prove.wire.shape import Reply, Request

TOKENS: Final = re.compile(r"(?:oauth2|sts|iamcredentials)\.googleapis\.com|login\.microsoftonline\.(?:com|us)|login\.windows\.net")
HUB: Final = re.compile(r"^/api/models/(?P<model>[^/]+/[^/]+)$")
EMBEDDERS: Final = re.compile(r"embed|minilm|bge|gte|e5|mpnet|sentence", re.IGNORECASE)
PROJECT: Final = "headwater-proof"
METADATA: Final = "/computeMetadata"
FLAVOR: Final = (("Metadata-Flavor", "Google"),)
ACCESS: Final = {"access_token": "headwater0.headwater0.headwater0", "expires_in": 3_600, "token_type": "Bearer"}


def reply(request: Request) -> Reply | None:
    """None for a request that is about something else."""
    path = request.path
    if path.startswith(METADATA) or ("metadata-flavor" in request.headers and path == "/"):
        return metadata(path)
    hub = HUB.search(path) if request.host == "huggingface.co" and request.method == "GET" else None
    if hub:
        return shape.reply(served(hub["model"]))
    if not TOKENS.fullmatch(request.host):
        return None
    if "/.well-known/" in path or path.endswith("/discovery/instance"):
        return shape.reply(discovery(request))
    return shape.reply({**ACCESS, "ext_expires_in": 3_600, "accessToken": ACCESS["access_token"], "expireTime": "2100-01-01T00:00:00Z"})


def metadata(path: str) -> Reply:
    """The server of metadata that a machine of Google has: the variable ``GCE_METADATA_HOST`` leads here."""
    if path.endswith("/token"):
        return shape.reply(ACCESS, headers=FLAVOR)
    if path.endswith("/service-accounts/default/"):
        account = {"aliases": ["default"], "email": f"proof@{PROJECT}.iam.gserviceaccount.com", "scopes": []}
        return shape.reply(account, headers=FLAVOR)
    text = PROJECT if path.endswith("/project-id") else f"proof@{PROJECT}.iam.gserviceaccount.com" if path.endswith("/email") else "ok"
    return Reply(200, "text/plain", (text.encode(),), headers=FLAVOR)


def discovery(request: Request) -> dict[str, Any]:
    """Where Microsoft's clients are told to ask for tokens."""
    root = f"https://{request.host}"
    tenant = (request.path.strip("/").split("/") or ["common"])[0]
    return {
        "tenant_discovery_endpoint": f"{root}/{tenant}/v2.0/.well-known/openid-configuration",
        "metadata": [],
        "issuer": f"{root}/{tenant}/v2.0",
        "authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{root}/{tenant}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/devicecode",
    }


def served(model: str) -> dict[str, Any]:
    """What the hub says of a model: that its own service has it."""
    embedder = bool(EMBEDDERS.search(model))
    tasks = ["feature-extraction", "sentence-similarity"] if embedder else ["text-generation", "conversational"]
    mapping = {"status": "live", "providerId": model, "task": tasks[0] if embedder else tasks[1]}
    known = {"id": model, "modelId": model, "private": False, "downloads": 1, "likes": 1}
    return {**known, "pipeline_tag": tasks[0], "tags": tasks, "inferenceProviderMapping": {"hf-inference": mapping}}
