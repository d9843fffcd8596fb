// What the files of the extension share.
#ifndef KCP_MODULE_H
#define KCP_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

// False and an exception unless n is the wanted number of arguments.
int kcpmod_are_args(Py_ssize_t n, Py_ssize_t wanted);
// A range of a buffer; 0 and an exception if it is not within it.
int kcpmod_is_within(const Py_buffer *buffer, Py_ssize_t off, Py_ssize_t n);
int kcpmod_get_buffer(PyObject *object, Py_buffer *buffer, int is_written);
// Take n integers out of arguments; 0 and an exception if one is none.
int kcpmod_get_numbers(PyObject *const *args, int n, Py_ssize_t *numbers);

// Blocks of the sizes that packets have, used again and again; the rest is Python's allocator's.
// owner: a char that is set when there is no memory.
void *kcpmod_get(void *owner, size_t n_bytes);
void kcpmod_put(void *owner, void *block, size_t n_bytes);
void kcpmod_drop_kept(void);

// Add the types Counters, Budget and Session. 0, or -1 and an exception.
int kcpmod_add_counters(PyObject *module);
int kcpmod_add_session(PyObject *module);
void kcpmod_drop_types(void);

#endif
