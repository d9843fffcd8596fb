"""MicroPython's tls module over a socket's file: echo something, over TLS over KCP.

tls_client.py HOST PORT BYTES CERTIFICATE OPTIONS      CERTIFICATE: DER; OPTIONS: JSON
"""

import json
import sys

import tls

from kcp import blocking

PIECE_BYTES = 2000  # sent, then read back: one thread does both


def main(host, port, n_bytes, certificate, options):
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    with open(certificate, "rb") as file:
        context.load_verify_locations(file.read())
    sock = blocking.connect(host, port, timeout=20, **options)
    secured = context.wrap_socket(sock.makefile("rwb"), server_hostname="kcp.test")
    ok = True
    for i in range(0, n_bytes, PIECE_BYTES):
        piece = bytes((i + k) & 0xFF for k in range(min(PIECE_BYTES, n_bytes - i)))
        n_written = 0
        while n_written < len(piece):
            n_written += secured.write(piece[n_written:])
        back = b""
        while len(back) < len(piece):
            back += secured.read(len(piece) - len(back))
        ok = ok and back == piece
    cipher = secured.cipher()
    secured.close()
    sock.close()
    print(json.dumps({"ok": ok, "bytes": n_bytes, "cipher": cipher[0]}))
    return 0 if ok else 1


if __name__ == "__main__":
    _, host, port, n_bytes, certificate, options = sys.argv
    sys.exit(main(host, int(port), int(n_bytes), certificate, json.loads(options)))
