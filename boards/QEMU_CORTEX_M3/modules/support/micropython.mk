USERMOD_DIR := $(abspath $(USERMOD_DIR)/../../../qemu/support)
include $(USERMOD_DIR)/micropython.mk
