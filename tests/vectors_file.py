"""Reads the files of tests/vectors, line by line (they are larger than a device's memory)."""

from binascii import unhexlify

_FOLDER = __file__.rpartition("/")[0] + "/vectors/"


def lines(name):
    """Yield the fields of each line as a list of str, comments left out."""
    with open(_FOLDER + name) as file:
        for line in file:
            if not line.startswith("#"):
                yield line.split()


def packets():
    """Yield (cipher, key, nonce, payload, wire) of crypt.txt."""
    payloads = {}
    for fields in lines("crypt.txt"):
        if fields[0] == "payload":
            payload = unhexlify(fields[1])
            payloads[len(payload)] = payload
        else:
            name, key, nonce, wire = fields[1:]
            wire = unhexlify(wire)
            overhead = 28 if "gcm" in name or "poly1305" in name else 20
            key = b"" if key == "-" else unhexlify(key)
            yield name, key, unhexlify(nonce), payloads[len(wire) - overhead], wire
