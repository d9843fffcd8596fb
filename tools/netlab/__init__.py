"""Runs real programs over a modelled link: `python tools/netlab --help`, docs/network.md.

lane.py      one direction of the link in real time: the simulator's model, and what it counts
packet.py    IPv4: whose packet it is, a NAT that forgets, damage that reaches the program
spaces.py    two network namespaces with a TUN device each
tun.py       the relay between them: UDP, TCP, whatever is IPv4
udp.py       the relay for who may not have namespaces: datagrams over loopback
lab.py       both behind one interface, and the programs at the two ends
programs/    ends for the report (tools/net_report.py): ours on both runtimes, and kernel TCP
"""
