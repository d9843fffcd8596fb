USERMOD_DIR := $(abspath $(USERMOD_DIR)/../../../../native/mod)
include $(USERMOD_DIR)/micropython.mk
