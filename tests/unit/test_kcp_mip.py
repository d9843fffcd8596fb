"""Which compiled build fits a MicroPython."""

import sys

import kcp_mip

# sys.implementation._mpy of interpreters that were asked.
SEEN = (
    (6 | 3 << 8 | 2 << 10, "x64_6.3"),
    (6 | 3 << 8 | 5 << 10, "armv7m_6.3"),  # qemu, MPS2_AN385
    (6 | 3 << 8 | 8 << 10, "armv7emdp_6.3"),  # Debian's armhf
    (6, "bytecode_6.3"),  # MIPS, which has no native code, says nothing of its version
    (6 | 3 << 8 | 11 << 10 | 1 << 16, "rv32imc_6.3"),  # and an extension of it
    (6 | 2 << 8 | 5 << 10, "bytecode_6.3"),  # MicroPython 1.22: other native code
    (6 | 3 << 8 | 15 << 10, "bytecode_6.3"),  # a processor to come
)


def test_architectures_by_number():
    for mpy, name in SEEN:
        assert kcp_mip.folder(mpy) == name, mpy


def test_another_version_of_the_format_takes_the_source():
    for mpy in (0, 5, 7):
        try:
            kcp_mip.folder(mpy)
        except ValueError as error:
            assert str(mpy) in str(error)
        else:
            raise AssertionError("a folder was found for version %d" % mpy)


def test_this_machine():
    if not hasattr(sys.implementation, "_mpy"):  # CPython
        return
    try:
        exec("import micropython\n@micropython.viper\ndef f(): pass", {})
        can_run_native = True
    except SyntaxError:
        can_run_native = False
    assert kcp_mip.folder().endswith("_6.3")
    assert (kcp_mip.arch(sys.implementation._mpy) != "bytecode") == can_run_native
