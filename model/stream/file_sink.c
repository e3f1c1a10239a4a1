/* Two-phase commit. The records of one checkpoint interval form a transaction: a hidden file
 *
 *   output/SUBTASK/.pending-ATTEMPT-N
 *
 * that a snapshot makes durable (pre-commit) and names in its state, and that gets its visible name
 *
 *   output/SUBTASK/chk-ID
 *
 * once checkpoint ID is known to be complete (commit). In a job with several sinks, SUBTASK stands
 * behind the sink's own directory: output/NAME/SUBTASK. What can go wrong in between:
 *
 * T1  Crash before the checkpoint completes: no state names the file; the next attempt deletes it,
 *     and its records are read again. It deletes files of older attempts only: it may be a zombie,
 *     which must not touch what the newer attempt has made. And it deletes none before every
 *     subtask is restored: until then one that is to be committed may be in anybody's state (T4).
 * T2  Crash after it completes, before or during the commit: the state restored names the file, and
 *     restore commits it - again, perhaps: a commit whose file is gone but whose visible name
 *     exists has been done before.
 *     If neither is there, what had been promised to be durable is lost: the checkpoint that names
 *     it cannot be restored.
 * T3  A checkpoint that is aborted leaves its transaction pending: the next one that completes
 *     commits it too, under its own id.
 * T4  At another parallelism the transactions of the old subtasks are dealt out to the new ones
 *     (STATE_SPLIT, those of one directory together); a transaction is committed in the directory
 *     it lies in. Directory d is cleared away by subtask d mod parallelism. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/text.h"
#include "model/stream/operator.h"
#include "model/stream/operator_state.h"

#define OUTPUT_ROOT "output"
#define PENDING_PREFIX ".pending-"

enum {
    PATH_SIZE = 96,
    WRITE_BYTES = 64 * 1024, /* collected before a write */
    CLEAR_AWAY_TRIES = 5,
};

struct transaction {
    uint64_t checkpoint; /* that pre-committed it */
    char path[PATH_SIZE];
    uint64_t size_bytes;
};

/* Pre-committed ones in one directory, oldest first. */
struct transaction_list {
    char directory[PATH_SIZE];
    struct transaction *items;
    size_t count;
    size_t capacity;
};

struct file_sink {
    struct operator_context *context;
    char root[PATH_SIZE];    /* of the directories of all its subtasks */
    struct buffer collected; /* not yet written */
    file_id file;            /* of the open transaction; 0: it has not written yet */
    char path[PATH_SIZE];    /* of the open transaction */
    uint64_t written_bytes;
    uint64_t transactions_begun;
    bool restoring;
    bool lost_one; /* while restoring: a transaction is gone, pending and visible file both */
    struct transaction_list pending; /* in its own directory */
    struct operator_states *states;  /* what a snapshot writes */
};

__attribute__((format(printf, 2, 3))) static void format_path(char path[PATH_SIZE],
                                                              const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(path, PATH_SIZE, format, arguments);
    va_end(arguments);
    CHECK(length > 0 && length < PATH_SIZE);
}

static bool check(struct file_sink *sink, enum status status, const char *what)
{
    return operator_check(sink->context, status, what);
}

/* A directory that is there already may not be durable: whoever made it may have died before the
 * sync. So it is synced in any case. */
static bool make_durable_dir(struct file_sink *sink, const char *parent, const char *path)
{
    struct host *host = sink->context->host;
    enum status status = host_make_dir(host, HOST_SHARED, path);
    return (status == STATUS_EXISTS || check(sink, status, path)) &&
           check(sink, host_sync_dir(host, HOST_SHARED, parent), parent);
}

/* The directory of the sink's subtasks; `name` is NULL if it is the only sink. */
static void format_root(char root[PATH_SIZE], const char *name)
{
    format_path(root, OUTPUT_ROOT "%s%s", name != NULL ? "/" : "", name != NULL ? name : "");
}

static void *file_sink_open(struct operator_context *context, const void *parameters,
                            struct collector *out)
{
    const char *name = parameters;
    CHECK(out == NULL); /* a sink is the end of its chain */
    struct file_sink *sink = arena_alloc(context->host->arena, 1, sizeof *sink);
    sink->context = context;
    buffer_init(&sink->collected, context->host->arena);
    sink->states = operator_states_create(context->host->arena);
    format_root(sink->root, name);
    format_path(sink->pending.directory, "%s/%u", sink->root, context->subtask);
    if (make_durable_dir(sink, "", OUTPUT_ROOT) &&
        (name == NULL || make_durable_dir(sink, OUTPUT_ROOT, sink->root))) {
        (void)make_durable_dir(sink, sink->root, sink->pending.directory);
    }
    return sink;
}

static void write_collected(struct file_sink *sink)
{
    struct host *host = sink->context->host;
    if (sink->file == 0) {
        format_path(sink->path, "%s/" PENDING_PREFIX "%llu-%llu", sink->pending.directory,
                    (unsigned long long)sink->context->attempt,
                    (unsigned long long)++sink->transactions_begun);
        if (!check(sink, host_file_open(host, HOST_SHARED, sink->path, HOST_TRUNCATE, &sink->file),
                   sink->path)) {
            return;
        }
    }
    if (check(sink, host_file_write(host, sink->file, sink->written_bytes,
                                    buffer_bytes(&sink->collected)),
              sink->path)) {
        sink->written_bytes += sink->collected.size;
        buffer_reset(&sink->collected);
    }
}

/* Apart from file_sink_process, which so has no registers to save. */
__attribute__((noinline)) static void collect_and_write(struct file_sink *sink,
                                                        const struct record *record)
{
    size_t size = record->value.size;
    uint8_t *at = buffer_extend(&sink->collected, size + 1);
    bytes_put(at, record->value.data, size);
    at[size] = '\n';
    if (sink->collected.size >= WRITE_BYTES) {
        write_collected(sink);
    }
}

static void file_sink_process(void *self, const struct record *record)
{
    struct file_sink *sink = self;
    size_t size = record->value.size;
    if (sink->collected.size + size + 1 > sink->collected.capacity ||
        sink->collected.size + size + 1 >= WRITE_BYTES) {
        collect_and_write(sink, record);
        return;
    }
    uint8_t *at = sink->collected.data + sink->collected.size;
    sink->collected.size += size + 1;
    at[size] = '\n';
    bytes_put(at, record->value.data, size);
}

static void add_transaction(struct arena *arena, struct transaction_list *list,
                            const struct transaction *transaction)
{
    list->items =
        arena_grow(arena, list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = *transaction;
}

/* Makes the open transaction durable, content and name, and pending for `checkpoint`. */
static void pre_commit(struct file_sink *sink, uint64_t checkpoint)
{
    struct host *host = sink->context->host;
    const char *directory = sink->pending.directory;
    if (sink->collected.size > 0) {
        write_collected(sink);
    }
    if (sink->file == 0 || sink->context->failure.size > 0) {
        return; /* nothing was written since the last one, or writing failed */
    }
    if (!check(sink, host_file_sync(host, sink->file), sink->path) ||
        !check(sink, host_sync_dir(host, HOST_SHARED, directory), directory)) {
        return;
    }
    host_file_close(host, sink->file);
    struct transaction transaction = { .checkpoint = checkpoint,
                                       .size_bytes = sink->written_bytes };
    memcpy(transaction.path, sink->path, PATH_SIZE);
    add_transaction(host->arena, &sink->pending, &transaction);
    sink->file = 0;
    sink->written_bytes = 0;
}

static struct operator_state *transactions_state(const struct file_sink *sink)
{
    return operator_states_declare(sink->states, "transactions", STATE_SPLIT);
}

/* One item holds all that is pending in one directory: it is committed in its order. */
static void file_sink_snapshot(void *self, uint64_t checkpoint, struct buffer *out)
{
    struct file_sink *sink = self;
    pre_commit(sink, checkpoint);
    struct operator_state *state = transactions_state(sink);
    operator_state_clear(state);
    struct buffer item;
    buffer_init(&item, sink->context->host->arena);
    encode_bytes(&item, bytes_of_text(sink->pending.directory));
    encode_u32(&item, (uint32_t)sink->pending.count);
    for (size_t i = 0; i < sink->pending.count; i++) {
        const struct transaction *transaction = &sink->pending.items[i];
        encode_u64(&item, transaction->checkpoint);
        encode_u64(&item, transaction->size_bytes);
        encode_bytes(&item, bytes_of_text(transaction->path));
    }
    if (sink->pending.count > 0) {
        operator_state_add(state, buffer_bytes(&item));
    }
    operator_states_snapshot(sink->states, out);
    buffer_free(&item);
}

static void note_name(void *context, const char *name)
{
    struct buffer *names = context;
    buffer_append(names, (struct bytes){ .data = (const uint8_t *)name, .size = strlen(name) + 1 });
}

/* Errors: NOT_FOUND. */
static enum status find_file(struct host *host, const char *path)
{
    file_id file;
    enum status status = host_file_open(host, HOST_SHARED, path, HOST_READ, &file);
    if (status == STATUS_OK) {
        host_file_close(host, file);
    }
    return status;
}

/* Gives one transaction its visible name (T2). */
static bool commit_one(struct file_sink *sink, const char *directory,
                       const struct transaction *transaction, char visible[PATH_SIZE])
{
    struct host *host = sink->context->host;
    format_path(visible, "%s/chk-%llu", directory, (unsigned long long)transaction->checkpoint);
    enum status status = host_rename(host, HOST_SHARED, transaction->path, visible);
    if (status == STATUS_NOT_FOUND) {
        status = find_file(host, visible);
        if (status == STATUS_OK) {
            host_mark(host, MARK_TRANSACTION_COMMITTED_BEFORE);
            return false; /* committed before */
        }
        if (status == STATUS_NOT_FOUND && sink->restoring) {
            sink->lost_one = true;
            return false;
        }
        if (status == STATUS_NOT_FOUND) {
            operator_fail(sink->context, true, "a pre-committed transaction has disappeared");
            return false;
        }
    }
    return check(sink, status, transaction->path);
}

static void report_committed(const struct file_sink *sink, const struct transaction *transaction,
                             const char *visible)
{
    const struct operator_context *context = sink->context;
    host_trace(context->host, &(struct fact){ .kind = FACT_SINK_COMMITTED,
                                              .vertex = context->vertex,
                                              .subtask = context->subtask,
                                              .attempt = context->attempt,
                                              .checkpoint = transaction->checkpoint,
                                              .values = { transaction->size_bytes },
                                              .text = bytes_of_text(visible) });
}

/* Commits every transaction in `list` of checkpoints <= `checkpoint`: all names first, then one
 * directory sync makes them durable, then they are reported. Behind one that is lost none is
 * committed: what is visible has no hole. */
static void commit_up_to(struct file_sink *sink, struct transaction_list *list, uint64_t checkpoint)
{
    struct operator_context *context = sink->context;
    size_t count = 0;
    while (count < list->count && list->items[count].checkpoint <= checkpoint) {
        count++;
    }
    if (count == 0) {
        return;
    }
    char(*visible)[PATH_SIZE] = arena_alloc(context->host->arena, count, sizeof *visible);
    bool *renamed = arena_alloc(context->host->arena, count, sizeof *renamed);
    for (size_t i = 0; i < count && context->failure.size == 0 && !sink->lost_one; i++) {
        renamed[i] = commit_one(sink, list->directory, &list->items[i], visible[i]);
    }
    if (context->failure.size == 0 &&
        check(sink, host_sync_dir(context->host, HOST_SHARED, list->directory), list->directory)) {
        for (size_t i = 0; i < count; i++) {
            if (renamed[i]) {
                report_committed(sink, &list->items[i], visible[i]);
            }
        }
        memmove(list->items, list->items + count, (list->count - count) * sizeof *list->items);
        list->count -= count;
    }
    arena_free(context->host->arena, visible);
    arena_free(context->host->arena, renamed);
}

static void file_sink_notify_complete(void *self, uint64_t checkpoint)
{
    struct file_sink *sink = self;
    commit_up_to(sink, &sink->pending, checkpoint);
}

/* Does `name` belong to an open or pre-committed transaction of an attempt below `attempt`? */
static bool is_pending_below(const char *name, uint64_t attempt)
{
    size_t prefix = strlen(PENDING_PREFIX);
    if (strncmp(name, PENDING_PREFIX, prefix) != 0) {
        return false;
    }
    size_t digits = strspn(name + prefix, "0123456789");
    int64_t of_attempt;
    struct bytes text = { .data = (const uint8_t *)name + prefix, .size = digits };
    return !text_parse_i64(text, &of_attempt) || (uint64_t)of_attempt < attempt;
}

/* Deletes the hidden files in `directory` of attempts below `attempt`. */
static enum status delete_pending(struct host *host, const char *directory, uint64_t attempt)
{
    struct buffer names;
    buffer_init(&names, host->arena);
    enum status status = host_list(host, HOST_SHARED, directory, note_name, &names);
    for (size_t at = 0; status == STATUS_OK && at < names.size;) {
        const char *name = (const char *)names.data + at;
        at += strlen(name) + 1;
        if (is_pending_below(name, attempt)) {
            char path[PATH_SIZE];
            format_path(path, "%s/%s", directory, name);
            host_mark(host, MARK_TRANSACTION_ROLLED_BACK);
            status = host_remove(host, HOST_SHARED, path);
            status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
        }
    }
    buffer_free(&names);
    return status;
}

static bool decode_path(struct decoder *decoder, char path[PATH_SIZE])
{
    struct bytes bytes = decode_bytes(decoder);
    if (decoder->failed || bytes.size == 0 || bytes.size >= PATH_SIZE) {
        return false;
    }
    memcpy(path, bytes.data, bytes.size);
    path[bytes.size] = '\0';
    return true;
}

/* Commits what one item of the state names: of a subtask of before, perhaps another one. */
static enum status restore_directory(struct file_sink *sink, struct bytes item)
{
    struct arena *arena = sink->context->host->arena;
    struct transaction_list list = { 0 };
    struct decoder decoder;
    decoder_init(&decoder, item);
    bool is_sound = decode_path(&decoder, list.directory);
    uint32_t count = is_sound ? decode_u32(&decoder) : 0;
    for (uint32_t i = 0; i < count && is_sound && !decoder.failed; i++) {
        struct transaction transaction = { .checkpoint = decode_u64(&decoder) };
        transaction.size_bytes = decode_u64(&decoder);
        is_sound = decode_path(&decoder, transaction.path);
        add_transaction(arena, &list, &transaction);
    }
    if (!is_sound || decoder_finish(&decoder) != STATUS_OK) {
        return STATUS_CORRUPT;
    }
    if (strcmp(list.directory, sink->pending.directory) != 0) {
        host_mark(sink->context->host, MARK_TRANSACTION_OF_ANOTHER_SUBTASK);
    }
    commit_up_to(sink, &list, UINT64_MAX);
    arena_free(arena, list.items);
    return sink->lost_one ? STATUS_CORRUPT : STATUS_OK;
}

static enum status file_sink_restore(void *self, struct bytes state)
{
    struct file_sink *sink = self;
    enum status status = state.size == 0 ? STATUS_OK : operator_states_restore(sink->states, state);
    if (status != STATUS_OK) {
        return status;
    }
    const struct operator_state *items = transactions_state(sink);
    sink->restoring = true;
    for (uint32_t i = 0; i < operator_state_count(items) && status == STATUS_OK; i++) {
        status = restore_directory(sink, operator_state_item(items, i));
    }
    sink->restoring = false;
    return status;
}

/* The directories of subtasks under `root`, of this attempt's and earlier ones, that are
 * `remainder` mod `divisor`: deletes in each the hidden files of attempts below `attempt`. */
static enum status clear_directories(struct host *host, const char *root, uint32_t remainder,
                                     uint32_t divisor, uint64_t attempt)
{
    struct buffer names;
    buffer_init(&names, host->arena);
    enum status status = host_list(host, HOST_SHARED, root, note_name, &names);
    for (size_t at = 0; status == STATUS_OK && at < names.size;) {
        const char *name = (const char *)names.data + at;
        int64_t subtask;
        at += strlen(name) + 1;
        if (text_parse_i64(bytes_of_text(name), &subtask) && subtask % divisor == remainder) {
            char directory[PATH_SIZE];
            format_path(directory, "%s/%s", root, name);
            status = delete_pending(host, directory, attempt);
        }
    }
    buffer_free(&names);
    return status;
}

static void file_sink_run(void *self)
{
    struct file_sink *sink = self;
    const struct operator_context *context = sink->context;
    /* What cannot be deleted says nothing against the checkpoint: only the subtask fails. */
    (void)check(sink,
                clear_directories(context->host, sink->root, context->subtask, context->parallelism,
                                  context->attempt),
                sink->root);
}

static void file_sink_clear_away(struct host *host, const void *parameters)
{
    char root[PATH_SIZE];
    format_root(root, parameters);
    /* A leftover that cannot be deleted even so does no harm: no restore will look at it. */
    enum status status = STATUS_IO;
    for (uint32_t i = 0; i < CLEAR_AWAY_TRIES && status == STATUS_IO; i++) {
        status = clear_directories(host, root, 0, 1, UINT64_MAX);
    }
}

const struct operator_ops file_sink_operator = {
    .open = file_sink_open,
    .process = file_sink_process,
    .snapshot = file_sink_snapshot,
    .restore = file_sink_restore,
    .run = file_sink_run,
    .notify_complete = file_sink_notify_complete,
    .clear_away = file_sink_clear_away,
    .is_sink = true,
};
