"""The threat model: what can go wrong with each part of the system map, read from the code."""
