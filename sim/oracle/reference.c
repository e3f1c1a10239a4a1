#include "sim/oracle/reference.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/text.h"

enum {
    BATCH_KEYS = 16,          /* known before the first of them is looked up */
    KEYS_EXPECTED_MAX = 4096, /* beyond so many, growing as they come costs next to nothing */
};

bool reference_parse(struct bytes text, int64_t *value)
{
    CHECK(text.data != NULL || text.size == 0);
    size_t at = 0;
    bool negative = text.size > 0 && text.data[0] == '-';
    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        at++;
    }
    if (at == text.size) {
        return false;
    }
    /* Leading zeros do not count as digits that fill the number. */
    while (at + 1 < text.size && text.data[at] == '0') {
        at++;
    }
    bool safe = text.size - at <= REFERENCE_SAFE_DIGITS;
    int64_t sum = 0;
    for (; at < text.size; at++) {
        unsigned digit = (unsigned)text.data[at] - '0';
        if (digit > 9) {
            return false;
        }
        int64_t signed_digit = negative ? -(int64_t)digit : (int64_t)digit;
        if (safe) {
            sum = sum * 10 + signed_digit;
        } else if (__builtin_mul_overflow(sum, 10, &sum) ||
                   __builtin_add_overflow(sum, signed_digit, &sum)) {
            return false;
        }
    }
    *value = sum;
    return true;
}

/* The start of the first line at or after `offset`. */
static uint64_t line_start(struct bytes input, uint64_t offset)
{
    CHECK(offset <= input.size);
    if (offset == 0 || offset >= input.size || input.data[offset - 1] == '\n') {
        return offset;
    }
    const uint8_t *end = memchr(input.data + offset, '\n', input.size - offset);
    return end == NULL ? input.size : (uint64_t)(end - input.data) + 1;
}

static uint64_t part(uint64_t size, uint64_t index, uint64_t count)
{
    CHECK(index <= count);
    CHECK(size <= UINT64_MAX / (count + 1));
    return index * size / count;
}

static void split_init(const struct reference *reference, struct reference_split *split,
                       uint32_t index, uint64_t record_count)
{
    *split = (struct reference_split){ 0 };
    if (reference->kind == INPUT_FILE) {
        uint64_t size = reference->input.size;
        split->range_start = part(size, index, reference->split_count);
        split->range_end = part(size, index + 1, reference->split_count);
        split->start = line_start(reference->input, split->range_start);
    } else if (record_count > index) {
        split->range_end = (record_count - index - 1) / reference->split_count + 1;
    }
    CHECK(split->range_start <= split->range_end);
    split->position = split->start;
}

/* How many keys the table has room for from the start. A run may end before it has met them all. */
static size_t keys_expected(const struct input_config *config)
{
    uint64_t keys = config->keys < config->records ? config->keys : config->records;
    if (config->kind != INPUT_GENERATOR) {
        return 0;
    }
    return keys < KEYS_EXPECTED_MAX ? (size_t)keys : KEYS_EXPECTED_MAX;
}

void reference_init(struct reference *reference, struct arena *arena,
                    const struct input_config *config, uint32_t split_count, struct bytes input)
{
    CHECK(split_count > 0);
    *reference = (struct reference){ .kind = config->kind,
                                     .input = input,
                                     .generator = config->generator,
                                     .nexmark = config->nexmark,
                                     .split_count = split_count };
    if (config->kind == INPUT_GENERATOR && config->generator == NULL) {
        reference->generator =
            generator_create(arena, config->keys, config->skew_ppm, config->seed);
    }
    key_table_init(&reference->table, arena);
    key_table_reserve(&reference->table, keys_expected(config));
    reference->splits = arena_alloc(arena, split_count, sizeof *reference->splits);
    for (uint32_t i = 0; i < split_count; i++) {
        split_init(reference, &reference->splits[i], i, config->records);
    }
}

/* A record of another job than count. */
static void fold_record(struct reference *reference, struct reference_split *split,
                        struct bytes record)
{
    uint32_t index = (uint32_t)(split - reference->splits);
    CHECK(index < reference->split_count);
    if (reference->fold->job->fold(reference->fold, index, record)) {
        split->records++;
    } else {
        split->bad++;
    }
}

static void fold_line(struct reference *reference, struct reference_split *split, struct bytes line)
{
    CHECK(split->position < reference->input.size);
    int64_t key;
    if (line.size > 0 && line.data[line.size - 1] == '\r') {
        line.size--;
    }
    if (reference->fold != NULL) {
        fold_record(reference, split, line);
    } else if (reference_parse(line, &key)) {
        key_table_at(&reference->table, key)->folded++;
        split->records++;
    } else {
        split->bad++;
    }
}

static void count_keys(struct reference *reference, const int64_t *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        key_table_at(&reference->table, keys[i])->folded++;
    }
}

/* Folds the lines that start before `end`. */
static void fold_file(struct reference *reference, struct reference_split *split, uint64_t end)
{
    struct bytes input = reference->input;
    CHECK(end <= input.size);
    uint64_t at = split->position;
    int64_t keys[BATCH_KEYS];
    uint32_t count = 0;
    while (at < end) {
        const uint8_t *start = input.data + at;
        const uint8_t *input_end = input.data + input.size;
        int64_t key;
        const uint8_t *digits_end = reference_read_digits(start, input_end, &key);
        if (digits_end != NULL && digits_end < input_end && *digits_end == '\n' &&
            reference->fold == NULL) {
            key_table_prefetch(&reference->table, key);
            keys[count++] = key;
            if (count == BATCH_KEYS) {
                count_keys(reference, keys, count);
                count = 0;
            }
            split->records++;
            at += (uint64_t)(digits_end - start) + 1;
            continue;
        }
        const uint8_t *feed = memchr(start, '\n', input.size - at);
        size_t size = feed == NULL ? input.size - at : (size_t)(feed - start);
        fold_line(reference, split, (struct bytes){ .data = start, .size = size });
        at += size + (feed != NULL);
    }
    count_keys(reference, keys, count);
    CHECK(at <= input.size);
    split->position = at;
}

/* Writes the record `number` as the line that a source makes of it; returns its size. */
static size_t write_record(const struct reference *reference, uint64_t number,
                           uint8_t line[NEXMARK_LINE_SIZE_MAX])
{
    if (reference->kind == INPUT_NEXMARK) {
        struct nexmark_event event;
        uint64_t id = nexmark_event_id(&reference->nexmark, number);
        nexmark_event_of(&reference->nexmark, id, &event);
        return nexmark_format(&reference->nexmark, &event, line);
    }
    CHECK(reference->generator != NULL);
    return text_format_u64(line, generator_key(reference->generator, number));
}

/* The same for another job than count. */
static void fold_written(struct reference *reference, uint32_t index, uint64_t end)
{
    struct reference_split *split = &reference->splits[index];
    CHECK(end <= split->range_end);
    for (; split->position < end; split->position++) {
        uint8_t line[NEXMARK_LINE_SIZE_MAX];
        uint64_t number = index + split->position * reference->split_count;
        size_t size = write_record(reference, number, line);
        fold_record(reference, split, (struct bytes){ .data = line, .size = size });
    }
}

static void fold_generated(struct reference *reference, uint32_t index, uint64_t end)
{
    struct reference_split *split = &reference->splits[index];
    if (reference->fold != NULL) {
        fold_written(reference, index, end);
        return;
    }
    CHECK(reference->generator != NULL);
    CHECK(end <= split->range_end);
    uint64_t number = index + split->position * reference->split_count;
    for (uint64_t at = split->position; at < end;) {
        int64_t keys[BATCH_KEYS];
        uint32_t count = 0;
        for (; count < BATCH_KEYS && at < end; count++, at++) {
            uint64_t key = generator_key(reference->generator, number);
            number += reference->split_count;
            if (key == GENERATOR_BAD_KEY) {
                split->bad++;
                split->records--; /* it is counted with the others below */
                at++;
                break;
            }
            keys[count] = (int64_t)key;
            key_table_prefetch(&reference->table, keys[count]);
        }
        count_keys(reference, keys, count);
    }
    split->records += end - split->position;
    split->position = end;
}

/* The one name of `position` in a file, if a source may name the place by others too. */
static uint64_t normalise(const struct reference *reference, const struct reference_split *split,
                          uint64_t position)
{
    uint64_t behind = line_start(reference->input, split->range_end);
    CHECK(split->start <= behind);
    if (position >= split->range_start && position < split->start) {
        return split->start;
    }
    return position >= split->range_end && position < behind ? behind : position;
}

static enum reference_answer advance_file(struct reference *reference,
                                          struct reference_split *split, uint64_t position)
{
    CHECK(reference->kind == INPUT_FILE);
    position = normalise(reference, split, position);
    if (position < split->start || position > line_start(reference->input, split->range_end)) {
        return REFERENCE_OUTSIDE;
    }
    if (position < split->position) {
        return REFERENCE_BACKWARDS;
    }
    fold_file(reference, split, position < split->range_end ? position : split->range_end);
    return split->position == position ? REFERENCE_OK : REFERENCE_IN_A_RECORD;
}

enum reference_answer reference_advance(struct reference *reference, uint32_t split,
                                        uint64_t position)
{
    CHECK(split < reference->split_count);
    struct reference_split *at = &reference->splits[split];
    if (reference->kind == INPUT_FILE) {
        return advance_file(reference, at, position);
    }
    if (position > at->range_end) {
        return REFERENCE_OUTSIDE;
    }
    if (position < at->position) {
        return REFERENCE_BACKWARDS;
    }
    fold_generated(reference, split, position);
    return REFERENCE_OK;
}

bool reference_is_past(const struct reference *reference, uint32_t split, uint64_t position)
{
    CHECK(split < reference->split_count);
    const struct reference_split *at = &reference->splits[split];
    if (reference->kind == INPUT_FILE) {
        position = normalise(reference, at, position);
    }
    return position < at->position && position >= at->start;
}

void reference_advance_to_end(struct reference *reference, uint32_t split)
{
    CHECK(split < reference->split_count);
    if (reference->kind == INPUT_FILE) {
        fold_file(reference, &reference->splits[split], reference->splits[split].range_end);
    } else {
        fold_generated(reference, split, reference->splits[split].range_end);
    }
}

void reference_finish(struct reference *reference)
{
    CHECK(reference->splits != NULL);
    for (uint32_t i = 0; i < reference->split_count; i++) {
        reference_advance_to_end(reference, i);
    }
}

void reference_rewind(struct reference *reference)
{
    for (uint32_t i = 0; i < reference->split_count; i++) {
        struct reference_split *split = &reference->splits[i];
        CHECK(split->position >= split->start);
        split->position = split->start;
        split->records = 0;
        split->bad = 0;
    }
    for (size_t i = 0; i < reference->table.capacity; i++) {
        reference->table.entries[i].folded = 0;
    }
    if (reference->fold != NULL) {
        job_fold_rewind(reference->fold);
    }
}

void reference_check(const struct reference *reference)
{
    uint64_t records = 0;
    uint64_t folded = 0;
    for (uint32_t i = 0; i < reference->split_count; i++) {
        const struct reference_split *split = &reference->splits[i];
        CHECK(split->range_start <= split->range_end);
        CHECK(split->range_start <= split->start && split->start <= split->position);
        CHECK(split->records + split->bad <= split->position - split->start);
        records += split->records;
    }
    key_table_check(&reference->table);
    for (size_t i = 0; i < reference->table.capacity; i++) {
        folded += (uint64_t)reference->table.entries[i].folded;
    }
    CHECK(reference->fold != NULL || folded == records);
}
