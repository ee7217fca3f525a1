"""The system map: what AI system a repository holds, and how its parts use each other."""
