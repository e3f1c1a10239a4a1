#include "model/state/row_store_sqlite.h"

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/state/entry_key.h"
#include "model/state/sqlite_database.h"

/* A row of `history` is what the row `k` held in the epochs from that of its value on, up to and
 * without `g`. What no view asks for any more is dropped a little at a time, but for the little
 * that can be dropped at once.
 *
 * Statements are left where they stand while something is lent out, and reset by the next call. */

enum {
    PAGE_BYTES = 4096,
    CLEAR_COUNT_MAX = 1024, /* rows of history that are dropped at once */
    SWEEP_COUNT = 128,      /* ... that are looked at in one call */
    LOAD_COUNT = 32,        /* rows of one statement: it opens the table once for all of them */
};

static const char schema[] =
    "CREATE TABLE row(k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE mark(k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE history(k BLOB, g INTEGER, v BLOB NOT NULL, PRIMARY KEY(k, g)) WITHOUT ROWID;"
    "BEGIN;";

enum statement {
    GET_ROW,
    PUT_ROW,
    REMOVE_ROW,
    GET_MARK,
    PUT_MARK,
    REMOVE_MARK,
    PRESERVE,
    GET_HISTORY,
    CLEAR_HISTORY,
    FIND_SWEEP_END,
    SWEEP_HISTORY,
    STATEMENT_COUNT
};

static const char *const statement_texts[STATEMENT_COUNT] = {
    [GET_ROW] = "SELECT v FROM row WHERE k = ?1",
    [PUT_ROW] = "REPLACE INTO row VALUES(?1, ?2)",
    [REMOVE_ROW] = "DELETE FROM row WHERE k = ?1",
    [GET_MARK] = "SELECT v FROM mark WHERE k = ?1",
    [PUT_MARK] = "REPLACE INTO mark VALUES(?1, ?2)",
    [REMOVE_MARK] = "DELETE FROM mark WHERE k = ?1",
    [PRESERVE] = "INSERT INTO history SELECT k, ?2, v FROM row WHERE k = ?1",
    [GET_HISTORY] = "SELECT v FROM history WHERE k = ?1 AND g > ?2 ORDER BY g LIMIT 1",
    [CLEAR_HISTORY] = "DELETE FROM history",
    [FIND_SWEEP_END] = "SELECT k FROM history WHERE k > ?1 ORDER BY k LIMIT 1 OFFSET ?2",
    [SWEEP_HISTORY] = "DELETE FROM history WHERE k > ?1 AND k <= ?2 AND g <= ?3",
};

static const char scan_rows[] = "SELECT k, v FROM row WHERE k >= ?1 AND k < ?2";
static const char scan_marks[] = "SELECT k, v FROM mark WHERE k >= ?1 AND k < ?2";
static const char scan_history[] = "SELECT k, v FROM history WHERE k >= ?1 AND k < ?2 AND g > ?3";

struct row_view {
    struct row_view *next;
    uint32_t epoch;
};

/* One of the two sides of a scan: the rows as they are, or the history. */
struct side {
    sqlite3_stmt *statement;
    bool has_row;   /* it stands on one that has not been looked at */
    struct row row; /* that one */
    bool is_at_end;
};

struct row_scan {
    struct row_scan *next;
    bool is_of_marks;
    bool is_view;
    uint32_t epoch; /* of the view */
    struct side rows;
    struct side history;
    bool is_begun;      /* the statements are bound */
    struct buffer from; /* what is bound */
    struct buffer end;
};

struct sqlite_store {
    struct row_store base;
    struct arena *arena;
    struct sqlite_database *database;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    sqlite3_stmt *load;         /* NULL: not compiled yet */
    sqlite3_stmt *lending;      /* stands on the row that the last get lent out; NULL: none does */
    struct row_view *views;     /* newest first */
    uint64_t history_count;     /* of its rows */
    bool is_swept;              /* no row of history may be dropped */
    bool is_sweep_old;          /* a view has ended since the sweep began */
    struct buffer sweep_at;     /* what is not behind this one has been looked at */
    struct row_scan *scans;     /* under way */
    struct row_scan *idle_rows; /* ended; their statements are used again */
    struct row_scan *idle_marks;
};

static struct sqlite_store *store_of(struct row_store *store)
{
    return (struct sqlite_store *)(void *)store;
}

static bool is_mark(struct bytes key)
{
    CHECK(key.size >= ROW_SPACE_BYTES);
    return (key.data[0] << 8 | key.data[1]) == ROW_SPACE_MARKS;
}

static uint32_t epoch_of(struct bytes value)
{
    CHECK(value.size >= ROW_EPOCH_BYTES);
    return load_u32(value.data);
}

static void give_back(struct sqlite_store *store)
{
    if (store->lending != NULL) {
        (void)sqlite3_reset(store->lending);
        store->lending = NULL;
    }
}

static void free_scan(struct sqlite_store *store, struct row_scan *scan)
{
    buffer_free(&scan->from);
    buffer_free(&scan->end);
    arena_free(store->arena, scan);
}

static void free_scans(struct sqlite_store *store, struct row_scan **list)
{
    while (*list != NULL) {
        struct row_scan *scan = *list;
        *list = scan->next;
        free_scan(store, scan);
    }
}

static void destroy(struct row_store *base)
{
    struct sqlite_store *store = store_of(base);
    sqlite_database_close(store->database);
    free_scans(store, &store->scans);
    free_scans(store, &store->idle_rows);
    free_scans(store, &store->idle_marks);
    while (store->views != NULL) {
        struct row_view *view = store->views;
        store->views = view->next;
        arena_free(store->arena, view);
    }
    buffer_free(&store->sweep_at);
    arena_free(store->arena, store);
}

static enum status execute(struct sqlite_store *store, enum statement number)
{
    return sqlite_database_execute(store->database, store->statements[number]);
}

static enum status look_up(struct sqlite_store *store, enum statement number, struct bytes *value)
{
    bool has_row;
    sqlite3_stmt *statement = store->statements[number];
    enum status status = sqlite_database_step(store->database, statement, &has_row);
    *value = (struct bytes){ 0 };
    if (status == STATUS_OK && has_row) {
        *value = sqlite_column_bytes(statement, 0);
        store->lending = statement;
    }
    return status;
}

static enum status get(struct row_store *base, const struct row_view *view, struct bytes key,
                       struct bytes *value)
{
    struct sqlite_store *store = store_of(base);
    enum statement number = is_mark(key) ? GET_MARK : GET_ROW;
    give_back(store);
    sqlite_bind_bytes(store->statements[number], 1, key);
    enum status status = look_up(store, number, value);
    if (view == NULL || status != STATUS_OK ||
        (value->data != NULL && epoch_of(*value) <= view->epoch)) {
        return status;
    }
    CHECK(number == GET_ROW);
    give_back(store);
    sqlite_bind_bytes(store->statements[GET_HISTORY], 1, key);
    sqlite_bind_number(store->statements[GET_HISTORY], 2, view->epoch);
    status = look_up(store, GET_HISTORY, value);
    if (value->data != NULL && epoch_of(*value) > view->epoch) {
        *value = (struct bytes){ 0 };
    }
    return status;
}

static enum status put(struct row_store *base, struct bytes key, struct bytes value)
{
    struct sqlite_store *store = store_of(base);
    enum statement number = is_mark(key) ? PUT_MARK : PUT_ROW;
    give_back(store);
    sqlite_bind_bytes(store->statements[number], 1, key);
    sqlite_bind_bytes(store->statements[number], 2, value);
    return execute(store, number);
}

static enum status remove_row(struct row_store *base, struct bytes key)
{
    struct sqlite_store *store = store_of(base);
    enum statement number = is_mark(key) ? REMOVE_MARK : REMOVE_ROW;
    give_back(store);
    sqlite_bind_bytes(store->statements[number], 1, key);
    return execute(store, number);
}

/* Compiles the statement that puts LOAD_COUNT rows. FAIL, since an ABORT would have SQLite keep
 * what the statement changed until its end. */
static enum status prepare_load(struct sqlite_store *store)
{
    struct buffer sql;
    buffer_init(&sql, store->arena);
    buffer_append_text(&sql, "INSERT OR FAIL INTO row VALUES(?,?)");
    for (uint32_t i = 1; i < LOAD_COUNT; i++) {
        buffer_append_text(&sql, ",(?,?)");
    }
    buffer_append(&sql, (struct bytes){ .data = (const uint8_t *)"", .size = 1 });
    enum status status =
        sqlite_database_prepare(store->database, (const char *)sql.data, &store->load);
    buffer_free(&sql);
    return status;
}

static enum status load(struct row_store *base, const struct row *rows, uint32_t count)
{
    struct sqlite_store *store = store_of(base);
    enum status status = STATUS_OK;
    give_back(store);
    CHECK(store->views == NULL);
    if (store->load == NULL && count >= LOAD_COUNT) {
        status = prepare_load(store);
    }
    for (; count >= LOAD_COUNT && status == STATUS_OK; count -= LOAD_COUNT, rows += LOAD_COUNT) {
        for (int i = 0; i < LOAD_COUNT; i++) {
            CHECK(!is_mark(rows[i].key));
            sqlite_bind_bytes(store->load, 2 * i + 1, rows[i].key);
            sqlite_bind_bytes(store->load, 2 * i + 2, rows[i].value);
        }
        status = sqlite_database_execute(store->database, store->load);
        CHECK(status != STATUS_EXISTS); /* the rows are new (R4) */
    }
    for (; count > 0 && status == STATUS_OK; count--, rows++) {
        status = put(base, rows->key, rows->value);
    }
    return status;
}

static enum status preserve(struct row_store *base, struct bytes key, uint32_t epoch_end)
{
    struct sqlite_store *store = store_of(base);
    CHECK(!is_mark(key));
    give_back(store);
    sqlite_bind_bytes(store->statements[PRESERVE], 1, key);
    sqlite_bind_number(store->statements[PRESERVE], 2, epoch_end);
    store->history_count++;
    return execute(store, PRESERVE);
}

static struct row_view *freeze(struct row_store *base, uint32_t epoch)
{
    struct sqlite_store *store = store_of(base);
    give_back(store);
    CHECK(store->views == NULL || store->views->epoch < epoch);
    struct row_view *view = arena_alloc(store->arena, 1, sizeof *view);
    *view = (struct row_view){ .next = store->views, .epoch = epoch };
    store->views = view;
    return view;
}

static enum status thaw(struct row_store *base, struct row_view *view)
{
    struct sqlite_store *store = store_of(base);
    struct row_view **link = &store->views;
    give_back(store);
    while (*link != view) {
        CHECK(*link != NULL);
        link = &(*link)->next;
    }
    bool is_oldest = view->next == NULL;
    *link = view->next;
    arena_free(store->arena, view);
    if (!is_oldest) {
        return STATUS_OK;
    }
    if (store->views == NULL && store->history_count <= CLEAR_COUNT_MAX) {
        store->history_count = 0;
        store->is_swept = true;
        return execute(store, CLEAR_HISTORY);
    }
    store->is_sweep_old = !store->is_swept;
    store->is_swept = false;
    return STATUS_OK;
}

/* The epoch up to which no view asks for history. */
static uint64_t unwanted_epoch(const struct sqlite_store *store)
{
    const struct row_view *oldest = store->views;
    while (oldest != NULL && oldest->next != NULL) {
        oldest = oldest->next;
    }
    return oldest == NULL ? UINT32_MAX : oldest->epoch;
}

/* Finds the end of the rows that are to be looked at next; false: the rest of them are. */
static enum status find_sweep_end(struct sqlite_store *store, struct buffer *end, bool *is_rest)
{
    struct bytes key;
    sqlite3_stmt *statement = store->statements[FIND_SWEEP_END];
    sqlite_bind_bytes(statement, 1, buffer_bytes(&store->sweep_at));
    sqlite_bind_number(statement, 2, SWEEP_COUNT - 1);
    enum status status = look_up(store, FIND_SWEEP_END, &key);
    *is_rest = key.data == NULL;
    if (*is_rest) {
        /* Comes behind every key: a space of marks has no history. */
        static const uint8_t behind[] = { ROW_SPACE_MARKS >> 8, ROW_SPACE_MARKS & UINT8_MAX };
        key = (struct bytes){ .data = behind, .size = sizeof behind };
    }
    buffer_append(end, key);
    give_back(store);
    return status;
}

static enum status sweep(struct row_store *base, bool *is_done)
{
    struct sqlite_store *store = store_of(base);
    struct buffer end;
    bool is_rest = false;
    give_back(store);
    *is_done = store->is_swept;
    if (store->is_swept) {
        return STATUS_OK;
    }
    buffer_init(&end, store->arena);
    enum status status = find_sweep_end(store, &end, &is_rest);
    if (status == STATUS_OK) {
        sqlite3_stmt *statement = store->statements[SWEEP_HISTORY];
        sqlite_bind_bytes(statement, 1, buffer_bytes(&store->sweep_at));
        sqlite_bind_bytes(statement, 2, buffer_bytes(&end));
        sqlite_bind_number(statement, 3, unwanted_epoch(store));
        status = execute(store, SWEEP_HISTORY);
    }
    if (status == STATUS_OK) {
        uint64_t dropped = (uint64_t)sqlite3_changes64(sqlite_database_connection(store->database));
        CHECK(dropped <= store->history_count);
        store->history_count -= dropped;
    }
    buffer_reset(&store->sweep_at);
    if (is_rest) {
        store->is_swept = !store->is_sweep_old;
        store->is_sweep_old = false;
    } else {
        buffer_append(&store->sweep_at, buffer_bytes(&end));
    }
    buffer_free(&end);
    return status;
}

/* ---- scans ----------------------------------------------------------------------------------- */

/* A scan that is under way, with statements that are not bound yet, or not compiled. */
static struct row_scan *take_scan(struct sqlite_store *store, bool is_of_marks)
{
    struct row_scan **idle = is_of_marks ? &store->idle_marks : &store->idle_rows;
    struct row_scan *scan = *idle;
    if (scan == NULL) {
        scan = arena_alloc(store->arena, 1, sizeof *scan);
        buffer_init(&scan->from, store->arena);
        buffer_init(&scan->end, store->arena);
    } else {
        *idle = scan->next;
    }
    scan->is_of_marks = is_of_marks;
    scan->rows.has_row = scan->rows.is_at_end = false;
    scan->history.has_row = scan->history.is_at_end = false;
    scan->is_begun = false;
    scan->next = store->scans;
    store->scans = scan;
    return scan;
}

static struct row_scan *scan_from(struct row_store *base, const struct row_view *view,
                                  struct bytes from, struct bytes end)
{
    struct sqlite_store *store = store_of(base);
    give_back(store);
    struct row_scan *scan = take_scan(store, is_mark(from));
    buffer_reset(&scan->from);
    buffer_append(&scan->from, from);
    buffer_reset(&scan->end);
    buffer_append(&scan->end, end);
    scan->is_view = view != NULL;
    scan->epoch = view == NULL ? 0 : view->epoch;
    scan->history.is_at_end = view == NULL;
    return scan;
}

/* Compiles and binds the statement of one side, before its first row is asked for. */
static enum status begin_side(struct sqlite_store *store, const struct row_scan *scan,
                              struct side *side)
{
    bool is_history = side == &scan->history;
    if (side->statement == NULL) {
        const char *sql = is_history ? scan_history : scan->is_of_marks ? scan_marks : scan_rows;
        enum status status = sqlite_database_prepare(store->database, sql, &side->statement);
        if (status != STATUS_OK) {
            return status;
        }
    }
    sqlite_bind_bytes(side->statement, 1, buffer_bytes(&scan->from));
    sqlite_bind_bytes(side->statement, 2, buffer_bytes(&scan->end));
    if (is_history) {
        sqlite_bind_number(side->statement, 3, scan->epoch);
    }
    return STATUS_OK;
}

/* Puts the side on its next row, if it does not stand on one that has not been looked at. */
static enum status fill_side(struct sqlite_store *store, const struct row_scan *scan,
                             struct side *side)
{
    if (side->has_row || side->is_at_end) {
        return STATUS_OK;
    }
    enum status status = scan->is_begun ? STATUS_OK : begin_side(store, scan, side);
    if (status == STATUS_OK) {
        status = sqlite_database_step(store->database, side->statement, &side->has_row);
        side->is_at_end = !side->has_row;
    }
    if (side->has_row) {
        side->row.key = sqlite_column_bytes(side->statement, 0);
        side->row.value = sqlite_column_bytes(side->statement, 1);
    }
    return status;
}

/* The side whose row comes first; NULL: both are at their ends. */
static struct side *first_side(struct row_scan *scan)
{
    if (!scan->rows.has_row || !scan->history.has_row) {
        return scan->rows.has_row ? &scan->rows : scan->history.has_row ? &scan->history : NULL;
    }
    int order = entry_key_compare(scan->rows.row.key, scan->history.row.key);
    return order <= 0 ? &scan->rows : &scan->history;
}

static enum status next(struct row_store *base, struct row_scan *scan, struct row *row,
                        bool *has_row)
{
    struct sqlite_store *store = store_of(base);
    give_back(store);
    *has_row = false;
    /* Side by side, so that neither runs ahead over rows that do not count. */
    for (;;) {
        enum status status = fill_side(store, scan, &scan->rows);
        if (status == STATUS_OK) {
            status = fill_side(store, scan, &scan->history);
        }
        scan->is_begun = true;
        struct side *first = first_side(scan);
        if (status != STATUS_OK || first == NULL) {
            return status;
        }
        first->has_row = false; /* it has been looked at */
        *row = first->row;
        if (!scan->is_view || epoch_of(row->value) <= scan->epoch) {
            *has_row = true;
            return STATUS_OK;
        }
    }
}

static void scan_end(struct row_store *base, struct row_scan *scan)
{
    struct sqlite_store *store = store_of(base);
    struct row_scan **link = &store->scans;
    give_back(store);
    while (*link != scan) {
        CHECK(*link != NULL);
        link = &(*link)->next;
    }
    *link = scan->next;
    (void)sqlite3_reset(scan->rows.statement);
    (void)sqlite3_reset(scan->history.statement);
    struct row_scan **idle = scan->is_of_marks ? &store->idle_marks : &store->idle_rows;
    scan->next = *idle;
    *idle = scan;
}

static const struct row_store_ops ops = {
    .destroy = destroy,
    .get = get,
    .put = put,
    .remove = remove_row,
    .load = load,
    .preserve = preserve,
    .freeze = freeze,
    .thaw = thaw,
    .sweep = sweep,
    .scan = scan_from,
    .next = next,
    .scan_end = scan_end,
};

enum status row_store_sqlite_create(struct host *host, const char *path, uint64_t cache_bytes,
                                    struct row_store **created)
{
    struct sqlite_database_options options = { .volume = HOST_LOCAL,
                                               .path = path,
                                               .durability = DATABASE_DISPOSABLE,
                                               .page_bytes = PAGE_BYTES,
                                               .cache_bytes = cache_bytes };
    struct sqlite_store *store = arena_alloc(host->arena, 1, sizeof *store);
    store->base.ops = &ops;
    store->arena = host->arena;
    store->is_swept = true;
    buffer_init(&store->sweep_at, host->arena);
    enum status status = sqlite_database_open(host, &options, &store->database);
    if (status != STATUS_OK) {
        arena_free(host->arena, store);
        return status;
    }
    status = sqlite_database_run(store->database, schema);
    for (uint32_t i = 0; i < STATEMENT_COUNT && status == STATUS_OK; i++) {
        status =
            sqlite_database_prepare(store->database, statement_texts[i], &store->statements[i]);
    }
    if (status != STATUS_OK) {
        destroy(&store->base);
        return status;
    }
    *created = &store->base;
    return STATUS_OK;
}
