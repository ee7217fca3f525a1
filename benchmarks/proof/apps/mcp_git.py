"""The MCP server for Git, at a repository that is made in the given folder: the model calls its tools."""

import os
import subprocess
import sys

os.chdir(sys.argv[1])
subprocess.run(["git", "init", "--quiet"], check=True)
subprocess.run(["git", "add", "."], check=True)
subprocess.run(["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "First notes"], check=True)
os.execv(sys.executable, [sys.executable, "-m", "mcp_server_git", "--repository", os.getcwd()])
