# MicroPython for Linux on a router with a MIPS processor, with the library frozen and the C core:
#
#     make -C ports/unix VARIANT_DIR=<here> CROSS_COMPILE=mips-linux-gnu- LDFLAGS_EXTRA=-static
#
# As a router's flash is small: no TLS, no ffi, no btree. Ciphers are those of the C core.

KCP_HERE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
FROZEN_MANIFEST ?= $(KCP_HERE)/manifest.py
USER_C_MODULES ?= $(abspath $(KCP_HERE)/../../native)

MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_SSL = 0
MICROPY_SSL_MBEDTLS = 0
MICROPY_SSL_AXTLS = 0
