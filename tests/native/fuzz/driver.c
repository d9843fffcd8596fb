// A small fuzzer for targets in libFuzzer's form, for machines that have gcc and no clang.
//
// Usage: TARGET N_RUNS [SEED], TARGET 60s [SEED] to run for a time, or TARGET FILE to run one input.
// Built with -fsanitize-coverage=trace-pc: an input that reaches a new edge is kept and changed
// further. The same seed makes the same runs. An input that ends the program is printed in hex.

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_cov_trace_pc(void);
void __sanitizer_set_death_callback(void (*callback)(void));

#define MOST_BYTES (1600)
#define MOST_KEPT (2000)
#define N_EDGES (1 << 16)

static uint8_t is_seen[N_EDGES];
static int n_new;
static uintptr_t last_pc;
static uint8_t *kept[MOST_KEPT];
static size_t kept_bytes[MOST_KEPT];
static int n_kept;
static uint64_t state;
static const uint8_t *current;
static size_t current_bytes;

// Called by the sanitizers before they end the program, and for abort().
static void print_current(void) {
    fprintf(stderr, "input:");
    for (size_t i = 0; i < current_bytes; i++) {
        fprintf(stderr, "%s%02x", i ? "" : " ", current[i]);
    }
    fprintf(stderr, "\n");
}

static void on_abort(int signal_number) {
    (void)signal_number;
    print_current();
    _Exit(1);
}

// Called by what the compiler has put into every block of the tested code.
__attribute__((no_sanitize("address", "undefined")))
void __sanitizer_cov_trace_pc(void) {
    uintptr_t pc = (uintptr_t)__builtin_return_address(0);
    uintptr_t edge = (pc ^ last_pc >> 1) * 0x9e3779b1u >> 8;
    last_pc = pc;
    if (!is_seen[edge % N_EDGES]) {
        is_seen[edge % N_EDGES] = 1;
        n_new++;
    }
}

static uint32_t below(uint32_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % n;
}

// A changed copy of something that was kept.
static size_t mutated(uint8_t *buf) {
    int from = (int)below((uint32_t)n_kept);
    size_t n = kept_bytes[from];
    memcpy(buf, kept[from], n);
    for (uint32_t turn = 1 + below(6); turn; turn--) {
        uint32_t at = n ? below((uint32_t)n) : 0;
        switch (below(6)) {
            case 0:
                if (n) {
                    buf[at] ^= (uint8_t)(1u << below(8));
                }
                break;
            case 1:
                if (n) {
                    buf[at] = (uint8_t)below(256);
                }
                break;
            case 2: { // longer
                size_t more = below(64);
                while (more-- && n < MOST_BYTES) {
                    buf[n++] = (uint8_t)below(256);
                }
                break;
            }
            case 3: // shorter
                n -= below((uint32_t)n + 1) / 4;
                break;
            case 4: { // the end of another one
                int other = (int)below((uint32_t)n_kept);
                size_t end = kept_bytes[other];
                if (end > at) {
                    memcpy(buf + at, kept[other] + at, end - at);
                    n = end > n ? end : n;
                }
                break;
            }
            default:
                if (n) {
                    buf[at] = "\x00\xff\x7f\x80\x01"[below(5)];
                }
        }
    }
    return n;
}

static void keep(const uint8_t *buf, size_t n) {
    if (n_kept < MOST_KEPT) {
        kept[n_kept] = malloc(n ? n : 1);
        memcpy(kept[n_kept], buf, n);
        kept_bytes[n_kept++] = n;
    }
}

static void run(const uint8_t *buf, size_t n) {
    uint8_t *copy = malloc(n ? n : 1); // of its very size, for the sanitizer
    memcpy(copy, buf, n);
    current = buf;
    current_bytes = n;
    last_pc = 0;
    n_new = 0;
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    if (n_new) {
        keep(buf, n);
    }
}

int main(int argc, char **argv) {
    static uint8_t buf[MOST_BYTES];
    signal(SIGABRT, on_abort);
    __sanitizer_set_death_callback(print_current);
    char *end = argv[argc > 1];
    long n_runs = argc > 1 ? strtol(argv[1], &end, 10) : 0;
    int is_time = end != argv[argc > 1] && strcmp(end, "s") == 0;
    time_t stop = time(NULL) + (is_time ? n_runs : 0);
    if (argc > 1 && *end && !is_time) {
        FILE *file = fopen(argv[1], "rb");
        size_t n = file ? fread(buf, 1, sizeof(buf), file) : 0;
        run(buf, n);
        return 0;
    }
    state = argc > 2 ? strtoull(argv[2], NULL, 10) * 2 + 1 : 1;
    keep(buf, 64);
    long i = 0;
    for (; is_time ? time(NULL) < stop : i < n_runs; i++) {
        size_t n = mutated(buf);
        run(buf, n);
    }
    int n_edges = 0;
    for (int at = 0; at < N_EDGES; at++) {
        n_edges += is_seen[at];
    }
    printf("%ld runs, %d inputs kept, %d edges\n", i, n_kept, n_edges);
    return 0;
}
