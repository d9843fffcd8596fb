"""What this package uses of the library's inside, for the type checker: of any type."""

from __future__ import annotations

from typing import Any

from kcp import _adopt, _oob, _opening, _random, _stream_options, _sync, _udp_cpy, endpoint

Endpoint: Any = endpoint.Endpoint
SOCKBUF: int = _opening.SOCKBUF
address_for: Any = _udp_cpy.address_for
anywhere: Any = _udp_cpy.anywhere
apply: Any = _stream_options.apply
apply_to_server: Any = _stream_options.apply_to_server
borrow: Any = _udp_cpy.borrow
bound: Any = _udp_cpy.bound
check_probe: Any = _opening.check_probe
claim: Any = _adopt.claim
connected: Any = _udp_cpy.connected
fill: Any = _random.fill
give_up: Any = _sync.give_up
guarded: Any = _oob.guarded
look_up: Any = _udp_cpy.look_up
need_peer: Any = _opening.need_peer
need_place: Any = _opening.need_place
new_session: Any = _opening.new_session
no_answer: Any = _opening.no_answer
set_up: Any = _opening.set_up
settled: Any = _opening.settled
