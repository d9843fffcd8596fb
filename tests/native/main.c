// Runs the tests of the C core. Usage: core_tests FOLDER_OF_VECTORS

#include <stdlib.h>
#include <string.h>

#include "check.h"

int n_checks, n_failures;
const char *vectors_folder;

void check_that(int is_good, const char *what, const char *file, int line) {
    n_checks++;
    if (!is_good) {
        n_failures++;
        printf("FAILED %s:%d: %s\n", file, line, what);
    }
}

void fill(uint8_t *buf, size_t n, uint64_t seed) {
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        buf[i] = (uint8_t)(x >> 32);
    }
}

int unhex(uint8_t *buf, size_t size, const char *text) {
    size_t n = 0;
    if (strcmp(text, "-") == 0) {
        return 0;
    }
    for (; text[0] && text[1]; text += 2, n++) {
        char digits[3] = {text[0], text[1], 0}, *end;
        unsigned long byte = strtoul(digits, &end, 16);
        if (*end || n == size) {
            return -1;
        }
        buf[n] = (uint8_t)byte;
    }
    return text[0] ? -1 : (int)n;
}

FILE *vectors(const char *name) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", vectors_folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("%s cannot be read\n", path);
        exit(2);
    }
    return file;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        printf("usage: %s FOLDER_OF_VECTORS\n", argv[0]);
        return 2;
    }
    vectors_folder = argv[1];
    test_kernels();
    test_crypt();
    test_limits();
    test_fec();
    test_arq();
    test_session();
    printf("%d checks, %d failed\n", n_checks, n_failures);
    return n_failures != 0;
}
