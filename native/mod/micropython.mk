# The user C module _kcp for ports that are built with make:
#
#     make USER_C_MODULES=<this repository>/native

KCP_MOD_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(sort $(wildcard $(KCP_MOD_DIR)/*.c))
SRC_USERMOD_LIB_C += $(sort $(wildcard $(KCP_MOD_DIR)/../core/*.c))
CFLAGS_USERMOD += -I$(KCP_MOD_DIR)/../core
