#include "sim/campaign/swarm_verbs.h"

#define MS_NS UINT64_C(1000000)
#define S_NS  UINT64_C(1000000000)
#define KIB   UINT64_C(1024)
#define MIB   (1024 * KIB)

#define TEXTS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define TIME(key, low, high)                                                                       \
    {                                                                                              \
        key, DRAW_DURATION, low, high, NULL                                                        \
    }
#define NUMBER(key, low, high)                                                                     \
    {                                                                                              \
        key, DRAW_NUMBER, low, high, NULL                                                          \
    }
#define CHOICE(key, ...)                                                                           \
    {                                                                                              \
        key, DRAW_CHOICE, 0, 0, TEXTS(__VA_ARGS__)                                                 \
    }

#define PROCESSES TEXTS("any task_manager", "any task_manager", "job_manager", "any @task")
#define MACHINES                                                                                   \
    TEXTS("machine of any task_manager", "machine of job_manager", "machine of any @task")
#define STORES TEXTS("store", "store of any task_manager", "store of job_manager")
#define WIRES                                                                                      \
    TEXTS("@link", "network", "network of any task_manager", "network of job_manager",             \
          "connection job_manager - any task_manager",                                             \
          "connection any task_manager - any task_manager")
#define CONTROL_WIRES                                                                              \
    TEXTS("network", "network of any task_manager", "network of job_manager",                      \
          "connection job_manager - any task_manager")
#define CHECKPOINT_FILES                                                                           \
    TEXTS("file checkpoints/*/_metadata", "file checkpoints/*/@task-*", "file checkpoints/*/*")
#define CALLS CHOICE("calls", "any", "open", "read", "list", "write", "sync", "rename", "remove")

const struct swarm_row swarm_rows[] = {
    { FAULT_CRASH, 0, PROCESSES, { TIME("for", MS_NS, 4 * S_NS) } },
    { FAULT_CRASH, 0, TEXTS("all task_managers"), { TIME("for", MS_NS, S_NS) } },
    { FAULT_CRASH,
      0,
      MACHINES,
      { TIME("for", MS_NS, 4 * S_NS),
        CHOICE("unsynced", "keep", "lose", "lose", "tear", "random") } },
    { FAULT_WIPE, 0, MACHINES, { TIME("for", MS_NS, 4 * S_NS) } },
    { FAULT_PAUSE, 0, PROCESSES, { TIME("for", MS_NS, 6 * S_NS) } },
    { FAULT_SLOW, 0, PROCESSES, { TIME("for", 10 * MS_NS, 3 * S_NS), NUMBER("factor", 2, 50) } },
    { FAULT_SLOW, 0, STORES, { TIME("for", 10 * MS_NS, 3 * S_NS), NUMBER("factor", 2, 50) } },
    { FAULT_THROW,
      0,
      TEXTS("any @task"),
      { CHOICE("in", "map", "process", "snapshot", "restore", "commit"), NUMBER("count", 1, 3) } },
    { FAULT_LATE, 0, PROCESSES, { TIME("for", 10 * MS_NS, 3 * S_NS), TIME("by", MS_NS, S_NS) } },
    { FAULT_CLOCK,
      0,
      MACHINES,
      { CHOICE("by", "-3s", "-500ms", "-20ms", "20ms", "500ms", "3s", "30s") } },
    { FAULT_CLOCK, 0, MACHINES, { CHOICE("drift", "-0.3", "-0.05", "-0.001", "0.001", "0.05") } },
    { FAULT_DELAY, 0, WIRES, { TIME("for", 10 * MS_NS, 3 * S_NS), TIME("by", MS_NS, S_NS) } },
    { FAULT_DELAY,
      0,
      WIRES,
      { TIME("for", 10 * MS_NS, 3 * S_NS), TIME("by", MS_NS, 50 * MS_NS),
        TIME("jitter", MS_NS, 500 * MS_NS) } },
    { FAULT_THROTTLE,
      0,
      WIRES,
      { TIME("for", 10 * MS_NS, 3 * S_NS),
        { "bandwidth", DRAW_BANDWIDTH, 20 * KIB, 10 * MIB, NULL } } },
    { FAULT_CLOG, 0, WIRES, { TIME("for", MS_NS, 4 * S_NS) } },
    { FAULT_CLOG,
      0,
      TEXTS("network of any task_manager", "network of job_manager",
            "connection any task_manager - any task_manager"),
      { TIME("for", MS_NS, 4 * S_NS), CHOICE("direction", "in", "out") } },
    { FAULT_PARTITION,
      0,
      TEXTS("network of any task_manager", "network of job_manager", "network of any @task"),
      { TIME("for", MS_NS, 6 * S_NS) } },
    { FAULT_SWIZZLE, 0, TEXTS("network"), { TIME("for", 10 * MS_NS, 4 * S_NS) } },
    { FAULT_RESET, 0, WIRES, { { 0 } } },
    { FAULT_DUPLICATE,
      0,
      CONTROL_WIRES,
      { TIME("for", 10 * MS_NS, 3 * S_NS), TIME("by", MS_NS, S_NS) } },
    { FAULT_STALL, 0, STORES, { TIME("for", MS_NS, 2 * S_NS) } },
    { FAULT_FULL, 0, STORES, { TIME("for", MS_NS, 2 * S_NS) } },
    { FAULT_IO_ERROR, 0, STORES, { TIME("for", MS_NS, S_NS), CALLS } },
    { FAULT_IO_ERROR, ROW_AT_A_STEP, STORES, { NUMBER("count", 1, 3), CALLS } },
    { FAULT_AMBIGUOUS, ROW_AT_A_STEP, STORES, { NUMBER("count", 1, 3), CALLS } },
    /* What lies on the job's own record cannot be noticed by anybody. */
    { FAULT_LIE,
      0,
      TEXTS("file checkpoints/*", "file checkpoints/*/*"),
      { TIME("for", 10 * MS_NS, S_NS) } },
    { FAULT_CORRUPT, 0, CHECKPOINT_FILES, { { 0 } } },
    { FAULT_REMOVE, 0, CHECKPOINT_FILES, { { 0 } } },
    { FAULT_TRUNCATE, 0, CHECKPOINT_FILES, { { 0 } } },
    { FAULT_HOT_KEY,
      ROW_AT_A_TIME | ROW_RATED_INPUT,
      TEXTS("input"),
      { TIME("for", 10 * MS_NS, S_NS) } },
    { FAULT_BURST,
      ROW_AT_A_TIME | ROW_RATED_INPUT,
      TEXTS("input"),
      { TIME("for", 10 * MS_NS, S_NS), NUMBER("factor", 2, 20) } },
    { FAULT_POISON,
      ROW_AT_A_TIME | ROW_RATED_INPUT | ROW_SKIPS_RECORDS,
      TEXTS("input"),
      { { 0 } } },
    { FAULT_RESCALE, 0, TEXTS("job"), { { "parallelism", DRAW_PARALLELISM, 0, 0, NULL } } },
};

const uint32_t swarm_row_count = sizeof swarm_rows / sizeof swarm_rows[0];
_Static_assert(sizeof swarm_rows / sizeof swarm_rows[0] <= SWARM_ROW_COUNT_MAX, "the limit");
