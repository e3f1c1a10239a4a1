#include "model/state/row_store_rocksdb.h"

#include "model/base/check.h"

#ifdef FAULTLINE_ROCKSDB

#include <rocksdb/c.h>
#include <stdio.h>
#include <string.h>

enum {
    /* How often a byte is written in levelled compaction with the usual factor of ten between two
     * of about three levels: once by the flush, about five times per level that is full. */
    WRITE_AMPLIFICATION = 10,
    CACHE_BYTES_MIN = 1 << 16,
    LOG_LEVEL_FATAL = 4,
    LOAD_PATH_SIZE = 16,
};

/* Changes to RocksDB's defaults that its C functions cannot say. */
static const char options_text[] =
    "avoid_flush_during_shutdown=true;allow_concurrent_memtable_write=false;"
    "enable_write_thread_adaptive_yield=false;max_background_jobs=2";

struct space {
    rocksdb_column_family_handle_t *family;
    rocksdb_sstfilewriter_t *loader; /* of the file that is being loaded; NULL: none is */
    uint16_t number;
};

struct row_view {
    struct row_view *next;
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *options;
};

struct row_scan {
    struct row_scan *next;
    rocksdb_iterator_t *iterator; /* NULL: nothing to go through */
    rocksdb_readoptions_t *options;
    struct buffer end; /* as the iterator knows it */
    struct buffer key; /* of the row given last, with its space */
    uint16_t space;
    bool is_begun;
};

struct rocks {
    struct row_store base;
    struct host *host;
    struct arena *arena;
    struct arena_deferred *deferred;
    rocksdb_env_t *env;
    rocksdb_options_t *options;
    rocksdb_envoptions_t *file_options;
    rocksdb_readoptions_t *read_now;
    rocksdb_writeoptions_t *write_options;
    rocksdb_t *db;
    rocksdb_column_family_handle_t *first; /* the one that RocksDB makes; NULL: a space has it */
    rocksdb_pinnableslice_t *lent; /* by the last get; NULL: nothing */
    struct space *spaces;
    size_t space_capacity;
    uint32_t space_count;
    struct row_view *views;
    struct row_scan *scans;
};

static struct rocks *rocks_of(struct row_store *store)
{
    return (struct rocks *)(void *)store;
}

bool row_store_rocksdb_is_built_in(void)
{
    return true;
}

/* What an answer comes to; frees the message. */
static enum status status_of(char *error)
{
    if (error == NULL) {
        return STATUS_OK;
    }
    rocksdb_free(error);
    return STATUS_IO;
}

static void give_back(struct rocks *rocks)
{
    if (rocks->lent != NULL) {
        rocksdb_pinnableslice_destroy(rocks->lent);
        rocks->lent = NULL;
    }
}

static void free_view(struct rocks *rocks, struct row_view *view)
{
    rocksdb_readoptions_destroy(view->options);
    rocksdb_release_snapshot(rocks->db, view->snapshot);
    arena_free(rocks->arena, view);
}

static void free_scan(struct rocks *rocks, struct row_scan *scan)
{
    if (scan->iterator != NULL) {
        rocksdb_iter_destroy(scan->iterator);
        rocksdb_readoptions_destroy(scan->options);
    }
    buffer_free(&scan->end);
    buffer_free(&scan->key);
    arena_free(rocks->arena, scan);
}

/* Frees all that RocksDB holds; calls no host. */
static void disconnect(void *argument)
{
    struct rocks *rocks = argument;
    give_back(rocks);
    while (rocks->scans != NULL) {
        struct row_scan *scan = rocks->scans;
        rocks->scans = scan->next;
        free_scan(rocks, scan);
    }
    while (rocks->views != NULL) {
        struct row_view *view = rocks->views;
        rocks->views = view->next;
        free_view(rocks, view);
    }
    if (rocks->first != NULL) {
        rocksdb_column_family_handle_destroy(rocks->first);
    }
    for (uint32_t i = 0; i < rocks->space_count; i++) {
        if (rocks->spaces[i].loader != NULL) {
            rocksdb_sstfilewriter_destroy(rocks->spaces[i].loader);
        }
        rocksdb_column_family_handle_destroy(rocks->spaces[i].family);
    }
    if (rocks->db != NULL) {
        rocksdb_close(rocks->db);
    }
    rocksdb_writeoptions_destroy(rocks->write_options);
    rocksdb_readoptions_destroy(rocks->read_now);
    rocksdb_envoptions_destroy(rocks->file_options);
    rocksdb_options_destroy(rocks->options);
    rocksdb_env_destroy(rocks->env);
}

static void destroy(struct row_store *store)
{
    struct rocks *rocks = rocks_of(store);
    disconnect(rocks);
    arena_undefer(rocks->arena, rocks->deferred);
    arena_free(rocks->arena, rocks->spaces);
    arena_free(rocks->arena, rocks);
}

static uint16_t space_of(struct bytes key)
{
    CHECK(key.size >= ROW_SPACE_BYTES);
    return (uint16_t)(key.data[0] << 8 | key.data[1]);
}

/* A space is given a family at its first row: until then there is none, and the answer is NULL. */
static struct space *find_space(const struct rocks *rocks, uint16_t number)
{
    for (uint32_t i = 0; i < rocks->space_count; i++) {
        if (rocks->spaces[i].number == number) {
            return &rocks->spaces[i];
        }
    }
    return NULL;
}

static rocksdb_column_family_handle_t *family_of(const struct rocks *rocks, uint16_t number)
{
    const struct space *space = find_space(rocks, number);
    return space == NULL ? NULL : space->family;
}

/* The key within its column family. */
static const char *key_data(struct bytes key)
{
    return (const char *)key.data + ROW_SPACE_BYTES;
}
static size_t key_size(struct bytes key)
{
    return key.size - ROW_SPACE_BYTES;
}

/* The first space gets the family that is there anyway: to make another takes a millisecond. */
static enum status make_family(struct rocks *rocks, uint16_t number)
{
    char name[8] = { 's',
                     (char)('0' + number / 10000),
                     (char)('0' + number / 1000 % 10),
                     (char)('0' + number / 100 % 10),
                     (char)('0' + number / 10 % 10),
                     (char)('0' + number % 10),
                     '\0' };
    char *error = NULL;
    rocks->spaces = arena_grow(rocks->arena, rocks->spaces, &rocks->space_capacity,
                               (size_t)rocks->space_count + 1, sizeof *rocks->spaces);
    struct space *space = &rocks->spaces[rocks->space_count];
    *space = (struct space){ .number = number, .family = rocks->first };
    if (rocks->first == NULL) {
        space->family = rocksdb_create_column_family(rocks->db, rocks->options, name, &error);
    }
    rocks->first = NULL;
    rocks->space_count += error == NULL;
    return status_of(error);
}

static enum status get(struct row_store *store, const struct row_view *view, struct bytes key,
                       struct bytes *value)
{
    struct rocks *rocks = rocks_of(store);
    rocksdb_column_family_handle_t *family = family_of(rocks, space_of(key));
    char *error = NULL;
    give_back(rocks);
    *value = (struct bytes){ 0 };
    if (family == NULL) {
        return STATUS_OK;
    }
    rocks->lent = rocksdb_get_pinned_cf(rocks->db, view == NULL ? rocks->read_now : view->options,
                                        family, key_data(key), key_size(key), &error);
    if (rocks->lent != NULL) {
        value->data = (const uint8_t *)rocksdb_pinnableslice_value(rocks->lent, &value->size);
        CHECK(value->size >= ROW_EPOCH_BYTES);
    }
    return status_of(error);
}

static enum status put(struct row_store *store, struct bytes key, struct bytes value)
{
    struct rocks *rocks = rocks_of(store);
    uint16_t space = space_of(key);
    char *error = NULL;
    give_back(rocks);
    enum status status = family_of(rocks, space) == NULL ? make_family(rocks, space) : STATUS_OK;
    if (status != STATUS_OK) {
        return status;
    }
    rocksdb_put_cf(rocks->db, rocks->write_options, family_of(rocks, space), key_data(key),
                   key_size(key), (const char *)value.data, value.size, &error);
    host_charge(rocks->host, HOST_WORK_STATE_BYTES, WRITE_AMPLIFICATION * (key.size + value.size));
    return status_of(error);
}

static enum status remove_row(struct row_store *store, struct bytes key)
{
    struct rocks *rocks = rocks_of(store);
    rocksdb_column_family_handle_t *family = family_of(rocks, space_of(key));
    char *error = NULL;
    give_back(rocks);
    if (family == NULL) {
        return STATUS_OK;
    }
    rocksdb_delete_cf(rocks->db, rocks->write_options, family, key_data(key), key_size(key),
                      &error);
    host_charge(rocks->host, HOST_WORK_STATE_BYTES, WRITE_AMPLIFICATION * key.size);
    return status_of(error);
}

/* ---- loading ---------------------------------------------------------------------------------
 *
 * Each space gets a table file, which RocksDB then takes over as it is: without a write buffer, and
 * below all levels that it would have to be compacted through. */

static void write_load_path(char path[LOAD_PATH_SIZE], uint16_t number)
{
    int length = snprintf(path, LOAD_PATH_SIZE, "/load-%u", number);
    CHECK(length > 0 && length < LOAD_PATH_SIZE);
}

/* The space with a file that can take rows. */
static enum status open_loader(struct rocks *rocks, uint16_t number, struct space **space)
{
    char path[LOAD_PATH_SIZE];
    char *error = NULL;
    *space = find_space(rocks, number);
    if (*space == NULL) {
        enum status status = make_family(rocks, number);
        if (status != STATUS_OK) {
            return status;
        }
        *space = find_space(rocks, number);
    }
    if ((*space)->loader == NULL) {
        write_load_path(path, number);
        (*space)->loader = rocksdb_sstfilewriter_create(rocks->file_options, rocks->options);
        rocksdb_sstfilewriter_open((*space)->loader, path, &error);
    }
    return status_of(error);
}

static enum status load(struct row_store *store, const struct row *rows, uint32_t count)
{
    struct rocks *rocks = rocks_of(store);
    struct space *space = NULL;
    uint64_t size_bytes = 0;
    enum status status = STATUS_OK;
    give_back(rocks);
    CHECK(rocks->views == NULL);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        struct bytes key = rows[i].key;
        char *error = NULL;
        if (space == NULL || space->number != space_of(key)) {
            status = open_loader(rocks, space_of(key), &space);
        }
        if (status == STATUS_OK) {
            rocksdb_sstfilewriter_put(space->loader, key_data(key), key_size(key),
                                      (const char *)rows[i].value.data, rows[i].value.size, &error);
            status = status_of(error);
        }
        size_bytes += key.size + rows[i].value.size;
    }
    host_charge(rocks->host, HOST_WORK_STATE_BYTES, size_bytes);
    return status;
}

/* Hands the file to RocksDB. */
static enum status take_over(struct rocks *rocks, struct space *space)
{
    char path[LOAD_PATH_SIZE];
    const char *paths[] = { path };
    char *error = NULL;
    write_load_path(path, space->number);
    rocksdb_sstfilewriter_finish(space->loader, &error);
    rocksdb_sstfilewriter_destroy(space->loader);
    space->loader = NULL;
    if (error == NULL) {
        rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
        rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
        rocksdb_ingest_external_file_cf(rocks->db, space->family, paths, 1, options, &error);
        rocksdb_ingestexternalfileoptions_destroy(options);
    }
    return status_of(error);
}

static enum status load_end(struct row_store *store)
{
    struct rocks *rocks = rocks_of(store);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < rocks->space_count && status == STATUS_OK; i++) {
        if (rocks->spaces[i].loader != NULL) {
            status = take_over(rocks, &rocks->spaces[i]);
        }
    }
    return status;
}

static struct row_view *freeze(struct row_store *store, uint32_t epoch)
{
    struct rocks *rocks = rocks_of(store);
    (void)epoch;
    give_back(rocks);
    struct row_view *view = arena_alloc(rocks->arena, 1, sizeof *view);
    view->snapshot = rocksdb_create_snapshot(rocks->db);
    CHECK(view->snapshot != NULL);
    view->options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(view->options, view->snapshot);
    view->next = rocks->views;
    rocks->views = view;
    return view;
}

static enum status thaw(struct row_store *store, struct row_view *view)
{
    struct rocks *rocks = rocks_of(store);
    struct row_view **link = &rocks->views;
    give_back(rocks);
    while (*link != view) {
        CHECK(*link != NULL);
        link = &(*link)->next;
    }
    *link = view->next;
    free_view(rocks, view);
    return STATUS_OK;
}

static struct row_scan *scan_from(struct row_store *store, const struct row_view *view,
                                  struct bytes from, struct bytes end)
{
    struct rocks *rocks = rocks_of(store);
    give_back(rocks);
    struct row_scan *scan = arena_alloc(rocks->arena, 1, sizeof *scan);
    scan->space = space_of(from);
    buffer_init(&scan->key, rocks->arena);
    buffer_init(&scan->end, rocks->arena);
    rocksdb_column_family_handle_t *family = family_of(rocks, scan->space);
    if (family != NULL) {
        /* Without a bound the iterator would look for a next row among all those removed. */
        buffer_append(&scan->end, end);
        scan->options = rocksdb_readoptions_create();
        if (end.size > ROW_SPACE_BYTES) { /* else it is the end of the family */
            CHECK(space_of(end) == scan->space);
            rocksdb_readoptions_set_iterate_upper_bound(
                scan->options, key_data(buffer_bytes(&scan->end)), key_size(end));
        }
        if (view != NULL) {
            rocksdb_readoptions_set_snapshot(scan->options, view->snapshot);
        }
        scan->iterator = rocksdb_create_iterator_cf(rocks->db, scan->options, family);
        rocksdb_iter_seek(scan->iterator, key_data(from), key_size(from));
    }
    scan->next = rocks->scans;
    rocks->scans = scan;
    return scan;
}

static enum status next(struct row_store *store, struct row_scan *scan, struct row *row,
                        bool *has_row)
{
    char *error = NULL;
    give_back(rocks_of(store));
    *has_row = false;
    if (scan->iterator == NULL) {
        return STATUS_OK; /* no family was there when the scan began */
    }
    if (scan->is_begun && rocksdb_iter_valid(scan->iterator)) {
        rocksdb_iter_next(scan->iterator);
    }
    scan->is_begun = true;
    *has_row = rocksdb_iter_valid(scan->iterator);
    if (!*has_row) {
        rocksdb_iter_get_error(scan->iterator, &error);
        return status_of(error);
    }
    size_t size;
    const char *key = rocksdb_iter_key(scan->iterator, &size);
    uint8_t prefix[ROW_SPACE_BYTES] = { (uint8_t)(scan->space >> 8), (uint8_t)scan->space };
    buffer_reset(&scan->key);
    buffer_append(&scan->key, (struct bytes){ .data = prefix, .size = sizeof prefix });
    buffer_append(&scan->key, (struct bytes){ .data = (const uint8_t *)key, .size = size });
    row->key = buffer_bytes(&scan->key);
    row->value.data = (const uint8_t *)rocksdb_iter_value(scan->iterator, &row->value.size);
    CHECK(row->value.size >= ROW_EPOCH_BYTES);
    return STATUS_OK;
}

static void scan_end(struct row_store *store, struct row_scan *scan)
{
    struct rocks *rocks = rocks_of(store);
    struct row_scan **link = &rocks->scans;
    give_back(rocks);
    while (*link != scan) {
        CHECK(*link != NULL);
        link = &(*link)->next;
    }
    *link = scan->next;
    free_scan(rocks, scan);
}

static const struct row_store_ops ops = {
    .destroy = destroy,
    .get = get,
    .put = put,
    .remove = remove_row,
    .load = load,
    .load_end = load_end,
    .freeze = freeze,
    .thaw = thaw,
    .scan = scan_from,
    .next = next,
    .scan_end = scan_end,
};

/* A quarter of the cache for what has not been flushed, the rest for blocks that were read. */
static enum status configure(struct rocks *rocks, uint64_t cache_bytes)
{
    char *error = NULL;
    rocksdb_options_t *defaults = rocksdb_options_create();
    rocksdb_get_options_from_string(defaults, options_text, rocks->options, &error);
    rocksdb_options_destroy(defaults);
    if (error != NULL) {
        return status_of(error);
    }
    cache_bytes = cache_bytes < CACHE_BYTES_MIN ? CACHE_BYTES_MIN : cache_bytes;
    rocksdb_cache_t *cache = rocksdb_cache_create_lru((size_t)(cache_bytes - cache_bytes / 4));
    rocksdb_block_based_table_options_t *tables = rocksdb_block_based_options_create();
    rocksdb_filterpolicy_t *filter = rocksdb_filterpolicy_create_bloom(10);
    rocksdb_block_based_options_set_block_cache(tables, cache);
    rocksdb_block_based_options_set_filter_policy(tables, filter); /* takes it */
    rocksdb_options_set_block_based_table_factory(rocks->options, tables);
    rocksdb_block_based_options_destroy(tables);
    rocksdb_cache_destroy(cache);
    rocksdb_options_set_env(rocks->options, rocks->env);
    rocksdb_options_set_create_if_missing(rocks->options, 1);
    rocksdb_options_set_write_buffer_size(rocks->options, (size_t)(cache_bytes / 4));
    rocksdb_options_set_max_open_files(rocks->options, -1);
    rocksdb_options_set_info_log_level(rocks->options, LOG_LEVEL_FATAL);
    rocksdb_options_set_stats_dump_period_sec(rocks->options, 0);
    rocksdb_options_set_stats_persist_period_sec(rocks->options, 0);
    rocksdb_writeoptions_disable_WAL(rocks->write_options, 1);
    return STATUS_OK;
}

static enum status open_database(struct rocks *rocks)
{
    const char *family = "default";
    const rocksdb_options_t *options = rocks->options;
    char *error = NULL;
    rocks->db = rocksdb_open_column_families(rocks->options, "/state", 1, &family, &options,
                                             &rocks->first, &error);
    return status_of(error);
}

enum status row_store_rocksdb_create(struct host *host, uint64_t cache_bytes,
                                     struct row_store **store)
{
    struct rocks *rocks = arena_alloc(host->arena, 1, sizeof *rocks);
    rocksdb_set_perf_level(rocksdb_disable); /* nobody asks how often what was counted */
    rocks->base.ops = &ops;
    rocks->host = host;
    rocks->arena = host->arena;
    rocks->env = rocksdb_create_mem_env();
    rocks->options = rocksdb_options_create();
    rocks->file_options = rocksdb_envoptions_create();
    rocks->read_now = rocksdb_readoptions_create();
    rocks->write_options = rocksdb_writeoptions_create();
    rocks->deferred = arena_defer(host->arena, disconnect, rocks);
    enum status status = configure(rocks, cache_bytes);
    if (status == STATUS_OK) {
        status = open_database(rocks);
    }
    if (status != STATUS_OK) {
        destroy(&rocks->base);
        return status;
    }
    *store = &rocks->base;
    return STATUS_OK;
}

#else

bool row_store_rocksdb_is_built_in(void)
{
    return false;
}

enum status row_store_rocksdb_create(struct host *host, uint64_t cache_bytes,
                                     struct row_store **store)
{
    CHECK(host != NULL && store != NULL);
    (void)cache_bytes;
    return STATUS_NOT_FOUND;
}

#endif
