-- The results database: one row in `run` for each run, all else hangs from it.
-- Units are in the names. NULL means: did not happen. Times ending in _ns are nanoseconds
-- of simulated time since the start of the run, unless they are named a duration below.

CREATE TABLE run (
    id                    INTEGER PRIMARY KEY,
    added_utc             TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    name                  TEXT NOT NULL,    -- of the scenario
    path                  TEXT NOT NULL,    -- of the scenario's file
    seed                  BLOB NOT NULL,    -- an integer; as text from 2^63 on
    build                 TEXT NOT NULL,    -- build id of the program
    verdict               TEXT NOT NULL,    -- pass, wrong, stuck, unfired ...
    exit_code             INTEGER NOT NULL,
    trace_hash            TEXT NOT NULL,    -- 16 hexadecimal digits
    records               INTEGER NOT NULL, -- of the input
    tasks                 INTEGER NOT NULL, -- N_task: subtasks of the job
    parallelism           INTEGER NOT NULL,
    interval_ns           INTEGER NOT NULL, -- T_checkpoint; 0: only the final checkpoint
    events                INTEGER NOT NULL, -- of the simulation
    simulated_ns          INTEGER NOT NULL, -- duration of the run in simulated time
    wall_ns               INTEGER NOT NULL, -- duration of the run in real time
    checkpoints_triggered INTEGER NOT NULL,
    checkpoints_completed INTEGER NOT NULL,
    checkpoints_failed    INTEGER NOT NULL,
    recoveries            INTEGER NOT NULL,
    records_skipped       INTEGER NOT NULL, -- reports of bad records that were left out
    failure               TEXT,             -- why the job failed
    scenario_hash         TEXT NOT NULL,    -- of scenario_json: finds finished runs
    scenario_json         TEXT NOT NULL     -- the resolved scenario: replays the run
);

CREATE TABLE checkpoint (
    run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    checkpoint_id INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    fate          TEXT NOT NULL,     -- completed, failed, or pending when the run ended
    reason        TEXT,              -- failed: why
    triggered_ns  INTEGER NOT NULL,
    all_acked_ns  INTEGER,
    ended_ns      INTEGER,           -- completed or failed
    bytes         INTEGER NOT NULL,  -- of state, over all subtasks
    acks          INTEGER NOT NULL,  -- how many subtasks acknowledged it
    PRIMARY KEY (run_id, checkpoint_id)
) WITHOUT ROWID;

CREATE TABLE task_checkpoint (
    run_id         INTEGER NOT NULL,
    checkpoint_id  INTEGER NOT NULL,
    vertex         INTEGER NOT NULL,  -- from 0, upstream first
    subtask        INTEGER NOT NULL,  -- from 0
    start_delay_ns INTEGER NOT NULL,  -- duration: trigger to first barrier
    alignment_ns   INTEGER NOT NULL,  -- duration: first barrier to last
    sync_ns        INTEGER NOT NULL,  -- duration: the subtask stands still
    async_ns       INTEGER NOT NULL,  -- duration: the state is written in the background
    store_wait_ns  INTEGER NOT NULL DEFAULT 0, -- duration: of that, in line at the store
    bytes          INTEGER NOT NULL,  -- of state, as a restore needs it
    written_bytes  INTEGER NOT NULL DEFAULT 0, -- in this checkpoint; less if incremental
    acked_ns       INTEGER,
    PRIMARY KEY (run_id, checkpoint_id, vertex, subtask),
    FOREIGN KEY (run_id, checkpoint_id)
        REFERENCES checkpoint (run_id, checkpoint_id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE recovery (
    run_id           INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    number           INTEGER NOT NULL,  -- from 1, in order of time
    cause            TEXT NOT NULL,
    failed_ns        INTEGER NOT NULL,  -- the fault, or the task's failure
    detected_ns      INTEGER NOT NULL,
    cancelled_ns     INTEGER,           -- the failed attempt is gone
    chosen_ns        INTEGER,           -- the checkpoint to restore was chosen
    restored_from    INTEGER,           -- its id; 0: none existed, from the beginning
    running_ns       INTEGER,
    caught_up_ns     INTEGER,           -- every source is where it was, as little behind
    records_replayed INTEGER NOT NULL,  -- emitted again, over all sources
    PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

CREATE TABLE fault (
    run_id      INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,  -- from 0, as in the scenario
    text        TEXT NOT NULL,     -- for a person
    verb        TEXT NOT NULL,
    object      TEXT NOT NULL,
    trigger     TEXT NOT NULL,
    fired_ns    INTEGER,
    ended_ns    INTEGER,
    fired_count INTEGER NOT NULL,
    PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

CREATE TABLE violation (
    run_id   INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,  -- from 1, in the order found
    property TEXT NOT NULL,
    time_ns  INTEGER NOT NULL,
    message  TEXT NOT NULL,
    PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

CREATE INDEX run_by_scenario ON run (scenario_hash, build);
CREATE INDEX run_by_name ON run (name, verdict);
CREATE INDEX run_by_cell ON run (tasks, interval_ns);
CREATE INDEX violation_by_property ON violation (property);

-- What checkpoints cost: durations of the completed ones.
CREATE VIEW checkpoint_time AS
    SELECT run_id, name, seed, tasks, parallelism, interval_ns, checkpoint_id,
           triggered_ns, ended_ns - triggered_ns AS duration_ns, bytes
    FROM checkpoint JOIN run ON run.id = run_id
    WHERE fate = 'completed';

-- Where the time of a recovery goes; total_ns ends when the job has caught up.
CREATE VIEW recovery_time AS
    SELECT run_id, name, seed, tasks, parallelism, interval_ns, number, cause, failed_ns,
           detected_ns - failed_ns AS detection_ns,
           chosen_ns - detected_ns AS restart_ns,
           running_ns - chosen_ns AS restore_ns,
           caught_up_ns - running_ns AS catch_up_ns,
           caught_up_ns - failed_ns AS total_ns,
           records_replayed
    FROM recovery JOIN run ON run.id = run_id;

-- From schema 2 on.
-- Which run is which cell of which sweep; a run may be a cell of several.
CREATE TABLE sweep_cell (
    sweep       TEXT NOT NULL,     -- name of the swept scenario
    run_id      INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    coordinates TEXT NOT NULL,     -- JSON object: path in the scenario -> value
    PRIMARY KEY (sweep, run_id)
) WITHOUT ROWID;

-- How far the sources were, for pictures: a few hundred rows of a run with a recovery.
CREATE TABLE progress (
    run_id  INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    time_ns INTEGER NOT NULL,
    records INTEGER NOT NULL,      -- emitted by all sources, in what the attempt builds on
    lag_ns  INTEGER NOT NULL,      -- duration: the largest since the row before
    PRIMARY KEY (run_id, time_ns)
) WITHOUT ROWID;

-- From schema 4 on.
-- What `compare` found: each quantity of each cell, simulated and live; of each scenario
-- the last comparison.
CREATE TABLE comparison (
    name        TEXT NOT NULL,     -- of the scenario
    coordinates TEXT NOT NULL,     -- JSON object: path -> value; without a grid {}
    quantity    TEXT NOT NULL,     -- checkpoint_time_ns ...: with its unit
    added_utc   TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    build       TEXT NOT NULL,     -- build id of the program
    tasks       INTEGER NOT NULL,  -- N_task
    interval_ns INTEGER NOT NULL,  -- T_checkpoint
    is_equal    INTEGER NOT NULL,  -- 1: the results of the cell are
    simulated   INTEGER,
    live        INTEGER,           -- the median of the runs that have it
    live_kind   TEXT NOT NULL,     -- processes or threads
    live_runs   INTEGER NOT NULL,  -- how many there were
    costs       TEXT NOT NULL DEFAULT '{}', -- JSON object: path -> what was simulated with
    is_recalibrated INTEGER NOT NULL DEFAULT 0, -- 1: some were measured around live runs
    PRIMARY KEY (name, coordinates, quantity)
) WITHOUT ROWID;
