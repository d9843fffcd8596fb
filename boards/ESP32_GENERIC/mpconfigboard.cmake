# Any ESP32 module with the library frozen and the C core:
#
#     make -C ports/esp32 BOARD_DIR=<here>
#
# MicroPython's own definition of the board, and what is ours.

include(${CMAKE_SOURCE_DIR}/boards/ESP32_GENERIC/mpconfigboard.cmake)
set(MICROPY_FROZEN_MANIFEST ${CMAKE_CURRENT_LIST_DIR}/manifest.py)
list(APPEND USER_C_MODULES ${CMAKE_CURRENT_LIST_DIR}/../../native/mod/micropython.cmake)
