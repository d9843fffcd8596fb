"""The operations on bytes that every packet needs, chosen for the runtime at import.

Two twins with the same names and the same effects: `_pure_cpy` uses what is fast on CPython
(struct, slices), `_pure_upy` uses only what does not allocate on MicroPython.
"""

from ._compat import MICROPYTHON

if MICROPYTHON:
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
