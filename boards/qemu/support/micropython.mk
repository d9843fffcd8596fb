# What MicroPython's qemu port lacks, see config.h. A user C module: USER_C_MODULES names the folder
# above a folder with this file.
KCP_SUPPORT := $(USERMOD_DIR)
SRC_USERMOD_C += $(KCP_SUPPORT)/clock.c $(KCP_SUPPORT)/start.c
CFLAGS_USERMOD += -I$(KCP_SUPPORT)
LDFLAGS_USERMOD += -Wl,--wrap=uart_init -Wl,--wrap=mp_stack_set_limit
