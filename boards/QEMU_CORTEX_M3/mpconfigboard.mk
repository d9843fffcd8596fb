# ARM's MPS2 board with a Cortex-M3, as qemu emulates it, with the library frozen and the C core:
#
#     make -C ports/qemu BOARD=QEMU_CORTEX_M3 BOARD_DIR=<here>

KCP_HERE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
include boards/MPS2_AN385/mpconfigboard.mk

FROZEN_MANIFEST ?= $(KCP_HERE)/manifest.py
USER_C_MODULES ?= $(KCP_HERE)/modules
LDSCRIPT = $(KCP_HERE)/../qemu/mps2.ld
MICROPY_HEAP_SIZE ?= 262144
CFLAGS += -DMP_CONFIGFILE='"$(abspath $(KCP_HERE)/../qemu/config.h)"'
