"""Certificates for servers of tests: a good one, and those that must not be trusted."""

from __future__ import annotations

import subprocess
from pathlib import Path

KINDS = ("good", "self-signed", "expired", "other-host", "other-authority")


class Certificates:
    """Made in a folder when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("ca", "other"):
            self._openssl("req", "-x509", *_KEY, "-days", "2", "-subj", f"/CN={name}", *_files(name))

    @property
    def ca_file(self) -> Path:
        """Whom to trust."""
        return self.folder / "ca.crt"

    def make(self, kind: str) -> tuple[Path, Path]:
        """Certificate and key of a server on loopback."""
        name = f"server-{kind}"
        if kind == "self-signed":
            alternative = ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
            self._openssl("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=localhost", *alternative, *_files(name))
        else:
            host = "DNS:elsewhere.example" if kind == "other-host" else "DNS:localhost,IP:127.0.0.1"
            (self.folder / "extensions").write_text(f"subjectAltName={host}\n")
            request = self.folder / f"{name}.csr"
            self._openssl("req", *_KEY, "-subj", "/CN=localhost", "-keyout", f"{name}.key", "-out", str(request))
            authority = "other" if kind == "other-authority" else "ca"
            signing = ("-CA", f"{authority}.crt", "-CAkey", f"{authority}.key", "-CAcreateserial")
            self._openssl(
                *("x509", "-req", "-in", str(request), *signing, "-extfile", "extensions", "-out", f"{name}.crt"),
                *(("-days", "-1") if kind == "expired" else ("-days", "2")),
            )
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


def _files(name: str) -> tuple[str, ...]:
    return "-keyout", f"{name}.key", "-out", f"{name}.crt"
