// Counters and Budget: what sessions count into and what they share, as Python sees them.
//
// Names of attributes come from Python as tuples, see modkcp_session.c.

#include "modkcp.h"

#if KCP_SESSION

// -- names -----------------------------------------------------------------------------------------

typedef struct {
    mp_obj_base_t base;
    qstr name; // that was asked for last
} asked_t;

static void asked_attr(mp_obj_t self, qstr name, mp_obj_t *dest) {
    (void)dest;
    ((asked_t *)MP_OBJ_TO_PTR(self))->name = name;
}

#ifdef MICROPY_ENABLE_DYNRUNTIME
kcpmod_type_t kcpmod_asked_type;
#else
static MP_DEFINE_CONST_OBJ_TYPE(kcpmod_asked_type, MP_QSTRnull, MP_TYPE_FLAG_NONE, attr, asked_attr);
#endif

// names(tuple) -> the same strings as objects that can be compared with names in programs
mp_obj_t kcpmod_names(mp_obj_t names) {
    size_t n;
    mp_obj_t *items;
    mp_obj_get_array(names, &n, &items);
    mp_obj_tuple_t *found = MP_OBJ_TO_PTR(mp_obj_new_tuple(n, items));
    mp_obj_t args[2] = {MP_OBJ_FROM_PTR(mp_obj_malloc(asked_t, (const mp_obj_type_t *)&kcpmod_asked_type))};
    for (size_t i = 0; i < n; i++) {
        args[1] = found->items[i];
        mp_call_function_n_kw(mp_load_global(MP_QSTR_hasattr), 2, 0, args); // it makes a name of it
        found->items[i] = MP_OBJ_NEW_QSTR(((asked_t *)MP_OBJ_TO_PTR(args[0]))->name);
    }
    return MP_OBJ_FROM_PTR(found);
}

int kcpmod_find(mp_obj_t names, qstr name) {
    size_t n;
    mp_obj_t *items, wanted = MP_OBJ_NEW_QSTR(name);
    mp_obj_get_array(names, &n, &items);
    for (size_t i = 0; i < n; i++) {
        if (items[i] == wanted) {
            return (int)i;
        }
    }
    return -1;
}

// -- numbers of 64 bits ----------------------------------------------------------------------------

mp_obj_t kcpmod_from_u64(uint64_t value) {
    mp_obj_t low = mp_obj_new_int_from_uint((mp_uint_t)value);
#if UINTPTR_MAX == 0xffffffff
    if (value >> 32) {
        mp_obj_t high = mp_obj_new_int_from_uint((mp_uint_t)(value >> 32));
        high = mp_binary_op(MP_BINARY_OP_LSHIFT, high, MP_OBJ_NEW_SMALL_INT(32));
        return mp_binary_op(MP_BINARY_OP_ADD, high, low);
    }
#endif
    return low;
}

static uint64_t to_u64(mp_obj_t object) {
    uint64_t value = (mp_uint_t)mp_obj_get_int_truncated(object);
#if UINTPTR_MAX == 0xffffffff
    if (!mp_obj_is_small_int(object)) {
        mp_obj_t high = mp_binary_op(MP_BINARY_OP_RSHIFT, object, MP_OBJ_NEW_SMALL_INT(32));
        value |= (uint64_t)(mp_uint_t)mp_obj_get_int_truncated(high) << 32;
    }
#endif
    return value;
}

// -- Counters --------------------------------------------------------------------------------------

// Counters(names, methods): methods is a class whose functions are methods of this one, too
static mp_obj_t counters_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    kcpmod_counters_t *self = mp_obj_malloc(kcpmod_counters_t, type);
    self->names = args[0];
    self->methods = args[1];
    self->is_past = false;
    memset(&self->stats, 0, sizeof(self->stats));
    return MP_OBJ_FROM_PTR(self);
}

static void counters_attr(mp_obj_t self_in, qstr name, mp_obj_t *dest) {
    kcpmod_counters_t *self = MP_OBJ_TO_PTR(self_in);
    int i = kcpmod_find(self->names, name);
    bool is_count = 0 <= i && i < KCP_N_COUNTERS, is_past = !is_count && name == MP_QSTR_is_past;
    if (dest[0] == MP_OBJ_NULL) {
        if (is_count) {
            dest[0] = kcpmod_from_u64(self->stats.count[i]);
        } else if (is_past) {
            dest[0] = mp_obj_new_bool(self->is_past);
        } else {
            mp_load_method_maybe(self->methods, name, dest);
            dest[1] = self_in;
        }
    } else if (dest[1] != MP_OBJ_NULL && (is_count || is_past)) {
        if (is_count) {
            self->stats.count[i] = to_u64(dest[1]);
        } else {
            self->is_past = mp_obj_is_true(dest[1]);
        }
        dest[0] = MP_OBJ_NULL; // it is done
    }
}

// (They are keys of a dict.)
static mp_obj_t counters_unary_op(mp_unary_op_t op, mp_obj_t self) {
    return op == MP_UNARY_OP_HASH ? MP_OBJ_NEW_SMALL_INT((mp_uint_t)self >> 4) : MP_OBJ_NULL;
}

// -- Budget ----------------------------------------------------------------------------------------

static mp_obj_t budget_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    kcpmod_budget_t *self = mp_obj_malloc(kcpmod_budget_t, type);
    self->budget.limit_bytes = self->budget.used_bytes = 0;
    return MP_OBJ_FROM_PTR(self);
}

static void budget_attr(mp_obj_t self, qstr name, mp_obj_t *dest) {
    kcp_budget_t *budget = &((kcpmod_budget_t *)MP_OBJ_TO_PTR(self))->budget;
    uint32_t *field = name == MP_QSTR_limit_bytes ? &budget->limit_bytes : &budget->used_bytes;
    if (field == &budget->used_bytes && name != MP_QSTR_used_bytes) {
        return;
    }
    if (dest[0] == MP_OBJ_NULL) {
        dest[0] = mp_obj_new_int_from_uint(*field);
    } else if (dest[1] != MP_OBJ_NULL) {
        *field = (uint32_t)mp_obj_get_int_truncated(dest[1]);
        dest[0] = MP_OBJ_NULL;
    }
}

// -- the types -------------------------------------------------------------------------------------

#ifdef MICROPY_ENABLE_DYNRUNTIME

kcpmod_type_t kcpmod_counters_type, kcpmod_budget_type;

void kcpmod_make_type(kcpmod_type_t *type, qstr name, const void *make_new, const void *attr) {
    type->base.type = (void *)&mp_type_type;
    type->name = name;
    MP_OBJ_TYPE_SET_SLOT(type, attr, attr, 0);
    if (make_new != NULL) {
        MP_OBJ_TYPE_SET_SLOT(type, make_new, make_new, 1);
    }
}

void kcpmod_make_counters_types(void) {
    kcpmod_make_type(&kcpmod_counters_type, MP_QSTR_Counters, counters_make_new, counters_attr);
    MP_OBJ_TYPE_SET_SLOT(&kcpmod_counters_type, unary_op, counters_unary_op, 2);
    kcpmod_make_type(&kcpmod_budget_type, MP_QSTR_Budget, budget_make_new, budget_attr);
    kcpmod_make_type(&kcpmod_asked_type, MP_QSTR_names, NULL, asked_attr);
}

#else

MP_DEFINE_CONST_OBJ_TYPE(kcpmod_counters_type, MP_QSTR_Counters, MP_TYPE_FLAG_NONE, make_new, counters_make_new,
    attr, counters_attr, unary_op, counters_unary_op);
MP_DEFINE_CONST_OBJ_TYPE(kcpmod_budget_type, MP_QSTR_Budget, MP_TYPE_FLAG_NONE, make_new, budget_make_new,
    attr, budget_attr);

#endif

#endif
