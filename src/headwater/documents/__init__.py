"""Files that are no code but decide what code does: manifests and lock files, configurations of tools, settings, papers."""
