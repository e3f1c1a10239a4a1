#include "model/runtime/state_assignment.h"

#include "model/base/check.h"
#include "model/state/key_group.h"
#include "model/stream/operator_state.h"

/* ---- operator state -------------------------------------------------------------------------- */

/* The states of each old subtask's operators: bytes[subtask * chain_length + operator]. */
static enum status read_operators(struct arena *arena, const struct manifest_vertex *old,
                                  uint32_t chain_length, struct bytes **read)
{
    struct bytes *bytes =
        arena_alloc(arena, (size_t)old->parallelism * chain_length, sizeof *bytes);
    *read = bytes;
    for (uint32_t i = 0; i < old->parallelism; i++) {
        struct decoder decoder;
        if (old->subtasks[i].finished || old->subtasks[i].operators.size == 0) {
            continue;
        }
        decoder_init(&decoder, old->subtasks[i].operators);
        if (decode_u16(&decoder) != chain_length) {
            return STATUS_CORRUPT;
        }
        for (uint32_t k = 0; k < chain_length; k++) {
            bytes[i * chain_length + k] = decode_bytes(&decoder);
        }
        if (decoder_finish(&decoder) != STATUS_OK) {
            return STATUS_CORRUPT;
        }
    }
    return STATUS_OK;
}

/* Appends operator number `operator` of every new subtask to `out`. */
static enum status assign_operator(struct arena *arena, const struct bytes *read,
                                   uint32_t old_count, uint32_t chain_length, uint32_t operator,
                                   struct buffer * out, uint32_t count)
{
    struct bytes *old = arena_alloc(arena, old_count, sizeof *old);
    struct buffer *parts = arena_alloc(arena, count, sizeof *parts);
    bool has_any = false;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < old_count; i++) {
        old[i] = read[i * chain_length + operator];
        has_any = has_any || old[i].size > 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        buffer_init(&parts[i], arena);
    }
    if (has_any) {
        status = operator_states_redistribute(old, old_count, parts, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        encode_bytes(&out[i], buffer_bytes(&parts[i]));
        buffer_free(&parts[i]);
    }
    arena_free(arena, parts);
    arena_free(arena, old);
    return status;
}

static enum status assign_operators(struct arena *arena, const struct manifest_vertex *old,
                                    uint32_t chain_length, uint32_t parallelism,
                                    struct assigned_state *assigned)
{
    struct bytes *read;
    struct buffer *out = arena_alloc(arena, parallelism, sizeof *out);
    enum status status = read_operators(arena, old, chain_length, &read);
    for (uint32_t i = 0; i < parallelism; i++) {
        buffer_init(&out[i], arena);
        encode_u16(&out[i], (uint16_t)chain_length);
    }
    for (uint32_t k = 0; k < chain_length && status == STATUS_OK; k++) {
        status = assign_operator(arena, read, old->parallelism, chain_length, k, out, parallelism);
    }
    for (uint32_t i = 0; i < parallelism; i++) {
        assigned[i].operators = buffer_bytes(&out[i]);
    }
    arena_free(arena, read);
    arena_free(arena, out);
    return status;
}

/* ---- keyed state ----------------------------------------------------------------------------- */

static void assign_keyed(struct arena *arena, const struct manifest_vertex *old,
                         uint32_t max_parallelism, uint32_t parallelism,
                         struct assigned_state *assigned)
{
    for (uint32_t i = 0; i < parallelism; i++) {
        struct key_group_range own = key_group_range_of(i, max_parallelism, parallelism);
        uint32_t first = key_group_subtask(own.first, max_parallelism, old->parallelism);
        uint32_t last = key_group_subtask(own.last, max_parallelism, old->parallelism);
        CHECK(last < old->parallelism);
        assigned[i].keyed = arena_alloc(arena, last - first + 1, sizeof *assigned[i].keyed);
        for (uint32_t k = first; k <= last; k++) {
            if (old->subtasks[k].keyed.part_count > 0) {
                assigned[i].keyed[assigned[i].keyed_count++] = old->subtasks[k].keyed;
            }
        }
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

enum status state_assign(struct arena *arena, const struct manifest_vertex *old,
                         uint32_t chain_length, uint32_t max_parallelism, uint32_t parallelism,
                         struct assigned_state *assigned)
{
    CHECK(parallelism > 0);
    CHECK(parallelism <= max_parallelism);
    uint32_t finished_count = 0;
    for (uint32_t i = 0; i < old->parallelism; i++) {
        finished_count += old->subtasks[i].finished;
    }
    for (uint32_t i = 0; i < parallelism; i++) {
        assigned[i] = (struct assigned_state){ .finished = finished_count == old->parallelism };
    }
    if (old->parallelism > max_parallelism) {
        return STATUS_CORRUPT;
    }
    assign_keyed(arena, old, max_parallelism, parallelism, assigned);
    if (finished_count == old->parallelism) {
        return STATUS_OK;
    }
    enum status status = assign_operators(arena, old, chain_length, parallelism, assigned);
    for (uint32_t i = 0; i < parallelism && parallelism == old->parallelism; i++) {
        if (old->subtasks[i].finished) {
            assigned[i] = (struct assigned_state){ .finished = true };
        }
    }
    return status;
}

void assigned_state_encode(struct buffer *out, const struct assigned_state *state)
{
    encode_u8(out, state->finished);
    encode_bytes(out, state->operators);
    encode_u32(out, state->keyed_count);
    for (uint32_t i = 0; i < state->keyed_count; i++) {
        keyed_state_encode(out, &state->keyed[i]);
    }
}

void assigned_state_decode(struct decoder *decoder, struct arena *arena,
                           struct assigned_state *state)
{
    *state = (struct assigned_state){ .finished = decode_u8(decoder) != 0 };
    state->operators = decode_bytes(decoder);
    uint32_t count = decode_u32(decoder);
    if (decoder->failed || count > decoder->size - decoder->position) {
        decoder->failed = true;
        return;
    }
    state->keyed = arena_alloc(arena, count, sizeof *state->keyed);
    for (; state->keyed_count < count && !decoder->failed; state->keyed_count++) {
        keyed_state_decode(decoder, &state->keyed[state->keyed_count]);
    }
}

uint64_t assigned_state_bytes(const struct assigned_state *state)
{
    uint64_t bytes = state->operators.size;
    for (uint32_t i = 0; i < state->keyed_count; i++) {
        bytes += state->keyed[i].size_bytes;
    }
    return bytes;
}
