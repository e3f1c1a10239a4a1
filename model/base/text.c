#include "model/base/text.h"

#include <string.h>

#include "model/base/check.h"

/* Reads digits up to `end` as long as the number is at most `limit`; false if it cannot. */
static bool parse_digits(const uint8_t *at, const uint8_t *end, uint64_t limit, uint64_t *number)
{
    uint64_t sum = 0;
    for (; at < end; at++) {
        uint64_t digit = (uint64_t)*at - '0';
        if (digit > 9 || sum > (limit - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *number = sum;
    return true;
}

bool text_parse_any(struct bytes text, int64_t *value)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.size;
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    uint64_t magnitude;
    if (at == end || !parse_digits(at, end, (uint64_t)INT64_MAX + is_negative, &magnitude)) {
        return false;
    }
    *value = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    return true;
}

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

static const uint64_t powers_of_ten[TEXT_INTEGER_SIZE_MAX] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
    UINT64_C(10000000000000000000),
};

/* How many digits `value` has, without a branch: the number of its bits times log10(2), which is
 * 1233/4096 closely enough, is that or one too few. */
static size_t digit_count(uint64_t value)
{
    uint32_t bits = 64u - (uint32_t)__builtin_clzll(value | 1);
    uint32_t fewest = bits * 1233 >> 12;
    return fewest + ((value | 1) >= powers_of_ten[fewest]);
}

size_t text_format_any(uint8_t *at, uint64_t value)
{
    /* Counted first, the digits go straight to where they belong, last to first. */
    size_t size = digit_count(value);
    uint8_t *end = at + size;
    for (; value >= 100; value /= 100) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * (value % 100), 2);
    }
    if (value >= 10) {
        memcpy(at, digit_pairs + 2 * value, 2);
    } else {
        *at = (uint8_t)('0' + value);
    }
    return size;
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
