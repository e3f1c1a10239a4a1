#include "model/state/descriptor.h"

#include <string.h>

#include "model/base/check.h"

enum { FLAG_NAMESPACE = 1, FLAG_TTL = 2, FLAGS_ALL = FLAG_NAMESPACE | FLAG_TTL };

struct state_descriptor state_of_bytes(const char *name)
{
    CHECK(name != NULL);
    return (
        struct state_descriptor){ .name = name, .kind = STATE_VALUE, .value = { .name = "bytes" } };
}

/* "list", "map" ... */
static const char *state_kind_text(enum state_kind kind)
{
    switch (kind) {
    case STATE_VALUE: return "value";
    case STATE_LIST: return "list";
    case STATE_MAP: return "map";
    case STATE_REDUCING: return "reducing state";
    case STATE_AGGREGATING: return "aggregating state";
    case STATE_TIMERS: return "set of timers";
    case STATE_KIND_END: break;
    }
    CHECK(false);
    return "";
}

static void encode_type(struct buffer *out, const struct state_type *type)
{
    encode_bytes(out, bytes_of_text(type->name));
    encode_u16(out, type->version);
}

void state_descriptor_encode(struct buffer *out, const struct state_descriptor *state)
{
    CHECK(state->kind >= STATE_VALUE && state->kind < STATE_KIND_END);
    CHECK((state->subkey.name != NULL) == state_has_subkey(state));
    encode_u8(out, (uint8_t)state->kind);
    encode_u8(out,
              (state->has_namespace ? FLAG_NAMESPACE : 0) | (state->ttl_ns > 0 ? FLAG_TTL : 0));
    encode_type(out, &state->value);
    if (state_has_subkey(state)) {
        encode_type(out, &state->subkey);
    }
}

/* Texts that were read hold no zero byte, and are no longer than a format can say. */
static char *copy_text(struct arena *arena, struct bytes text)
{
    CHECK(text.size <= INT32_MAX);
    return arena_format(arena, "%.*s", (int)text.size, (const char *)text.data);
}

static bool is_text(struct bytes text)
{
    return text.data != NULL && text.size <= INT32_MAX && memchr(text.data, 0, text.size) == NULL;
}

static bool decode_type(struct decoder *decoder, struct bytes *name, struct state_type *type)
{
    *name = decode_bytes(decoder);
    type->version = decode_u16(decoder);
    return !decoder->failed && is_text(*name);
}

bool state_descriptor_decode(struct arena *arena, struct bytes name, struct bytes encoded,
                             struct state_descriptor *state)
{
    struct decoder decoder;
    decoder_init(&decoder, encoded);
    uint8_t kind = decode_u8(&decoder);
    uint8_t flags = decode_u8(&decoder);
    if (decoder.failed || kind < STATE_VALUE || kind >= STATE_KIND_END ||
        (flags & ~FLAGS_ALL) != 0 || !is_text(name)) {
        return false;
    }
    *state = (struct state_descriptor){ .kind = (enum state_kind)kind,
                                        .has_namespace = (flags & FLAG_NAMESPACE) != 0,
                                        .ttl_ns = (flags & FLAG_TTL) != 0 ? UINT64_MAX : 0 };
    struct bytes value;
    struct bytes subkey = { 0 };
    if (!decode_type(&decoder, &value, &state->value) ||
        (state_has_subkey(state) && !decode_type(&decoder, &subkey, &state->subkey)) ||
        decoder_finish(&decoder) != STATUS_OK) {
        return false;
    }
    state->name = copy_text(arena, name);
    state->value.name = copy_text(arena, value);
    state->subkey.name = state_has_subkey(state) ? copy_text(arena, subkey) : NULL;
    return true;
}

struct state_descriptor state_descriptor_copy(struct arena *arena,
                                              const struct state_descriptor *state)
{
    CHECK(state->kind >= STATE_VALUE && state->kind < STATE_KIND_END);
    CHECK((state->subkey.name != NULL) == state_has_subkey(state));
    struct state_descriptor copy = *state;
    copy.name = arena_text(arena, state->name);
    copy.value.name = arena_text(arena, state->value.name);
    copy.subkey.name = state->subkey.name == NULL ? NULL : arena_text(arena, state->subkey.name);
    return copy;
}

void state_descriptor_free(struct arena *arena, struct state_descriptor *state)
{
    arena_free(arena, (void *)state->name);
    arena_free(arena, (void *)state->value.name);
    arena_free(arena, (void *)state->subkey.name);
    *state = (struct state_descriptor){ 0 };
}

/* "a map of text to i64 version 2 with a time to live" */
static void describe(struct buffer *out, const struct state_descriptor *state)
{
    bool has_vowel = state->kind == STATE_AGGREGATING;
    buffer_append_format(out, "%s %s of ", has_vowel ? "an" : "a", state_kind_text(state->kind));
    if (state_has_subkey(state)) {
        buffer_append_format(out, "%s version %u to ", state->subkey.name, state->subkey.version);
    }
    buffer_append_format(out, "%s version %u", state->value.name, state->value.version);
    if (state->has_namespace) {
        buffer_append_text(out, " per namespace");
    }
    if (state->ttl_ns > 0) {
        buffer_append_text(out, " with a time to live");
    }
}

static bool has_same_name(const struct state_type *a, const struct state_type *b)
{
    return strcmp(a->name, b->name) == 0;
}

static bool is_compatible(const struct state_descriptor *is, const struct state_descriptor *was)
{
    if (is->kind != was->kind || is->has_namespace != was->has_namespace ||
        (is->ttl_ns > 0) != (was->ttl_ns > 0) || !has_same_name(&is->value, &was->value)) {
        return false;
    }
    if (state_has_subkey(is) &&
        (!has_same_name(&is->subkey, &was->subkey) || is->subkey.version != was->subkey.version)) {
        return false;
    }
    return is->value.version == was->value.version ||
           (is->value.version > was->value.version && is->value.upgrade != NULL);
}

bool state_descriptor_accepts(const struct state_descriptor *is, const struct state_descriptor *was,
                              struct buffer *why)
{
    CHECK(strcmp(is->name, was->name) == 0);
    if (is_compatible(is, was)) {
        return true;
    }
    buffer_append_format(why, "state \"%s\" was ", is->name);
    describe(why, was);
    buffer_append_text(why, " and cannot be read as ");
    describe(why, is);
    return false;
}
