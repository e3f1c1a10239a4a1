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

/* A copy in `arena`. */
struct bytes bytes_copy(struct arena *arena, struct bytes bytes);

/* An empty buffer whose memory comes from `arena`. */
void buffer_init(struct buffer *buffer, struct arena *arena);
void buffer_free(struct buffer *buffer);

/* Empties the buffer and keeps its memory. */
void buffer_reset(struct buffer *buffer);

/* Makes room for `size_bytes` more and returns where they start. The size grows by as many. */
uint8_t *buffer_extend(struct buffer *buffer, size_t size_bytes);

void buffer_append(struct buffer *buffer, struct bytes bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The content. Borrowed until the next change. */
struct bytes buffer_bytes(const struct buffer *buffer);

#endif
