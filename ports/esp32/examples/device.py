"""What the examples share: settings from a file, and Wi-Fi where there is any.

settings.json, which README tells how to make:

    {"ssid": "...", "password": "...", "host": "192.168.1.2", "port": 4000, "key": "32 hex digits"}
"""

import json
import time
from binascii import unhexlify

try:
    import network
except ImportError:  # a computer, whose network is its own affair
    network = None

WIFI_MS = 20000


def settings():
    """Return the settings as a dict, "key" as bytes."""
    with open("settings.json") as file:
        found = json.load(file)
    found["key"] = unhexlify(found["key"])
    return found


def connect(found, waits=True):
    """Join the Wi-Fi; a function that tells if it is up, None on a computer.

    waits: until it is up, and OSError if it is not soon; else that goes on by itself."""
    if network is None:
        return None
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    if not wlan.isconnected():
        wlan.connect(found["ssid"], found["password"])
    wlan.config(pm=wlan.PM_NONE)  # asleep, the radio adds 100 ms and more to a round trip
    begin_ms = time.ticks_ms()
    while waits and not wlan.isconnected():
        if time.ticks_diff(time.ticks_ms(), begin_ms) > WIFI_MS:
            raise OSError("no Wi-Fi: are ssid and password right?")
        time.sleep_ms(100)
    return wlan.isconnected


def options(found):
    """Return the session's settings, the same at both ends."""
    return {"preset": "wifi", "crypt": "aes-128", "key": found["key"], "sndwnd": 8, "rcvwnd": 8}
