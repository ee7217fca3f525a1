"""Drivers: ways to have an application do its work. Each starts it once, for ``headwater.prove.campaign``."""
