"""Keys of providers: those made by chance are found whatever stands around them; what somebody typed is not."""

from __future__ import annotations

import base64
import json
import random
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from headwater.files import secrets
from headwater.files.secrets import Kind, Mask

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def made(pattern: str, chance: random.Random) -> str:
    """A text that a pattern matches, by chance."""
    return "".join(_parts(re._parser.parse(pattern), chance))  # type: ignore[attr-defined]


def _parts(parsed: Any, chance: random.Random) -> Iterator[str]:
    for operator, given in parsed:
        name = str(operator)
        if name == "LITERAL":
            yield chr(given)
        elif name == "SUBPATTERN":
            yield from _parts(given[-1], chance)
        elif name == "BRANCH":
            yield from _parts(chance.choice(given[1]), chance)
        elif name == "MAX_REPEAT":
            low, high, inner = given
            for _ in range(chance.randint(low, min(int(high), 300))):
                yield from _parts(inner, chance)
        elif name == "IN":
            yield chance.choice("".join(_chars(given)))
        else:
            raise AssertionError(name)


def _chars(given: Any) -> Iterator[str]:
    for operator, said in given:
        if str(operator) == "RANGE":
            yield "".join(map(chr, range(said[0], said[1] + 1)))
        elif str(operator) == "LITERAL":
            yield chr(said)
        else:
            yield "0123456789"  # \d


def signed(key: str) -> str:
    """The same with the check digits of GitHub."""
    prefix, _, body = key.partition("_")
    number, digits = zlib.crc32(body[:-6].encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return f"{prefix}_{body[:-6]}{digits.rjust(6, '0')}"


def key_of(kind: Kind, chance: random.Random) -> str:
    key = made(kind.pattern, chance)
    if kind.check is secrets._is_of_service:
        return token({"iss": "supabase", "ref": made("[a-z]{20}", chance), "role": "service_role", "exp": chance.randint(1, 9**10)}, chance)
    return signed(key) if kind.check is not None else key


def token(payload: dict[str, object], chance: random.Random) -> str:
    """A token of JWT with a signature made by chance."""
    parts = [json.dumps(one).encode() for one in ({"alg": "HS256", "typ": "JWT"}, payload)]
    return ".".join([*(base64.urlsafe_b64encode(one).decode().rstrip("=") for one in parts), made("[A-Za-z0-9]{43}", chance)])


def test_of_the_tokens_of_supabase_that_of_the_service_alone_counts() -> None:
    chance = random.Random(7)
    names = {"iss": "supabase", "ref": "abcdefghijklmnopqrst", "iat": 1_700_000_000}
    assert secrets.find(f"KEY={token(names | {'role': 'service_role'}, chance)}".encode())
    for payload in (names | {"role": "anon"}, names | {"iss": "supabase-demo", "role": "service_role"}, {"sub": "1" * 60}):
        assert secrets.find(f"KEY={token(payload, chance)}".encode()) == []


PLACES = [
    'client = OpenAI(api_key="{}")\n',
    "KEY={}\n",
    "the key is {}, do not lose it\n",
    '{{"env": {{"TOKEN": "{}"}}}}',
    "curl -H 'Authorization: Bearer {}' https://api.example.org\n",
    "x = 1\n" * 200 + "key: {}\n" + "y = 2\n" * 200,
]


@pytest.mark.parametrize("kind", secrets._KINDS, ids=[f"{number} {kind.name}" for number, kind in enumerate(secrets._KINDS)])
def test_keys_made_by_chance_are_found(kind: Kind) -> None:
    chance = random.Random(kind.pattern)
    missed = []
    for number in range(100):
        key = key_of(kind, chance)
        text = PLACES[number % len(PLACES)].format(key)
        at = text.index(key)
        found = [one for one in secrets.find(text.encode()) if one.start == at and one.end >= at + len(key) - 3]
        if not found:
            missed.append(key)
    assert len(missed) <= 3, missed  # a word or a sequence may come up by chance, and a digit may not


@pytest.mark.parametrize(
    "text",
    [
        'api_key = "sk-your-key-here-0123456789abcdef0123456789abcdef"',
        "OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        'key = "sk-1234567890abcdef1234567890abcdef1234567890abcdef"',
        "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        'token = "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"',
        'token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"',  # its check digits are wrong
        "PINECONE_API_KEY=00000000-0000-0000-0000-000000000000",
        'api_key = os.environ["OPENAI_API_KEY_FOR_THE_PRODUCTION_SERVICE"]',
        "sk-proj-... is what it looks like",
        "AWS_BEARER_TOKEN_BEDROCK=bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t...",
        "WANDB_API_KEY=wandb_v1_your_key_with_the_eighty_six_characters_that_the_page_of_your_account_shows_you",
        "GEMINI_API_KEY=AQ.Ab8RN6xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        'key = "llx-000000000000000000000000000000000000000000000000"',
        "HELICONE_API_KEY=sk-helicone-xxxxxxx-xxxxxxx-xxxxxxx-xxxxxxx",
        "VERCEL_TOKEN=vcp_replace_me_with_the_token_that_the_dashboard_shows",
        'm0 = "m0-dimension-of-the-first-magnetic-moment-in-the-table"',
        "FAL_KEY=your-key-id:your-key-secret",
        "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        "AccountEndpoint=https://localhost:8081;AccountKey=C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
        "ZHIPU_API_KEY=11111111111111111111111111111111.1111111111111111",
        'mistral_key = get_mistral_api_key_from_the_vault_of_the_company("x")',
        'huggingface_token_type = "text_generation_inference_router_1234"',
        "integrity sha512-AKIA2YT3W5PO4K7QNBZX+9x/LmKq3v7WfH2dRcN8sTgYuE5bVpQaZ1oXjIkD6wMhCnGtSrUlByFeJvPzOx4A==",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----",
    ],
)
def test_what_somebody_typed_is_none(text: str) -> None:
    assert secrets.find(text.encode()) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("AZURE_OPENAI_API_KEY=7f3a9c1e5b2d48f6a0c3e7d9b1f4a682", "7f3a9c1e5b2d48f6a0c3e7d9b1f4a682"),
        ('{"PINECONE_API_KEY": "3f9b2c7e-81d4-4a6f-b0c5-9e7d2a1f4c38"}', "3f9b2c7e-81d4-4a6f-b0c5-9e7d2a1f4c38"),
        ("cohere_api_key: 'Zq8rT2mXv5LkP1wYd9GnBc4HjKs7UfEo3AiQtRx6'", "Zq8rT2mXv5LkP1wYd9GnBc4HjKs7UfEo3AiQtRx6"),
        ('os.environ["WANDB_API_KEY"] = "9c4e7a1f0b3d6852c9e4f7a1d0b36852e9c4f7a1"', "9c4e7a1f0b3d6852c9e4f7a1d0b36852e9c4f7a1"),
        ("ZHIPUAI_API_KEY=4f9b2c7e81d64a6fb0c59e7d2a1f4c38.Qw7ErTy2UiOp9AsD", "4f9b2c7e81d64a6fb0c59e7d2a1f4c38.Qw7ErTy2UiOp9AsD"),
        (
            "FAL_KEY: 3f9b2c7e-81d4-4a6f-b0c5-9e7d2a1f4c38:9c4e7a1f0b3d6852c9e4f7a1d0b36852",
            "3f9b2c7e-81d4-4a6f-b0c5-9e7d2a1f4c38:9c4e7a1f0b3d6852c9e4f7a1d0b36852",
        ),
        ('SMITHERY_API_KEY="3f9b2c7e-81d4-4a6f-b0c5-9e7d2a1f4c38"', "3f9b2c7e-81d4-4a6f-b0c5-9e7d2a1f4c38"),
        ("aws_secret_access_key = Kq7Zt/3vXw9+LmP2sRdY5nBgHc8JfUe1AoIiQtRx", "Kq7Zt/3vXw9+LmP2sRdY5nBgHc8JfUe1AoIiQtRx"),
    ],
)
def test_the_name_beside_it_tells_whose_key_it_is(text: str, value: str) -> None:
    assert [text[one.start : one.end] for one in secrets.find(text.encode())] == [value]


def test_a_key_for_tests_is_told_apart() -> None:
    found = secrets.find(b"stripe = 'sk_te" + b"st_4eC39HqLyjWDarjtT1zdp7dc'")
    assert [(one.kind, one.test) for one in found] == [("Stripe key for tests", True)]


def test_stars_are_as_long_as_what_they_hide_and_hide_what_was_cut_off() -> None:
    key = key_of(secrets._KINDS[0], random.Random(1))
    shown = len(re.match(secrets._KINDS[0].pattern, key)["s"])  # type: ignore[index]
    mask = Mask([(key, shown), (key[:-9] + "A" * 9, shown)])
    text = f"OpenAI({key}) and {key} and {key[:30]}... and {key[: shown + 4]}"
    hidden = mask.text(text)
    assert len(hidden) == len(text)
    assert key[shown + 8 :] not in hidden
    assert key[:30] not in hidden
    assert hidden.startswith(f"OpenAI({key[:shown]}***")
    assert mask.data(text.encode()) == hidden.encode()
    assert mask.text("nothing") == "nothing"
    assert not Mask([])
