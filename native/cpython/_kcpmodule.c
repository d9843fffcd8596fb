// The CPython extension _kcp: the core's kernels and ciphers over buffers of the caller's; the session
// is in _kcpsession.c.
//
// native/mod/modkcp.c is its MicroPython twin: same names, arguments and effects. Arguments are
// trusted to be of the right kind by lib/kcp, but never to stay within their buffers.

#include "_kcpmodule.h"

#include "kcp_bytes.h"
#include "kcp_crypt.h"
#include "kcp_kernels.h"

// To be raised with every change that lib/kcp/_backend.py must know of.
#define API (1)

static PyObject *value_name; // the attribute of an Accumulator that holds its bytes

int kcpmod_are_args(Py_ssize_t n, Py_ssize_t wanted) {
    if (n != wanted) {
        PyErr_Format(PyExc_TypeError, "%zd arguments, not %zd", wanted, n);
        return 0;
    }
    return 1;
}

// A range of a buffer; 0 and an exception if it is not within it.
int kcpmod_is_within(const Py_buffer *buffer, Py_ssize_t off, Py_ssize_t n) {
    if (off < 0 || n < 0 || off > buffer->len || n > buffer->len - off) {
        PyErr_SetString(PyExc_ValueError, "the range is not within the buffer");
        return 0;
    }
    return 1;
}

int kcpmod_get_buffer(PyObject *object, Py_buffer *buffer, int is_written) {
    return PyObject_GetBuffer(object, buffer, is_written ? PyBUF_WRITABLE : PyBUF_SIMPLE);
}

// Take n integers out of arguments; 0 and an exception if one is none.
int kcpmod_get_numbers(PyObject *const *args, int n, Py_ssize_t *numbers) {
    for (int i = 0; i < n; i++) {
        numbers[i] = PyLong_AsSsize_t(args[i]);
        if (numbers[i] == -1 && PyErr_Occurred()) {
            return 0;
        }
    }
    return 1;
}

PyDoc_STRVAR(crc32_doc, "crc32(buf, off, end) -> CRC-32 of buf[off:end]");
static PyObject *mod_crc32(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    Py_ssize_t at[2];
    Py_buffer buf;
    PyObject *result = NULL;
    (void)self;
    if (!kcpmod_are_args(n_args, 3) || !kcpmod_get_numbers(args + 1, 2, at) || kcpmod_get_buffer(args[0], &buf, 0)) {
        return NULL;
    }
    if (kcpmod_is_within(&buf, at[0], 0) && kcpmod_is_within(&buf, 0, at[1])
        && kcpmod_is_within(&buf, at[0], at[1] - at[0])) {
        result = PyLong_FromUnsignedLong(
            kcp_crc32(0, (const uint8_t *)buf.buf + at[0], (size_t)(at[1] - at[0])));
    }
    PyBuffer_Release(&buf);
    return result;
}

// sum.value += table[1] * data
static int add_row(PyObject *sum, PyObject *table, const uint8_t *data, Py_ssize_t n) {
    PyObject *value = PyObject_GetAttr(sum, value_name);
    Py_buffer to, factor;
    int is_good = 0;
    if (value == NULL) {
        return 0;
    }
    if (kcpmod_get_buffer(value, &to, 1) == 0) {
        if (kcpmod_get_buffer(table, &factor, 0) == 0) {
            if (kcpmod_is_within(&to, 0, n) && kcpmod_is_within(&factor, 1, 1)) {
                kcp_gf_add(to.buf, data, (size_t)n, ((const uint8_t *)factor.buf)[1]);
                is_good = 1;
            }
            PyBuffer_Release(&factor);
        }
        PyBuffer_Release(&to);
    }
    Py_DECREF(value);
    return is_good;
}

PyDoc_STRVAR(gf_add_doc, "gf_add(sums, tables, buf, off, n): sums[i].value += tables[i][1] * buf[off:off+n]");
static PyObject *mod_gf_add(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    Py_ssize_t at[2];
    Py_buffer buf;
    int is_good = 0;
    (void)self;
    if (!kcpmod_are_args(n_args, 5) || !kcpmod_get_numbers(args + 3, 2, at) || kcpmod_get_buffer(args[2], &buf, 0)) {
        return NULL;
    }
    Py_ssize_t n_rows = PySequence_Size(args[0]);
    if (n_rows >= 0 && kcpmod_is_within(&buf, at[0], at[1])) {
        is_good = 1;
        for (Py_ssize_t i = 0; i < n_rows && is_good; i++) {
            PyObject *sum = PySequence_GetItem(args[0], i);
            PyObject *table = sum == NULL ? NULL : PySequence_GetItem(args[1], i);
            is_good = table != NULL && add_row(sum, table, (const uint8_t *)buf.buf + at[0], at[1]);
            Py_XDECREF(sum);
            Py_XDECREF(table);
        }
    }
    PyBuffer_Release(&buf);
    if (!is_good) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(zero_doc, "zero(buf): make all of it zeros");
static PyObject *mod_zero(PyObject *self, PyObject *object) {
    Py_buffer buf;
    (void)self;
    if (kcpmod_get_buffer(object, &buf, 1)) {
        return NULL;
    }
    memset(buf.buf, 0, (size_t)buf.len);
    PyBuffer_Release(&buf);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(copy_doc, "copy(src, off, dst, dst_off, n): dst[dst_off:dst_off+n] = src[off:off+n]; they may overlap");
static PyObject *mod_copy(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    Py_ssize_t off[1], at[2];
    Py_buffer src, dst;
    int is_good = 0;
    (void)self;
    if (!kcpmod_are_args(n_args, 5) || !kcpmod_get_numbers(args + 1, 1, off) || !kcpmod_get_numbers(args + 3, 2, at)
        || kcpmod_get_buffer(args[0], &src, 0)) {
        return NULL;
    }
    if (kcpmod_get_buffer(args[2], &dst, 1) == 0) {
        if (kcpmod_is_within(&src, off[0], at[1]) && kcpmod_is_within(&dst, at[0], at[1])) {
            memmove((char *)dst.buf + at[0], (const char *)src.buf + off[0], (size_t)at[1]);
            is_good = 1;
        }
        PyBuffer_Release(&dst);
    }
    PyBuffer_Release(&src);
    if (!is_good) {
        return NULL;
    }
    Py_RETURN_NONE;
}

// The kind of a cipher; 0, which is none, if the number is too large for one.
static int kind_of(Py_ssize_t number) {
    return number < 0 || number > 0xffff ? 0 : (int)number;
}

PyDoc_STRVAR(crypt_bytes_doc, "crypt_bytes(kind) -> bytes of a codec, 0: not in this build");
static PyObject *mod_crypt_bytes(PyObject *self, PyObject *kind) {
    Py_ssize_t number[1];
    (void)self;
    if (!kcpmod_get_numbers(&kind, 1, number)) {
        return NULL;
    }
    return PyLong_FromSize_t(kcp_crypt_bytes(kind_of(number[0])));
}

PyDoc_STRVAR(crypt_init_doc, "crypt_init(codec, kind, key, portable) -> True if the CPU has instructions for it");
static PyObject *mod_crypt_init(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    Py_ssize_t numbers[1];
    Py_buffer codec, key;
    int result = KCP_CRYPT_MISUSE, hardware = 0, is_portable;
    (void)self;
    if (!kcpmod_are_args(n_args, 4) || !kcpmod_get_numbers(args + 1, 1, numbers)
        || (is_portable = PyObject_IsTrue(args[3])) < 0 || kcpmod_get_buffer(args[0], &codec, 1)) {
        return NULL;
    }
    if (kcpmod_get_buffer(args[2], &key, 0) == 0) {
        int (*init)(void *, size_t, int, const uint8_t *, size_t) =
            is_portable ? kcp_crypt_init_portable : kcp_crypt_init;
        result = init(codec.buf, (size_t)codec.len, kind_of(numbers[0]), key.buf, (size_t)key.len);
        hardware = result == 0 && kcp_crypt_is_hardware(codec.buf);
        PyBuffer_Release(&key);
        if (result) {
            PyErr_SetString(PyExc_ValueError, "no such cipher, a codec of a wrong size or a key of a wrong length");
        }
    }
    PyBuffer_Release(&codec);
    return result ? NULL : PyBool_FromLong(hardware);
}

static int is_codec(const Py_buffer *codec) {
    if (!kcp_crypt_is_valid(codec->buf, (size_t)codec->len)) {
        PyErr_SetString(PyExc_ValueError, "not a codec that crypt_init() has made");
        return 0;
    }
    return 1;
}

PyDoc_STRVAR(seal_doc, "seal(codec, buf, end, nonce) -> bytes of the datagram whose payload is buf[head:end]");
static PyObject *mod_seal(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    Py_ssize_t at[1];
    Py_buffer codec, buf, nonce;
    int n = KCP_CRYPT_MISUSE;
    (void)self;
    if (!kcpmod_are_args(n_args, 4) || !kcpmod_get_numbers(args + 2, 1, at) || kcpmod_get_buffer(args[0], &codec, 0)) {
        return NULL;
    }
    if (kcpmod_get_buffer(args[1], &buf, 1) == 0) {
        if (kcpmod_get_buffer(args[3], &nonce, 0) == 0) {
            if (is_codec(&codec) && kcpmod_is_within(&buf, 0, at[0])) {
                size_t n_nonce = (size_t)kcp_crypt_nonce(kcp_crypt_kind(codec.buf));
                if (nonce.len >= (Py_ssize_t)n_nonce && buf.len >= (Py_ssize_t)n_nonce) {
                    memcpy(buf.buf, nonce.buf, n_nonce);
                    n = kcp_crypt_seal(codec.buf, buf.buf, (size_t)buf.len, (size_t)at[0]);
                }
                if (n < 0) {
                    PyErr_SetString(PyExc_ValueError, "the datagram does not fit its buffer or is too long");
                }
            }
            PyBuffer_Release(&nonce);
        }
        PyBuffer_Release(&buf);
    }
    PyBuffer_Release(&codec);
    return n < 0 ? NULL : PyLong_FromLong(n);
}

// What open() and run() have in common: codec, buf, n.
static PyObject *open_or_run(PyObject *const *args, int is_open, int is_opening) {
    Py_ssize_t at[1];
    Py_buffer codec, buf;
    PyObject *result = NULL;
    if (!kcpmod_get_numbers(args + 2, 1, at) || kcpmod_get_buffer(args[0], &codec, 0)) {
        return NULL;
    }
    if (kcpmod_get_buffer(args[1], &buf, 1) == 0) {
        if (is_codec(&codec) && kcpmod_is_within(&buf, 0, at[0])) {
            int n = is_open ? kcp_crypt_open(codec.buf, buf.buf, (size_t)at[0])
                : kcp_crypt_run(codec.buf, buf.buf, (size_t)at[0], is_opening);
            if (n == KCP_CRYPT_MISUSE) {
                PyErr_SetString(PyExc_ValueError, "this cipher cannot do that");
            } else {
                result = PyLong_FromLong(n);
            }
        }
        PyBuffer_Release(&buf);
    }
    PyBuffer_Release(&codec);
    return result;
}

PyDoc_STRVAR(open_doc, "open(codec, buf, n) -> offset of the payload in the datagram buf[0:n], or a negative code");
static PyObject *mod_open(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    return kcpmod_are_args(n_args, 3) ? open_or_run(args, 1, 0) : NULL;
}

PyDoc_STRVAR(run_doc, "run(codec, buf, n, opening): the cipher alone over buf[0:n]");
static PyObject *mod_run(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    int is_opening;
    (void)self;
    if (!kcpmod_are_args(n_args, 4) || (is_opening = PyObject_IsTrue(args[3])) < 0) {
        return NULL;
    }
    return open_or_run(args, 0, is_opening);
}

#define FAST(name) {#name, (PyCFunction)(void (*)(void))mod_##name, METH_FASTCALL, name##_doc}

static PyMethodDef methods[] = {
    FAST(crc32),
    FAST(gf_add),
    {"zero", mod_zero, METH_O, zero_doc},
    FAST(copy),
    {"crypt_bytes", mod_crypt_bytes, METH_O, crypt_bytes_doc},
    FAST(crypt_init),
    FAST(seal),
    FAST(open),
    FAST(run),
    {NULL, NULL, 0, NULL},
};

// -- the module --------------------------------------------------------------------------------------

// The types and the blocks that are kept are the process's: of one interpreter, however often that
// one imports the module. Another one is refused, and runs the library in Python.
typedef struct {
    char is_counted;
} state_t;

static int n_modules;
static int64_t home; // the interpreter that has them

static int enter(PyObject *module) {
    int64_t here = PyInterpreterState_GetID(PyInterpreterState_Get());
    if (n_modules && here != home) {
        PyErr_SetString(PyExc_ImportError, "_kcp is in use by another interpreter of this process");
        return -1;
    }
    home = here;
    n_modules++;
    ((state_t *)PyModule_GetState(module))->is_counted = 1;
    return 0;
}

static void leave(void *module) {
    if (((state_t *)PyModule_GetState(module))->is_counted && --n_modules == 0) {
        Py_CLEAR(value_name);
#if KCP_SESSION
        kcpmod_drop_types();
        kcpmod_drop_kept();
#endif
    }
}

static int execute(PyObject *module) {
    if (enter(module)) {
        return -1;
    }
    if (value_name == NULL) {
        value_name = PyUnicode_InternFromString("value");
    }
    if (value_name == NULL || PyModule_AddIntConstant(module, "API", API)) {
        return -1;
    }
#if KCP_SESSION
    return kcpmod_add_counters(module) || kcpmod_add_session(module) ? -1 : 0;
#else
    return 0;
#endif
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "_kcp",
    "Byte kernels, ciphers and the session of the package kcp, in C. Private: see kcp._backend.",
    sizeof(state_t),
    methods,
    slots,
    NULL,
    NULL,
    leave,
};

PyMODINIT_FUNC PyInit__kcp(void) {
    return PyModuleDef_Init(&definition);
}
