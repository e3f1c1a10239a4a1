#include "reports/results.h"

#include <inttypes.h>
#include <stdio.h>

#include "model/base/check.h"
#include "model/base/hash.h"
#include "reports/results_private.h"

enum { HASH_TEXT_SIZE = 17, SEED_TEXT_SIZE = 21, RESULTS_PROGRESS_ROWS_MAX = 240 };

/* Binds a row's values from left to right. */
struct row {
    struct results *results;
    sqlite3_stmt *statement;
    int column;
    bool ok;
};

static struct row row_begin(struct results *results, enum results_statement statement)
{
    CHECK(results->statements[statement] != NULL);
    return (
        struct row){ .results = results, .statement = results->statements[statement], .ok = true };
}

/* The text must live until the row ends. */
static void put_text(struct row *row, const char *text)
{
    CHECK(text != NULL);
    row->ok =
        sqlite3_bind_text(row->statement, ++row->column, text, -1, SQLITE_STATIC) == SQLITE_OK &&
        row->ok;
}

static void put_null(struct row *row)
{
    row->ok = sqlite3_bind_null(row->statement, ++row->column) == SQLITE_OK && row->ok;
}

/* SQLite's integers have a sign; what does not fit is as good as endless. */
static void put_number(struct row *row, uint64_t value)
{
    int64_t number = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    row->ok = sqlite3_bind_int64(row->statement, ++row->column, number) == SQLITE_OK && row->ok;
}

/* A time at which something happened; 0: it did not. */
static void put_moment(struct row *row, uint64_t time_ns)
{
    if (time_ns == 0) {
        put_null(row);
    } else {
        put_number(row, time_ns);
    }
}

static void put_text_or_null(struct row *row, const char *text)
{
    if (text[0] == '\0') {
        put_null(row);
    } else {
        put_text(row, text);
    }
}

static bool row_end(struct row *row)
{
    CHECK(row->column == sqlite3_bind_parameter_count(row->statement));
    bool ok = row->ok && sqlite3_step(row->statement) == SQLITE_DONE;
    /* Without this an error would be forgotten by the reset of a statement that was fine. */
    ok = sqlite3_reset(row->statement) == SQLITE_OK && ok;
    return ok;
}

static void format_hash(char text[HASH_TEXT_SIZE], uint64_t hash)
{
    (void)snprintf(text, HASH_TEXT_SIZE, "%016" PRIx64, hash);
}

static void put_seed(struct row *row, uint64_t seed, char text[SEED_TEXT_SIZE])
{
    (void)snprintf(text, SEED_TEXT_SIZE, "%" PRIu64, seed);
    if (seed > INT64_MAX) {
        put_text(row, text);
    } else {
        put_number(row, seed);
    }
}

static bool add_run(struct results *results, const struct results_run *run,
                    const struct summary *summary)
{
    char trace_hash[HASH_TEXT_SIZE];
    char scenario_hash[HASH_TEXT_SIZE];
    char seed[SEED_TEXT_SIZE];
    format_hash(trace_hash, run->trace_hash);
    format_hash(scenario_hash, hash_bytes(bytes_of_text(run->scenario_json)));
    struct row row = row_begin(results, INSERT_RUN);
    put_text(&row, run->name);
    put_text(&row, run->path);
    put_seed(&row, run->seed, seed);
    put_text(&row, run->build);
    put_text(&row, run->verdict);
    put_number(&row, (uint64_t)run->exit_code);
    put_text(&row, trace_hash);
    put_number(&row, run->records);
    put_number(&row, run->tasks);
    put_number(&row, run->parallelism);
    put_number(&row, run->interval_ns);
    put_number(&row, run->events);
    put_number(&row, run->simulated_ns);
    put_number(&row, run->wall_ns);
    put_number(&row, summary->triggered);
    put_number(&row, summary->completed);
    put_number(&row, summary->failed);
    put_number(&row, summary->recovery_count);
    put_number(&row, summary->records_skipped);
    put_text_or_null(&row, summary->failure);
    put_text(&row, scenario_hash);
    put_text(&row, run->scenario_json);
    return row_end(&row);
}

static const char *fate_text(enum checkpoint_fate fate)
{
    switch (fate) {
    case CHECKPOINT_PENDING: return "pending";
    case CHECKPOINT_DONE: return "completed";
    case CHECKPOINT_GIVEN_UP: return "failed";
    }
    CHECK(false);
    return "";
}

static bool add_checkpoint(struct results *results, uint64_t run_id,
                           const struct checkpoint_summary *checkpoint)
{
    struct row row = row_begin(results, INSERT_CHECKPOINT);
    put_number(&row, run_id);
    put_number(&row, checkpoint->id);
    put_number(&row, checkpoint->attempt);
    put_text(&row, fate_text(checkpoint->fate));
    put_text_or_null(&row, checkpoint->reason);
    put_number(&row, checkpoint->triggered_ns);
    put_moment(&row, checkpoint->all_acked_ns);
    put_moment(&row, checkpoint->ended_ns);
    put_number(&row, checkpoint->bytes);
    put_number(&row, checkpoint->acks);
    return row_end(&row);
}

static bool add_task(struct results *results, uint64_t run_id,
                     const struct task_checkpoint_summary *task)
{
    struct row row = row_begin(results, INSERT_TASK_CHECKPOINT);
    put_number(&row, run_id);
    put_number(&row, task->checkpoint);
    put_number(&row, task->vertex);
    put_number(&row, task->subtask);
    put_number(&row, task->start_delay_ns);
    put_number(&row, task->alignment_ns);
    put_number(&row, task->sync_ns);
    put_number(&row, task->async_ns);
    put_number(&row, task->store_wait_ns);
    put_number(&row, task->bytes);
    put_number(&row, task->written_bytes);
    put_moment(&row, task->acked_ns);
    return row_end(&row);
}

static bool add_recovery(struct results *results, uint64_t run_id, uint64_t number,
                         const struct recovery_summary *recovery)
{
    struct row row = row_begin(results, INSERT_RECOVERY);
    put_number(&row, run_id);
    put_number(&row, number);
    put_text(&row, recovery->cause);
    put_number(&row, recovery->failed_ns);
    put_number(&row, recovery->detected_ns);
    put_moment(&row, recovery->cancelled_ns);
    put_moment(&row, recovery->chosen_ns);
    if (recovery->chosen_ns == 0) {
        put_null(&row);
    } else {
        put_number(&row, recovery->restored_from);
    }
    put_moment(&row, recovery->running_ns);
    put_moment(&row, recovery->caught_up_ns);
    put_number(&row, recovery->records_replayed);
    return row_end(&row);
}

static bool add_fault(struct results *results, uint64_t run_id, uint64_t number,
                      const struct results_fault *fault)
{
    struct row row = row_begin(results, INSERT_FAULT);
    put_number(&row, run_id);
    put_number(&row, number);
    put_text(&row, fault->text);
    put_text(&row, fault->verb);
    put_text(&row, fault->object);
    put_text(&row, fault->trigger);
    put_moment(&row, fault->fired_ns);
    put_moment(&row, fault->ended_ns);
    put_number(&row, fault->fired_count);
    return row_end(&row);
}

static bool add_violation(struct results *results, uint64_t run_id, uint64_t number,
                          const struct results_violation *violation)
{
    struct row row = row_begin(results, INSERT_VIOLATION);
    put_number(&row, run_id);
    put_number(&row, number);
    put_text(&row, violation->property);
    put_number(&row, violation->time_ns);
    put_text(&row, violation->message);
    return row_end(&row);
}

/* Pictures of thousands of runs that never failed are not worth their rows. */
static bool add_progress(struct results *results, uint64_t run_id, const struct summary *summary)
{
    size_t step = summary->progress_count / RESULTS_PROGRESS_ROWS_MAX + 1;
    bool ok = true;
    uint64_t lag_ns = 0;
    for (size_t i = 0; ok && summary->recovery_count > 0 && i < summary->progress_count; i++) {
        const struct progress_point *point = &summary->progress[i];
        lag_ns = point->lag_ns > lag_ns ? point->lag_ns : lag_ns;
        if (i % step == 0 || i + 1 == summary->progress_count) {
            struct row row = row_begin(results, INSERT_PROGRESS);
            put_number(&row, run_id);
            put_number(&row, point->time_ns);
            put_number(&row, point->records);
            put_number(&row, lag_ns);
            ok = row_end(&row);
            lag_ns = 0;
        }
    }
    return ok;
}

static bool add_summary(struct results *results, uint64_t run_id, const struct summary *summary)
{
    bool ok = add_progress(results, run_id, summary);
    for (size_t i = 0; ok && i < summary->checkpoint_count; i++) {
        ok = add_checkpoint(results, run_id, &summary->checkpoints[i]);
    }
    for (size_t i = 0; ok && i < summary->task_count; i++) {
        ok = add_task(results, run_id, &summary->tasks[i]);
    }
    for (size_t i = 0; ok && i < summary->recovery_count; i++) {
        ok = add_recovery(results, run_id, i + 1, &summary->recoveries[i]);
    }
    return ok;
}

/* The end of a transaction in which all went well so far, or not. */
static enum status commit(struct results *results, bool ok, const char *doing,
                          struct buffer *error)
{
    if (ok && results_execute(results, "COMMIT")) {
        return STATUS_OK;
    }
    enum status status = results_fail(results, doing, error);
    /* Some errors have rolled back already. */
    if (sqlite3_get_autocommit(results->db) == 0) {
        (void)results_execute(results, "ROLLBACK");
    }
    return status;
}

enum status results_add(struct results *results, const struct results_run *run,
                        const struct summary *summary, const struct results_fault *faults,
                        uint32_t fault_count, const struct results_violation *violations,
                        uint32_t violation_count, struct buffer *error)
{
    CHECK(results != NULL && results->db != NULL);
    CHECK(run->exit_code >= 0);
    bool ok = results_execute(results, "BEGIN IMMEDIATE") && add_run(results, run, summary);
    uint64_t run_id = ok ? (uint64_t)sqlite3_last_insert_rowid(results->db) : 0;
    ok = ok && add_summary(results, run_id, summary);
    for (uint32_t i = 0; ok && i < fault_count; i++) {
        ok = add_fault(results, run_id, i, &faults[i]);
    }
    for (uint32_t i = 0; ok && i < violation_count; i++) {
        ok = add_violation(results, run_id, i + 1, &violations[i]);
    }
    return commit(results, ok, "add a run", error);
}

/* The run of exactly this scenario by this build; *run_id is 0 if there is none. */
static bool find_run(struct results *results, const char *scenario_json, const char *build,
                     uint64_t *run_id, int *exit_code)
{
    char scenario_hash[HASH_TEXT_SIZE];
    format_hash(scenario_hash, hash_bytes(bytes_of_text(scenario_json)));
    struct row row = row_begin(results, QUERY_CONTAIN);
    put_text(&row, scenario_hash);
    put_text(&row, build);
    put_text(&row, scenario_json);
    int code = row.ok ? sqlite3_step(row.statement) : SQLITE_ERROR;
    *run_id = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(row.statement, 0) : 0;
    *exit_code = code == SQLITE_ROW ? sqlite3_column_int(row.statement, 1) : -1;
    return sqlite3_reset(row.statement) == SQLITE_OK &&
           (code == SQLITE_ROW || code == SQLITE_DONE);
}

enum status results_contain(struct results *results, const char *scenario_json, const char *build,
                            bool *contained, struct buffer *error)
{
    CHECK(results != NULL && results->db != NULL);
    uint64_t run_id = 0;
    int exit_code = -1;
    bool ok = find_run(results, scenario_json, build, &run_id, &exit_code);
    *contained = run_id != 0;
    return ok ? STATUS_OK : results_fail(results, "look for a run", error);
}

enum status results_claim_cell(struct results *results, const char *scenario_json,
                               const char *build, const struct results_cell *cell, int *exit_code,
                               struct buffer *error)
{
    CHECK(results != NULL && results->db != NULL);
    CHECK(cell->sweep != NULL && cell->coordinates != NULL);
    uint64_t run_id = 0;
    bool ok = find_run(results, scenario_json, build, &run_id, exit_code);
    if (ok && run_id != 0) {
        struct row row = row_begin(results, INSERT_SWEEP_CELL);
        put_text(&row, cell->sweep);
        put_number(&row, run_id);
        put_text(&row, cell->coordinates);
        ok = row_end(&row);
    }
    return ok ? STATUS_OK : results_fail(results, "note a cell of a sweep", error);
}

enum status results_forget_sweep(struct results *results, const char *sweep, struct buffer *error)
{
    CHECK(results != NULL && results->db != NULL);
    struct row row = row_begin(results, DELETE_SWEEP);
    put_text(&row, sweep);
    return row_end(&row) ? STATUS_OK : results_fail(results, "forget a sweep", error);
}

static bool add_comparison(struct results *results, const struct results_comparison_head *head,
                           const struct results_comparison *comparison)
{
    struct row row = row_begin(results, INSERT_COMPARISON);
    put_text(&row, head->name);
    put_text(&row, comparison->coordinates);
    put_text(&row, comparison->quantity);
    put_text(&row, head->build);
    put_number(&row, comparison->tasks);
    put_number(&row, comparison->interval_ns);
    put_number(&row, comparison->is_equal);
    put_moment(&row, comparison->simulated);
    put_moment(&row, comparison->live);
    put_text(&row, head->live);
    put_number(&row, head->live_runs);
    put_text(&row, comparison->costs);
    put_number(&row, head->is_recalibrated);
    return row_end(&row);
}

enum status results_keep_comparison(struct results *results,
                                    const struct results_comparison_head *head,
                                    const struct results_comparison *rows, size_t count,
                                    struct buffer *error)
{
    CHECK(results != NULL && results->db != NULL);
    bool ok = results_execute(results, "BEGIN IMMEDIATE");
    struct row old = row_begin(results, DELETE_COMPARISON);
    put_text(&old, head->name);
    ok = row_end(&old) && ok;
    for (size_t i = 0; ok && i < count; i++) {
        ok = add_comparison(results, head, &rows[i]);
    }
    return commit(results, ok, "keep a comparison", error);
}
