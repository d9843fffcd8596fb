"""The committed lists of kcp-go's public names and of its tests are what the module has.

To write them anew: the functions of go_names.py, one name on a line.
"""

import os

import binaries
import go_names

PEERS = os.path.join(binaries.HERE, "peers")


def committed(name):
    with open(os.path.join(binaries.TESTS, "vectors", name), encoding="ascii") as file:
        return file.read().split()


def test_the_names():
    found = go_names.names(go_names.doc(binaries.needed("KCP_GO"), PEERS))
    assert committed("kcp-go-names.txt") == found
    assert len(found) > 150 and {"Dial", "UDPSession.SetMtu", "Snmp.InErrs"} <= set(found)


def test_the_tests():
    found = go_names.its_tests(binaries.needed("KCP_GO"), PEERS)
    assert committed("kcp-go-tests.txt") == found
    assert len(found) > 80 and "TestSetMTU" in found
