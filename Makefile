# Every target does the set-up it needs by itself. Needed on the machine: python3, git, gcc and make; no root.
# What is fetched and built goes to $MICROKCP_CACHE, by default ~/.cache/microkcp.

PYTHON ?= python3
ENV = $(PYTHON) tools/setup/env.py

.PHONY: help demo test test-host test-upy test-twins test-interop test-targets mpy dist packages test-native fuzz native-sizes native-report bench charts fec-report idle-report pacing-report cc-report net-report lint format setup env

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r target text; do \
		printf '%-20s %s\n' "$$target" "$$text"; done

demo: ## MicroPython sends a file to CPython, and to a kcp-go peer and back, over a lossy link
	$(ENV) run python tools/demo.py

test: ## all tests: CPython, MicroPython (64 bits, and 32-bit ARM), the C core, kcp-go
	$(ENV) run python tools/suites.py host host-native upy twins native interop interop-native

test-host: ## the tests under CPython only
	$(ENV) run python tools/suites.py host host-native

test-upy: ## the shared tests under MicroPython, the unix port and 32-bit ARM
	$(ENV) run python tools/suites.py upy

test-twins: ## the same conversations in Python, viper and C, compared datagram by datagram (TWINS="--seeds 5")
	$(ENV) --only python,micropython,arm,native run python $(if $(TWINS),tests/run_twins.py $(TWINS),tools/suites.py twins)

test-interop: ## real kcp-go against this library: recorded traces, and transfers over UDP
	$(ENV) run python tools/suites.py interop interop-native

test-targets: ## the shared tests on every machine there is an emulator for (WHOLE=1: all of them, TARGETS="mips ...")
	$(ENV) --only python,go,peers,micropython,arm,native,targets run python tools/targets.py $(if $(WHOLE),--whole) $(TARGETS)

mpy: ## the library compiled for each kind of device, into build/mpy (MPY="xtensawin ..."), and its sizes
	$(ENV) --only python,micropython run python tools/mpy_build.py $(MPY)

dist: ## packages for mip, compiled for each architecture, into build/builds (DIST="armv7m ...")
	$(ENV) --only python,micropython,modules run python tools/dist.py $(DIST)

packages: ## what lib/kcp is made of, for mip: package.json and lib/*.json
	$(PYTHON) tools/mip_packages.py --write

test-native: ## the C core: unit tests under sanitizers, its stack and sizes, fuzzers
	$(ENV) --only python run python tools/suites.py native

fuzz: ## the C core and the Python library under fuzzers, SECONDS=60 for each part (FUZZ="session twins")
	$(ENV) --only python run python tools/fuzz.py $(if $(SECONDS),--seconds $(SECONDS)) $(FUZZ)

native-sizes: ## what each part of the C core costs, in bytes
	$(ENV) --only python run python tools/native/sizes.py

native-report: ## how much faster the C module is than the twins in Python and viper
	$(ENV) --only python,micropython,native run python tools/native/twins.py

bench: ## this library against kcp-go and PyPI's packages, side by side (BENCH="--only sink-64k ...")
	$(ENV) --only python,go,peers,micropython,native,pypi run python tools/bench/main.py $(BENCH)

fec-report: ## what FEC brings and costs, at four loss rates, in simulated time (FEC="--seeds 10")
	$(ENV) --only python run python tools/fec_report.py $(FEC)

idle-report: ## what 2000 idle sessions cost our servers and kcp-go's (IDLE="--sessions 2000 --seconds 5")
	$(ENV) --only python,go,peers,micropython run python tools/idle_report.py $(IDLE)

pacing-report: ## what pacing brings, on simulated links (PACING="--seeds 5")
	$(ENV) --only python run python tools/pacing_report.py $(PACING)

net-report: ## ours, kcp-go and the kernel's TCP over one modelled link (NET="--only T01 --repeat 1")
	$(ENV) --only python,go,peers,micropython run python tools/net_report.py $(NET)

charts: ## draw the charts of README's tuning chapter, and print their figures
	$(ENV) --only python run python tools/charts.py

sim-report: ## the scenarios T01 to T20 against their marks, into docs/scenarios.md (SIM="--only T05")
	$(ENV) --only python,micropython run python tools/scenario_report.py $(or $(SIM),--write)
cc-report: ## congestion controllers compared, alone and beside TCP, simulated (CONTROL="--window 128")
	$(ENV) --only python run python tools/cc_report.py $(CONTROL)

lint: ## ruff, codespell, gofmt and go vet
	$(ENV) --only python,go run tools/lint.sh

format: ## let ruff and gofmt lay out the sources
	$(ENV) --only python,go run sh -c 'ruff format && gofmt -w tests/interop/peers'

setup: ## fetch and build everything that the other targets need
	$(ENV) run true

env: ## print the variables that lead to it, as exports for a shell
	@$(ENV)
