// MicroPython's own; the folder of the port is where the compiler looks for headers.
#include "boards/RPI_PICO_W/mpconfigboard.h"
