"""Links as one writes them on a command line: "quic,loss_pct=2,blackhole=5000-7000"."""

import json

from kcp_sim import SCENARIOS
from kcp_sim.link import OPTIONS

#: Lists of pairs "from-to", several of them joined by "/".
_PAIRS = ("blackhole", "rates")


def named_links():
    """The links of the simulator, by name."""
    with open(SCENARIOS, encoding="utf-8") as file:
        links = json.load(file)["links"]
    for link in links.values():
        link.pop("overhead", None)  # stands for headers that are really there with us
    return links


def read_link(text):
    """A link's options as a dict. ValueError, with what there is, if the text makes no sense."""
    link = {}
    for word in filter(None, text.split(",")):
        name, is_value, value = word.partition("=")
        if not is_value:
            links = named_links()
            if name not in links:
                raise ValueError(f"no link {name!r}; there are: {', '.join(sorted(links))}")
            link.update(links[name])
        elif name not in OPTIONS:
            raise ValueError(f"no link parameter {name!r}; there are: {', '.join(OPTIONS)}")
        else:
            link[name] = _value(name, value)
    return link


def _value(name, text):
    try:
        if name in _PAIRS:
            return [[int(n) for n in pair.split("-", 1)] for pair in text.split("/")]
        if name == "ge":
            return [int(n) for n in text.split("/")]
        return int(text)
    except ValueError:
        form = {"ge": "P/R/LOSS_BAD/LOSS_GOOD", **dict.fromkeys(_PAIRS, "A-B or A-B/C-D")}
        raise ValueError(
            f"{name}={text}: give {name}={form.get(name, 'N, a whole number')}"
        ) from None


def read_rebinds(ports, addresses):
    """The rebinds of a Lab from two texts of seconds, such as "1,6.5"."""
    found = []
    for text, kind in ((ports, "port"), (addresses, "address")):
        try:
            found += [(int(float(s) * 1000), kind) for s in filter(None, text.split(","))]
        except ValueError:
            raise ValueError(f"{text!r}: give seconds, such as 1,6.5") from None
    return sorted(found)
