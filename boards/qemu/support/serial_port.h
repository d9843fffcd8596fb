// machine.UART(1): the machine's second serial port; the first one has the REPL. What comes goes
// into a ring buffer, on MPS2 by an interrupt, for its port holds one byte only. The emulator sends
// none before there is room, so none is lost. Included by extmod/machine_uart.c.

#include "py/mperrno.h"

#define RING_BYTES (1024) // a power of two

static uint8_t ring[RING_BYTES];
static volatile uint32_t ring_put, ring_taken; // run over; the difference is what waits

#if defined(QEMU_SOC_MPS2)

// CMSDK UART 1.
#define PORT ((volatile uint32_t *)0x40005000)
#define DATA (0)
#define STATE (1)
#define STATE_TX_FULL (1)
#define STATE_RX_FULL (2)
#define CONTROL (2)
#define CONTROL_ON (1 | 2 | 8) // send, receive, interrupt on receipt
#define INTERRUPT (3)
#define INTERRUPT_RX (2)
#define BAUD_DIVISOR (4)
#define RX_IRQ (2)
#define N_VECTORS (16 + 32)
#define VTOR (*(volatile uint32_t *)0xe000ed08)
#define NVIC_ENABLE (*(volatile uint32_t *)0xe000e100)

static uint32_t vectors[N_VECTORS] __attribute__((aligned(256)));

static bool port_can_read(void) {
    return PORT[STATE] & STATE_RX_FULL;
}

static bool port_can_write(void) {
    return !(PORT[STATE] & STATE_TX_FULL);
}

static uint8_t port_read(void) {
    return PORT[DATA];
}

static void port_write(uint8_t byte) {
    PORT[DATA] = byte;
}

static void hold_interrupts(void) {
    __asm__ volatile ("cpsid i" ::: "memory");
}

static void allow_interrupts(void) {
    __asm__ volatile ("cpsie i" ::: "memory");
}

static void fill_ring(void);

static void on_receipt(void) {
    PORT[INTERRUPT] = INTERRUPT_RX;
    fill_ring();
}

// The port's table of vectors ends before the interrupts: a longer copy takes its place.
static bool port_start(void) {
    extern const uint32_t isr_vector[];
    for (int i = 0; i < 16; i++) {
        vectors[i] = isr_vector[i];
    }
    vectors[16 + RX_IRQ] = (uint32_t)on_receipt;
    VTOR = (uint32_t)vectors;
    NVIC_ENABLE = 1 << RX_IRQ;
    PORT[BAUD_DIVISOR] = 16;
    PORT[CONTROL] = CONTROL_ON;
    return true;
}

#elif defined(QEMU_SOC_VIRT)

// The machine has one serial port; the second one is a 16550 on its PCI bus (-device pci-serial).
#define PCI_CONFIG (0x30000000)
#define PCI_IO (0x03000000)
#define PCI_SERIAL (0x00021b36) // Red Hat's, device 2
#define PORT_ADDRESS (0x1000)
#define PORT ((volatile uint8_t *)(PCI_IO + PORT_ADDRESS))
#define FIFO_CONTROL (2)
#define LINE_STATUS (5)

static bool port_can_read(void) {
    return PORT[LINE_STATUS] & 0x01;
}

static bool port_can_write(void) {
    return PORT[LINE_STATUS] & 0x20;
}

static uint8_t port_read(void) {
    return PORT[0];
}

static void port_write(uint8_t byte) {
    PORT[0] = byte;
}

static void hold_interrupts(void) {
}

static void allow_interrupts(void) {
}

static bool port_start(void) {
    for (int device = 0; device < 32; device++) {
        volatile uint32_t *config = (volatile uint32_t *)(PCI_CONFIG + (device << 15));
        if (config[0] == PCI_SERIAL) {
            config[4] = PORT_ADDRESS; // BAR 0
            config[1] |= 1; // take part in input and output
            PORT[FIFO_CONTROL] = 7; // on, and empty
            return true;
        }
    }
    return false;
}

#endif

static void fill_ring(void) {
    while (ring_put - ring_taken < RING_BYTES && port_can_read()) {
        ring[ring_put % RING_BYTES] = port_read();
        ring_put++;
    }
}

static uint32_t n_waiting(void) {
    hold_interrupts();
    fill_ring(); // it may have been full
    allow_interrupts();
    return ring_put - ring_taken;
}

struct _machine_uart_obj_t {
    mp_obj_base_t base;
};

static void mp_machine_uart_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    mp_print_str(print, "UART(1)");
}

// Whatever is asked for is accepted: there is no line that could have a speed.
static void mp_machine_uart_init_helper(machine_uart_obj_t *self, size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    if (!port_start()) {
        mp_raise_OSError(MP_ENODEV);
    }
}

static mp_obj_t mp_machine_uart_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    if (mp_obj_get_int(args[0]) != 1) {
        mp_raise_ValueError(MP_ERROR_TEXT("there is UART(1) only"));
    }
    machine_uart_obj_t *self = mp_obj_malloc(machine_uart_obj_t, type);
    mp_machine_uart_init_helper(self, 0, NULL, NULL);
    return MP_OBJ_FROM_PTR(self);
}

static void mp_machine_uart_deinit(machine_uart_obj_t *self) {
}

static mp_int_t mp_machine_uart_any(machine_uart_obj_t *self) {
    return n_waiting();
}

static bool mp_machine_uart_txdone(machine_uart_obj_t *self) {
    return port_can_write();
}

static mp_uint_t mp_machine_uart_read(mp_obj_t self_in, void *buf_in, mp_uint_t size, int *errcode) {
    uint8_t *buf = buf_in;
    mp_uint_t n = 0;
    while (n < size && n_waiting()) {
        buf[n++] = ring[ring_taken % RING_BYTES];
        ring_taken++;
    }
    if (n == 0 && size > 0) {
        *errcode = MP_EAGAIN;
        return MP_STREAM_ERROR;
    }
    return n;
}

static mp_uint_t mp_machine_uart_write(mp_obj_t self_in, const void *buf_in, mp_uint_t size, int *errcode) {
    const uint8_t *buf = buf_in;
    mp_uint_t n = 0;
    while (n < size && port_can_write()) {
        port_write(buf[n++]);
    }
    if (n == 0 && size > 0) {
        *errcode = MP_EAGAIN;
        return MP_STREAM_ERROR;
    }
    return n;
}

static mp_uint_t mp_machine_uart_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *errcode) {
    switch (request) {
        case MP_STREAM_POLL: {
            uintptr_t found = 0;
            if ((arg & MP_STREAM_POLL_RD) && n_waiting()) {
                found |= MP_STREAM_POLL_RD;
            }
            if ((arg & MP_STREAM_POLL_WR) && port_can_write()) {
                found |= MP_STREAM_POLL_WR;
            }
            return found;
        }
        case MP_STREAM_FLUSH:
        case MP_STREAM_CLOSE:
            return 0;
        default:
            *errcode = MP_EINVAL;
            return MP_STREAM_ERROR;
    }
}
