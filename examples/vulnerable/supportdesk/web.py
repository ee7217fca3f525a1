"""Reads pages that the assistant wants to see."""

import httpx


def fetch_page(url: str) -> str:
    with httpx.Client(follow_redirects=True, verify=False, timeout=10) as client:
        return client.get(url).text[:20_000]
