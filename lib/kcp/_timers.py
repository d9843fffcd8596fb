"""The deadlines of an endpoint's links."""

from ._clock import ticks_diff


class Timers:
    """Deadlines of links: a binary heap of the links themselves, so that arming allocates nothing.

    Times are `ticks_ms` values and compare by difference. A deadline that moves later, or goes
    away, leaves its entry where it is; `pop` corrects the entry when its old time has come.
    """

    def __init__(self):
        self._heap = []

    def __len__(self):
        return len(self._heap)

    def arm(self, link, due_ms: int):
        """Set the link's deadline, which replaces the one it had."""
        link.due_ms = due_ms
        i = link.heap_i
        if i < 0:
            link.heap_ms = due_ms
            link.heap_i = i = len(self._heap)
            self._heap.append(link)
        elif ticks_diff(due_ms, link.heap_ms) < 0:
            link.heap_ms = due_ms
        else:
            return
        self._up(link, i)

    def remove(self, link):
        """Forget the link at once, entry and all."""
        link.due_ms = None
        i = link.heap_i
        if i < 0:
            return
        link.heap_i = -1
        last = self._heap.pop()
        if last is not link:
            last.heap_i = i
            self._heap[i] = last
            self._up(last, i)
            self._down(last, last.heap_i)

    def wait_ms(self, now_ms: int) -> int:
        """Return the ms until `pop` should be called again; -1 = nothing is armed."""
        if not self._heap:
            return -1
        wait = ticks_diff(self._heap[0].heap_ms, now_ms)
        return wait if wait > 0 else 0

    def pop(self, now_ms: int):
        """Return a link whose deadline has come (and disarm it), or None."""
        heap = self._heap
        while heap:
            link = heap[0]
            if ticks_diff(link.heap_ms, now_ms) > 0:
                return None
            due_ms = link.due_ms
            if due_ms is not None and ticks_diff(due_ms, now_ms) > 0:
                link.heap_ms = due_ms
                self._down(link, 0)
                continue
            self.remove(link)
            if due_ms is not None:
                return link
        return None

    def _up(self, link, i):
        """Move a link from place i of the heap to where it belongs, towards the first."""
        heap = self._heap
        at_ms = link.heap_ms
        while i:
            j = (i - 1) >> 1
            above = heap[j]
            if ticks_diff(above.heap_ms, at_ms) <= 0:
                break
            heap[i] = above
            above.heap_i = i
            i = j
        heap[i] = link
        link.heap_i = i

    def _down(self, link, i):
        """The same, away from the first."""
        heap = self._heap
        n = len(heap)
        at_ms = link.heap_ms
        while True:
            j = 2 * i + 1
            if j >= n:
                break
            if j + 1 < n and ticks_diff(heap[j + 1].heap_ms, heap[j].heap_ms) < 0:
                j += 1
            below = heap[j]
            if ticks_diff(below.heap_ms, at_ms) >= 0:
                break
            heap[i] = below
            below.heap_i = i
            i = j
        heap[i] = link
        link.heap_i = i
