#include "model/state/changelog_backend.h"

#include <stddef.h>

#include "model/base/check.h"
#include "model/state/changelog_private.h"
#include "model/state/snapshot.h"

enum { CHANGES_FEW = 1000 }; /* so many cost little, however few entries there are */

static void destroy(struct backend *backend)
{
    struct changelog_backend *changelog = changelog_of(backend);
    struct arena *arena = changelog->arena;
    while (changelog->snapshots != NULL) {
        struct changelog_snapshot *next = changelog->snapshots->next;
        arena_free(arena, changelog->snapshots);
        changelog->snapshots = next;
    }
    backend_destroy(changelog->inner); /* and the snapshots of its own that were open */
    state_table_free(&changelog->states);
    arena_free(arena, changelog->log_numbers);
    buffer_free(&changelog->name_space);
    buffer_free(&changelog->subkey);
    buffer_free(&changelog->composite);
    change_log_free(&changelog->log);
    arena_free(arena, changelog->bases.items);
    arena_free(arena, changelog);
}

static state_id declare(struct backend *backend, const struct state_descriptor *state)
{
    struct changelog_backend *changelog = changelog_of(backend);
    state_id id = backend_declare(changelog_inner(changelog), state);
    changelog_note_failure(changelog);
    if (id == STATE_REFUSED) {
        return STATE_REFUSED;
    }
    uint16_t number = state_table_declare(&changelog->states, state);
    CHECK(number != STATE_REFUSED); /* it knows less than the inner one */
    changelog->log_numbers =
        arena_grow(changelog->arena, changelog->log_numbers, &changelog->log_number_capacity,
                   (size_t)id + 1, sizeof *changelog->log_numbers);
    changelog->log_numbers[id] = number;
    return id;
}

static struct bytes refusal(const struct backend *backend)
{
    return backend_refusal(changelog_of_const(backend)->inner);
}

/* ---- entries --------------------------------------------------------------------------------- */

static void note_key(struct changelog_backend *changelog, uint32_t key_group, struct bytes key)
{
    changelog->key_group = key_group;
    changelog->key = key;
    buffer_reset(&changelog->name_space);
    buffer_reset(&changelog->subkey);
}

static void set_key(struct backend *backend, uint32_t key_group, struct bytes key)
{
    struct changelog_backend *changelog = changelog_of(backend);
    backend_set_key(changelog_inner(changelog), key_group, key);
    note_key(changelog, key_group, key);
}

static void foresee(struct backend *backend, struct backend_key *keys, uint32_t count)
{
    backend_foresee(changelog_of(backend)->inner, keys, count);
}

static void set_foreseen(struct backend *backend, const struct backend_key *key)
{
    struct changelog_backend *changelog = changelog_of(backend);
    backend_set_foreseen(changelog_inner(changelog), key);
    note_key(changelog, key->key_group, *key->bytes);
}

static void set_namespace(struct backend *backend, struct bytes name_space)
{
    struct changelog_backend *changelog = changelog_of(backend);
    backend_set_namespace(changelog_inner(changelog), name_space);
    buffer_reset(&changelog->name_space);
    buffer_append(&changelog->name_space, name_space);
}

static void set_subkey(struct backend *backend, struct bytes subkey)
{
    struct changelog_backend *changelog = changelog_of(backend);
    backend_set_subkey(changelog_inner(changelog), subkey);
    buffer_reset(&changelog->subkey);
    buffer_append(&changelog->subkey, subkey);
}

static struct bytes get(struct backend *backend, state_id state)
{
    struct changelog_backend *changelog = changelog_of(backend);
    struct bytes value = backend_get(changelog_inner(changelog), state);
    changelog_note_failure(changelog);
    return value;
}

/* Adds a change of the entry `key` to the log, if anything may go on from there (L2). */
static void log_change(struct changelog_backend *changelog, enum change_kind kind, state_id state,
                       uint32_t key_group, struct bytes key, struct bytes value)
{
    if (changelog->is_logging) {
        change_log_add(&changelog->log, kind, (uint16_t)key_group, changelog->log_numbers[state],
                       key, value);
    }
}

/* The same for the current entry. Before it is done: the value may be one that get has lent out,
 * and then a change takes it back. */
static void note_change(struct changelog_backend *changelog, enum change_kind kind, state_id state,
                        struct bytes value)
{
    CHECK(state < changelog->log_number_capacity); /* it was declared */
    changelog->is_used = true;
    const struct state_descriptor *descriptor =
        &changelog->states.states[changelog->log_numbers[state]];
    struct bytes key = changelog->key;
    if (!state_is_plain(descriptor)) {
        struct entry_key at = { .key = key,
                                .name_space = buffer_bytes(&changelog->name_space),
                                .subkey = buffer_bytes(&changelog->subkey) };
        buffer_reset(&changelog->composite);
        entry_key_write(&changelog->composite, descriptor, &at);
        key = buffer_bytes(&changelog->composite);
    }
    log_change(changelog, kind, state, changelog->key_group, key, value);
}

static void put(struct backend *backend, state_id state, struct bytes value)
{
    struct changelog_backend *changelog = changelog_of(backend);
    note_change(changelog, CHANGE_PUT, state, value);
    backend_put(changelog_inner(changelog), state, value);
    changelog_note_failure(changelog);
}

/* The log has the sum: it tells what entries hold, not what was done to them. */
static uint64_t add(struct backend *backend, state_id state, uint64_t amount)
{
    struct changelog_backend *changelog = changelog_of(backend);
    uint64_t sum = backend_add(changelog_inner(changelog), state, amount);
    uint8_t room[sizeof sum];
    store_u64(room, sum);
    note_change(changelog, CHANGE_PUT, state, (struct bytes){ .data = room, .size = sizeof room });
    changelog_note_failure(changelog);
    return sum;
}

static void append(struct backend *backend, state_id state, struct bytes more)
{
    struct changelog_backend *changelog = changelog_of(backend);
    note_change(changelog, CHANGE_APPEND, state, more);
    backend_append(changelog_inner(changelog), state, more);
    changelog_note_failure(changelog);
}

static void remove_entry(struct backend *backend, state_id state)
{
    struct changelog_backend *changelog = changelog_of(backend);
    note_change(changelog, CHANGE_REMOVE, state, (struct bytes){ 0 });
    backend_remove(changelog_inner(changelog), state);
    changelog_note_failure(changelog);
}

static void iterate(struct backend *backend, state_id state, enum backend_scope scope)
{
    struct changelog_backend *changelog = changelog_of(backend);
    backend_iterate(changelog_inner(changelog), state, scope);
    changelog_note_failure(changelog);
}

static bool next(struct backend *backend, state_id state, struct backend_entry *entry)
{
    struct changelog_backend *changelog = changelog_of(backend);
    bool has_entry = backend_next(changelog_inner(changelog), state, entry);
    changelog_note_failure(changelog);
    return has_entry;
}

/* The inner backend is about to drop an entry: so the log must say, or a restore brings it back. */
static void on_expired(struct backend_witness *witness, state_id state, uint32_t key_group,
                       struct bytes key, struct bytes left)
{
    struct changelog_backend *changelog =
        (struct changelog_backend *)(void *)((char *)witness -
                                             offsetof(struct changelog_backend, witness));
    log_change(changelog, left.data == NULL ? CHANGE_REMOVE : CHANGE_PUT, state, key_group, key,
               left);
}

static void expire(struct backend *backend, uint32_t count)
{
    struct changelog_backend *changelog = changelog_of(backend);
    backend_expire(changelog_inner(changelog), count);
    changelog_note_failure(changelog);
}

static uint64_t entry_count(const struct backend *backend)
{
    return backend_entry_count(changelog_of_const(backend)->inner);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static struct changelog_snapshot *snapshot_of(struct backend_snapshot *snapshot)
{
    CHECK(snapshot->backend->ops == &changelog_backend_ops);
    return (struct changelog_snapshot *)(void *)snapshot;
}

bool changelog_has_used(const struct changelog_backend *changelog, const struct snapshot_base *base,
                        uint64_t numerator, uint64_t denominator)
{
    uint64_t changes = base->entry_count + (changelog->log.end.changes - base->log_end.changes);
    uint64_t changes_max = 3 * (backend_entry_count(changelog->inner) + CHANGES_FEW);
    return base->part_count * denominator >= changelog->options.parts_max * numerator ||
           changes * denominator > changes_max * numerator;
}

void changelog_trim(struct changelog_backend *changelog)
{
    const struct materialisation *materialisation = &changelog->materialisation;
    struct log_position wanted = changelog->log.end;
    if (materialisation->base.id != 0) {
        wanted = materialisation->base.log_end;
    }
    for (uint32_t i = 0; i < changelog->bases.count; i++) {
        struct log_position from = changelog->bases.items[i].log_end;
        wanted = from.bytes < wanted.bytes ? from : wanted;
    }
    for (const struct changelog_snapshot *open = changelog->snapshots; open != NULL;
         open = open->next) {
        wanted = open->from.bytes < wanted.bytes ? open->from : wanted;
    }
    change_log_trim(&changelog->log, wanted);
}

/* The snapshot writes the log since `base`, or what its draft does not hold of that (L5). */
static void write_log_since(struct changelog_backend *changelog,
                            struct changelog_snapshot *snapshot, const struct snapshot_base *base)
{
    snapshot->built_on = *base;
    snapshot->from = base->log_end;
    snapshot->entry_count = snapshot->to.changes - base->log_end.changes;
    if (changelog->draft.is_kept && changelog_draft_fits(changelog, base)) {
        snapshot->takes_log = true;
        snapshot->has_header = true;
        snapshot->from = changelog->draft.to;
        changelog->draft = (struct log_draft){ 0 };
    }
}

static void write_whole(struct changelog_backend *changelog, struct changelog_snapshot *snapshot)
{
    changelog_drop_materialisation(changelog);
    snapshot->whole = backend_snapshot_begin(changelog_inner(changelog), snapshot->id, 0);
    snapshot->entry_count = backend_entry_count(changelog->inner);
    changelog->materialised_ns = changelog->base.now_ns;
}

/* L3, L4 */
static void choose_parts(struct changelog_backend *changelog, struct changelog_snapshot *snapshot,
                         const struct snapshot_base *base)
{
    if (changelog->materialisation.is_kept) {
        snapshot->takes_state = true;
        write_log_since(changelog, snapshot, &changelog->materialisation.base);
        changelog->materialisation = (struct materialisation){ 0 };
    } else if (base != NULL && base->part_count > 0 && !changelog_has_used(changelog, base, 1, 1)) {
        snapshot->kept_count = base->part_count;
        write_log_since(changelog, snapshot, base);
    } else {
        write_whole(changelog, snapshot);
    }
}

/* The id of the part of the log that the snapshot writes (L6). */
static uint64_t log_part_id(const struct changelog_snapshot *snapshot)
{
    return snapshot->built_on.last_part + 1;
}

/* The id of its last part. Known from the beginning: a draft of the log may follow it. */
static uint64_t last_part_id(const struct changelog_snapshot *snapshot)
{
    if (snapshot->whole != NULL) {
        return snapshot->id;
    }
    return snapshot->entry_count > 0 ? log_part_id(snapshot) : snapshot->built_on.last_part;
}

static struct backend_snapshot *snapshot_begin(struct backend *backend, uint64_t id, uint64_t base)
{
    struct changelog_backend *changelog = changelog_of(backend);
    CHECK(id > base);
    CHECK(changelog->epoch < UINT32_MAX);
    struct changelog_snapshot *snapshot = arena_alloc(changelog->arena, 1, sizeof *snapshot);
    *snapshot = (struct changelog_snapshot){ .base = { .backend = backend },
                                             .next = changelog->snapshots,
                                             .id = id,
                                             .from = changelog->log.end,
                                             .to = changelog->log.end,
                                             .state_count = changelog->states.count };
    snapshot_bases_forget_below(&changelog->bases, base);
    choose_parts(changelog, snapshot,
                 base == 0 ? NULL : snapshot_bases_find(&changelog->bases, base));
    changelog->newest_id = id;
    changelog->has_tried = false;
    if (changelog->options.parts_max > 1) {
        snapshot_bases_add(&changelog->bases, changelog->arena,
                           (struct snapshot_base){ .id = id,
                                                   .epoch = ++changelog->epoch,
                                                   .last_part = last_part_id(snapshot),
                                                   .log_end = changelog->log.end });
        changelog->is_logging = true;
    }
    changelog->snapshots = snapshot;
    changelog_trim(changelog);
    changelog_note_failure(changelog);
    return &snapshot->base;
}

static bool snapshot_keeps(const struct backend_snapshot *base, uint32_t part)
{
    CHECK(base->backend->ops == &changelog_backend_ops);
    return part < ((const struct changelog_snapshot *)(const void *)base)->kept_count;
}

static bool snapshot_takes(const struct backend_snapshot *base, enum backend_draft draft)
{
    const struct changelog_snapshot *snapshot = (const void *)base;
    CHECK(base->backend->ops == &changelog_backend_ops);
    return draft == DRAFT_STATE ? snapshot->takes_state : snapshot->takes_log;
}

/* Writes more of the log; true at its end. No changes, no part. */
static bool step_log(struct changelog_snapshot *snapshot, struct buffer *out, size_t limit_bytes)
{
    const struct changelog_backend *changelog = changelog_of_const(snapshot->base.backend);
    if (snapshot->entry_count == 0) {
        return true;
    }
    if (!snapshot->has_header) {
        snapshot_write_header(out, log_part_id(snapshot), snapshot->built_on.last_part,
                              changelog->states.states, snapshot->state_count);
        snapshot->has_header = true;
    }
    if (snapshot->from.bytes < snapshot->to.bytes) {
        change_log_copy(&changelog->log, &snapshot->from, snapshot->to, out, limit_bytes);
    }
    if (snapshot->from.bytes < snapshot->to.bytes) {
        return false;
    }
    snapshot_write_trailer(out, snapshot->entry_count);
    return true;
}

/* Makes the snapshot one that others can build on. */
static void complete(struct changelog_backend *changelog, struct changelog_snapshot *snapshot)
{
    bool has_new = snapshot->whole != NULL || snapshot->has_header;
    snapshot->is_done = true;
    struct snapshot_base *base = snapshot_bases_find(&changelog->bases, snapshot->id);
    if (base != NULL) {
        base->part_count = snapshot->kept_count + snapshot->takes_state + has_new;
        CHECK(base->last_part == last_part_id(snapshot));
        base->entry_count = snapshot->built_on.entry_count + snapshot->entry_count;
    }
}

static enum backend_step snapshot_step(struct backend_snapshot *base, struct buffer *out,
                                       size_t limit_bytes)
{
    struct changelog_snapshot *snapshot = snapshot_of(base);
    struct changelog_backend *changelog = changelog_of(base->backend);
    CHECK(!snapshot->is_done);
    enum backend_step left;
    if (snapshot->whole != NULL) {
        left = backend_snapshot_step(snapshot->whole, out, limit_bytes);
        changelog_note_failure(changelog);
    } else {
        left = step_log(snapshot, out, limit_bytes) ? BACKEND_DONE : BACKEND_MORE;
    }
    CHECK(left != BACKEND_NEXT); /* a whole snapshot is one part */
    if (left == BACKEND_DONE) {
        complete(changelog, snapshot);
    }
    return left;
}

static void snapshot_end(struct backend_snapshot *base)
{
    struct changelog_snapshot *snapshot = snapshot_of(base);
    struct changelog_backend *changelog = changelog_of(base->backend);
    struct changelog_snapshot **link = &changelog->snapshots;
    while (*link != snapshot) {
        CHECK(*link != NULL);
        link = &(*link)->next;
    }
    *link = snapshot->next;
    if (snapshot->whole != NULL) {
        backend_snapshot_end(snapshot->whole);
    }
    if (!snapshot->is_done) {
        snapshot_bases_forget(&changelog->bases, snapshot->id);
    }
    arena_free(changelog->arena, snapshot);
    changelog_trim(changelog);
}

static void snapshot_lost(struct backend *backend, uint64_t id)
{
    struct changelog_backend *changelog = changelog_of(backend);
    snapshot_bases_forget(&changelog->bases, id);
    changelog_trim(changelog);
}

/* ---- restore --------------------------------------------------------------------------------- */

/* The base that was restored from sound parts: what follows it is the log from now on. */
static struct snapshot_base restored_base(const struct changelog_backend *changelog, uint64_t id,
                                          struct part_source *const *parts, uint32_t part_count)
{
    struct snapshot_base base = {
        .id = id, .epoch = changelog->epoch, .part_count = part_count, .log_end = changelog->log.end
    };
    for (uint32_t i = 0; i < part_count; i++) {
        base.last_part = parts[i]->id;
        base.entry_count += parts[i]->entry_count;
    }
    return base;
}

static enum status restore(struct backend *backend, uint64_t id, struct part_source *const *parts,
                           uint32_t part_count)
{
    struct changelog_backend *changelog = changelog_of(backend);
    CHECK(changelog->snapshots == NULL);
    CHECK(changelog->materialisation.base.id == 0);
    bool is_alone = !changelog->is_used;
    enum status status = backend_restore(changelog_inner(changelog), id, parts, part_count);
    changelog_note_failure(changelog);
    snapshot_bases_forget_all(&changelog->bases);
    changelog->is_used = true;
    changelog->key = (struct bytes){ 0 };
    changelog->epoch++;
    changelog->is_logging = false;
    changelog->newest_id = id;
    if (is_alone && changelog->options.parts_max > 1 && status == STATUS_OK) {
        snapshot_bases_add(&changelog->bases, changelog->arena,
                           restored_base(changelog, id, parts, part_count));
        changelog->is_logging = true;
        changelog->materialised_ns = changelog->base.now_ns;
    }
    return status;
}

const struct backend_ops changelog_backend_ops = {
    .destroy = destroy,
    .declare = declare,
    .set_key = set_key,
    .foresee = foresee,
    .set_foreseen = set_foreseen,
    .set_namespace = set_namespace,
    .set_subkey = set_subkey,
    .get = get,
    .put = put,
    .add = add,
    .append = append,
    .remove = remove_entry,
    .iterate = iterate,
    .next = next,
    .expire = expire,
    .refusal = refusal,
    .snapshot_begin = snapshot_begin,
    .snapshot_keeps = snapshot_keeps,
    .snapshot_step = snapshot_step,
    .snapshot_end = snapshot_end,
    .snapshot_lost = snapshot_lost,
    .snapshot_takes = snapshot_takes,
    .draft_is_due = changelog_draft_is_due,
    .draft_step = changelog_draft_step,
    .draft_kept = changelog_draft_kept,
    .draft_lost = changelog_draft_lost,
    .restore = restore,
    .entry_count = entry_count,
};

struct backend *changelog_backend_create(struct arena *arena, struct backend *inner,
                                         const struct changelog_options *options)
{
    CHECK(options->parts_max > 0);
    CHECK(backend_entry_count(inner) == 0);
    struct changelog_backend *changelog = arena_alloc(arena, 1, sizeof *changelog);
    changelog->base =
        (struct backend){ .ops = &changelog_backend_ops, .failure = backend_failure(inner) };
    changelog->arena = arena;
    changelog->inner = inner;
    changelog->witness.on_expired = on_expired;
    inner->witness = &changelog->witness;
    changelog->options = *options;
    state_table_init(&changelog->states, arena);
    buffer_init(&changelog->name_space, arena);
    buffer_init(&changelog->subkey, arena);
    buffer_init(&changelog->composite, arena);
    change_log_init(&changelog->log, arena);
    return &changelog->base;
}

const struct backend *changelog_backend_inner(const struct backend *backend)
{
    return changelog_of_const(backend)->inner;
}

void changelog_backend_check(const struct backend *backend)
{
    const struct changelog_backend *changelog = changelog_of_const(backend);
    const struct change_log *log = &changelog->log;
    CHECK(log->end.bytes - log->start.bytes == log->bytes.size);
    CHECK(changelog->is_logging || log->end.changes == 0);
    for (uint32_t i = 0; i < changelog->bases.count; i++) {
        CHECK(changelog->bases.items[i].log_end.bytes >= log->start.bytes);
        CHECK(changelog->bases.items[i].log_end.bytes <= log->end.bytes);
        CHECK(changelog->bases.items[i].part_count <= changelog->options.parts_max);
    }
    changelog_drafts_check(changelog);
    for (const struct changelog_snapshot *open = changelog->snapshots; open != NULL;
         open = open->next) {
        CHECK(open->from.bytes >= log->start.bytes);
        CHECK(open->to.bytes <= log->end.bytes);
    }
}
