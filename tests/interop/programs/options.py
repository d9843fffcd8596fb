"""The options of our programs, from JSON: those of kcp.open_connection, and how the key is given.

"passphrase" is made into a key as kcptun does it; "key" is the cipher's key itself in hex.
"""

import json
from binascii import unhexlify

import kcp


def read(text):
    """The options as a dict."""
    options = json.loads(text)
    if "passphrase" in options:
        options["key"] = kcp.derive_key(options.pop("passphrase"))
    elif "key" in options:
        options["key"] = unhexlify(options["key"])
    return options
