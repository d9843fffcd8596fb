// os.urandom(), from the host's /dev/urandom: these machines have no source of their own.
// Included by extmod/modos.c.

#include "py/mperrno.h"
#include "semihost.h"

static mp_obj_t mp_os_urandom(mp_obj_t n_in) {
    mp_int_t n = mp_obj_get_int(n_in);
    vstr_t vstr;
    vstr_init_len(&vstr, n);
    static const char name[] = "/dev/urandom";
    uintptr_t open[] = { (uintptr_t)name, 1, sizeof(name) - 1 }; // 1: "rb"
    uintptr_t file = semihost(SEMIHOST_OPEN, open);
    uintptr_t read[] = { file, (uintptr_t)vstr.buf, n };
    uintptr_t n_missing = semihost(SEMIHOST_READ, read);
    uintptr_t close[] = { file };
    semihost(SEMIHOST_CLOSE, close);
    if (n_missing) {
        mp_raise_OSError(MP_EIO);
    }
    return mp_obj_new_bytes_from_vstr(&vstr);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
