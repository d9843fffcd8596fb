"""Compares our FEC decoder and auto-tuner with what kcp-go's made of the same; on both runtimes.

    eval "$(make -s env)"; cd tests/interop/programs
    "$KCP_PEERS/kcppeer" fecdiff tune --count 2000 | "$KCP_PYTHON" fec_diff.py tune
    "$KCP_PEERS/kcppeer" fecdiff decode --seed 7 | "$KCP_PYTHON" fec_diff.py decode

tune: a line for each sequence,

    NUMBER then SEQIDd or SEQIDp for each packet, and ?DATA/PARITY wherever it is asked (-1: none)

decode: `sequence NUMBER DATA PARITY`, then a line for each packet that arrives,

    PACKET DATA/PARITY[?] PAYLOAD[!] ...   the ratio behind it (?: in search), what was repaired
                                           (!: this was never sent)

What must be equal: every answer of the tuner; the ratio and the search after every packet; every
payload that is repaired, but for two differences on purpose:
- "again": a group that has been complete, or is too old, takes no more packets here, while kcp-go
  then "recovers" what was never lost;
- "doubted": nothing is repaired here as long as one of the last 258 packets does not fit the
  ratio, because it may be made of packets of several groups ("false": and was. "wrong": was it
  here nevertheless, before any packet had shown that the ratio has changed?)
("kept": with --newest-kept kcp-go may repair nothing for long after a change of ratio; here more.)

Prints one line of JSON with what was compared.
"""

import json
import sys
from binascii import hexlify, unhexlify

from kcp.fec import DATA, Decoder
from kcp.stats import Stats
from kcp.tune import Tuner, run_length

LIMIT_BYTES = 1 << 20
KEEP = 3  # groups behind the newest that are remembered
PAWS_MAX = 0xFFFFFFFF
SAMPLES = 258


def tuner_answer(tuner):
    """Both periods that the tuner sees, as kcp-go's FindPeriod gives them."""
    samples = tuner.in_order()
    if not samples:
        return -1, -1
    return tuple([run_length(samples, kind) or -1 for kind in (1, 0)])


def compare_tuners(lines):
    """Compare sequences of samples; returns counts."""
    totals = {"sequences": 0, "answers": 0, "found": 0}
    for line in lines:
        tuner, words = Tuner(), line.split()
        totals["sequences"] += 1
        for i, word in enumerate(words):
            if word[0] == "?":
                data, parity = [int(n) for n in word[1:].split("/")]
                answer = tuner_answer(tuner)
                assert answer == (data, parity), (words[0], i, answer, word)
                found = (data, parity) if data > 0 < parity and data + parity < 256 else None
                assert tuner.find() == found, (words[0], i)
                totals["answers"] += 1
                totals["found"] += found is not None
            elif i:
                tuner.sample(word[-1] == "d", int(word[:-1]))
    return totals


class Groups:
    """Which groups have been complete or are too old: by the rules, not by our decoder."""

    def __init__(self, data, parity, newest=None):
        self.data, self.n = data, data + parity
        self.places = {}
        self.newest = newest

    def takes(self, seqid):
        """Note a packet; False if its group takes no more."""
        number, place = divmod(seqid, self.n)
        if self.newest is None:
            self.newest = number
        behind = ((self.newest - number) * self.n + (1 << 31)) % (1 << 32) - (1 << 31)
        if behind < 0:
            self.newest = number
        elif behind > KEEP * self.n:
            return False
        places = self.places.setdefault(number, set())
        if len(places) >= self.data:
            return False
        places.add(place)
        return True


class Comparison:
    """One sequence of packets, kcp-go's decoder and ours."""

    def __init__(self, name, data, parity, newest_kept, totals):
        self.name = name
        self.ours = Decoder(data, parity, 1500, Stats(), LIMIT_BYTES, is_sure=True)
        self.groups = Groups(data, parity)
        self.newest_kept = newest_kept
        self.totals = totals
        self.n_packets = 0
        self.last = []  # (seqid, is data) of the last packets

    def packet(self, words):
        """Take a line of kcp-go's."""
        packet = bytearray(unhexlify(words[0]))
        ours = self.ours
        before = ours.data, ours.parity
        seqid = int.from_bytes(packet[:4], "little")
        fits = (seqid % sum(before) < ours.data) == (packet[4] == DATA)
        used = seqid < PAWS_MAX // sum(before) * sum(before) and fits and not ours.is_tuning
        repaired = self._decode(packet)
        self.last.append((seqid, packet[4] == DATA))
        if len(self.last) > SAMPLES:
            self.last.pop(0)
        ratio = "%d/%d" % (ours.data, ours.parity) + "?" * ours.is_tuning
        assert ratio == words[1], (self.name, self.n_packets, ratio, words)
        if (ours.data, ours.parity) != before:
            self.groups = Groups(ours.data, ours.parity, seqid // (ours.data + ours.parity))
            self.totals["changes"] += 1
        its = [word.encode() for word in words[2:]]
        n_false = len([1 for one in its if one.endswith(b"!")])
        its = [one.rstrip(b"!") for one in its]
        self._judge(used, seqid, repaired, its)
        self.totals["false"] += n_false
        if repaired:
            self.totals["wrong"] += n_false
        self.n_packets += 1
        self.totals["packets"] += 1
        self.totals["repaired"] += len(repaired)

    def _decode(self, packet):
        ours = self.ours
        ours.input(packet, 0, len(packet))
        repaired = []
        while True:
            n = ours.repair(ours.scratch)
            if not n:
                return repaired
            repaired.append(hexlify(ours.scratch[2:n]))

    def _judge(self, used, seqid, repaired, its):
        where = self.name, self.n_packets, repaired, its
        if not used:
            assert repaired == its == [], where
        elif not self.groups.takes(seqid):
            assert repaired == [], where
            self.totals["again"] += len(its)  # by kcp-go alone
        elif (its or repaired) and not self._fits():
            assert repaired == [], where
            self.totals["doubted"] += len(its)  # by kcp-go alone
        elif self.newest_kept and not its:
            self.totals["more"] += len(repaired)  # by us alone
        else:
            assert repaired == its, where

    def _fits(self):
        """Do all the last packets fit the ratio?"""
        data, n = self.groups.data, self.groups.n
        last = [one for one in self.last if one[0] < PAWS_MAX // n * n]
        return all((seqid % n < data) == is_data for seqid, is_data in last)


def compare_decoders(lines, newest_kept):
    """Compare sequences of packets; returns counts."""
    names = (
        "sequences",
        "packets",
        "changes",
        "repaired",
        "again",
        "doubted",
        "false",
        "wrong",
        "more",
    )
    totals = dict.fromkeys(names, 0)
    one = None
    for line in lines:
        words = line.split()
        if words[0] == "sequence":
            one = Comparison(words[1], int(words[2]), int(words[3]), newest_kept, totals)
            totals["sequences"] += 1
        else:
            one.packet(words)
    return totals


if __name__ == "__main__":
    what = sys.argv[1]
    if what == "tune":
        print(json.dumps(compare_tuners(sys.stdin)))
    else:
        print(json.dumps(compare_decoders(sys.stdin, what == "kept")))
