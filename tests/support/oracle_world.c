#include "tests/support/oracle_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/hash.h"
#include "model/checkpoint/manifest.h"
#include "model/state/key_group.h"
#include "model/state/snapshot.h"
#include "tests/support/keyed.h"

enum { CLIENT = 1, STEP_NS = 10000000 };

void oracle_world_init(struct oracle_world *world)
{
    *world = (struct oracle_world){ .attempt = 1 };
    arena_init(&world->arena);
    world->disk = disk_create(&world->arena);
    for (size_t i = 0; i < sizeof world->input / 2; i++) {
        world->input[2 * i] = (uint8_t)('0' + i * i % 7 + (i % 5 == 0 ? 3 : 0));
        world->input[2 * i + 1] = '\n';
    }
    struct scenario *scenario = &world->scenario;
    scenario->name = "false-run";
    scenario->job.job = "count";
    scenario->job.parallelism = ORACLE_PARALLELISM;
    scenario->job.max_parallelism = 128;
    scenario->job.input = (struct input_config){ .kind = INPUT_FILE, .file = "input/digits.txt" };
    scenario->job.checkpoint.interval_ns = ORACLE_SECOND;
    scenario->job.checkpoint.timeout_ns = 10 * ORACLE_SECOND;
    scenario->job.checkpoint.max_concurrent = 1;
    scenario->job.checkpoint.retained = 1;
    scenario->job.checkpoint.mode = MODE_EXACTLY_ONCE;
    scenario->job.heartbeat_interval_ns = ORACLE_SECOND;
    scenario->job.heartbeat_timeout_ns = 5 * ORACLE_SECOND;
    scenario->job.restart.strategy = RESTART_FIXED_DELAY;
    scenario->job.restart.attempts = UINT32_MAX;
    scenario->job.restore_tries = 3;
    scenario->expect.result = EXPECT_SAME;
}

void oracle_world_free(struct oracle_world *world)
{
    disk_check(world->disk);
    arena_drop(&world->arena);
}

void oracle_world_start(struct oracle_world *world)
{
    world->oracle =
        oracle_create(&world->arena, &world->scenario, world->disk,
                      (struct bytes){ .data = world->input, .size = sizeof world->input });
    oracle_tell_of(world, FACT_JOB_MANAGER_STARTED, 0, 0);
    oracle_tell(world, FACT_RESTORE_CHOSEN, 0);
    oracle_tell(world, FACT_JOB_DEPLOYED, 0);
    oracle_restore_subtasks(world);
    oracle_tell(world, FACT_JOB_RUNNING, 0);
}

/* The digit of a line; -1: it is bad. */
static int digit_of(const struct oracle_world *world, uint64_t line)
{
    int digit = world->input[2 * line] - '0';
    return digit >= 0 && digit < ORACLE_KEYS ? digit : -1;
}

struct oracle_cut oracle_cut_at(const struct oracle_world *world, uint64_t lines0, uint64_t lines1)
{
    struct oracle_cut cut = { .lines = { lines0, lines1 } };
    CHECK(lines0 <= ORACLE_LINES_EACH && lines1 <= ORACLE_LINES_EACH);
    for (uint32_t source = 0; source < ORACLE_PARALLELISM; source++) {
        for (uint64_t i = 0; i < cut.lines[source]; i++) {
            int digit = digit_of(world, source * ORACLE_LINES_EACH + i);
            if (digit >= 0) {
                cut.counts[digit]++;
            }
        }
    }
    return cut;
}

/* Whatever is deployed is deployed at the scenario's parallelism. */
void oracle_tell_of(struct oracle_world *world, enum fact_kind kind, uint64_t attempt,
                    uint64_t checkpoint)
{
    world->now_ns += STEP_NS;
    struct fact_event event = {
        .time_ns = world->now_ns,
        .fact = { .kind = kind,
                  .vertex = kind == FACT_SINK_COMMITTED ? 1 : FACT_NO_TASK,
                  .subtask = kind == FACT_SINK_COMMITTED ? 0 : FACT_NO_TASK,
                  .attempt = attempt,
                  .checkpoint = checkpoint,
                  .text = bytes_of_text(kind == FACT_JOB_FAILED ? "no restart is left" : "") },
    };
    if (kind == FACT_JOB_DEPLOYED) {
        event.fact.values[0] = world->scenario.job.parallelism;
        event.fact.values[1] = world->scenario.job.max_parallelism;
    }
    oracle_on_fact(world->oracle, &event);
}

void oracle_tell_values(struct oracle_world *world, enum fact_kind kind, uint64_t value0,
                        uint64_t value1)
{
    world->now_ns += STEP_NS;
    struct fact_event event = { .time_ns = world->now_ns,
                                .fact = { .kind = kind,
                                          .vertex = FACT_NO_TASK,
                                          .subtask = FACT_NO_TASK,
                                          .attempt = world->attempt,
                                          .values = { value0, value1 } } };
    oracle_on_fact(world->oracle, &event);
}

void oracle_tell_task(struct oracle_world *world, enum fact_kind kind, uint32_t vertex,
                      uint32_t subtask, uint64_t checkpoint)
{
    struct fact_event event = { .time_ns = world->now_ns,
                                .fact = { .kind = kind,
                                          .vertex = vertex,
                                          .subtask = subtask,
                                          .attempt = world->attempt,
                                          .checkpoint = checkpoint } };
    oracle_on_fact(world->oracle, &event);
}

void oracle_tell_why(struct oracle_world *world, enum fact_kind kind, uint64_t checkpoint,
                     uint64_t value, const char *why)
{
    world->now_ns += STEP_NS;
    struct fact_event event = { .time_ns = world->now_ns,
                                .fact = { .kind = kind,
                                          .vertex = FACT_NO_TASK,
                                          .subtask = FACT_NO_TASK,
                                          .attempt = world->attempt,
                                          .checkpoint = checkpoint,
                                          .values = { value },
                                          .text = bytes_of_text(why) } };
    oracle_on_fact(world->oracle, &event);
}

void oracle_restore_subtasks(struct oracle_world *world)
{
    for (uint32_t i = 0; i < 2 * ORACLE_PARALLELISM; i++) {
        oracle_tell_task(world, FACT_TASK_RESTORED, i / ORACLE_PARALLELISM, i % ORACLE_PARALLELISM,
                         0);
    }
}

void oracle_tell(struct oracle_world *world, enum fact_kind kind, uint64_t checkpoint)
{
    oracle_tell_of(world, kind, world->attempt, checkpoint);
}

void oracle_wait(struct oracle_world *world, uint64_t duration_ns)
{
    world->now_ns += duration_ns;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static uint32_t owner_of(int64_t key)
{
    return key_group_subtask(key_group_of(key_hash_i64(key), 128), 128, ORACLE_PARALLELISM);
}

/* Is `path` one in the memory of the JobManager, as the scenario has it? */
static bool is_in_memory(const struct oracle_world *world, const char *path)
{
    return world->scenario.job.checkpoint.store == STORE_MEMORY &&
           strncmp(path, STORE_ROOT "/", strlen(STORE_ROOT "/")) == 0;
}

static void tell_blob(struct oracle_world *world, enum fact_kind kind, const char *path,
                      struct bytes content)
{
    struct fact_event event = { .time_ns = world->now_ns,
                                .fact = { .kind = kind,
                                          .vertex = FACT_NO_TASK,
                                          .subtask = FACT_NO_TASK,
                                          .values = { content.size },
                                          .text = bytes_of_text(path),
                                          .content = content } };
    if (world->is_live) {
        event.fact.content = (struct bytes){ 0 };
    }
    oracle_on_fact(world->oracle, &event);
}

static void write_bytes(struct oracle_world *world, const char *path, struct bytes content)
{
    if (is_in_memory(world, path)) {
        tell_blob(world, FACT_BLOB_PUT, path, content);
        return;
    }
    char directory[128];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t size = (size_t)(slash - path);
        CHECK(size < sizeof directory);
        memcpy(directory, path, size);
        directory[size] = '\0';
        enum status status = disk_make_dir(world->disk, CLIENT, directory);
        CHECK(status == STATUS_OK || status == STATUS_EXISTS);
    }
    struct disk_file *file;
    CHECK(disk_open(world->disk, CLIENT, path, true, true, &file) == STATUS_OK);
    CHECK(disk_write(world->disk, CLIENT, file, 0, content) == STATUS_OK);
    disk_sync(world->disk, file);
    disk_close(world->disk, file);
}

/* The keys of a subtask sorted by key group, as a backend writes them. */
static void encode_counts(const struct oracle_cut *cut, uint32_t subtask, struct buffer *out)
{
    struct state_descriptor state = state_of_bytes("count");
    uint64_t entries = 0;
    snapshot_write_header(out, 1, 0, &state, 1);
    for (uint32_t group = 0; group < 128; group++) {
        for (int64_t key = 0; key <= ORACLE_KEYS + cut->extra_more; key++) {
            bool is_extra = key >= ORACLE_KEYS;
            int64_t real = is_extra ? cut->extra_key + key - ORACLE_KEYS : key;
            int64_t count = is_extra ? cut->extra_key != 0 : cut->counts[key];
            if (count == 0 || owner_of(real) != subtask ||
                key_group_of(key_hash_i64(real), 128) != group) {
                continue;
            }
            snapshot_write_entry(
                out, (uint16_t)group, 0,
                (struct bytes){ .data = (const uint8_t *)&real, .size = sizeof real },
                (struct bytes){ .data = (const uint8_t *)&count, .size = sizeof count });
            entries++;
        }
    }
    snapshot_write_trailer(out, entries);
}

static void encode_source(const struct oracle_world *world, const struct oracle_cut *cut,
                          uint32_t subtask, struct buffer *out)
{
    uint64_t first = subtask * ORACLE_LINES_EACH;
    uint64_t bad = 0;
    for (uint64_t i = 0; i < cut->lines[subtask] && i < ORACLE_LINES_EACH; i++) {
        bad += digit_of(world, first + i) < 0;
    }
    bool is_off = subtask == 0;
    encode_u16(out, 2);  /* source and map, which has no state */
    encode_u32(out, 53); /* of which the item is 28 */
    encode_u16(out, 1);  /* one state: its name, its mode, one item without a key */
    encode_bytes(out, bytes_of_text("splits"));
    encode_u8(out, 0);
    encode_u32(out, 1);
    encode_u32(out, 0);
    encode_u32(out, 28);
    encode_u32(out, subtask);
    encode_u64(out, 2 * (cut->lines[subtask] + first) + (uint64_t)(is_off ? cut->position_off : 0));
    encode_u64(out, cut->lines[subtask] + (uint64_t)(is_off ? cut->records_off : 0));
    encode_u64(out, bad + (uint64_t)(is_off ? cut->bad_off : 0));
    encode_u32(out, 0);
}

static void put_count(struct buffer *out, int64_t key, int64_t count)
{
    uint16_t group = (uint16_t)key_group_of(key_hash_i64(key), 128);
    snapshot_write_entry(out, group, 0, (struct bytes){ (const uint8_t *)&key, sizeof key },
                         (struct bytes){ (const uint8_t *)&count, sizeof count });
}

/* A key of `subtask` and `group` that no input has, or 0. */
static int64_t stale_key(uint32_t subtask, uint32_t group)
{
    for (int64_t key = 1000; key < 1100; key++) {
        if (owner_of(key) == subtask) {
            return key_group_of(key_hash_i64(key), 128) == group ? key : 0;
        }
    }
    return 0;
}

/* One of the two parts. */
static struct state_handle write_layer(struct oracle_world *world, uint64_t id, uint64_t follows,
                                       const struct oracle_cut *cut, uint32_t subtask)
{
    struct state_descriptor state = state_of_bytes("count");
    struct buffer out;
    uint64_t entries = 0;
    buffer_init(&out, &world->arena);
    snapshot_write_header(&out, id, follows, &state, 1);
    for (uint32_t group = 0; group < 128; group++) {
        int64_t stale = stale_key(subtask, group);
        if (stale != 0 && follows == 0) {
            put_count(&out, stale, 9);
            entries++;
        } else if (stale != 0 && cut->layers != ORACLE_NO_REMOVAL) {
            snapshot_write_removal(&out, (uint16_t)group, 0,
                                   (struct bytes){ (const uint8_t *)&stale, sizeof stale });
            entries++;
        }
        for (int64_t key = 0; key < ORACLE_KEYS; key++) {
            int64_t count = cut->counts[key] - (follows == 0);
            if (count > 0 && owner_of(key) == subtask &&
                key_group_of(key_hash_i64(key), 128) == group) {
                put_count(&out, key, count);
                entries++;
            }
        }
    }
    snapshot_write_trailer(&out, entries);
    const char *path = oracle_path(world, "checkpoints/shared/chk-%llu/count-%u",
                                   (unsigned long long)id, subtask);
    write_bytes(world, path, buffer_bytes(&out));
    return file_part(path, buffer_bytes(&out));
}

static struct keyed_state layered_state(struct oracle_world *world, uint64_t id,
                                        const struct oracle_cut *cut, uint32_t subtask)
{
    struct state_handle parts[2] = {
        write_layer(world, 1, 0, cut, subtask),
        write_layer(world, cut->layers == ORACLE_FUTURE ? id + 1 : id,
                    cut->layers == ORACLE_GAP ? 2 : 1, cut, subtask),
    };
    return keyed_of(&world->arena, parts, 2);
}

static struct subtask_state count_state(struct oracle_world *world, uint64_t id,
                                        const struct oracle_cut *cut, uint32_t subtask)
{
    struct subtask_state state = { .finished = cut->count_finished[subtask] };
    if (state.finished) {
        return state;
    }
    state.operators = cut->operators[subtask];
    if (cut->layers != ORACLE_WHOLE) {
        state.keyed = layered_state(world, id, cut, subtask);
        return state;
    }
    struct buffer counts;
    buffer_init(&counts, &world->arena);
    encode_counts(cut, cut->swapped_counts ? 1 - subtask : subtask, &counts);
    struct state_handle part = inline_part(buffer_bytes(&counts));
    if (!cut->inline_state) {
        const char *path =
            oracle_path(world, "checkpoints/chk-%llu/count-%u", (unsigned long long)id, subtask);
        write_bytes(world, path, buffer_bytes(&counts));
        part = file_part(path, buffer_bytes(&counts));
    }
    state.keyed = keyed_of(&world->arena, &part, 1);
    return state;
}

void oracle_write_checkpoint(struct oracle_world *world, uint64_t id, const struct oracle_cut *cut)
{
    struct subtask_state sources[ORACLE_PARALLELISM];
    struct subtask_state counts[ORACLE_PARALLELISM];
    for (uint32_t i = 0; i < ORACLE_PARALLELISM; i++) {
        struct buffer operators;
        buffer_init(&operators, &world->arena);
        if (!cut->source_finished[i]) {
            encode_source(world, cut, i, &operators);
        }
        sources[i] = (struct subtask_state){ .finished = cut->source_finished[i],
                                             .operators = buffer_bytes(&operators) };
        counts[i] = count_state(world, id, cut, i);
    }
    struct manifest_vertex vertices[] = {
        { .name = bytes_of_text("source"), .parallelism = ORACLE_PARALLELISM, .subtasks = sources },
        { .name = bytes_of_text("count"), .parallelism = ORACLE_PARALLELISM, .subtasks = counts },
    };
    struct manifest manifest = { .job = bytes_of_text(world->scenario.job.job),
                                 .checkpoint = id,
                                 .attempt = world->attempt,
                                 .max_parallelism = 128,
                                 .vertex_count = 2,
                                 .vertices = vertices };
    struct buffer encoded;
    buffer_init(&encoded, &world->arena);
    manifest_encode(&encoded, &manifest);
    write_bytes(world, oracle_path(world, "checkpoints/chk-%llu/_metadata", (unsigned long long)id),
                buffer_bytes(&encoded));
}

void oracle_trigger(struct oracle_world *world, uint64_t id)
{
    oracle_tell(world, FACT_CHECKPOINT_TRIGGERED, id);
    oracle_tell(world, FACT_ACK_RECEIVED, id);
    oracle_tell(world, FACT_CHECKPOINT_ALL_ACKED, id);
}

void oracle_complete(struct oracle_world *world, uint64_t id)
{
    oracle_tell(world, FACT_MANIFEST_WRITTEN, id);
    oracle_tell(world, FACT_MANIFEST_SYNCED, id);
    oracle_tell(world, FACT_MANIFEST_RENAMED, id);
    oracle_tell(world, FACT_CHECKPOINT_COMPLETED, id);
}

void oracle_commit(struct oracle_world *world, uint64_t id, const struct oracle_cut *cut)
{
    for (uint32_t subtask = 0; subtask < ORACLE_PARALLELISM; subtask++) {
        struct buffer lines;
        buffer_init(&lines, &world->arena);
        for (int64_t key = 0; key < ORACLE_KEYS; key++) {
            for (int64_t count = world->committed.counts[key] + 1;
                 owner_of(key) == subtask && count <= cut->counts[key]; count++) {
                buffer_append_format(&lines, "%lld : %lld\n", (long long)key, (long long)count);
            }
        }
        if (lines.size > 0) {
            write_bytes(world,
                        oracle_path(world, "output/%u/chk-%llu", subtask, (unsigned long long)id),
                        buffer_bytes(&lines));
            oracle_tell(world, FACT_SINK_COMMITTED, id);
        }
    }
    world->committed = *cut;
}

void oracle_checkpoint(struct oracle_world *world, uint64_t id, uint64_t lines0, uint64_t lines1)
{
    if (world->now_ns < id * ORACLE_SECOND) {
        world->now_ns = id * ORACLE_SECOND;
    }
    struct oracle_cut cut = oracle_cut_at(world, lines0, lines1);
    oracle_trigger(world, id);
    oracle_write_checkpoint(world, id, &cut);
    oracle_complete(world, id);
    uint64_t retained = world->scenario.job.checkpoint.retained;
    if (id > retained) {
        oracle_discard(world, id - retained);
    }
    oracle_commit(world, id, &cut);
}

void oracle_run_checkpoints(struct oracle_world *world, uint64_t count)
{
    oracle_world_start(world);
    for (uint64_t id = 1; id <= count; id++) {
        oracle_checkpoint(world, id, 2 * id, 2 * id);
    }
}

void oracle_restart(struct oracle_world *world, uint64_t checkpoint)
{
    oracle_tell(world, FACT_FAILURE_DETECTED, 0);
    oracle_tell(world, FACT_JOB_CANCELLED, 0);
    oracle_tell(world, FACT_RESTART_SCHEDULED, 0);
    world->attempt++;
    oracle_tell(world, FACT_RESTORE_CHOSEN, checkpoint);
    oracle_tell(world, FACT_JOB_DEPLOYED, 0);
    oracle_restore_subtasks(world);
    oracle_tell(world, FACT_JOB_RUNNING, 0);
}

void oracle_end(struct oracle_world *world, enum outcome outcome)
{
    oracle_on_end(world->oracle, outcome, world->now_ns, 0);
}

void oracle_finish(struct oracle_world *world)
{
    oracle_tell(world, FACT_JOB_FINISHED, 0);
    oracle_end(world, OUTCOME_FINISHED);
}

void oracle_finish_right(struct oracle_world *world, uint64_t id)
{
    oracle_checkpoint(world, id, ORACLE_LINES_EACH, ORACLE_LINES_EACH);
    oracle_finish(world);
}

/* ---- files and findings ---------------------------------------------------------------------- */

const char *oracle_path(struct oracle_world *world, const char *format, ...)
{
    char path[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    CHECK(length > 0 && (size_t)length < sizeof path);
    return arena_text(&world->arena, path);
}

void oracle_write_file(struct oracle_world *world, const char *path, const char *text)
{
    write_bytes(world, path, bytes_of_text(text));
}

void oracle_copy_file(struct oracle_world *world, const char *from, const char *to)
{
    struct bytes content;
    CHECK(disk_peek(world->disk, from, &content));
    write_bytes(world, to, bytes_copy(&world->arena, content));
}

void oracle_remove_file(struct oracle_world *world, const char *path)
{
    if (is_in_memory(world, path)) {
        tell_blob(world, FACT_BLOB_REMOVED, path, (struct bytes){ 0 });
        return;
    }
    CHECK(disk_remove(world->disk, CLIENT, path) == STATUS_OK);
}

void oracle_note_completed(struct oracle_world *world, uint64_t id)
{
    struct buffer record;
    buffer_init(&record, &world->arena);
    encode_u32(&record, 0); /* magic */
    encode_u64(&record, 0); /* epoch */
    encode_u64(&record, world->attempt);
    encode_u64(&record, id + 1);
    encode_u64(&record, id);
    write_bytes(world, "job/record", buffer_bytes(&record));
}

void oracle_discard(struct oracle_world *world, uint64_t id)
{
    static const char *const names[] = { "_metadata", "count-0", "count-1" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path =
            oracle_path(world, "checkpoints/chk-%llu/%s", (unsigned long long)id, names[i]);
        struct bytes content;
        if (is_in_memory(world, path) || disk_peek(world->disk, path, &content)) {
            oracle_remove_file(world, path);
        }
    }
}

uint32_t oracle_found(const struct oracle_world *world, enum property property)
{
    uint32_t count;
    uint32_t found = 0;
    const struct violation *violations = oracle_violations(world->oracle, &count);
    for (uint32_t i = 0; i < count; i++) {
        found += violations[i].property == property;
    }
    return found;
}

uint32_t oracle_found_any(const struct oracle_world *world)
{
    uint32_t count;
    const struct violation *violations = oracle_violations(world->oracle, &count);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(stderr, "%s: %s\n", property_name(violations[i].property), violations[i].message);
    }
    return count;
}

bool oracle_says(const struct oracle_world *world, enum property property, const char *text)
{
    uint32_t count;
    const struct violation *violations = oracle_violations(world->oracle, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (violations[i].property == property && strstr(violations[i].message, text) != NULL) {
            return true;
        }
    }
    oracle_found_any(world);
    return false;
}
