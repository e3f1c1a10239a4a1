#include "model/stream/operator_state.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"

struct item {
    struct bytes key;   /* owned; broadcast state only */
    struct bytes value; /* owned */
};

struct operator_state {
    struct arena *arena;
    const char *name; /* owned */
    enum operator_state_mode mode;
    struct item *items;
    size_t count;
    size_t capacity;
};

struct operator_states {
    struct arena *arena;
    struct operator_state *states[OPERATOR_STATE_COUNT_MAX]; /* sorted by name */
    uint32_t count;
};

struct operator_states *operator_states_create(struct arena *arena)
{
    struct operator_states *states = arena_alloc(arena, 1, sizeof *states);
    states->arena = arena;
    return states;
}

/* Where the state called `name` is, or would have to be put. */
static uint32_t find_state(const struct operator_states *states, const char *name)
{
    uint32_t at = 0;
    while (at < states->count && strcmp(states->states[at]->name, name) < 0) {
        at++;
    }
    return at;
}

/* NULL: it is there with another mode, or there are too many. */
static struct operator_state *declare(struct operator_states *states, const char *name,
                                      enum operator_state_mode mode)
{
    uint32_t at = find_state(states, name);
    if (at < states->count && strcmp(states->states[at]->name, name) == 0) {
        return states->states[at]->mode == mode ? states->states[at] : NULL;
    }
    if (states->count == OPERATOR_STATE_COUNT_MAX) {
        return NULL;
    }
    struct operator_state *state = arena_alloc(states->arena, 1, sizeof *state);
    state->arena = states->arena;
    state->name = arena_text(states->arena, name);
    state->mode = mode;
    memmove(&states->states[at + 1], &states->states[at],
            (states->count - at) * sizeof(struct operator_state *));
    states->states[at] = state;
    states->count++;
    return state;
}

struct operator_state *operator_states_declare(struct operator_states *states, const char *name,
                                               enum operator_state_mode mode)
{
    struct operator_state *state = declare(states, name, mode);
    CHECK(state != NULL);
    return state;
}

uint32_t operator_state_count(const struct operator_state *state)
{
    return (uint32_t)state->count;
}

struct bytes operator_state_item(const struct operator_state *state, uint32_t index)
{
    CHECK(index < state->count);
    return state->items[index].value;
}

struct bytes operator_state_key(const struct operator_state *state, uint32_t index)
{
    CHECK(state->mode == STATE_BROADCAST);
    CHECK(index < state->count);
    return state->items[index].key;
}

/* Puts copies of key and value at `at`, before what stands there. */
static void insert(struct operator_state *state, size_t at, struct bytes key, struct bytes value)
{
    state->items = arena_grow(state->arena, state->items, &state->capacity, state->count + 1,
                              sizeof *state->items);
    memmove(&state->items[at + 1], &state->items[at], (state->count - at) * sizeof *state->items);
    state->items[at] = (struct item){ .key = bytes_copy(state->arena, key),
                                      .value = bytes_copy(state->arena, value) };
    state->count++;
}

static void free_bytes(struct operator_state *state, struct bytes bytes)
{
    arena_free(state->arena, (void *)(uintptr_t)bytes.data);
}

static void drop(struct operator_state *state, size_t at)
{
    free_bytes(state, state->items[at].key);
    free_bytes(state, state->items[at].value);
    state->count--;
    memmove(&state->items[at], &state->items[at + 1], (state->count - at) * sizeof *state->items);
}

void operator_state_add(struct operator_state *state, struct bytes item)
{
    CHECK(state->mode != STATE_BROADCAST);
    insert(state, state->count, (struct bytes){ 0 }, item);
}

void operator_state_clear(struct operator_state *state)
{
    while (state->count > 0) {
        drop(state, state->count - 1);
    }
}

static int compare_keys(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The first item whose key is not below `key`; `*is_equal`: it is that key's. */
static size_t find_key(const struct operator_state *state, struct bytes key, bool *is_equal)
{
    CHECK(state->mode == STATE_BROADCAST);
    size_t low = 0;
    size_t high = state->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(state->items[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *is_equal = low < state->count && compare_keys(state->items[low].key, key) == 0;
    return low;
}

struct bytes operator_state_get(const struct operator_state *state, struct bytes key)
{
    bool is_there;
    size_t at = find_key(state, key, &is_there);
    return is_there ? state->items[at].value : (struct bytes){ 0 };
}

void operator_state_put(struct operator_state *state, struct bytes key, struct bytes value)
{
    bool is_there;
    size_t at = find_key(state, key, &is_there);
    insert(state, at, key, value);
    if (is_there) {
        drop(state, at + 1);
    }
}

void operator_state_remove(struct operator_state *state, struct bytes key)
{
    bool is_there;
    size_t at = find_key(state, key, &is_there);
    if (is_there) {
        drop(state, at);
    }
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static void write_state(const struct operator_state *state, size_t first, size_t count,
                        struct buffer *out)
{
    encode_bytes(out, bytes_of_text(state->name));
    encode_u8(out, (uint8_t)state->mode);
    encode_u32(out, (uint32_t)count);
    for (size_t i = first; i < first + count; i++) {
        encode_bytes(out, state->items[i].key);
        encode_bytes(out, state->items[i].value);
    }
}

void operator_states_snapshot(const struct operator_states *states, struct buffer *out)
{
    encode_u16(out, (uint16_t)states->count);
    for (uint32_t i = 0; i < states->count; i++) {
        write_state(states->states[i], 0, states->states[i]->count, out);
    }
}

static enum status read_state(struct operator_states *states, struct decoder *decoder)
{
    struct bytes name = decode_bytes(decoder);
    uint8_t mode = decode_u8(decoder);
    uint32_t count = decode_u32(decoder);
    if (decoder->failed || mode >= STATE_MODE_COUNT || memchr(name.data, 0, name.size) != NULL) {
        return STATUS_CORRUPT;
    }
    char *text = arena_format(states->arena, "%.*s", (int)name.size, (const char *)name.data);
    struct operator_state *state = declare(states, text, (enum operator_state_mode)mode);
    arena_free(states->arena, text);
    for (uint32_t i = 0; state != NULL && i < count && !decoder->failed; i++) {
        struct bytes key = decode_bytes(decoder);
        struct bytes value = decode_bytes(decoder);
        if (!decoder->failed) {
            insert(state, state->count, key, value);
        }
    }
    return state == NULL || decoder->failed ? STATUS_CORRUPT : STATUS_OK;
}

enum status operator_states_restore(struct operator_states *states, struct bytes snapshot)
{
    struct decoder decoder;
    decoder_init(&decoder, snapshot);
    uint32_t count = decode_u16(&decoder);
    for (uint32_t i = 0; i < count; i++) {
        enum status status = read_state(states, &decoder);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return decoder_finish(&decoder);
}

/* ---- redistribution -------------------------------------------------------------------------- */

/* The states of all old subtasks that had any, and the names of all. */
struct deal {
    struct operator_states **old; /* NULL: it had finished */
    uint32_t old_count;
    uint32_t new_count;
    struct operator_states *all; /* every state, with the items of all subtasks in their order */
    uint32_t first_receiver;     /* STATE_SPLIT: who gets the first run of the next state */
};

static const struct operator_state *state_of(const struct operator_states *states, const char *name)
{
    uint32_t at = find_state(states, name);
    bool is_there = at < states->count && strcmp(states->states[at]->name, name) == 0;
    return is_there ? states->states[at] : NULL;
}

/* The copy of a broadcast state for subtask `subtask`. */
static const struct operator_state *copy_for(const struct deal *deal, const char *name,
                                             uint32_t subtask)
{
    const struct operator_state *present[2] = { NULL, NULL }; /* its own; the one in turn */
    uint32_t count = 0;
    for (uint32_t i = 0; i < deal->old_count; i++) {
        count += deal->old[i] != NULL && state_of(deal->old[i], name) != NULL;
    }
    uint32_t turn = 0;
    for (uint32_t i = 0; i < deal->old_count; i++) {
        const struct operator_state *state =
            deal->old[i] == NULL ? NULL : state_of(deal->old[i], name);
        if (state == NULL) {
            continue;
        }
        if (i == subtask && deal->old_count == deal->new_count) {
            present[0] = state;
        }
        if (turn++ == subtask % count) {
            present[1] = state;
        }
    }
    return present[0] != NULL ? present[0] : present[1];
}

static void deal_split(struct deal *deal, const struct operator_state *all, struct buffer *parts)
{
    size_t each = all->count / deal->new_count;
    uint32_t extra = (uint32_t)(all->count % deal->new_count);
    size_t first = 0;
    for (uint32_t i = 0; i < deal->new_count; i++) {
        uint32_t receiver = (deal->first_receiver + i) % deal->new_count;
        size_t count = each + (i < extra);
        write_state(all, first, count, &parts[receiver]);
        first += count;
    }
    CHECK(first == all->count);
    deal->first_receiver = (deal->first_receiver + extra) % deal->new_count;
}

static void deal_state(struct deal *deal, const struct operator_state *all, struct buffer *parts)
{
    bool is_same = deal->old_count == deal->new_count;
    if (all->mode == STATE_SPLIT && !is_same) {
        deal_split(deal, all, parts);
        return;
    }
    for (uint32_t i = 0; i < deal->new_count; i++) {
        const struct operator_state *state = all;
        if (all->mode == STATE_BROADCAST) {
            state = copy_for(deal, all->name, i);
        } else if (all->mode == STATE_SPLIT) {
            state = deal->old[i] == NULL ? NULL : state_of(deal->old[i], all->name);
        }
        struct operator_state none = { .name = all->name, .mode = all->mode };
        state = state == NULL ? &none : state;
        write_state(state, 0, state->count, &parts[i]);
    }
}

enum status operator_states_redistribute(const struct bytes *old, uint32_t old_count,
                                         struct buffer *parts, uint32_t new_count)
{
    CHECK(new_count > 0);
    struct arena scratch;
    arena_init(&scratch);
    struct deal deal = { .old = arena_alloc(&scratch, old_count, sizeof *deal.old),
                         .old_count = old_count,
                         .new_count = new_count,
                         .all = operator_states_create(&scratch) };
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < old_count && status == STATUS_OK; i++) {
        if (old[i].size > 0) {
            deal.old[i] = operator_states_create(&scratch);
            status = operator_states_restore(deal.old[i], old[i]);
        }
        if (old[i].size > 0 && status == STATUS_OK) {
            status = operator_states_restore(deal.all, old[i]);
        }
    }
    for (uint32_t i = 0; i < new_count && status == STATUS_OK; i++) {
        encode_u16(&parts[i], (uint16_t)deal.all->count);
    }
    for (uint32_t i = 0; i < deal.all->count && status == STATUS_OK; i++) {
        deal_state(&deal, deal.all->states[i], parts);
    }
    arena_drop(&scratch);
    return status;
}
