/* bytes.h - `struct bytes` borrows a run of bytes, `struct buffer` owns one and grows. */
#ifndef FAULTLINE_BASE_BYTES_H
#define FAULTLINE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"

/* Borrowed; valid as long as its owner says. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

struct buffer {
    struct arena *arena; /* owns `data` */
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* The text without its terminating zero. Borrows `text`. */
struct bytes bytes_of_text(const char *text);

/* Byte-wise equality. */
bool bytes_equal(struct bytes a, struct bytes b);

/* Copies `size` bytes from `from` to `to`, which do not overlap. Records are short: most have 4 to
 * 15 bytes. Four half words that may overlap copy those sooner than a call of memcpy, and without a
 * branch that sizes which change from one to the next would mislead. */
static inline void bytes_put(uint8_t *to, const uint8_t *from, size_t size)
{
    enum { HALF = sizeof(uint32_t), WORD = sizeof(uint64_t) };
    if (size >= HALF && size < 2 * WORD) {
        size_t step = (size & WORD) / 2; /* 0 below 8 bytes: the first and the last do */
        uint32_t halves[4];
        __builtin_memcpy(&halves[0], from, HALF);
        __builtin_memcpy(&halves[1], from + step, HALF);
        __builtin_memcpy(&halves[2], from + size - HALF - step, HALF);
        __builtin_memcpy(&halves[3], from + size - HALF, HALF);
        __builtin_memcpy(to, &halves[0], HALF);
        __builtin_memcpy(to + step, &halves[1], HALF);
        __builtin_memcpy(to + size - HALF - step, &halves[2], HALF);
        __builtin_memcpy(to + size - HALF, &halves[3], HALF);
    } else if (size > 0) {
        __builtin_memcpy(to, from, size);
    }
}

/* A copy in `arena`. */
struct bytes bytes_copy(struct arena *arena, struct bytes bytes);

/* An empty buffer whose memory comes from `arena`. */
void buffer_init(struct buffer *buffer, struct arena *arena);
void buffer_free(struct buffer *buffer);

/* Empties the buffer and keeps its memory. */
void buffer_reset(struct buffer *buffer);

/* Makes room for at least `size_bytes` more; the size stays. */
void buffer_reserve(struct buffer *buffer, size_t size_bytes);

/* Makes room for `size_bytes` more and returns where they start. The size grows by as many. */
static inline uint8_t *buffer_extend(struct buffer *buffer, size_t size_bytes)
{
    if (buffer->capacity - buffer->size < size_bytes) {
        buffer_reserve(buffer, size_bytes);
    }
    uint8_t *start = buffer->data + buffer->size;
    buffer->size += size_bytes;
    return start;
}

void buffer_append(struct buffer *buffer, struct bytes bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The content. Borrowed until the next change. */
struct bytes buffer_bytes(const struct buffer *buffer);

#endif
