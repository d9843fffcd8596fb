"""A self-made certificate, and TLS contexts for both sides."""

import datetime as dt
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME = "kcp.test"


def make_certificate(folder):
    """Write cert.pem, key.pem, and both as .der into folder; return the paths of the PEM ones."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    begin = dt.datetime(2020, 1, 1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    for end, encoding in (
        ("pem", serialization.Encoding.PEM),
        ("der", serialization.Encoding.DER),
    ):
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.TraditionalOpenSSL
        _write(folder, "cert." + end, certificate.public_bytes(encoding))
        _write(folder, "key." + end, key.private_bytes(encoding, form, plain))
    return os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")


def _write(folder, name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def contexts(folder):
    """Return (server's, client's) context; the client trusts the certificate, and no other."""
    cert, key = make_certificate(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=cert)
