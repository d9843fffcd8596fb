// What has to be done before MicroPython starts. The linker puts this in front of the port's
// uart_init() (--wrap), which is called early.

#include "py/mpconfig.h"
#include "py/stackctrl.h"

void __real_uart_init(void);

void __wrap_uart_init(void) {
    #if defined(__ARM_FP)
    // CPACR: full access to the floating-point unit, which is off after a reset.
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20;
    __asm__ volatile ("dsb\nisb");
    #endif
    __real_uart_init();
}

void __real_mp_stack_set_limit(mp_uint_t limit);

// The port allows 10 KB of stack. RISC-V's frames are longer than ARM's: there it is what an ESP32
// has. (The stack itself has 64 KB.)
void __wrap_mp_stack_set_limit(mp_uint_t limit) {
    #if defined(__riscv)
    limit = 15 * 1024;
    #endif
    __real_mp_stack_set_limit(limit);
}
