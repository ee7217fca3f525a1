"""A fault of the engine fails the test that meets it; in a review it costs one function."""

import os

os.environ.setdefault("HEADWATER_TRACEBACK", "1")
os.environ["HEADWATER_CACHE"] = "off"
