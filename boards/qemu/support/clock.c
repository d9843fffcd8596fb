// Time, from a counter of the machine that needs no interrupt.

#include "py/mphal.h"
#include "py/runtime.h"

#if defined(QEMU_SOC_MPS2)

// FPGA system control: a counter of 32 bits, of 25 MHz divided by one more than the prescaler.
#define FPGAIO ((volatile uint32_t *)0x40028000)
#define COUNTER (0x18 / 4)
#define PRESCALE (0x1c / 4)

// Microseconds. The counter runs over after 71 minutes; who looks less often loses those.
static uint64_t now_us(void) {
    static uint32_t high, last;
    if (FPGAIO[PRESCALE] != 24) {
        FPGAIO[PRESCALE] = 24;
    }
    uint32_t now = FPGAIO[COUNTER];
    high += now < last;
    last = now;
    return (uint64_t)high << 32 | now;
}

#elif defined(QEMU_SOC_VIRT)

// The machine timer of the CLINT, 64 bits, 10 MHz.
#define MTIME ((volatile uint32_t *)0x0200bff8)

static uint64_t now_us(void) {
    uint32_t low, high;
    do {
        high = MTIME[1];
        low = MTIME[0];
    } while (high != MTIME[1]);
    return ((uint64_t)high << 32 | low) / 10;
}

#else
#error "boards/qemu knows no clock of this machine"
#endif

mp_uint_t mp_hal_ticks_us(void) {
    return now_us();
}

mp_uint_t mp_hal_ticks_ms(void) {
    return now_us() / 1000;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return now_us();
}

uint64_t mp_hal_time_ns(void) {
    return now_us() * 1000;
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = now_us() + us;
    while (now_us() < end) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = now_us() + (uint64_t)ms * 1000;
    while (now_us() < end) {
        mp_handle_pending(true);
    }
}
