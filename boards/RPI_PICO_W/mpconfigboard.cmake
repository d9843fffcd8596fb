# Raspberry Pi Pico W with the library frozen and the C core:
#
#     make -C ports/rp2 BOARD_DIR=<here>
#
# MicroPython's own definition of the board, and what is ours.

include(${MICROPY_PORT_DIR}/boards/RPI_PICO_W/mpconfigboard.cmake)
set(MICROPY_BOARD_PINS ${MICROPY_PORT_DIR}/boards/RPI_PICO_W/pins.csv)
set(MICROPY_FROZEN_MANIFEST ${CMAKE_CURRENT_LIST_DIR}/manifest.py)
list(APPEND USER_C_MODULES ${CMAKE_CURRENT_LIST_DIR}/../../native/mod/micropython.cmake)
