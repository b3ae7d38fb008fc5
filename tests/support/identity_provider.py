"""An identity provider of the test's own: its keys, and tokens good and forged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://id.example.org/realm"
AUDIENCE = "kubescribe"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class FakeProvider:
    """Keys by id; ``fetch`` is what a fetch of its addresses gives."""

    def __init__(self) -> None:
        self.keys: dict[str, PrivateKey] = {
            "rsa": rsa.generate_private_key(65537, 2048),
            "ec": ec.generate_private_key(ec.SECP256R1()),
        }
        self.more: list[dict[str, Any]] = []
        """Further entries of the key set, as they are."""
        self.fetched: list[str] = []
        self.fails: Exception | None = None

    def fetch(self, address: str) -> Any:
        """A document of the provider's."""
        self.fetched.append(address)
        if self.fails is not None:
            raise self.fails
        if address.endswith("/.well-known/openid-configuration"):
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        return {"keys": [*(self.public(key_id) for key_id in self.keys), *self.more]}

    def public(self, key_id: str, **changes: Any) -> dict[str, Any]:
        """An entry of the key set."""
        key = self.keys[key_id]
        entry: dict[str, Any]
        if isinstance(key, rsa.RSAPrivateKey):
            entry = dict(RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)) | {"alg": "RS256"}
        elif isinstance(key, ec.EllipticCurvePrivateKey):
            entry = dict(ECAlgorithm.to_jwk(key.public_key(), as_dict=True)) | {"alg": "ES256"}
        else:
            entry = dict(OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)) | {"alg": "EdDSA"}
        return entry | {"kid": key_id, "use": "sig"} | changes

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims; a change to None takes a claim out."""
        now = int(time.time())
        good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 300, "groups": ["ks-ops"]}
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(
        self,
        key_id: str = "rsa",
        algorithm: str | None = None,
        *,
        signer: PrivateKey | None = None,
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """A token, signed by the key of this id or by another."""
        key = signer or self.keys[key_id]
        fitting = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(self.claims(**changes), key, algorithm or fitting, {"kid": key_id, **(header or {})})

    def by_hand(self, header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
        """A token of parts that no library would put together."""
        return ".".join((_part(header), _part(claims), _encoded(signature)))

    def confused(self, key_id: str, secret: bytes, algorithm: str = "HS256") -> str:
        """Signed with the *public* key as if it were a shared secret."""
        parts = f"{_part({'alg': algorithm, 'typ': 'JWT', 'kid': key_id})}.{_part(self.claims())}"
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
        return f"{parts}.{_encoded(hmac.digest(secret, parts.encode(), digest))}"

    def pem(self, key_id: str) -> bytes:
        """The public key as everybody can have it."""
        return self.keys[key_id].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _part(value: Any) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
