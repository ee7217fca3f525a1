"""Single-file components of Vue and Svelte: a script is made of each, which the frontend of scripts lowers."""

from headwater.frontends.components.lowering import lower

__all__ = ["lower"]
