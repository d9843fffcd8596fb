"""kcp-go's parallel test against our listener: 1024 clients at once, 64 messages of 64 bytes each.

As there, every client has a socket of its own and waits for each echo. Here the server also has
to keep its memory: what a session costs is read from the server's resident size.
"""

import resource

import udp

N_CLIENTS = 1024
N_MESSAGES = 64
OPTIONS = {"crypt": "aes-128", "datashard": 10, "parityshard": 3, "mode": "fast3", "mtu": 1400}
KEY = "a crowd"
WINDOWS = {"sndwnd": 32, "rcvwnd": 32}  # kcp-go's default
MAX_SESSION_BYTES = 65536


def allow_files(n):
    """Let the processes started from here have so many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n:
        assert hard >= n, f"this needs {n} open files, the limit is {hard}"
        resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))


def resident_bytes(pid):
    """The resident size of a process."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_1024_clients_of_64_messages():
    allow_files(2 * N_CLIENTS)
    ours = dict(OPTIONS, **WINDOWS, max_sessions=2 * N_CLIENTS, passphrase=KEY)
    pids = []
    with udp.our_server("cpython", pids=pids, **ours) as port:
        before = resident_bytes(pids[0])
        options = dict(OPTIONS, **WINDOWS, timeout=udp.TIMEOUT_S, key=KEY)
        words = (f"127.0.0.1:{port}", f"--clients={N_CLIENTS}", f"--messages={N_MESSAGES}")
        found = udp.client(udp.go_command("crowd", *words, **options))
        per_session = (resident_bytes(pids[0]) - before) / N_CLIENTS
    print(f"{found['seconds']:.1f} s, {per_session:.0f} bytes per session")
    assert found["echoed"] == N_CLIENTS * N_MESSAGES
    assert found["snmp"]["InCsumErrors"] == found["snmp"]["KCPInErrors"] == 0
    assert per_session <= MAX_SESSION_BYTES, per_session
