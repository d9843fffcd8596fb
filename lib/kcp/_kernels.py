"""The operations on bytes that every packet needs, chosen for the runtime at import.

Twins with the same names and the same effects: `_pure_cpy` uses what is fast on CPython (struct,
slices), `_pure_upy` uses only what does not allocate on MicroPython, `_viper` is machine code for
what MicroPython is slow at, and `_native_upy` and `_native_cpy` are C.
"""

from ._backend import NATIVE, VIPER
from ._compat import MICROPYTHON

if MICROPYTHON and NATIVE:
    from ._native_upy import (
        Accumulator,
        Crc32,
        Pool,
        close_gap,
        gf_add,
        put_u32,
        rx_new,
        rx_take,
        seg_header,
        seg_parse,
        tx_extend,
        tx_new,
        tx_out,
        u32,
    )
elif MICROPYTHON:
    from ._pure_upy import (
        Accumulator,
        Crc32,
        Pool,
        close_gap,
        gf_add,
        put_u32,
        rx_new,
        rx_take,
        seg_header,
        seg_parse,
        tx_extend,
        tx_new,
        tx_out,
        u32,
    )

    if VIPER:
        from ._viper import gf_add, put_u32, seg_header, seg_parse, tx_out, u32
else:
    from ._pure_cpy import (
        Accumulator,
        Crc32,
        Pool,
        close_gap,
        gf_add,
        put_u32,
        rx_new,
        rx_take,
        seg_header,
        seg_parse,
        tx_extend,
        tx_new,
        tx_out,
        u32,
    )

    if NATIVE:
        from ._native_cpy import Accumulator, gf_add

__all__ = (
    "Accumulator",
    "Crc32",
    "Pool",
    "close_gap",
    "gf_add",
    "put_u32",
    "rx_new",
    "rx_take",
    "seg_header",
    "seg_parse",
    "tx_extend",
    "tx_new",
    "tx_out",
    "u32",
)
