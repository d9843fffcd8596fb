"""Which of the shared test files each target of `make test-targets` runs, and why not the rest."""

# Target: the variable that holds the command line of its interpreter.
VARIABLES = {
    "mips": "KCP_UPY_MIPS",
    "mipsel": "KCP_UPY_MIPSEL",
}

NO_EMITTER = {"unit/test_viper.py": "MicroPython makes no machine code for it"}

# Target: folders ("name/") and files that it cannot run, each with the reason. Files that say
# `arm=no` are about 64-bit builds, and none of these targets runs them.
LEFT_OUT = {
    "mips": NO_EMITTER,
    "mipsel": NO_EMITTER,
}

# What a push runs on the targets that are not run by `make test`: each layer once, and whatever
# hangs on the order of bytes or on the emitter. The rest needs WHOLE=1.
FAST = (
    "unit/test_arq.py",
    "unit/test_chacha.py",
    "unit/test_config.py",
    "unit/test_crypt_blocks.py",
    "unit/test_crypt_vectors.py",
    "unit/test_cryptolib.py",
    "unit/test_endpoint.py",
    "unit/test_fec_edges.py",
    "unit/test_fec_vectors.py",
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
