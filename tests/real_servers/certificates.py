"""Certificates for the servers, of an authority that only the tests trust."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.integration.bad_server import Authority

ADDRESSES = ("127.0.0.1", "::1")
NAMES = ("courier.morgue-tests.example", "herald.morgue-tests.example")
"""Two names at one TLS port, each with a certificate that is good for it alone."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate and its key, in PEM: in one file each, and together in `both`."""

    certificate: Path
    key: Path
    both: Path


def make_certificate(folder: Path, authority: Authority, name: str, *, also: tuple[str, ...] = ()) -> Certificate:
    """Make a certificate for a name, and for these names and addresses as well, and write it into a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([_general_name(each) for each in (name, *also)]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    certificate_bytes = certificate.public_bytes(serialization.Encoding.PEM)
    key_bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = Certificate(
        certificate=folder / f"{name}.crt.pem", key=folder / f"{name}.key.pem", both=folder / f"{name}.pem"
    )
    made.certificate.write_bytes(certificate_bytes)
    made.key.write_bytes(key_bytes)
    made.both.write_bytes(certificate_bytes + key_bytes)
    return made


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
