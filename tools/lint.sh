#!/bin/sh
# Runs every linter and fails if any of them has something to say. Started by `make lint`.

bad=0
step() {
    echo "== $*"
    "$@" || bad=1
}

step ruff check
step ruff format --check
step python tools/mip_packages.py
echo "== codespell"
git ls-files -z | xargs -0 codespell || bad=1
echo "== gofmt"
unformatted=$(gofmt -l tests/interop/peers) || bad=1
if [ -n "$unformatted" ]; then
    echo "gofmt would change:" "$unformatted"
    bad=1
fi
cd tests/interop/peers || exit 1
step go vet ./...
exit $bad
