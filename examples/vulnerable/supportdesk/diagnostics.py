"""Looks at a customer's host from here."""

import subprocess


def diagnose_host(host: str) -> str:
    return shell(f"getent hosts {host}")


def shell(command: str) -> str:
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=10)
    return done.stdout or done.stderr or f"exit status {done.returncode}"
