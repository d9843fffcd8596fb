"""Which of the shared test files each target of `make test-targets` runs, and why not the rest."""

# Target: the variable that holds the command line of its interpreter.
VARIABLES = {
    "mips": "KCP_UPY_MIPS",
    "mipsel": "KCP_UPY_MIPSEL",
    "cortex-m3": "KCP_UPY_CORTEX_M3",
    "cortex-m7": "KCP_UPY_CORTEX_M7",
    "riscv32": "KCP_UPY_RISCV32",
    "wasm": "KCP_UPY_WASM",
}

# Where a twin needs another interpreter than its target has else: (target, form of the C module).
INTERPRETERS = {
    ("unix", "in firmware"): "KCP_UPY_NATIVE",
    ("mips", "by ffi"): "KCP_UPY_MIPS_FFI",
    ("mipsel", "by ffi"): "KCP_UPY_MIPSEL_FFI",
}

NO_EMITTER = {"unit/test_viper.py": "MicroPython makes no machine code for it"}
WITH_SOCKETS = (
    "unit/test_aio.py",
    "unit/test_blocking.py",
    "unit/test_blocking_server.py",
    "unit/test_blocking_streams.py",
    "unit/test_carrier.py",
    "unit/test_deadlines.py",
    "unit/test_oob_stream.py",
    "unit/test_rebind.py",
    "unit/test_stream.py",
)
NO_SOCKETS = dict.fromkeys(WITH_SOCKETS, "needs UDP sockets")
NO_AES = {
    "unit/test_cryptolib.py": "has no AES in C",
    "unit/test_crypt.py": "without AES and SHA-1 in C, minutes",
    "unit/test_crypt_packets.py": "without AES in C, minutes; the C module runs it",
    "unit/test_crypt_vectors.py": "without AES and SHA-1 in C, minutes",
    "unit/test_oob.py": "without AES and SHA-1 in C, minutes",
}
TOO_SLOW = {
    "device/test_heap_ciphers.py": "ten minutes of ciphers; the 32-bit ARM runs it",
    "sim/": "long simulated transfers; the 32-bit ARM runs them",
}
BOARD = {**NO_SOCKETS, **NO_AES, **TOO_SLOW}

# Target: folders ("name/") and files that it cannot run, each with the reason. Files that say
# `arm=no` are about 64-bit builds, and none of these targets runs them.
LEFT_OUT = {
    "mips": NO_EMITTER,
    "mipsel": NO_EMITTER,
    "cortex-m3": BOARD,
    "cortex-m7": BOARD,
    "riscv32": BOARD,
    "wasm": {
        **NO_EMITTER,
        **NO_SOCKETS,
        **TOO_SLOW,
        **NO_AES,
        "unit/test_blocking_carrier.py": "has neither sockets nor select",
        "unit/test_keeper_stream.py": "has no asyncio.run()",
        "unit/test_memory_carrier.py": "has no asyncio.run()",
        "unit/test_radio_carriers.py": "has no asyncio.run()",
        "unit/test_serial.py": "has no asyncio.run()",
        "unit/test_trace.py": "has no asyncio.run()",
    },
}

# What a native twin runs besides the files whose option says `twins`: what the whole stack makes
# of it.
WITH_NATIVE = (
    "unit/test_endpoint.py",
    "unit/test_fec_edges.py",
    "unit/test_listener.py",
    "unit/test_oob.py",
    "unit/test_serial.py",
    "unit/test_stream.py",
)
# What drives the C core through ffi by itself, and compares it with plain Python.
BY_FFI = ("ffi/test_session_by_ffi.py",)
# What a native twin can run where the others cannot: it has AES of its own.
NATIVE_HAS = ("unit/test_crypt_packets.py",)

# What a push runs on the targets that are not run by `make test`: each layer once, and whatever
# hangs on the order of bytes or on the emitter. The rest needs WHOLE=1.
FAST = (
    "unit/test_backend_in_use.py",
    "unit/test_arq.py",
    "unit/test_chacha.py",
    "unit/test_config.py",
    "unit/test_crypt_blocks.py",
    "unit/test_crypt_packets.py",
    "unit/test_crypt_vectors.py",
    "unit/test_cryptolib.py",
    "unit/test_endpoint.py",
    "unit/test_fec_edges.py",
    "unit/test_fec_vectors.py",
    "unit/test_kcp_mip.py",
    "unit/test_kernels.py",
    "unit/test_listener.py",
    "unit/test_oob.py",
    "unit/test_package.py",
    "unit/test_rs.py",
    "unit/test_serial.py",
    "unit/test_session.py",
    "unit/test_stream.py",
    "unit/test_viper.py",
)
