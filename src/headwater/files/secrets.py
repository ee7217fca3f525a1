"""Keys of providers by their structure: prefixes, lengths, marks inside, check digits; and what only the name beside it tells.

Only what looks made by chance counts: placeholders, sequences and keys for tests are told apart. A text is looked at closely only where
one of few marks stands in it, or a digit in a long word (``_NEAR``), so that code without keys costs next to nothing.
"""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from headwater import limits

_WORD: Final = r"[A-Za-z0-9_-]"
_BASE64: Final = "[A-Za-z0-9+/]"
_NEAR: Final = re.compile(rb"[0-9][A-Za-z0-9_-]{15}")
_STARTS: Final = b"hf_ api_org_ AIza AKIA ASIA ghp_ gho_ ghs_ npm_ tvly- glpat- GOCSPX- _live_ k_test_ fw_ sk_car_ dckr_ apify_"
_MARKS: Final = (*_STARTS.split(), b"PRIVATE KEY")
"""Of keys that may have no digit before their last characters."""
_BEFORE: Final = 200
_AFTER: Final = 400
"""Bytes around such a place that are looked at: the longest name and the longest key."""
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Kind(NamedTuple):
    """A kind of key."""

    name: str
    """What it is, as a message says it."""
    pattern: str
    """Of the whole key; what a report may show of it is the group ``shown``, if there is one."""
    sure: bool = True
    """Whether the structure alone says that it is one."""
    check: Callable[[str], bool] | None = None
    test: bool = False
    """A key that moves no money and reads no data."""
    mark: str = ""
    """A text that stands in it, by which it is found where no prefix does."""


class Secret(NamedTuple):
    """A key, and where it stands."""

    start: int
    end: int
    kind: str
    shown: int
    """Bytes of it, from its begin, that tell nothing: its prefix."""
    sure: bool
    test: bool
    tools: tuple[tuple[str, str], ...] = ()
    """Other scanners that report it, each with its rule; ``kind`` is empty where they alone do."""
    verified: bool = False
    """Its provider took it when one of them tried."""


def _crc(text: str) -> bool:
    """The last six characters are the CRC-32 of those behind the prefix, as GitHub and npm write it."""
    body = text.partition("_")[2]
    number, made = zlib.crc32(body[:-6].encode()), ""
    while number:
        number, rest = divmod(number, 62)
        made = _BASE62[rest] + made
    return body[-6:] == made.rjust(6, "0")


def _is_of_service(text: str) -> bool:
    """Whether a token of Supabase is the one that passes all rules of the rows, and not that of its demo for one's own machine."""
    part = text.split(".")[1]
    try:
        payload = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, msgspec.DecodeError):
        return False
    return isinstance(payload, dict) and payload.get("role") == "service_role" and payload.get("iss") != "supabase-demo"


_KINDS: Final = (
    Kind("OpenAI key", rf"(?P<s>sk-(?:proj-|svcacct-|admin-|None-)?){_WORD}{{20,90}}T3BlbkFJ{_WORD}{{20,90}}"),
    Kind("Anthropic key", rf"(?P<s>sk-ant-(?:api|admin|oat|ort|sid)\d\d-){_WORD}{{80,120}}"),
    Kind("OpenRouter key", r"(?P<s>sk-or-v1-)[0-9a-f]{64}"),
    Kind("Langfuse secret key", r"(?P<s>sk-lf-)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    Kind("Helicone key", r"(?P<s>sk-helicone-(?:eu-|cp-)?)[a-z0-9]{7}(?:-[a-z0-9]{7}){3}"),
    Kind("Letta key", r"(?P<s>sk-let-)[A-Za-z0-9]{80,120}={0,2}"),
    Kind("key of a model provider", r"(?P<s>sk-(?:proj-)?)[A-Za-z0-9]{32,64}", sure=False),
    Kind("Google API key", rf"(?P<s>AIza){_WORD}{{35}}"),
    Kind("Google API key", rf"(?P<s>AQ\.Ab8RN6){_WORD}{{44}}", mark="AQ.Ab8RN6"),
    Kind("Google OAuth client secret", rf"(?P<s>GOCSPX-){_WORD}{{28}}"),
    Kind("AWS access key id", r"(?P<s>AKIA|ASIA)[A-Z2-7]{16}"),
    Kind("Amazon Bedrock key", r"(?P<s>ABSKQmVkcm9ja)[A-Za-z0-9+/]{90,280}={0,2}", mark="ABSKQmVkcm9ja"),
    Kind("Amazon Bedrock key", rf"(?P<s>bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t){_BASE64}{{100,4000}}={{0,2}}"),
    Kind("Azure key", r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}", mark="JQQJ9"),
    Kind("Azure Search key", r"[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}", mark="AzSe"),
    Kind("Azure storage key", r"(?P<s>AccountKey=)[A-Za-z0-9+/]{86}==", mark="AccountKey="),
    Kind("Hugging Face token", r"(?P<s>hf_|api_org_)[A-Za-z]{34}"),
    Kind("GitHub token", r"(?P<s>gh[pousr]_)[A-Za-z0-9]{36}", check=_crc),
    Kind("GitHub token", r"(?P<s>github_pat_)[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    Kind("npm token", r"(?P<s>npm_)[A-Za-z0-9]{36}", check=_crc),
    Kind("PyPI token", rf"(?P<s>pypi-AgEIcHlwaS5vcmc){_WORD}{{50,250}}"),
    Kind("GitLab token", rf"(?P<s>glpat-){_WORD}{{20}}"),
    Kind("Slack token", r"(?P<s>xox[abeoprs]-)(?:\d{9,14}-){1,3}[A-Za-z0-9-]{20,64}"),
    Kind("Slack token", r"(?P<s>xapp-\d-)[A-Z0-9]{9,13}-\d{9,15}-[a-f0-9]{64}"),
    Kind(
        "Slack webhook",
        r"(?P<s>hooks\.slack\.com/services/)T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{24}",
        mark="hooks.slack.com/services/",
    ),
    Kind("Stripe key", r"(?P<s>[sr]k_live_)[A-Za-z0-9]{24,120}"),
    Kind("Stripe key for tests", r"(?P<s>[sr]k_test_)[A-Za-z0-9]{24,120}", test=True),
    Kind("Pinecone key", r"(?P<s>pcsk_)[A-Za-z0-9]{5,6}_[A-Za-z0-9]{60,66}"),
    Kind("LangSmith key", r"(?P<s>lsv2_(?:pt|sk)_)[0-9a-f]{32}_[0-9a-f]{10}"),
    Kind("LangSmith key", r"(?P<s>ls__)[0-9a-f]{32}"),
    Kind("Replicate token", r"(?P<s>r8_)[A-Za-z0-9]{37}"),
    Kind("Groq key", r"(?P<s>gsk_)[A-Za-z0-9]{52}"),
    Kind("Perplexity key", r"(?P<s>pplx-)[A-Za-z0-9]{48,56}"),
    Kind("xAI key", r"(?P<s>xai-)[A-Za-z0-9]{80}"),
    Kind("Cerebras key", r"(?P<s>csk-)[a-z0-9]{48}"),
    Kind("Together key", rf"(?P<s>tgp_v1_){_WORD}{{43}}"),
    Kind("Fireworks key", r"(?P<s>fw_)[A-Za-z0-9]{22,24}", sure=False),
    Kind("NVIDIA key", rf"(?P<s>nvapi-){_WORD}{{64}}"),
    Kind("Databricks token", r"(?P<s>dapi)[0-9a-f]{32}(?:-\d)?"),
    Kind("Tavily key", r"(?P<s>tvly-(?:dev-|prod-)?)[A-Za-z0-9]{32}"),
    Kind("Firecrawl key", r"(?P<s>fc-)[0-9a-f]{32}"),
    Kind("ElevenLabs key", r"(?P<s>sk_)[0-9a-f]{48}"),
    Kind("Voyage key", rf"(?P<s>pa-){_WORD}{{43}}", sure=False),
    Kind("Jina key", rf"(?P<s>jina_)[0-9a-f]{{32}}{_WORD}{{28}}"),
    Kind("E2B key", r"(?P<s>e2b_)[0-9a-f]{40}"),
    Kind("Supabase key", rf"(?P<s>sb_secret_|sbp_){_WORD}{{31,44}}"),
    Kind("Supabase key", rf"(?P<s>eyJ){_WORD}{{15,60}}\.eyJ{_WORD}{{60,400}}\.{_WORD}{{43}}", check=_is_of_service),
    Kind("Weights & Biases key", r"(?P<s>wandb_v1_)[A-Za-z0-9_]{60,90}"),
    Kind("LlamaCloud key", r"(?P<s>llx-)[A-Za-z0-9]{48}"),
    Kind("Cartesia key", r"(?P<s>sk_car_)[A-Za-z0-9]{22}"),
    Kind("Browserbase key", rf"(?P<s>bb_live_){_WORD}{{20,40}}"),
    Kind("Apify token", r"(?P<s>apify_api_)[A-Za-z0-9]{34,38}"),
    Kind("Mem0 key", r"(?P<s>m0-)[A-Za-z0-9]{40}", sure=False),
    Kind("Nomic key", rf"(?P<s>nk-){_WORD}{{43}}", sure=False),
    Kind("RunPod key", r"(?P<s>rpa_)[A-Za-z0-9]{40,60}"),
    Kind("Vercel token", r"(?P<s>vc[aikpr]_)[A-Za-z0-9]{40,70}"),
    Kind("Cloudflare token", r"(?P<s>cf(?:k|ut|at)_)[A-Za-z0-9]{44,60}"),
    Kind("DigitalOcean token", r"(?P<s>do[opr]_v1_)[0-9a-f]{64}"),
    Kind("Docker token", rf"(?P<s>dckr_[po]at_){_WORD}{{27,32}}"),
    Kind("Figma token", rf"(?P<s>figd_){_WORD}{{40}}"),
    Kind("SendGrid key", rf"(?P<s>SG\.){_WORD}{{22}}\.{_WORD}{{43}}", mark="SG."),
    Kind("Notion token", r"(?P<s>ntn_)\d{11}[A-Za-z0-9]{35}"),
    Kind("Linear key", r"(?P<s>lin_api_)[A-Za-z0-9]{40}"),
    Kind("Telegram bot token", rf"\d{{8,10}}:AA{_WORD}{{33}}", mark=":AA"),
)
_PATTERNS: Final = [re.compile(f"(?<![A-Za-z0-9_/+.-]){kind.pattern}(?![A-Za-z0-9_/+-])".encode()) for kind in _KINDS]
_RUN: Final = re.compile(rb"[A-Za-z0-9_-]{20,}")
_BY_PREFIX: Final[dict[bytes, list[int]]] = {}
"""Kinds by their first two characters."""
for _number, _kind in enumerate(_KINDS):
    _prefix = re.match(r"\(\?P<s>(\[sr\]k|AKIA\|ASIA|hf_\|api|\w\w)", _kind.pattern)
    for _begin in {"[sr]k": "sk rk", "AKIA|ASIA": "AK AS", "hf_|api": "hf ap"}.get(_prefix[1], _prefix[1][:2]).split() if _prefix else ():
        _BY_PREFIX.setdefault(_begin.encode(), []).append(_number)
_WITH_MARK: Final = [(number, kind.mark.encode()) for number, kind in enumerate(_KINDS) if kind.mark]
_PRIVATE: Final = re.compile(
    rb"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----((?:\s|\\n|\\r|[\"'+,])*(?:[A-Za-z0-9+/=]{16,}(?:\s|\\n|\\r|[\"'+,])*){2,})"
)
_PROVIDERS: Final = (
    "azure_?openai|azure_?(?:open)?ai|openai|anthropic|cohere|co|mistral|codestral|wandb|pinecone|together(?:ai)?|weaviate|qdrant|groq|deepseek|zhipu(?:ai)?"
    "|dashscope|moonshot|serp_?api|serper|exa|langchain|langsmith|helicone|portkey|voyage|huggingface(?:hub)?|hf|gemini|google|elevenlabs|deepgram"
    "|assembly_?ai|stability|replicate|unstructured|llama_?cloud|azure_?search|searchapi|bing|brave|newsapi|zilliz|milvus|upstash\\w*|aws_secret_access"
    "|fal|composio|smithery|letta|jina|cartesia|sambanova|cerebras|fireworks|hyperbolic|novita|siliconflow|minimax|nvidia|xai|openrouter|perplexity"
    "|browserbase|apify|vectara|turbopuffer|mem0|agentops|lakera|linkup|azure_?speech|azure_?document_?intelligence|glm|bigmodel|z_?ai"
)
_NAMED: Final = re.compile(
    rb"(?:KEY|TOKEN|SECRET|[Kk]ey|[Tt]oken|[Ss]ecret)[\"']?\]?\s{0,3}(?:[:=]|=>)\s{0,3}[\"']?([A-Za-z0-9_/+-]{32,64}(?:\.[A-Za-z0-9]{16}|:[0-9a-f]{32})?)"
    rb"(?![A-Za-z0-9_/+=.(\[-])"
)
_OWNER: Final = re.compile(rf"(?i)(?<![a-z0-9])(?:\w{{0,20}}_)?(?:{_PROVIDERS})(?:_\w{{1,20}})?_?(?:api_?)?$".encode())
_NAME: Final = 60  # bytes before such a word that its name may have
_SAID: Final = re.compile(
    r"example|sample|placeholder|dummy|fake|your|insert|change[_-]?me|replace|redacted|todo|mock|secret|xxx|abcdef|123456|0{5}|aaaa|test|demo|foobar"
    r"|(.)\1{4}|[A-Z_-]{0,4}KEY|token"
    r"|Eby8vdM02xNOcqFlqUwJPLlm|C2y6yDjf5/R\+ob0N8A7C",  # the keys of emulators of Azure's storage and Cosmos DB, the same for everybody
    re.IGNORECASE,
)
"""What somebody wrote, and no generator."""


def find(data: bytes) -> list[Secret]:
    """The keys in a text, in order."""
    made: dict[int, Secret] = {}
    for start, end in _windows(data):
        for run in _RUN.finditer(data, start, end):
            for number in _BY_PREFIX.get(data[run.start() : run.start() + 2], ()):
                _add(made, data, number, run.start())
        for found in _NAMED.finditer(data, start, end):
            owner = _OWNER.search(data[max(0, found.start() - _NAME) : found.start()])
            value = found.group(1).decode("ascii", "replace")
            if owner is not None and found.start(1) not in made and _has_digits(value) and by_chance(value):
                made[found.start(1)] = Secret(found.start(1), found.end(1), "provider key, by the name beside it,", 0, False, False)
        for found in _PRIVATE.finditer(data, start, end):
            body = re.sub(rb"[^A-Za-z0-9+/]", b"", found.group(1)).decode()
            if by_chance(body[-200:]):
                made[found.start(1)] = Secret(found.start(1), found.end(1), "private key", 0, True, False)
    for number, mark in _WITH_MARK:
        at = data.find(mark)
        while at >= 0:
            for found in _PATTERNS[number].finditer(data, max(0, at - _BEFORE), at + _AFTER):
                _add(made, data, number, found.start())
            at = data.find(mark, at + len(mark))
    return [made[at] for at in sorted(made)]


def _add(made: dict[int, Secret], data: bytes, number: int, at: int) -> None:
    found, kind = _PATTERNS[number].match(data, at), _KINDS[number]
    if found is None or at in made:
        return
    text = found.group().decode("ascii", "replace")
    shown = len(found.group("s")) if "s" in found.re.groupindex else 0
    if (kind.check is None or kind.check(text)) and by_chance(text[shown:].replace("T3BlbkFJ", "")):
        made[at] = Secret(at, found.end(), kind.name, shown, kind.sure, kind.test)


def _windows(data: bytes) -> Iterator[tuple[int, int]]:
    """The parts of a text that may hold a key, apart from one another."""
    places = [found.start() for found in _NEAR.finditer(data)]
    for mark in _MARKS:
        at = data.find(mark)
        while at >= 0:
            places.append(at)
            at = data.find(mark, at + len(mark))
    places.sort()
    begin = end = 0
    for at in places:
        if at - _BEFORE > end:
            if end:
                yield begin, end
            begin = at - _BEFORE
        end = min(len(data), at + _AFTER)
    if end:
        yield begin, end


def by_chance(text: str) -> bool:
    """Whether a text looks made by a generator."""
    if _SAID.search(text):
        return False
    counts = Counter(text)
    entropy = -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
    return entropy >= min(3.0, 0.75 * math.log2(len(text)))


def _has_digits(text: str) -> bool:
    """Whether letters and digits stand among one another: a name of something has words."""
    digits = sum(char.isdigit() for char in text)
    return digits >= 4 and len(text) - digits >= 4 and not re.search(r"[a-z]{9}|[A-Z]{9}", text)


# ------------------------------------------------------------------------------------------------------------- masking

_HIDDEN: Final = re.compile(r"[^\r\n]")
"""Lines stay lines: a private key has many."""


class Mask:
    """Writes stars over keys, of the same length: places stay where they are. Of one that was cut off, what is left of it."""

    def __init__(self, values: Iterable[tuple[str, int]]) -> None:
        self._heads: dict[str, list[tuple[str, int]]] = {}
        for value, shown in sorted(set(values), reverse=True):
            self._heads.setdefault(value[: shown + limits.SECRET_HEAD], []).append((value, shown))
        self._pattern = re.compile("|".join(map(re.escape, sorted(self._heads, reverse=True)))) if self._heads else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def text(self, text: str) -> str:
        if self._pattern is None or self._pattern.search(text) is None:
            return text
        made, at = [], 0
        for found in self._pattern.finditer(text):
            if found.start() < at:
                continue
            length, shown = max((_common(text, found.start(), value), shown) for value, shown in self._heads[found.group()])
            made += [text[at : found.start() + shown], _HIDDEN.sub("*", text[found.start() + shown : found.start() + length])]
            at = found.start() + length
        return "".join([*made, text[at:]])

    def data(self, data: bytes) -> bytes:
        return self.text(data.decode("latin-1")).encode("latin-1") if self._pattern is not None else data


def _common(text: str, at: int, value: str) -> int:
    """How many characters of a value stand at a place."""
    length = 0
    while length < len(value) and at + length < len(text) and text[at + length] == value[length]:
        length += 1
    return length
