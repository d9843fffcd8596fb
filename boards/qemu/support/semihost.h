// Calls of the emulator, which acts as a debugger would ("semihosting"). -semihosting allows them.

#ifndef MICROKCP_SEMIHOST_H
#define MICROKCP_SEMIHOST_H

#include <stdint.h>

#define SEMIHOST_OPEN (0x01)
#define SEMIHOST_CLOSE (0x02)
#define SEMIHOST_READ (0x06)

static inline uintptr_t semihost(uintptr_t operation, const uintptr_t *arguments) {
    #if defined(__riscv)
    register uintptr_t a0 __asm__ ("a0") = operation;
    register const uintptr_t *a1 __asm__ ("a1") = arguments;
    __asm__ volatile (
        ".option push\n"
        ".option norvc\n"
        ".balign 16\n" // all three have to lie in one page
        "slli zero, zero, 0x1f\n"
        "ebreak\n"
        "srai zero, zero, 7\n"
        ".option pop\n"
        : "+r" (a0) : "r" (a1) : "memory");
    return a0;
    #else
    register uintptr_t r0 __asm__ ("r0") = operation;
    register const uintptr_t *r1 __asm__ ("r1") = arguments;
    __asm__ volatile ("bkpt 0xab" : "+r" (r0) : "r" (r1) : "memory");
    return r0;
    #endif
}

#endif
