"""The FEC of a peer that echoes: `kcp doctor --echo`.

kcp-go puts its acknowledgements into FEC groups, so that its FEC shows in the answers to probes.
This library, at the other end, puts only data there; so data has to come back.
"""

import asyncio
import time

_GAP_S = 0.01
_MOST_S = 4
_MESSAGE = b"kcp doctor" * 6
_ENOUGH = 2  # parity packets


async def ratio_of(address, config, timeout_s):
    """Have messages echoed for as long as it takes. Returns (whether any came back, whether there
    was parity, (data, parity) or None)."""
    import kcp

    reader, writer = await kcp.open_connection(
        address.host, address.port, config=config, probe_ms=int(1000 * timeout_s)
    )
    session = writer.get_extra_info("session")
    drain = asyncio.ensure_future(_drain(reader))
    end_s = time.monotonic() + _MOST_S
    try:
        while _ratio(session) is None and time.monotonic() < end_s:
            if session.snd_room_bytes:
                writer.write(_MESSAGE)
            await asyncio.sleep(_GAP_S)
    finally:
        drain.cancel()
        await asyncio.gather(drain, return_exceptions=True)
        writer.close(0)
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    stats = session.stats
    return stats.BytesReceived > 0, stats.FECParityShards > 0, _ratio(session)


def _ratio(session):
    return session.fec_ratio if session.stats.FECParityShards >= _ENOUGH else None


async def _drain(reader):
    while await reader.read(65536):
        pass
