// MicroPython's own; the folder of the port is where the compiler looks for headers.
#include "boards/ESP32_GENERIC/mpconfigboard.h"
