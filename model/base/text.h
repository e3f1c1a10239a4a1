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

enum { TEXT_SHORT_SIZE_MAX = sizeof(uint64_t) };

/* The bytes of a text of 1 to TEXT_SHORT_SIZE_MAX bytes as a word, the first lowest. Where loads
 * overlap they say the same. */
static inline uint64_t text_load_short(struct bytes text)
{
    size_t last = text.size - 1;
    if (last < 3) {
        size_t middle = text.size / 2;
        return text.data[0] | (uint64_t)text.data[middle] << 8 * middle |
               (uint64_t)text.data[last] << 8 * last;
    }
    return load_u32(text.data) | (uint64_t)load_u32(text.data + last - 3) << 8 * (last - 3);
}

/* Reads 1 to TEXT_SHORT_SIZE_MAX digits, all of them at once: as a number of eight that begins with
 * zeros. False, and `*value` unchanged, if there is anything else. */
static inline bool text_parse_short(struct bytes text, int64_t *value)
{
    uint64_t zeros = UINT64_C(0x3030303030303030);
    size_t unused_bits = 8 * (TEXT_SHORT_SIZE_MAX - text.size);
    uint64_t digits = (text_load_short(text) ^ zeros >> unused_bits) << unused_bits;
    if (((digits | (digits + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080)) != 0) {
        return false; /* there is a byte above 9 */
    }
    uint64_t every_fourth = UINT64_C(0x000000ff000000ff);
    uint64_t pairs = digits * 10 + (digits >> 8); /* of digits, in every other byte */
    uint64_t outer = (pairs & every_fourth) * (100 + (UINT64_C(1000000) << 32));
    uint64_t inner = (pairs >> 16 & every_fourth) * (1 + (UINT64_C(10000) << 32));
    *value = (int64_t)((outer + inner) >> 32);
    return true;
}

/* Reads a whole decimal integer: an optional + or -, then digits, leading zeros allowed, nothing
 * before or after. False if `text` is anything else or does not fit 64 bits; `*value` is then
 * unchanged. */
static inline bool text_parse_i64(struct bytes text, int64_t *value)
{
    bool is_short = text.size - 1 < TEXT_SHORT_SIZE_MAX;
    return (is_short && text_parse_short(text, value)) || text_parse_any(text, value);
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
