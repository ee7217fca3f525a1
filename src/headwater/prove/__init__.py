"""Proof: runs an application against a compromised model and watches what it does."""
