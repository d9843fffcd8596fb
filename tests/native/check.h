// What the tests of the C core share: assertions that count, and hex.
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

extern int n_checks, n_failures;
extern const char *vectors_folder;

// Count it; say where it failed.
#define CHECK(condition) check_that((condition) != 0, #condition, __FILE__, __LINE__)

void check_that(int is_good, const char *what, const char *file, int line);

// Random bytes, the same in every run.
void fill(uint8_t *buf, size_t n, uint64_t seed);

// The bytes of a text in hex ("-": none); -1 if it is none or more than `size`.
int unhex(uint8_t *buf, size_t size, const char *text);

// Open a file of tests/vectors, or end the program.
FILE *vectors(const char *name);

void test_kernels(void);
void test_crypt(void);
void test_limits(void);
void test_fec(void);
void test_arq(void);
void test_session(void);

#endif
