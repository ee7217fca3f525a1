"""A server of HTTPS on loopback whose certificate an authority of the test has signed."""

from __future__ import annotations

import http.server
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pytest


def certificates(folder: Path) -> Path:
    """Makes a certificate authority, and beside it ``server.pem``: a certificate for model.example. The authority's file."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is missing")
    folder = folder / "authority"
    folder.mkdir()
    (folder / "names").write_text("subjectAltName=DNS:model.example\n")
    made = ["-newkey", "rsa:2048", "-nodes"]
    signed = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt"
    for command in (
        [
            "req",
            "-x509",
            *made,
            "-days",
            "2",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-subj",
            "/CN=authority",
            "-addext",
            "keyUsage=keyCertSign",
        ],
        ["req", *made, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=model.example"],
        signed.split(),
    ):
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
    (folder / "server.pem").write_text((folder / "server.key").read_text() + (folder / "server.crt").read_text())
    return folder / "ca.pem"


class Secure:
    """A server of HTTPS on loopback; ``asked`` are the lines of requests."""

    def __init__(self, certificate: Path) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(f"{self.headers['host']} {self.path}")
                self.send_response(200)
                self.send_header("content-length", "6")
                self.end_headers()
                self.wfile.write(b"played")

            def log_message(self, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> Secure:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
