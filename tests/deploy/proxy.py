"""The proxy of compose.yaml, from Debian's packages, and the networks that students come from."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.deploy.compose import REQUIRED, proxy_configuration
from tests.server import Server
from tests.services import Missing, Process, free_port

# Beside the proxy: a network that lets no WebSocket through, and one that ends TLS.
NETWORKS = """
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s

frontend school
    bind 127.0.0.1:{school}
    http-request deny deny_status 403 if {{ req.hdr(Upgrade) -m found }}
    default_backend proxy

frontend tls
    bind 127.0.0.1:{tls} ssl crt {folder}/certificate.pem
    http-request set-header X-Forwarded-Proto https
    default_backend proxy

backend proxy
    server proxy 127.0.0.1:{port}
"""


def haproxy_program() -> str:
    """Return haproxy, or raise Missing."""
    found = shutil.which("haproxy", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if found is None:
        raise Missing("HAProxy (no haproxy in PATH)")
    return found


class Proxy(Process):
    """HAProxy with the configuration of compose.yaml, its servers in the order of `web1`, `web2`."""

    name = "haproxy"

    def __init__(self, web: Sequence[Server], **variables: str) -> None:
        self._program = haproxy_program()
        super().__init__()
        self.school, self.tls = free_port(), free_port()
        text = proxy_configuration({**REQUIRED, **variables}).replace(":8080", f"127.0.0.1:{self.port}")
        for number, server in enumerate(web, 1):
            text, count = re.subn(rf"\bweb{number}:8000", f"127.0.0.1:{server.port}", text)
            assert count == 2
        (self.folder / "proxy.cfg").write_text(text)
        networks = NETWORKS.format(port=self.port, school=self.school, tls=self.tls, folder=self.folder)
        (self.folder / "networks.cfg").write_text(networks)
        _write_certificate(self.folder / "certificate.pem")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def school_url(self) -> str:
        """The same through a network that blocks WebSockets."""
        return f"http://127.0.0.1:{self.school}"

    @property
    def tls_url(self) -> str:
        """The same behind something that ends TLS."""
        return f"https://127.0.0.1:{self.tls}"

    def check(self) -> str:
        """Return what HAProxy says of the proxy's configuration."""
        command = [self._program, "-c", "-f", str(self.folder / "proxy.cfg")]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    def _command(self) -> list[str]:
        files = (str(self.folder / name) for name in ("proxy.cfg", "networks.cfg"))
        return [self._program, "-db", "-f", next(files), "-f", next(files)]

    def _answers(self) -> bool:
        for port in (self.port, self.school, self.tls):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)):
                    return False
        return True


def _write_certificate(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
