// Runs a shared test file in MicroPython's webassembly port; tests/run_upy.py takes it for an
// interpreter.
//
// Usage: node wasm_run.mjs MICROPYTHON.MJS [-X heapsize=N] RUNNER TESTS LIB FILE [WORD]

import fs from "node:fs";
import path from "node:path";

const HEAP_BYTES = 16 << 20;
const VARIABLES = ["KCP_TEST_TARGET", "KCP_BACKEND", "KCP_SCENARIOS"];

// Copy what a test may import or read into MicroPython's file system, at the same place.
function copy(target, folder) {
    target.mkdirTree(folder);
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
        const whole = path.join(folder, entry.name);
        if (entry.isDirectory()) {
            copy(target, whole);
        } else if (/\.(py|txt|json)$/.test(entry.name)) {
            target.writeFile(whole, fs.readFileSync(whole));
        }
    }
}

const [mjs, ...rest] = process.argv.slice(2);
if (rest[0] === "-X") {
    rest.splice(0, 2); // the heap grows by itself
}
const [runner, tests, lib] = rest;
const { loadMicroPython } = await import(mjs);
const micropython = await loadMicroPython({
    heapsize: HEAP_BYTES,
    linebuffer: false,
    stdout: (bytes) => fs.writeSync(1, bytes),
});
copy(micropython.FS, lib);
copy(micropython.FS, tests);
const set = VARIABLES.filter((name) => process.env[name]);
const environment = Object.fromEntries(set.map((name) => [name, process.env[name]]));
micropython.runPython(`
import os, sys
sys.path.insert(0, ${JSON.stringify(path.dirname(runner))})
sys.argv[:] = ${JSON.stringify(rest)}
os.getenv = ${JSON.stringify(environment)}.get
import ${path.basename(runner, ".py")}
`);
