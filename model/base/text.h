/* text.h - decimal numbers and name patterns. */
#ifndef FAULTLINE_BASE_TEXT_H
#define FAULTLINE_BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"
#include "model/base/codec.h"

enum { TEXT_INTEGER_SIZE_MAX = 20 }; /* "-9223372036854775808" */

/* The general case of text_parse_i64. */
bool text_parse_any(struct bytes text, int64_t *value);

enum { TEXT_SAFE_DIGITS = 18 }; /* so many always fit 64 bits */

/* Reads a whole decimal integer: an optional + or -, then digits, leading zeros allowed, nothing
 * before or after. False if `text` is anything else or does not fit 64 bits; `*value` is then
 * unchanged. */
static inline bool text_parse_i64(struct bytes text, int64_t *value)
{
    if (text.size == 0 || text.size > TEXT_SAFE_DIGITS) {
        return text_parse_any(text, value);
    }
    uint64_t sum = 0;
    for (size_t at = 0; at < text.size; at++) {
        uint64_t digit = (uint64_t)text.data[at] - '0';
        if (digit > 9) {
            return text_parse_any(text, value);
        }
        sum = sum * 10 + digit;
    }
    *value = (int64_t)sum;
    return true; /* nearly every number */
}

enum { TEXT_SMALL_END = 10000 }; /* smaller numbers are most of those that a job prints */

/* The general case of text_format_u64. */
size_t text_format_any(uint8_t *at, uint64_t value);

/* The four decimal digits of a number below TEXT_SMALL_END as the bytes of a word, the first digit
 * lowest. No branch depends on them. */
static inline uint32_t text_small_digits(uint32_t value)
{
    uint32_t hundreds = value * 5243 >> 19; /* value / 100 */
    uint32_t pairs = hundreds | (value - hundreds * 100) << 16;
    uint32_t tens = (pairs * 103 >> 10) & UINT32_C(0x000f000f); /* each pair / 10 */
    return tens | (pairs - tens * 10) << 8;
}

/* Writes `value` in decimal to `at`, which has room for TEXT_INTEGER_SIZE_MAX bytes, all of which
 * may change; no terminating zero. Returns the number of bytes. */
static inline size_t text_format_u64(uint8_t *at, uint64_t value)
{
    if (value >= TEXT_SMALL_END) {
        return text_format_any(at, value);
    }
    uint32_t digits = text_small_digits((uint32_t)value);
    uint32_t zeros = (uint32_t)__builtin_ctz(digits | UINT32_C(1) << 24) / 8;
    store_u32(at, (digits | UINT32_C(0x30303030)) >> zeros * 8);
    return 4 - zeros;
}
static inline size_t text_format_i64(uint8_t *at, int64_t value)
{
    if (value >= 0) {
        return text_format_u64(at, (uint64_t)value);
    }
    *at = '-';
    return 1 + text_format_any(at + 1, 0 - (uint64_t)value);
}

/* Does `name` match `pattern`, in which * stands for any run of characters other than '/' and ?
 * for one such character? */
bool text_matches(const char *pattern, const char *name);

#endif
