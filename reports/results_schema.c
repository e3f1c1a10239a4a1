#include "reports/results_schema.h"

#include <stddef.h>

/* The same text as schema.sql, statement by statement; a test compares them. */
const char *const results_schema[] = {
    "-- The results database: one row in `run` for each run, all else hangs from it.\n"
    "-- Units are in the names. NULL means: did not happen. Times ending in _ns are nanoseconds\n"
    "-- of simulated time since the start of the run, unless they are named a duration below.\n"
    "\n"
    "CREATE TABLE run (\n"
    "    id                    INTEGER PRIMARY KEY,\n"
    "    added_utc             TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),\n"
    "    name                  TEXT NOT NULL,    -- of the scenario\n"
    "    path                  TEXT NOT NULL,    -- of the scenario's file\n"
    "    seed                  BLOB NOT NULL,    -- an integer; as text from 2^63 on\n"
    "    build                 TEXT NOT NULL,    -- build id of the program\n"
    "    verdict               TEXT NOT NULL,    -- pass, wrong, stuck, unfired ...\n"
    "    exit_code             INTEGER NOT NULL,\n"
    "    trace_hash            TEXT NOT NULL,    -- 16 hexadecimal digits\n"
    "    records               INTEGER NOT NULL, -- of the input\n"
    "    tasks                 INTEGER NOT NULL, -- N_task: subtasks of the job\n"
    "    parallelism           INTEGER NOT NULL,\n"
    "    interval_ns           INTEGER NOT NULL, -- T_checkpoint; 0: only the final checkpoint\n"
    "    events                INTEGER NOT NULL, -- of the simulation\n"
    "    simulated_ns          INTEGER NOT NULL, -- duration of the run in simulated time\n"
    "    wall_ns               INTEGER NOT NULL, -- duration of the run in real time\n"
    "    checkpoints_triggered INTEGER NOT NULL,\n"
    "    checkpoints_completed INTEGER NOT NULL,\n"
    "    checkpoints_failed    INTEGER NOT NULL,\n"
    "    recoveries            INTEGER NOT NULL,\n"
    "    records_skipped       INTEGER NOT NULL, -- reports of bad records that were left out\n"
    "    failure               TEXT,             -- why the job failed\n"
    "    scenario_hash         TEXT NOT NULL,    -- of scenario_json: finds finished runs\n"
    "    scenario_json         TEXT NOT NULL     -- the resolved scenario: replays the run\n"
    ");\n"
    "\n",
    "CREATE TABLE checkpoint (\n"
    "    run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,\n"
    "    checkpoint_id INTEGER NOT NULL,\n"
    "    attempt       INTEGER NOT NULL,\n"
    "    fate          TEXT NOT NULL,     -- completed, failed, or pending when the run ended\n"
    "    reason        TEXT,              -- failed: why\n"
    "    triggered_ns  INTEGER NOT NULL,\n"
    "    all_acked_ns  INTEGER,\n"
    "    ended_ns      INTEGER,           -- completed or failed\n"
    "    bytes         INTEGER NOT NULL,  -- of state, over all subtasks\n"
    "    acks          INTEGER NOT NULL,  -- how many subtasks acknowledged it\n"
    "    PRIMARY KEY (run_id, checkpoint_id)\n"
    ") WITHOUT ROWID;\n"
    "\n",
    "CREATE TABLE task_checkpoint (\n"
    "    run_id         INTEGER NOT NULL,\n"
    "    checkpoint_id  INTEGER NOT NULL,\n"
    "    vertex         INTEGER NOT NULL,  -- from 0, upstream first\n"
    "    subtask        INTEGER NOT NULL,  -- from 0\n"
    "    start_delay_ns INTEGER NOT NULL,  -- duration: trigger to first barrier\n"
    "    alignment_ns   INTEGER NOT NULL,  -- duration: first barrier to last\n"
    "    sync_ns        INTEGER NOT NULL,  -- duration: the subtask stands still\n"
    "    async_ns       INTEGER NOT NULL,  -- duration: the state is written in the background\n"
    "    store_wait_ns  INTEGER NOT NULL DEFAULT 0, -- duration: of that, in line at the store\n"
    "    bytes          INTEGER NOT NULL,  -- of state, as a restore needs it\n"
    "    written_bytes  INTEGER NOT NULL DEFAULT 0, -- in this checkpoint; less if incremental\n"
    "    acked_ns       INTEGER,\n"
    "    PRIMARY KEY (run_id, checkpoint_id, vertex, subtask),\n"
    "    FOREIGN KEY (run_id, checkpoint_id)\n"
    "        REFERENCES checkpoint (run_id, checkpoint_id) ON DELETE CASCADE\n"
    ") WITHOUT ROWID;\n"
    "\n",
    "CREATE TABLE recovery (\n"
    "    run_id           INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,\n"
    "    number           INTEGER NOT NULL,  -- from 1, in order of time\n"
    "    cause            TEXT NOT NULL,\n"
    "    failed_ns        INTEGER NOT NULL,  -- the fault, or the task's failure\n"
    "    detected_ns      INTEGER NOT NULL,\n"
    "    cancelled_ns     INTEGER,           -- the failed attempt is gone\n"
    "    chosen_ns        INTEGER,           -- the checkpoint to restore was chosen\n"
    "    restored_from    INTEGER,           -- its id; 0: none existed, from the beginning\n"
    "    running_ns       INTEGER,\n"
    "    caught_up_ns     INTEGER,           -- every source is where it was, as little behind\n"
    "    records_replayed INTEGER NOT NULL,  -- emitted again, over all sources\n"
    "    PRIMARY KEY (run_id, number)\n"
    ") WITHOUT ROWID;\n"
    "\n",
    "CREATE TABLE fault (\n"
    "    run_id      INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,\n"
    "    number      INTEGER NOT NULL,  -- from 0, as in the scenario\n"
    "    text        TEXT NOT NULL,     -- for a person\n"
    "    verb        TEXT NOT NULL,\n"
    "    object      TEXT NOT NULL,\n"
    "    trigger     TEXT NOT NULL,\n"
    "    fired_ns    INTEGER,\n"
    "    ended_ns    INTEGER,\n"
    "    fired_count INTEGER NOT NULL,\n"
    "    PRIMARY KEY (run_id, number)\n"
    ") WITHOUT ROWID;\n"
    "\n",
    "CREATE TABLE violation (\n"
    "    run_id   INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,\n"
    "    number   INTEGER NOT NULL,  -- from 1, in the order found\n"
    "    property TEXT NOT NULL,\n"
    "    time_ns  INTEGER NOT NULL,\n"
    "    message  TEXT NOT NULL,\n"
    "    PRIMARY KEY (run_id, number)\n"
    ") WITHOUT ROWID;\n"
    "\n",
    "CREATE INDEX run_by_scenario ON run (scenario_hash, build);\n",
    "CREATE INDEX run_by_name ON run (name, verdict);\n",
    "CREATE INDEX run_by_cell ON run (tasks, interval_ns);\n",
    "CREATE INDEX violation_by_property ON violation (property);\n"
    "\n",
    "-- What checkpoints cost: durations of the completed ones.\n"
    "CREATE VIEW checkpoint_time AS\n"
    "    SELECT run_id, name, seed, tasks, parallelism, interval_ns, checkpoint_id,\n"
    "           triggered_ns, ended_ns - triggered_ns AS duration_ns, bytes\n"
    "    FROM checkpoint JOIN run ON run.id = run_id\n"
    "    WHERE fate = 'completed';\n"
    "\n",
    "-- Where the time of a recovery goes; total_ns ends when the job has caught up.\n"
    "CREATE VIEW recovery_time AS\n"
    "    SELECT run_id, name, seed, tasks, parallelism, interval_ns, number, cause, failed_ns,\n"
    "           detected_ns - failed_ns AS detection_ns,\n"
    "           chosen_ns - detected_ns AS restart_ns,\n"
    "           running_ns - chosen_ns AS restore_ns,\n"
    "           caught_up_ns - running_ns AS catch_up_ns,\n"
    "           caught_up_ns - failed_ns AS total_ns,\n"
    "           records_replayed\n"
    "    FROM recovery JOIN run ON run.id = run_id;\n"
    "\n",
    "-- From schema 2 on.\n"
    "-- Which run is which cell of which sweep; a run may be a cell of several.\n"
    "CREATE TABLE sweep_cell (\n"
    "    sweep       TEXT NOT NULL,     -- name of the swept scenario\n"
    "    run_id      INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,\n"
    "    coordinates TEXT NOT NULL,     -- JSON object: path in the scenario -> value\n"
    "    PRIMARY KEY (sweep, run_id)\n"
    ") WITHOUT ROWID;\n"
    "\n",
    "-- How far the sources were, for pictures: a few hundred rows of a run with a recovery.\n"
    "CREATE TABLE progress (\n"
    "    run_id  INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,\n"
    "    time_ns INTEGER NOT NULL,\n"
    "    records INTEGER NOT NULL,      -- emitted by all sources, in what the attempt builds on\n"
    "    lag_ns  INTEGER NOT NULL,      -- duration: the largest since the row before\n"
    "    PRIMARY KEY (run_id, time_ns)\n"
    ") WITHOUT ROWID;\n"
    "\n",
    "-- From schema 4 on.\n"
    "-- What `compare` found: each quantity of each cell, simulated and live; of each scenario\n"
    "-- the last comparison.\n"
    "CREATE TABLE comparison (\n"
    "    name        TEXT NOT NULL,     -- of the scenario\n"
    "    coordinates TEXT NOT NULL,     -- JSON object: path -> value; without a grid {}\n"
    "    quantity    TEXT NOT NULL,     -- checkpoint_time_ns ...: with its unit\n"
    "    added_utc   TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,\n"
    "    build       TEXT NOT NULL,     -- build id of the program\n"
    "    tasks       INTEGER NOT NULL,  -- N_task\n"
    "    interval_ns INTEGER NOT NULL,  -- T_checkpoint\n"
    "    is_equal    INTEGER NOT NULL,  -- 1: the results of the cell are\n"
    "    simulated   INTEGER,\n"
    "    live        INTEGER,           -- the median of the runs that have it\n"
    "    live_kind   TEXT NOT NULL,     -- processes or threads\n"
    "    live_runs   INTEGER NOT NULL,  -- how many there were\n"
    "    costs       TEXT NOT NULL DEFAULT '{}', -- JSON object: path -> what was simulated with\n"
    "    is_recalibrated INTEGER NOT NULL DEFAULT 0, -- 1: some were measured around live runs\n"
    "    PRIMARY KEY (name, coordinates, quantity)\n"
    ") WITHOUT ROWID;\n",
    NULL,
};

enum { STATEMENTS_OF_SCHEMA_1 = 12, STATEMENTS_OF_SCHEMA_3 = 14 };
const char *const *const results_schema_since_1 = &results_schema[STATEMENTS_OF_SCHEMA_1];
const char *const *const results_schema_since_3 = &results_schema[STATEMENTS_OF_SCHEMA_3];

/* Schemas 1 and 2 knew full snapshots only. */
const char *const results_schema_since_2[] = {
    "ALTER TABLE task_checkpoint ADD COLUMN store_wait_ns INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE task_checkpoint ADD COLUMN written_bytes INTEGER NOT NULL DEFAULT 0",
    "UPDATE task_checkpoint SET written_bytes = bytes",
    NULL,
};

/* Schema 4 did not know what was simulated with. */
const char *const results_schema_since_4[] = {
    "ALTER TABLE comparison ADD COLUMN costs TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE comparison ADD COLUMN is_recalibrated INTEGER NOT NULL DEFAULT 0",
    NULL,
};
