"""The tables of tools/net_report.py, in Markdown."""

import statistics


def lines(found):
    """All tables of what net_report has collected."""
    about = found["about"]
    yield (
        f"Linux {about['kernel']}, {about['cpus']} CPUs, TCP {' and '.join(about['tcp'])}, "
        f"Python {about['python']}, over {about['mode'].upper()}"
    )
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
    return _bulk_table(grouped)


def _median(results, name):
    values = [one[name] for one in results if one.get(name) is not None]
    return statistics.median(values) if values else None


def figure(value, digits=2):
    """A number for a cell; - = there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def ratio(value, base):
    """How many times the base."""
    return "-" if value is None or not base else f"{value / base:.2f}"


def _outcome(results):
    """What is to be said if not all went well."""
    errors = [one.get("error", "not done") for one in results if not one["ok"]]
    if not errors:
        return ""
    seconds = statistics.median(one["seconds"] for one in results if not one["ok"])
    return f"{len(errors)} of {len(results)} failed, after {seconds:.1f} s: {_short(errors[0])}"


def _short(error):
    return error if len(error) <= 60 else error[:57] + "..."


def _bulk_table(grouped):
    yield "| end | Mbit/s | / kcp-go | / TCP cubic | queue ms, mean | 99 % | dropped % | sent / useful | |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    rates = {names[0]: _median(results, "mbit") for names, results in grouped.items()}
    for (name,), results in grouped.items():
        cells = [
            name,
            figure(rates[name]),
            ratio(rates[name], rates.get("kcp-go")),
            ratio(rates[name], rates.get("TCP cubic")),
            figure(_median(results, "queue_ms"), 1),
            figure(_median(results, "queue_p99_ms"), 1),
            figure(_median(results, "drops_pct"), 1),
            figure(_median(results, "wire_factor")),
            _outcome(results),
        ]
        yield f"| {' | '.join(cells)} |"


def _ping_table(grouped):
    yield "| end | came back | mean ms | / kcp-go | / TCP cubic | median ms | 99 % ms | longest ms | |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    means = {names[0]: _median(results, "mean_ms") for names, results in grouped.items()}
    for (name,), results in grouped.items():
        cells = [
            name,
            str(sum(one.get("echoed", 0) for one in results)),
            figure(means[name], 0),
            ratio(means[name], means.get("kcp-go")),
            ratio(means[name], means.get("TCP cubic")),
            *(figure(_median(results, key), 0) for key in ("p50_ms", "p99_ms", "max_ms")),
            _outcome(results),
        ]
        yield f"| {' | '.join(cells)} |"


def _share_table(grouped):
    yield "| first | second | Mbit/s | Mbit/s | share of the first | dropped % | dropped % | queue ms, mean | 99 % |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for (first, second), results in grouped.items():
        good = [one for one in results if "share" in one]
        if not good:
            yield f"| {first} | {second} | {_short(results[0]['error'])} | | | | | | |"
            continue
        cells = [first, second]
        cells += [figure(statistics.median(one["mbit"][i] for one in good)) for i in (0, 1)]
        cells.append(figure(statistics.median(one["share"] for one in good)))
        for i in (0, 1):
            cells.append(figure(_median([one["flows"][i] for one in good], "drops_pct"), 1))
        for key in ("queue_ms", "queue_p99_ms"):
            both = [max(flow[key] for flow in one["flows"]) for one in good]
            cells.append(figure(statistics.median(both), 1))
        yield f"| {' | '.join(cells)} |"
