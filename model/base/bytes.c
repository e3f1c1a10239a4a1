#include "model/base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"

enum { FORMAT_BYTES_GUESSED = 64 }; /* a longer text is formatted twice */

struct bytes bytes_of_text(const char *text)
{
    return (struct bytes){ .data = (const uint8_t *)text, .size = strlen(text) };
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

struct bytes bytes_copy(struct arena *arena, struct bytes bytes)
{
    uint8_t *data = arena_alloc_raw(arena, bytes.size);
    if (bytes.size > 0) {
        memcpy(data, bytes.data, bytes.size);
    }
    return (struct bytes){ .data = data, .size = bytes.size };
}

void buffer_init(struct buffer *buffer, struct arena *arena)
{
    *buffer = (struct buffer){ .arena = arena };
}

void buffer_free(struct buffer *buffer)
{
    arena_free(buffer->arena, buffer->data);
    buffer_init(buffer, buffer->arena);
}

void buffer_reset(struct buffer *buffer)
{
    buffer->size = 0;
}

void buffer_reserve(struct buffer *buffer, size_t size_bytes)
{
    CHECK(size_bytes <= SIZE_MAX / 2);
    buffer->data = arena_grow(buffer->arena, buffer->data, &buffer->capacity,
                              buffer->size + size_bytes, 1);
}

void buffer_append(struct buffer *buffer, struct bytes bytes)
{
    if (bytes.size > 0) {
        memcpy(buffer_extend(buffer, bytes.size), bytes.data, bytes.size);
    }
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, bytes_of_text(text));
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    buffer_reserve(buffer, FORMAT_BYTES_GUESSED);
    size_t room = buffer->capacity - buffer->size;
    va_start(arguments, format);
    int length = vsnprintf((char *)buffer->data + buffer->size, room, format, arguments);
    va_end(arguments);
    CHECK(length >= 0);
    if ((size_t)length >= room) {
        room = (size_t)length + 1;
        buffer_reserve(buffer, room);
        va_start(arguments, format);
        (void)vsnprintf((char *)buffer->data + buffer->size, room, format, arguments);
        va_end(arguments);
    }
    buffer->size += (size_t)length; /* the terminating zero is not content */
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){ .data = buffer->data, .size = buffer->size };
}
