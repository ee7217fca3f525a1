"""Who is asking: a bearer token stands for a customer, one more for the administrator."""

import secrets
from typing import Annotated

from fastapi import Depends, Header, HTTPException

from supportdesk.config import load_settings

settings = load_settings()


def same(token: str, expected: str) -> bool:
    return bool(expected) and secrets.compare_digest(token.encode(), expected.encode())


def bearer(authorization: Annotated[str, Header()] = "") -> str:
    return authorization.removeprefix("Bearer ")


def current_customer(token: Annotated[str, Depends(bearer)]) -> int:
    for expected, customer in settings.customers.items():
        if same(token, expected):
            return customer
    raise HTTPException(401)


def administrator(token: Annotated[str, Depends(bearer)]) -> None:
    if not same(token, settings.admin_token):
        raise HTTPException(401)


Customer = Annotated[int, Depends(current_customer)]
