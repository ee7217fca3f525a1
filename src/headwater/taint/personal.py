"""Personal data by its names: which fields, columns and keys of records hold it, and which operations keep it where it is.

What is grave (numbers of documents and accounts, health) is told apart from what serves to reach somebody (mail addresses, telephones).
Names alone say little: a field counts where a class of the project declares it, a key where it is one of a row or a table.
"""

from __future__ import annotations

import functools
import re

from headwater.index.entities import Cls

GRAVE = "pii"
CONTACT = "contact-data"
KINDS = frozenset({GRAVE, CONTACT})
TABLES = frozenset({"PandasFrame", "PandasRecord"})
"""Types of API models that are tables, or rows of them."""

_GRAVE = re.compile(
    r"(^|_)(ssn|social_security(_?(number|no))?|passport(_?(number|no|id))?|iban|date_of_birth|dob|birth_?da(te|y)|national_id(_number)?"
    r"|tax_?payer_id|drivers?_licen[cs]e(_number)?|credit_card(_number)?|card_number|cvv|bank_account(_number)?|insurance_number"
    r"|medical_(history|records?|conditions?|notes?)|diagnos[ie]s|medications?|allergies|health_(records?|conditions?|status)"
    r"|ethnicity|religion|sexual_orientation)$",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    r"^((user|customer|contact|personal|home|work|private|cell|mobile|billing|shipping|street|postal)_?)?(e?mail|phone|telephone|mobile|cell|address)"
    r"(_?(address|number|no))?$",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"(?:^|[a-z0-9_])(?:User|Customer|Patient|Employee|Person|Member|Contact|Applicant|Candidate|Student|Guest|Subscriber|Account|Lead|Profile|Passenger"
    r"|Citizen|Beneficiary|Donor)(?:[A-Z_]|$)(?!(?:\w*)(?:Agent|Client|Config|Settings|Tool|Proxy|Prompt|Message|Role))"
)
_LOCAL = re.compile(
    r"^(ollama|transformers|sentence_transformers|vllm|llama_cpp|gpt4all|ctransformers|mlx_lm|exllamav2|langchain_ollama)\b|^a message$"
)


@functools.lru_cache(maxsize=1 << 16)
def grave(name: object) -> bool:
    """Whether what has this name is about one person, and does harm where others read it."""
    return isinstance(name, str) and _GRAVE.search(name) is not None


@functools.lru_cache(maxsize=1 << 16)
def key(name: object) -> str:
    """The source kind of what a row or a table holds under a key; nothing where it is no personal data."""
    if not isinstance(name, str):
        return ""
    return GRAVE if grave(name) else CONTACT if _CONTACT.search(name) and name.lower() != "address" else ""


@functools.lru_cache(maxsize=1 << 16)
def _named(name: str) -> bool:
    return grave(name) or _CONTACT.search(name) is not None


def field(cls: Cls, name: str) -> str:
    """The source kind of a field that the class of a record declares; nothing where it holds no personal data."""
    if not _named(name) or not any(name in one.ir.fields for one in cls.mro):
        return ""
    return GRAVE if grave(name) else CONTACT if _PERSON.search(cls.name) else ""


def stays(name: str) -> bool:
    """Whether an operation (an API path) keeps what it is given on this machine: a model that runs here; or it is none yet, a message."""
    return _LOCAL.search(name) is not None
