"""The tables of tools/net_report.py, in Markdown."""

import statistics


def lines(found):
    """All tables of what net_report has collected."""
    about = found["about"]
    yield (
        f"Linux {about['kernel']}, {about['cpus']} CPUs, TCP {', '.join(about['tcp'])}, "
        f"Python {about['python']}, over {about['mode'].upper()}"
    )
    yield from _summary(found["results"])
    by_row = {}
    for one in found["results"]:
        by_row.setdefault(one["row"], []).append(one)
    for row, results in by_row.items():
        yield ""
        yield f"**{row}**: {results[0]['title']}"
        yield ""
        yield from _table(results)


def _table(results):
    grouped = {}
    for one in results:
        grouped.setdefault(tuple(one["ends"]), []).append(one)
    if any("share" in one for one in results):
        return _share_table(grouped)
    if any("p50_ms" in one for one in results):
        return _ping_table(grouped)
    if any(one.get("is_fate") for one in results):
        return _fate_table(grouped)
    return _bulk_table(grouped)


def _is_rate(one):
    return "wire_factor" in one and not one.get("is_fate")


def _summary(results):
    """How fast all ends were beside kcp-go, and what they put on the line for it."""
    compared = [one for one in results if _is_rate(one)]
    names = list(dict.fromkeys(one["ends"][0] for one in compared))
    ids = list(dict.fromkeys(one["row"] for one in compared))
    for title, cells in (
        ("Speed, or 1 / mean time, in relation to kcp-go's", _speeds),
        ("Bytes on the line per useful byte", _factors),
        ("Mean ms in the queue", _queueing),
    ):
        yield ""
        yield f"**{title}**"
        yield ""
        yield from _head(["", "what"], names)
        for row in ids:
            of_row = [one for one in compared if one["row"] == row]
            values = cells({n: [one for one in of_row if one["ends"][0] == n] for n in names})
            if any(value is not None for value in values):
                texts = [figure(value) for value in values]
                yield _line([row, of_row[0]["title"], *texts])


def _speeds(by_name):
    speeds = {}
    for name, results in by_name.items():
        ms = _median(results, "mean_ms")
        speeds[name] = 1 / ms if ms else _median(results, "mbit")
        if results and not all(one["ok"] for one in results):
            speeds[name] = None
    base = speeds.get("kcp-go")
    return [speed / base if speed and base else None for speed in speeds.values()]


def _factors(by_name):
    done = [[one for one in results if one["ok"]] for results in by_name.values()]
    return [_median(results, "wire_factor") for results in done]


def _queueing(by_name):
    if not any(one.get("mbit") for results in by_name.values() for one in results):
        return []
    waits = [_median(results, "queue_ms") for results in by_name.values()]
    return waits if any(waits) else []


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _head(texts, figures, last=()):
    """The two lines above a table: columns of text, of figures, and of text again."""
    yield _line([*texts, *figures, *last])
    yield _line(["---"] * len(texts) + ["---:"] * len(figures) + ["---"] * len(last))


def _median(results, name):
    values = [one[name] for one in results if one.get(name) is not None]
    return statistics.median(values) if values else None


def figure(value, digits=2):
    """A number for a cell; - = there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def ratio(value, base):
    """How many times the base."""
    return "-" if value is None or not base else f"{value / base:.2f}"


def _failures(results):
    """What is to be said if not all went well."""
    errors = [one.get("error", "not done") for one in results if not one["ok"]]
    if not errors:
        return ""
    return f"{len(errors)} of {len(results)}: {_short(errors[0])}"


def _short(error):
    return error if len(error) <= 60 else error[:57] + "..."


def _bulk_table(grouped):
    heads = ("Mbit/s", "/ kcp-go", "/ TCP cubic", "queue ms", "99 %", "dropped %", "sent/useful")
    yield from _head(["end"], heads, ["failed"])
    rates = {names[0]: _median(results, "mbit") for names, results in grouped.items()}
    for (name,), results in grouped.items():
        yield _line(
            [
                name,
                figure(rates[name]),
                ratio(rates[name], rates.get("kcp-go")),
                ratio(rates[name], rates.get("TCP cubic")),
                figure(_median(results, "queue_ms"), 1),
                figure(_median(results, "queue_p99_ms"), 1),
                figure(_median(results, "drops_pct"), 1),
                figure(_median(results, "wire_factor")),
                _failures(results),
            ]
        )


def _ping_table(grouped):
    heads = ("came back", "mean ms", "/ kcp-go", "/ TCP cubic", "median", "99 %", "longest")
    yield from _head(["end"], heads, ["failed"])
    means = {names[0]: _median(results, "mean_ms") for names, results in grouped.items()}
    for (name,), results in grouped.items():
        yield _line(
            [
                name,
                str(sum(one.get("echoed", 0) for one in results)),
                figure(means[name], 0),
                ratio(means[name], means.get("kcp-go")),
                ratio(means[name], means.get("TCP cubic")),
                *(figure(_median(results, key), 0) for key in ("p50_ms", "p99_ms", "max_ms")),
                _failures(results),
            ]
        )


def _fate_table(grouped):
    yield from _head(["end"], ["done", "after s"], ["otherwise"])
    for (name,), results in grouped.items():
        n_done = sum(one["ok"] for one in results)
        seconds = figure(_median(results, "seconds"), 1)
        yield _line([name, f"{n_done} of {len(results)}", seconds, _failures(results)])


def _share_table(grouped):
    figures = ("Mbit/s", "Mbit/s", "share of the first", "dropped %", "dropped %", "queue ms")
    yield from _head(["first", "second"], [*figures, "99 %"])
    for names, results in grouped.items():
        good = [one for one in results if "share" in one]
        if not good:
            yield _line([*names, _short(results[0]["error"])] + [""] * len(figures))
            continue
        flows = [[one["flows"][i] for one in good] for i in (0, 1)]
        both = {
            key: [max(flow[key] for flow in one["flows"]) for one in good]
            for key in ("queue_ms", "queue_p99_ms")
        }
        yield _line(
            [
                *names,
                *(figure(statistics.median(one["mbit"][i] for one in good)) for i in (0, 1)),
                figure(statistics.median(one["share"] for one in good)),
                *(figure(_median(flow, "drops_pct"), 1) for flow in flows),
                *(figure(statistics.median(values), 1) for values in both.values()),
            ]
        )
