"""The Python frontend: source bytes to the IR."""

from headwater.frontends.python.lower import lower

__all__ = ["lower"]
