"""The MCP server for Git, at a repository that is made in the given folder: the model calls its tools."""

import os
import subprocess
import sys

folder = sys.argv[1]
git = ["git", "-C", folder, "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "First notes"]):
    subprocess.run([*git, *command], check=True)
os.execv(sys.executable, [sys.executable, "-m", "mcp_server_git", "--repository", folder])
