"""Tokens of service accounts."""

from __future__ import annotations

import time
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from .api import Api

ISSUER = "https://kubernetes.default.svc"
_SHORTEST_REQUEST = 600  # the API server refuses less
_LEEWAY = 60  # seconds that the API server takes a token for longer than it says


def token(api: Api, key: ec.EllipticCurvePrivateKey, namespace: str, account: str, seconds: int) -> str:
    """A token of an account that is there: by TokenRequest, or signed here where that would refuse so short a life.

    ``seconds`` from now on it is refused; but the API server remembers for ten seconds that a token was good.
    """
    if seconds >= _SHORTEST_REQUEST:
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        answer = api.call("POST", path, {**request, "spec": {"expirationSeconds": seconds}})
        return str(answer["status"]["token"])
    now = int(time.time())
    known = api.get("serviceaccounts", account, namespace)["metadata"]
    claims = {
        "iss": ISSUER,
        "aud": [ISSUER],
        "sub": f"system:serviceaccount:{namespace}:{account}",
        "iat": now - 2 * _LEEWAY,
        "nbf": now - 2 * _LEEWAY,
        "exp": now + seconds - _LEEWAY,
        "jti": str(uuid.uuid4()),
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": known["uid"]}},
    }
    return jwt.encode(claims, key, algorithm="ES256")
