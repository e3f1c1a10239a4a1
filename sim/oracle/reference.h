/* reference.h - the answer: a plain fold over the input, with no stream processor in it.
 *
 * The input is cut into `split_count` splits as the sources cut it, and the fold is advanced split
 * by split to given positions, so that one running fold serves every checkpoint of a run.
 *
 *   file       split i owns the lines that start in bytes [i * size / p, (i + 1) * size / p); a
 *              position is the byte offset of the next unread line. A line ends with LF, a CR
 *              before it is cut, and a last line without LF counts. A line that is no 64-bit
 *              decimal integer is bad and left out; so is an empty one.
 *   generator  split i owns records i, i + p, i + 2p ...; a position is how many of them were read;
 *              Nexmark events likewise
 *
 * The fold is that of the count job, into `table`, unless `fold` gives another job's; what is bad,
 * that fold says then. Whether bad lines may be left out at all is for the caller to judge. */
#ifndef FAULTLINE_SIM_ORACLE_REFERENCE_H
#define FAULTLINE_SIM_ORACLE_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/codec.h"
#include "model/stream/input.h"
#include "sim/oracle/job_reference.h"
#include "sim/oracle/key_table.h"

struct reference_split {
    uint64_t range_start; /* of the part of the input that the split was given */
    uint64_t range_end;
    uint64_t start;    /* the position before the first record */
    uint64_t position; /* where the fold stands */
    uint64_t records;  /* folded so far */
    uint64_t bad;      /* left out so far */
};

struct reference {
    const struct generator *generator; /* INPUT_GENERATOR */
    struct bytes input;                /* INPUT_FILE */
    enum input_kind kind;
    uint32_t split_count;
    struct reference_split *splits;
    struct key_table table;
    struct nexmark_config nexmark; /* INPUT_NEXMARK */
    struct job_fold *fold;         /* NULL: the count job */
};

enum reference_answer {
    REFERENCE_OK,
    REFERENCE_BACKWARDS,  /* the position lies before where the fold stands; nothing was done */
    REFERENCE_OUTSIDE,    /* the position lies outside the split; nothing was done */
    REFERENCE_IN_A_RECORD /* no record starts there; the fold stands behind it */
};

/* A fold over nothing yet. `input`: INPUT_FILE: the file's content, borrowed. Memory from `arena`.
 * A configuration without a generator gets one of its own. The caller may set `fold` then. */
void reference_init(struct reference *reference, struct arena *arena,
                    const struct input_config *config, uint32_t split_count, struct bytes input);

/* Folds the records of split `split` before `position`. Anywhere between the start of its range and
 * its first line stands for the first line, and anywhere between the end of its range and the
 * first line behind it for that line: a source may name either. */
enum reference_answer reference_advance(struct reference *reference, uint32_t split,
                                        uint64_t position);

/* Does the fold of split `split` stand behind `position`, a position inside the split? */
bool reference_is_past(const struct reference *reference, uint32_t split, uint64_t position);

/* Folds what is left of one split, or of all. */
void reference_advance_to_end(struct reference *reference, uint32_t split);
void reference_finish(struct reference *reference);

/* Back to a fold over nothing; the table keeps its keys, with a fold of zero. */
void reference_rewind(struct reference *reference);

/* Asserts the invariants. */
void reference_check(const struct reference *reference);

enum { REFERENCE_SAFE_DIGITS = 18 }; /* so many digits always fit 64 bits */

/* The number whose digits are the bytes of `digits`, the first digit lowest, zeros below it. */
static inline uint64_t reference_join_digits(uint64_t digits)
{
    uint64_t pairs = (digits * 10 + (digits >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    uint64_t fours = (pairs * 100 + (pairs >> 16)) & UINT64_C(0x0000ffff0000ffff);
    return (fours * 10000 + (fours >> 32)) & UINT32_MAX;
}

/* Reads 1 to REFERENCE_SAFE_DIGITS digits from `at` on, which is what nearly every number is;
 * returns where they end. NULL for anything else, which is then for reference_parse to read. Up to
 * seven digits are looked at as one word, so that no branch depends on how many there are. */
static inline const uint8_t *reference_read_digits(const uint8_t *at, const uint8_t *end,
                                                   int64_t *value)
{
    enum { WORD = sizeof(uint64_t) };
    const uint8_t *start = at;
    if (end - at >= WORD) {
        uint64_t digits = load_u64(at) ^ UINT64_C(0x3030303030303030);
        uint64_t others =
            ((digits + UINT64_C(0x7676767676767676)) | digits) & UINT64_C(0x8080808080808080);
        uint32_t count = others == 0 ? WORD : (uint32_t)__builtin_ctzll(others) / 8;
        if (count > 0 && count < WORD) {
            *value = (int64_t)reference_join_digits(digits << 8 * (WORD - count));
            return at + count;
        }
    }
    uint64_t sum = 0;
    while (at < end && (unsigned)*at - '0' <= 9) {
        sum = sum * 10 + ((uint64_t)*at - '0');
        at++;
    }
    *value = (int64_t)sum;
    return at > start && at - start <= REFERENCE_SAFE_DIGITS ? at : NULL;
}

/* Reads a 64-bit decimal integer as model/base/text.h describes it, by code of its own. */
bool reference_parse(struct bytes text, int64_t *value);

#endif
