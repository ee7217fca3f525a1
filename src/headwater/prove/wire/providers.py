"""Services of models: the names of their hosts, and the environment variables by which their clients are sent elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

HOSTS: Final = re.compile(
    r"""(?:.*\.)?(?:
    api\.openai\.com | openai\.azure\.com | cognitiveservices\.azure\.com | services\.ai\.azure\.com | inference\.ai\.azure\.com
    | models\.github\.ai | models\.inference\.ai\.azure\.com
    | api\.anthropic\.com
    | generativelanguage\.googleapis\.com | (?:[a-z0-9-]+-)?aiplatform\.googleapis\.com
    | bedrock(?:-agent)?(?:-runtime)?(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?
    | (?:api|codestral)\.mistral\.ai | api\.cohere\.(?:ai|com) | api\.groq\.com | api\.together\.(?:ai|xyz) | api\.fireworks\.ai
    | openrouter\.ai | api\.deepseek\.com | api\.x\.ai | api\.perplexity\.ai | integrate\.api\.nvidia\.com | api\.cerebras\.ai
    | api\.sambanova\.ai | router\.huggingface\.co | api-inference\.huggingface\.co | endpoints\.huggingface\.cloud
    | api\.deepinfra\.com | dashscope(?:-intl)?\.aliyuncs\.com | api\.moonshot\.(?:ai|cn) | open\.bigmodel\.cn | api\.z\.ai
    | api\.minimax(?:i)?\.(?:chat|com|io) | api\.siliconflow\.(?:cn|com) | ark\.[a-z-]+\.volces\.com | api\.novita\.ai
    | api\.studio\.nebius\.(?:ai|com) | api\.hyperbolic\.xyz | api\.ai21\.com | api\.replicate\.com | api\.voyageai\.com | api\.jina\.ai
    | api\.upstage\.ai | api\.lepton\.ai | ollama\.com | ai-gateway\.vercel\.sh | gateway\.ai\.cloudflare\.com
    )""",
    re.VERBOSE | re.IGNORECASE,
)

KEYS: Final[Mapping[str, str]] = {
    # Clients check the form of some: OpenAI's older ones have 48 characters behind the prefix.
    "OPENAI_API_KEY": "sk-" + "headwater0" * 4 + "headwate",
    "ANTHROPIC_API_KEY": "sk-ant-api03-" + "headwater0" * 9 + "he-headwAA",
    "GEMINI_API_KEY": "AIzaSy" + "headwater0" * 3 + "hea",
    "GOOGLE_API_KEY": "AIzaSy" + "headwater0" * 3 + "hea",
    "GOOGLE_GENERATIVE_AI_API_KEY": "AIzaSy" + "headwater0" * 3 + "hea",
    "MISTRAL_API_KEY": "headwater0" * 3 + "he",
    "CO_API_KEY": "headwater0" * 4,
    "COHERE_API_KEY": "headwater0" * 4,
    "GROQ_API_KEY": "gsk_" + "headwater0" * 5 + "he",
    "AZURE_OPENAI_API_KEY": "0123456789abcdef" * 2,
    "AZURE_API_KEY": "0123456789abcdef" * 2,
    "AWS_ACCESS_KEY_ID": "AKIAHEADWATERPROOF00",
    "AWS_SECRET_ACCESS_KEY": "headwater0" * 4,
    "DEEPSEEK_API_KEY": "sk-" + "0123456789abcdef" * 2,
    "TOGETHER_API_KEY": "0123456789abcdef" * 4,
    "FIREWORKS_API_KEY": "fw_headwater0headwater0he",
    "OPENROUTER_API_KEY": "sk-or-v1-" + "0123456789abcdef" * 4,
    "XAI_API_KEY": "xai-" + "headwater0" * 8,
    "PERPLEXITY_API_KEY": "pplx-" + "headwater0" * 4 + "headwate",
    "NVIDIA_API_KEY": "nvapi-" + "headwater0" * 6 + "head",
    "CEREBRAS_API_KEY": "csk-" + "headwater0" * 4 + "headwate",
    "HF_TOKEN": "hf_" + "headwater" * 3 + "headwat",
    "HUGGINGFACE_API_KEY": "hf_" + "headwater" * 3 + "headwat",
    "OLLAMA_API_KEY": "headwater",
}
"""Made-up keys, in the form of real ones."""

SETTINGS: Final[Mapping[str, str]] = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "GOOGLE_CLOUD_PROJECT": "headwater-proof",
    "GOOGLE_CLOUD_LOCATION": "us-central1",
    "OPENAI_API_VERSION": "2024-10-21",
    "AZURE_API_VERSION": "2024-10-21",
}
"""What clients need besides."""

# Not GOOGLE_VERTEX_BASE_URL: Google's client for Python then leaves out the path, and with it whether a stream is wanted.
ROOT: Final = """
    ANTHROPIC_BASE_URL ANTHROPIC_API_URL ANTHROPIC_API_BASE OLLAMA_HOST OLLAMA_BASE_URL OLLAMA_API_BASE GOOGLE_GEMINI_BASE_URL
    GEMINI_API_BASE CO_API_URL COHERE_BASE_URL AWS_ENDPOINT_URL_BEDROCK_RUNTIME AWS_BEDROCK_RUNTIME_ENDPOINT
    AWS_ENDPOINT_URL_BEDROCK ANTHROPIC_BEDROCK_BASE_URL AZURE_OPENAI_ENDPOINT AZURE_API_BASE AZURE_OPENAI_API_BASE
    AZURE_AI_API_BASE GROQ_BASE_URL CEREBRAS_BASE_URL OPENAI_API_HOST MISTRAL_ENDPOINT MISTRAL_BASE_URL MISTRAL_AUDIO_BASE_URL
    HF_INFERENCE_ENDPOINT
"""
"""Variables whose value is the server alone."""

VERSIONED: Final = """
    OPENAI_BASE_URL OPENAI_API_BASE MISTRAL_API_BASE GROQ_API_BASE DEEPSEEK_API_BASE DEEPSEEK_BASE_URL TOGETHER_BASE_URL
    TOGETHERAI_API_BASE TOGETHER_AI_API_BASE FIREWORKS_API_BASE FIREWORKS_BASE_URL OPENROUTER_API_BASE OPENROUTER_BASE_URL
    XAI_API_BASE XAI_BASE_URL PERPLEXITY_API_BASE PERPLEXITY_BASE_URL NVIDIA_BASE_URL NVIDIA_NIM_API_BASE CEREBRAS_API_BASE
    DASHSCOPE_API_BASE DASHSCOPE_BASE_URL MOONSHOT_API_BASE VLLM_API_BASE HOSTED_VLLM_API_BASE LM_STUDIO_API_BASE
    LMSTUDIO_BASE_URL LITELLM_PROXY_API_BASE
"""
"""Variables whose value ends in ``/v1``."""

PREFIXED: Final[Mapping[str, str]] = {
    "ANTHROPIC_VERTEX_BASE_URL": "/v1",
    "COHERE_API_BASE": "/v2/chat",
    "AWS_BEDROCK_BASE_URL": "/openai/v1",
}
"""Variables whose value has another path."""

METADATA: Final = "GCE_METADATA_HOST GCE_METADATA_IP GCE_METADATA_ROOT"
"""Variables whose value is host and port: see ``accounts``."""


PORTS: Final = (11434, 1234)
"""The usual ports of local servers: Ollama, LM Studio."""


def is_model(host: str, port: int | None = None) -> bool:
    """Whether an address is known to be a service of models."""
    return bool(HOSTS.fullmatch(host)) or port in PORTS


def environment(base: str) -> dict[str, str]:
    """What points clients of all services to one server."""
    return {
        **KEYS,
        **SETTINGS,
        **dict.fromkeys(ROOT.split(), base),
        **dict.fromkeys(VERSIONED.split(), f"{base}/v1"),
        **{name: base + path for name, path in PREFIXED.items()},
        **dict.fromkeys(METADATA.split(), base.rpartition("/")[2]),
    }
