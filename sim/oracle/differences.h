/* differences.h - the keys on which two counts disagree, for a message: how many, and a few. */
#ifndef FAULTLINE_SIM_ORACLE_DIFFERENCES_H
#define FAULTLINE_SIM_ORACLE_DIFFERENCES_H

#include <stdint.h>

#include "model/base/arena.h"

enum { DIFFERENCES_SHOWN = 5 };

struct difference {
    int64_t key;
    int64_t expected; /* 0: the key should not be there */
    int64_t found;    /* 0: the key is not there */
};

struct differences {
    uint64_t count;
    struct difference shown[DIFFERENCES_SHOWN]; /* the smallest keys, rising */
};

/* Notes one key; each may be noted once. Start from a zeroed struct. */
void differences_add(struct differences *differences, int64_t key, int64_t expected, int64_t found);

/* "3 keys differ: key 5: expected 7, found 6; ..." in `arena`. */
const char *differences_text(const struct differences *differences, struct arena *arena);

#endif
