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
 * 16 bytes, and two words or halves that may overlap in the middle copy those sooner than a call of
 * memcpy. */
static inline void bytes_put(uint8_t *to, const uint8_t *from, size_t size)
{
    enum { HALF = sizeof(uint32_t), WORD = sizeof(uint64_t) };
    if (size >= WORD && size <= 2 * WORD) {
        uint64_t first;
        uint64_t last;
        __builtin_memcpy(&first, from, WORD);
        __builtin_memcpy(&last, from + size - WORD, WORD);
        __builtin_memcpy(to, &first, WORD);
        __builtin_memcpy(to + size - WORD, &last, WORD);
    } else if (size >= HALF && size < WORD) {
        uint32_t first;
        uint32_t last;
        __builtin_memcpy(&first, from, HALF);
        __builtin_memcpy(&last, from + size - HALF, HALF);
        __builtin_memcpy(to, &first, HALF);
        __builtin_memcpy(to + size - HALF, &last, HALF);
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
