"""The Python frontend: source bytes to the IR."""

from headwater.frontends.python.module import lower

__all__ = ["lower"]
