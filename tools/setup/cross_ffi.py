"""MicroPython for MIPS that loads shared libraries (its module ffi), and the C core as one.

The interpreter of cross_unix.py is linked statically and can load nothing.
"""

import glob
import os
import shlex
import shutil

import c_twins
import common
import cross_unix
import debian
import toolchains

SHIM = os.path.join(common.REPOSITORY, "tests", "native", "twins", "session_shim.c")
FLAGS = ("-std=c99", "-O2", "-fPIC", "-shared", "-Wl,-soname,libkcp.so", *c_twins.WARNINGS)
PROBE = "import ffi; print(ffi.open('libc.so.6').func('i', 'abs', 'i')(-7))"


def ensure(target, tree, cross):
    """(command line that starts the interpreter, folder of libkcp.so and libkcp_session.so).

    The second library is the first one with what tests drive sessions by.
    """
    prefix = os.path.join(toolchains.ensure(target), cross_unix.TARGETS[target][0])
    return _interpreter(target, tree, cross, prefix), _libraries(target, prefix)


def _interpreter(target, tree, cross, prefix):
    qemu = os.path.join(toolchains.ensure("qemu-user"), cross_unix.TARGETS[target][1])
    recipe = common.digest_files(os.path.abspath(__file__), cross_unix.__file__)
    mbedtls = cross_unix.ensure_mbedtls(target)
    command = [qemu, "-L", os.path.join(_root(prefix), "usr", os.path.basename(prefix)[:-1])]

    def build(folder, log):
        libffi = _libffi(os.path.join(folder, "libffi"), prefix, log)
        flags = [f"LIBFFI_CFLAGS=-I{libffi}/include", f"LIBFFI_LDFLAGS=-L{libffi}/lib -lffi -ldl"]
        flags += ["MICROPY_PY_FFI=1", f"CFLAGS_EXTRA=-I{mbedtls}/include"]
        flags += [f"LDFLAGS_EXTRA=-L{mbedtls}/lib {_link_flag(prefix)}"]
        work = os.path.join(folder, "work")
        os.makedirs(os.path.join(work, "lib"))
        cross_unix.make(folder, log, tree, cross, prefix, work, flags)
        shutil.rmtree(work)
        shutil.rmtree(libffi)
        program = [*command, os.path.join(folder, "micropython")]
        if cross_unix.output([*program, "-c", PROBE]) != "7":
            raise common.SetupError(f"The {target} MicroPython cannot load a shared library.")
        return {"about": "with ffi"}

    key = common.digest(tree, prefix, mbedtls, recipe)
    folder, _ = common.ensure(f"unix-{target}-ffi", key, build)
    return shlex.join([*command, os.path.join(folder, "micropython")])


def _root(prefix):
    """Where a kit's packages are unpacked."""
    return os.path.join(os.path.dirname(os.path.dirname(prefix)), "root")


def _link_flag(prefix):
    """Has the linker look for the C library where it is, not where its own script says."""
    return "-Wl,--sysroot=" + _root(prefix)


def _libffi(into, prefix, log):
    """Build libffi for the target, to be linked statically; where it is installed."""
    source = into + "-source"
    debian.Archive(log, debian.own_suite(), source=True).source("libffi", source)
    tree = os.path.join(source, "tree")
    failure = "The library libffi could not be built for the target."
    configure = ["sh", "./configure", "--host=" + os.path.basename(prefix)[:-1]]
    configure += ["--prefix=" + into, "--disable-docs", "--disable-shared", "--enable-static"]
    configure += [f"CC={prefix}gcc", f"AR={prefix}ar", f"RANLIB={prefix}ranlib"]
    configure.append("LDFLAGS=" + _link_flag(prefix))
    log.run(configure, failure, cwd=tree)
    log.run(["make", f"-j{os.cpu_count() or 1}", "install"], failure, cwd=tree)
    shutil.rmtree(source)
    return into


def _libraries(target, prefix):
    core = sorted(glob.glob(os.path.join(c_twins.NATIVE, "core", "*.c")))
    binding = os.path.join(c_twins.NATIVE, "ffi", "kcp_ffi.c")
    files = [os.path.abspath(__file__), SHIM, *c_twins.sources("ffi")]

    def build(folder, log):
        for name, sources in (("libkcp", []), ("libkcp_session", [SHIM])):
            command = [
                prefix + "gcc",
                *FLAGS,
                _link_flag(prefix),
                "-I" + os.path.join(c_twins.NATIVE, "core"),
            ]
            command += [*core, binding, *sources, "-o", os.path.join(folder, name + ".so")]
            log.run(command, "The C core could not be built as a shared library for the target.")
        return {"about": f"{os.path.getsize(os.path.join(folder, 'libkcp.so'))} bytes"}

    key = common.digest(prefix, common.digest_files(*files))
    return common.ensure(f"libkcp-{target}", key, build)[0]
