"""Two network namespaces with a TUN device each; needs root, or the right to a user namespace.

No tool of the system is needed: namespaces, devices and addresses are made by system calls. All
is gone when the last file descriptor is closed.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_TUNSETIFF, _TUN_NO_PI = 0x400454CA, 0x1001
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_SIOCSIFMTU = 0x8922
_UP_RUNNING = 0x41
_DEVICE = "/dev/net/tun"
_OWN_SPACE = "/proc/thread-self/ns/net"

NETWORK = "10.77.0."
NEAR, FAR = NETWORK + "1", NETWORK + "2"
#: Addresses that the NAT takes when it changes its own.
NAT_ADDRESSES = tuple(socket.inet_aton(NETWORK + str(n)) for n in (1, *range(101, 120)))
MTU = 1500

_libc = ctypes.CDLL(None, use_errno=True)


class NotAllowed(Exception):
    """This process may have no namespaces; the text says why, to a user."""


def _call(name, *arguments):
    if getattr(_libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def become_root():
    """Enter a user namespace in which this process is root. Only while it has one thread."""
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {uid} 1"),
        ("gid_map", f"0 {gid} 1"),
    ):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)


class Space:
    """One network namespace. `tun`: file descriptor of its device; address: as "10.77.0.1"."""

    def __init__(self, address):
        with _space_kept():
            _call("unshare", _CLONE_NEWNET)
            self._fd = os.open(_OWN_SPACE, os.O_RDONLY)
            try:
                self.tun = _open_tun("tun0", address)
            except BaseException:
                os.close(self._fd)
                raise

    @contextlib.contextmanager
    def entered(self):
        """What is started or opened by this thread meanwhile belongs to the namespace."""
        with _space_kept():
            _call("setns", self._fd, _CLONE_NEWNET)
            yield

    def close(self):
        """Give up the device, and the namespace as soon as no process is left in it."""
        os.close(self.tun)
        os.close(self._fd)


@contextlib.contextmanager
def _space_kept():
    """Afterwards this thread is in the namespace in which it was."""
    own = os.open(_OWN_SPACE, os.O_RDONLY)
    try:
        yield
    finally:
        _call("setns", own, _CLONE_NEWNET)
        os.close(own)


def _open_tun(name, address):
    tun = os.open(_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(tun, _TUNSETIFF, _request(name, struct.pack("H", _TUN_NO_PI)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number, request in _configuration(name, address):
                fcntl.ioctl(sock, number, request)
    except BaseException:
        os.close(tun)
        raise
    return tun


def _configuration(name, address):
    """The ioctls that bring up the loopback and the device."""
    yield _SIOCSIFFLAGS, _request("lo", struct.pack("H", _UP_RUNNING))
    yield _SIOCSIFADDR, _request(name, _sockaddr(address))
    yield _SIOCSIFNETMASK, _request(name, _sockaddr("255.255.255.0"))
    yield _SIOCSIFMTU, _request(name, struct.pack("i", MTU))
    yield _SIOCSIFFLAGS, _request(name, struct.pack("H", _UP_RUNNING))


def _request(name, value):
    return struct.pack("16s24s", name.encode(), value)


def _sockaddr(address):
    return struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(address))


def open_pair():
    """The near and the far namespace. NotAllowed if this process may not have them.

    Without root this process enters a user namespace; it must have one thread then.
    """
    try:
        return _open_pair()
    except PermissionError as refused:
        if not os.access(_DEVICE, os.R_OK | os.W_OK):
            raise NotAllowed(f"this user may not open {_DEVICE}") from None
        if not _would_work_as_root():
            raise NotAllowed(_reason(refused)) from None
    except OSError as refused:
        raise NotAllowed(_reason(refused)) from None
    become_root()
    return _open_pair()


def _would_work_as_root():
    """Whether a user namespace would do. A child tries: there is no way back out of one."""
    child = os.fork()
    if not child:
        try:
            become_root()
            _open_pair()
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _open_pair():
    near = Space(NEAR)
    try:
        return near, Space(FAR)
    except BaseException:
        near.close()
        raise


def _reason(refused):
    if refused.filename == _DEVICE:
        return f"{_DEVICE} cannot be opened ({refused.strerror})"
    return f"namespaces need root, or user namespaces that this system allows ({refused.strerror})"
