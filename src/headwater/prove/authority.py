"""A certificate authority of one run, for the loopback proxy: certificates for any name, and one that nobody trusts.

Needs the package ``cryptography`` (the extra ``prove``), which is imported only here.
"""

from __future__ import annotations

import datetime
import importlib
import ipaddress
import re
import ssl
import threading
from pathlib import Path
from typing import Any, Final

from headwater import limits
from headwater.prove import http2

HOST: Final = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*")
PROTOCOLS: Final = ("http/1.1", "h2")
"""In the server's order: HTTP/2 is spoken with clients that speak nothing else, and only where its package is installed."""


class MissingError(Exception):
    """The package that makes certificates is not installed."""


class Authority:
    """Makes certificates below ``folder``; ``file`` is the one to trust."""

    def __init__(self, folder: Path) -> None:
        try:
            self._x509: Any = importlib.import_module("cryptography.x509")
            self._hashes: Any = importlib.import_module("cryptography.hazmat.primitives.hashes")
            self._serialization: Any = importlib.import_module("cryptography.hazmat.primitives.serialization")
            self._curves: Any = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ec")
        except ImportError as problem:
            raise MissingError("certificates need the package cryptography: pip install 'headwater[prove]'") from problem
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.RLock()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._made = 0
        self._key = self._curves.generate_private_key(self._curves.SECP256R1())
        self._leaf_key = self._curves.generate_private_key(self._curves.SECP256R1())
        self._name = self._named("Headwater proof, certificate authority of one run")
        self._certificate = self._sign(self._name, self._key.public_key(), None, authority=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(self._serialization.Encoding.PEM))

    def context(self, host: str) -> ssl.SSLContext:
        """What a server of that name speaks TLS with; a name that it is told in the handshake goes before ``host``."""
        host = host.lower() if HOST.fullmatch(host) or _is_address(host) else "localhost"
        with self._lock:
            if host not in self._contexts and len(self._contexts) >= limits.PROVE_HOSTS:
                host = "localhost"
            if host not in self._contexts:
                self._contexts[host] = self._server(host, self._sign(self._named(host), self._leaf_key.public_key(), host))
                self._contexts[host].sni_callback = self._told
            return self._contexts[host]

    def untrusted(self, host: str) -> ssl.SSLContext:
        """The same with a certificate that signs itself."""
        own = self._sign(self._named(host), self._leaf_key.public_key(), host, itself=True)
        return self._server(f"untrusted-{host}", own)

    def _told(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name:
            connection.context = self.context(name)

    def _server(self, host: str, certificate: Any) -> ssl.SSLContext:
        encoding = self._serialization.Encoding.PEM
        key = self._leaf_key.private_bytes(encoding, self._serialization.PrivateFormat.PKCS8, self._serialization.NoEncryption())
        with self._lock:
            self._made += 1
            path = self._folder / f"host-{self._made}.pem"
        path.touch(mode=0o600)
        path.write_bytes(key + certificate.public_bytes(encoding) + self._certificate.public_bytes(encoding))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(list(PROTOCOLS if http2.available() else PROTOCOLS[:1]))
        return context

    def _named(self, name: str) -> Any:
        return self._x509.Name([self._x509.NameAttribute(self._x509.NameOID.COMMON_NAME, name[:64])])

    def _sign(self, name: Any, public: Any, host: str | None, *, authority: bool = False, itself: bool = False) -> Any:
        x509 = self._x509
        now = datetime.datetime.now(datetime.UTC)
        signer = self._leaf_key if itself else self._key
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name if itself else self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=7))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
                    key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
                ),
                critical=True,
            )
        )  # fmt: skip
        if host is not None:
            other = x509.IPAddress(ipaddress.ip_address(host)) if _is_address(host) else x509.DNSName(host)
            made = made.add_extension(x509.SubjectAlternativeName([other]), critical=False)
            made = made.add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return made.sign(signer, self._hashes.SHA256())


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
