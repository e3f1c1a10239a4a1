#include "model/base/text.h"

#include <string.h>

#include "model/base/check.h"

bool text_parse_i64(struct bytes text, int64_t *value)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.size;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    if (at == end) {
        return false;
    }
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t magnitude = 0;
    for (; at < end; at++) {
        uint64_t digit = (uint64_t)*at - '0';
        if (digit > 9 || magnitude > (limit - digit) / 10) {
            return false;
        }
        magnitude = magnitude * 10 + digit;
    }
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

size_t text_format_u64(uint8_t *at, uint64_t value)
{
    uint8_t digits[TEXT_INTEGER_SIZE_MAX];
    size_t start = sizeof digits;
    while (value >= 100) {
        start -= 2;
        memcpy(digits + start, digit_pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        start -= 2;
        memcpy(digits + start, digit_pairs + 2 * value, 2);
    } else {
        digits[--start] = (uint8_t)('0' + value);
    }
    memcpy(at, digits + start, sizeof digits - start);
    return sizeof digits - start;
}

size_t text_format_i64(uint8_t *at, int64_t value)
{
    if (value >= 0) {
        return text_format_u64(at, (uint64_t)value);
    }
    *at = '-';
    return 1 + text_format_u64(at + 1, 0 - (uint64_t)value);
}

bool text_matches(const char *pattern, const char *name)
{
    const char *star = NULL; /* where to retry: after the last *, one character later each time */
    const char *retry = NULL;
    while (*name != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern == *name || (*pattern == '?' && *name != '/')) {
            pattern++;
            name++;
        } else if (star != NULL && *retry != '/') {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}
