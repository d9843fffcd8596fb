// What gcc calls for numbers of 64 bits, and for remainders, on the ESP8266 (Xtensa lx106), and the
// chip's ROM does not have. For the dynamic module alone: a firmware has libgcc.

#include <stdint.h>

typedef union {
    uint64_t whole;
    uint32_t half[2]; // the lower one is first: the machine is little-endian
} words_t;

uint64_t __lshrdi3(uint64_t a, int n);
uint64_t __ashldi3(uint64_t a, int n);
int32_t __modsi3(int32_t a, int32_t b);
int64_t __moddi3(int64_t a, int64_t b);

uint64_t __lshrdi3(uint64_t a, int n) {
    words_t x = {a}, y = {0};
    if (n >= 32) {
        y.half[0] = x.half[1] >> (n - 32);
        y.half[1] = 0;
    } else if (n == 0) {
        y = x;
    } else {
        y.half[0] = x.half[0] >> n | x.half[1] << (32 - n);
        y.half[1] = x.half[1] >> n;
    }
    return y.whole;
}

uint64_t __ashldi3(uint64_t a, int n) {
    words_t x = {a}, y = {0};
    if (n >= 32) {
        y.half[0] = 0;
        y.half[1] = x.half[0] << (n - 32);
    } else if (n == 0) {
        y = x;
    } else {
        y.half[0] = x.half[0] << n;
        y.half[1] = x.half[1] << n | x.half[0] >> (32 - n);
    }
    return y.whole;
}

// The remainder has the sign of what is divided.

int32_t __modsi3(int32_t a, int32_t b) {
    uint32_t x = a < 0 ? 0u - (uint32_t)a : (uint32_t)a, y = b < 0 ? 0u - (uint32_t)b : (uint32_t)b;
    uint32_t rest = x % y;
    return (int32_t)(a < 0 ? 0u - rest : rest);
}

int64_t __moddi3(int64_t a, int64_t b) {
    uint64_t x = a < 0 ? 0u - (uint64_t)a : (uint64_t)a, y = b < 0 ? 0u - (uint64_t)b : (uint64_t)b;
    uint64_t rest = x % y;
    return (int64_t)(a < 0 ? 0u - rest : rest);
}
