/* text.h - decimal numbers and name patterns. */
#ifndef FAULTLINE_BASE_TEXT_H
#define FAULTLINE_BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"

enum { TEXT_INTEGER_SIZE_MAX = 20 }; /* "-9223372036854775808" */

/* Reads a whole decimal integer: an optional + or -, then digits, leading zeros allowed, nothing
 * before or after. False if `text` is anything else or does not fit 64 bits; `*value` is then
 * unchanged. */
bool text_parse_i64(struct bytes text, int64_t *value);

/* Writes `value` in decimal to `at`, which has room for TEXT_INTEGER_SIZE_MAX bytes; no
 * terminating zero. Returns the number of bytes. */
size_t text_format_i64(uint8_t *at, int64_t value);
size_t text_format_u64(uint8_t *at, uint64_t value);

/* Does `name` match `pattern`, in which * stands for any run of characters other than '/' and ?
 * for one such character? */
bool text_matches(const char *pattern, const char *name);

#endif
