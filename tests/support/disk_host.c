#include "tests/support/disk_host.h"

#include "model/base/check.h"

static struct disk_host *disk_host_of(struct host *host)
{
    CHECK(host != NULL);
    return (struct disk_host *)host;
}

/* Counts a call. False: it must not have its effect; `*status` is then the answer. */
static bool enter(struct disk_host *host, enum status *status)
{
    *status = STATUS_HALTED;
    if (host->is_halted) {
        return false;
    }
    host->call_count++;
    if (host->call_count == host->fail_call && !host->fail_has_effect) {
        *status = host->fail_status;
        return false;
    }
    host->is_halted = host->call_count == host->halt_call;
    return !host->is_halted || host->halt_has_effect;
}

/* The answer of a call that had its effect. */
static enum status leave(const struct disk_host *host, enum status status)
{
    if (host->call_count == host->fail_call && status == STATUS_OK) {
        return host->fail_status;
    }
    return host->is_halted ? STATUS_HALTED : status;
}

static struct disk_file *file_of(struct disk_host *host, file_id file)
{
    CHECK(file > 0 && file <= DISK_HOST_FILES_MAX);
    CHECK(host->files[file - 1] != NULL);
    return host->files[file - 1];
}

static enum status on_file_open(struct host *base, enum host_volume volume, const char *path,
                                enum host_open_mode mode, file_id *file)
{
    struct disk_host *host = disk_host_of(base);
    struct disk_file *opened;
    enum status status;
    (void)volume;
    if (!enter(host, &status)) {
        return status;
    }
    status = disk_open(host->disk, host->client, path, mode != HOST_READ, mode == HOST_TRUNCATE,
                       &opened);
    if (status == STATUS_OK && leave(host, status) != STATUS_OK) {
        disk_close(host->disk, opened); /* opened, perhaps made or emptied, but nobody knows */
    } else if (status == STATUS_OK) {
        uint32_t index = 0;
        while (index < DISK_HOST_FILES_MAX && host->files[index] != NULL) {
            index++;
        }
        CHECK(index < DISK_HOST_FILES_MAX);
        host->files[index] = opened;
        *file = index + 1;
    }
    return leave(host, status);
}

static void on_file_close(struct host *base, file_id file)
{
    struct disk_host *host = disk_host_of(base);
    if (!host->is_halted) {
        disk_close(host->disk, file_of(host, file));
        host->files[file - 1] = NULL;
    }
}

static enum status on_file_size(struct host *base, file_id file, uint64_t *size_bytes)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    if (!enter(host, &status)) {
        return status;
    }
    *size_bytes = disk_size(file_of(host, file));
    return leave(host, STATUS_OK);
}

static enum status on_file_read(struct host *base, file_id file, uint64_t offset_bytes, void *data,
                                size_t size_bytes, size_t *got_bytes)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    if (!enter(host, &status)) {
        return status;
    }
    *got_bytes = disk_read(file_of(host, file), offset_bytes, data, size_bytes);
    return leave(host, STATUS_OK);
}

static enum status on_file_write(struct host *base, file_id file, uint64_t offset_bytes,
                                 struct bytes bytes)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    if (!enter(host, &status)) {
        return status;
    }
    return leave(host,
                 disk_write(host->disk, host->client, file_of(host, file), offset_bytes, bytes));
}

static enum status on_file_sync(struct host *base, file_id file)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    if (!enter(host, &status)) {
        return status;
    }
    disk_sync(host->disk, file_of(host, file));
    return leave(host, STATUS_OK);
}

static enum status on_rename(struct host *base, enum host_volume volume, const char *from,
                             const char *to)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    (void)volume;
    return enter(host, &status) ? leave(host, disk_rename(host->disk, host->client, from, to))
                                : status;
}

static enum status on_remove(struct host *base, enum host_volume volume, const char *path)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    (void)volume;
    return enter(host, &status) ? leave(host, disk_remove(host->disk, host->client, path)) : status;
}

static enum status on_make_dir(struct host *base, enum host_volume volume, const char *path)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    (void)volume;
    return enter(host, &status) ? leave(host, disk_make_dir(host->disk, host->client, path))
                                : status;
}

static enum status on_remove_dir(struct host *base, enum host_volume volume, const char *path)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    (void)volume;
    return enter(host, &status) ? leave(host, disk_remove_dir(host->disk, host->client, path))
                                : status;
}

static enum status on_sync_dir(struct host *base, enum host_volume volume, const char *path)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    (void)volume;
    return enter(host, &status) ? leave(host, disk_sync_dir(host->disk, path)) : status;
}

static enum status on_list(struct host *base, enum host_volume volume, const char *path,
                           host_list_function each, void *context)
{
    struct disk_host *host = disk_host_of(base);
    enum status status;
    (void)volume;
    return enter(host, &status) ? leave(host, disk_list(host->disk, path, each, context)) : status;
}

static uint64_t on_now_ns(struct host *host)
{
    (void)host;
    return 0;
}

static uint64_t on_random(struct host *base)
{
    return prng_next(&disk_host_of(base)->random);
}

static void on_charge(struct host *host, enum host_work work, uint64_t amount)
{
    (void)host;
    (void)work;
    (void)amount;
}

static void on_trace(struct host *base, const struct fact *fact)
{
    struct disk_host *host = disk_host_of(base);
    CHECK(fact->kind < FACT_KIND_COUNT);
    if (!host->is_halted && host->fact_count < DISK_HOST_FACTS_MAX) {
        host->facts[host->fact_count] = *fact;
        host->facts[host->fact_count++].text = (struct bytes){ 0 };
    }
}

/* Calls that are missing here have no place in a test of storage: they crash. */
static const struct host_ops ops = {
    .now_ns = on_now_ns,
    .random = on_random,
    .charge = on_charge,
    .trace = on_trace,
    .file_open = on_file_open,
    .file_close = on_file_close,
    .file_size = on_file_size,
    .file_read = on_file_read,
    .file_write = on_file_write,
    .file_sync = on_file_sync,
    .rename = on_rename,
    .remove = on_remove,
    .make_dir = on_make_dir,
    .remove_dir = on_remove_dir,
    .sync_dir = on_sync_dir,
    .list = on_list,
};

void disk_host_init(struct disk_host *host, struct disk *disk, uint32_t client)
{
    CHECK(disk != NULL);
    *host = (struct disk_host){ .disk = disk, .client = client, .random = { .state = client } };
    arena_init(&host->arena);
    host->host = (struct host){ .ops = &ops,
                                .arena = &host->arena,
                                .self = actor_address(client, 1, HOST_MAIN_ACTOR) };
}

void disk_host_free(struct disk_host *host)
{
    for (uint32_t i = 0; i < DISK_HOST_FILES_MAX; i++) {
        if (host->files[i] != NULL) {
            disk_close(host->disk, host->files[i]);
            host->files[i] = NULL;
        }
    }
    host->is_halted = true;
    host->host.ops = NULL; /* whoever calls a host that is gone shall crash */
    arena_drop(&host->arena);
}

void disk_host_cut(struct disk_host *host, enum disk_survival survival, struct prng *prng)
{
    disk_host_free(host);
    disk_cut(host->disk, host->client, survival, prng);
    disk_check(host->disk);
}

void disk_host_halt_at(struct disk_host *host, uint64_t call, bool has_effect)
{
    CHECK(call > 0);
    host->halt_call = host->call_count + call;
    host->halt_has_effect = has_effect;
}

void disk_host_fail_at(struct disk_host *host, uint64_t call, enum status status)
{
    CHECK(call > 0);
    CHECK(status != STATUS_OK);
    host->fail_call = host->call_count + call;
    host->fail_status = status;
}

size_t disk_host_facts(const struct disk_host *host, enum fact_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < host->fact_count; i++) {
        count += host->facts[i].kind == kind;
    }
    return count;
}
