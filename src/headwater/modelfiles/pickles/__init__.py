"""Pickles: what an unpickler would do with them, found by running their opcodes over symbols. Nothing is imported, called or unpickled."""
