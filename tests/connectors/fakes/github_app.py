"""The key of the GitHub App in our tests, made anew each time."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem() -> str:
    form = PrivateFormat.TraditionalOpenSSL
    return key().private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public_key() -> str:
    form = PublicFormat.SubjectPublicKeyInfo
    return key().public_key().public_bytes(Encoding.PEM, form).decode()


def pkcs8() -> str:
    """Return it in the other form, which some libraries want."""
    return key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
