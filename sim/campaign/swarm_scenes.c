#include "sim/campaign/swarm_scenes.h"

/* Steps of a checkpoint, to be put behind "checkpoint @N ". */
#define COMMIT_STEPS                                                                               \
    "<checkpoint.all_acked|manifest.written|manifest.synced|manifest.renamed|"                     \
    "checkpoint.completed>"
#define ANY_PROCESS  "<any task_manager|all task_managers|job_manager|any @task>"
#define RESTORE_STEP "<restore.chosen #@R|job.deployed #@R|task.started #@C|task.restored #@C>"
#define AFTER_COMMIT "'when': 'checkpoint @N " COMMIT_STEPS "', 'after': '@brief'"

const struct swarm_scene swarm_scenes[] = {
    /* Damage shows when it is read: somebody must restore before the next checkpoint replaces it.
     * In the file of one subtask only: of several damaged files some would not decode, and so hide
     * that nobody looked at the checksums. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N checkpoint.completed', 'do': '<corrupt|corrupt|truncate|remove>', "
        "'on': 'file checkpoints/<chk-@N|chk-@N|*>/<_metadata|_metadata|*-0|*>'",
        AFTER_COMMIT ", 'do': 'crash', 'on': '" ANY_PROCESS "', 'for': '@down'",
        "?'when': 'checkpoint @O checkpoint.completed', 'do': 'crash', 'on': '" ANY_PROCESS
        "', 'for': '@down'" } },
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N checkpoint.completed', 'do': 'corrupt', "
        "'on': 'file checkpoints/chk-@N/<_metadata|_metadata|*-0|*-1>'",
        "'when': 'checkpoint @N checkpoint.completed', 'do': 'crash', 'on': '" ANY_PROCESS
        "', 'for': '@down'",
        "?'when': 'checkpoint @O checkpoint.completed', 'do': 'crash', 'on': '" ANY_PROCESS
        "', 'for': '@down'" } },
    /* The same of output that was promised and is not committed yet. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N " COMMIT_STEPS
        "', 'do': 'remove', 'on': 'file output/*/.pending-*'",
        AFTER_COMMIT ", 'do': 'crash', 'on': '<all task_managers|any task_manager|any @task>', "
                     "'for': '@down'" } },
    /* ... or is committed with a later checkpoint, since the commit of this one failed. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N checkpoint.triggered', 'do': '<io_error|io_error|ambiguous>', "
        "'on': '<store|store of job_manager>', 'calls': '<rename|rename|sync>', 'count': 1",
        "'when': 'checkpoint @N <checkpoint.all_acked|manifest.written|manifest.synced>', "
        "'do': 'remove', 'on': 'file output/*/.pending-*'",
        "?'when': 'checkpoint @O checkpoint.completed', 'do': 'crash', 'on': '" ANY_PROCESS
        "', 'for': '@down'" } },
    /* What was to be restored is gone, and while it is decided what to do the rest goes too, or
     * nobody can tell what there is. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N <manifest.synced|checkpoint.completed>', 'do': 'remove', "
        "'on': 'file <output/*/.pending-*|checkpoints/chk-@N/@task-*|checkpoints/chk-@N/*>'",
        "'when': 'checkpoint @N checkpoint.completed', 'do': 'crash', "
        "'on': '<any task_manager|any @task>', 'for': '@brief'",
        "'when': '<failure.detected #@T|failure.detected #@T|task.failed #@T|restore.retried|"
        "restore.retried #2>', <'do': 'remove', 'on': 'file checkpoints/*/*'|"
        "'do': 'io_error', 'on': 'store of job_manager', 'calls': 'list', 'count': 1|"
        "'do': 'io_error', 'on': 'store of job_manager', 'calls': 'any', 'count': 2>" } },
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N checkpoint.completed', 'do': 'remove', "
        "'on': 'file checkpoints/chk-@N/@task-*'",
        "'when': 'checkpoint @N checkpoint.completed', 'do': 'crash', "
        "'on': '<any task_manager|any @task>', 'for': '@brief'",
        "'when': 'task.failed #<1|2|3>', 'do': 'io_error', 'on': 'store of job_manager', "
        "'calls': 'list', 'count': 1" } },
    /* An older checkpoint was restored; whether the next is there nobody knows. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N checkpoint.completed', 'do': '<corrupt|remove>', "
        "'on': 'file checkpoints/chk-@N/*'",
        "'when': 'checkpoint @N checkpoint.completed', 'do': 'crash', "
        "'on': '<any task_manager|any @task>', 'for': '@brief'",
        "'when': 'checkpoint @O <manifest.synced|manifest.renamed>', "
        "'do': '<ambiguous|ambiguous|io_error>', 'on': 'store of job_manager', "
        "'calls': '<sync|sync|any>', 'count': 1",
        "?'when': 'checkpoint @O checkpoint.aborted', 'do': 'crash', "
        "'on': '<any task_manager|any @task>', 'for': '@brief'" } },
    /* A disk said that it had what is lost with the power. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N "
        "<snapshot.taken|task.acked|checkpoint.all_acked|manifest.written>', "
        "'do': 'lie', 'on': 'file checkpoints/<*|*/*>', 'for': '@long'",
        "'when': 'checkpoint <@N|@O> <ack.received|manifest.renamed|checkpoint.completed>', "
        "'after': '@brief', 'do': 'crash', 'on': 'machine of <job_manager|job_manager|@X>', "
        "'for': '@down', 'unsynced': '<lose|tear|tear>'" } },
    /* A JobManager could not note what it did, and dies. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N <checkpoint.completed|checkpoint.subsumed>', 'do': 'io_error', "
        "'on': '<file job/*|file job/*|store of job_manager>', 'calls': '<write|sync|rename>', "
        "'count': 1",
        "'when': 'checkpoint @O <checkpoint.triggered|barrier.received|task.acked>', "
        "'after': '@brief', 'do': 'crash', 'on': 'job_manager', 'for': '@down'" } },
    /* The store is in trouble when a checkpoint is read. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N <checkpoint.completed|task.acked|barrier.received>', "
        "'after': '@brief', 'do': 'crash', 'on': '<any task_manager|any @task>', 'for': '@down'",
        "'when': '" RESTORE_STEP "', 'do': 'io_error', 'on': '<store|store of any @task|store of "
        "job_manager|file checkpoints/*/@task-*|file checkpoints/*/_metadata>', "
        "'calls': '<open|read>', 'count': <1|2>" } },
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N checkpoint.completed', 'do': 'io_error', 'on': 'file "
        "checkpoints/*/<_metadata|_metadata|@task-*>', 'calls': 'read', 'count': <1|2|2>",
        "'when': 'checkpoint @N checkpoint.completed', 'do': 'crash', 'on': 'any @task', "
        "'for': '@brief'",
        "'when': 'job.running #@R', 'after': '@then', 'do': 'io_error', 'on': 'file "
        "checkpoints/*/<_metadata|_metadata|@task-*>', 'calls': 'read', 'count': <1|2|2>",
        "'when': 'job.running #@R', 'after': '@then', 'do': 'crash', 'on': 'any @task', "
        "'for': '@brief'" } },
    /* The store is in trouble when a new JobManager looks at it. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N <task.acked|checkpoint.all_acked|checkpoint.completed>', "
        "'do': 'crash', 'on': 'job_manager', 'for': '@down'",
        "'when': 'checkpoint @N <task.acked|checkpoint.all_acked|checkpoint.completed>', "
        "'after': '@brief', 'do': 'io_error', 'on': '<store of job_manager|file "
        "checkpoints/*/_metadata>', 'calls': '<open|open|read|list|any>', "
        "<'count': 1|'count': 2|'for': '@while'>" } },
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N task.acked', 'do': 'crash', 'on': 'job_manager', 'for': '@down'",
        "'when': 'checkpoint @N task.acked', 'do': 'io_error', 'on': 'file "
        "checkpoints/*/_metadata', 'calls': 'read', 'count': <1|2>" } },
    { 0,
      { "'at': '0s', 'do': '<io_error|full>', 'on': '<store|store of job_manager>', "
        "'for': '@while'",
        "?'at': '@at', 'do': 'crash', 'on': 'job_manager', 'for': '@down'" } },
    /* A commit fails, or may have failed; it is restored, or not; then the power goes. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N <manifest.synced|manifest.renamed|manifest.renamed>', "
        "'do': '<io_error|io_error|ambiguous>', 'on': 'store of job_manager', "
        "'calls': '<sync|sync|any>', 'count': 1",
        "'when': 'checkpoint @N checkpoint.aborted', 'do': 'crash', "
        "'on': '<any task_manager|any task_manager|job_manager>', 'for': '@brief'",
        "'when': 'job.running #@R', 'after': '@brief', 'do': 'crash', "
        "'on': 'machine of job_manager', 'for': '@down', 'unsynced': '<lose|lose|tear>'" } },
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N " COMMIT_STEPS
        "', 'do': 'crash', 'on': 'job_manager', 'for': '@down'",
        "'when': '<"
        "restore.chosen #@R|job.deployed #@R|job.running #@R|task.restored #@C>', "
        "'do': 'crash', 'on': 'machine of <job_manager|any @task>', 'for': '@down', "
        "'unsynced': '<lose|tear>'" } },
    /* All that was written lately is lost with the power, wherever it was written. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N <snapshot.written(@X)|task.acked(@X)|checkpoint.all_acked|"
        "manifest.synced|checkpoint.completed|task.notified(@X)>', 'after': '@brief', "
        "'do': 'crash', 'on': 'machine of @X', 'for': '@down', 'unsynced': '<lose|lose|tear>'",
        "?" AFTER_COMMIT
        ", 'do': 'crash', 'on': 'machine of <any @task|job_manager>', 'for': '@down', "
        "'unsynced': '<lose|lose|tear>'",
        "?'when': 'checkpoint @N sink.committed(@X)', 'after': '@brief', 'do': 'crash', "
        "'on': 'machine of @X', 'for': '@down', 'unsynced': 'lose'" } },
    /* Zombies: who was given up comes back while its successors are deployed, restore or run. */
    { SCENE_RESTARTS,
      { "'when': 'job.deployed #1', 'do': 'pause', 'on': '<any task_manager|any @task>', "
        "'for': '@zombie'",
        "'when': 'job.deployed #2', 'do': 'pause', 'on': 'any task_manager', "
        "'for': '<@down|300ms|700ms|1500ms>'" } },
    { SCENE_RESTARTS,
      { "'when': 'job.deployed #@R', 'do': 'pause', 'on': '<any task_manager|any @task>', "
        "'for': '@zombie'",
        "'when': 'job.deployed #@S', 'do': '<pause|pause|crash>', "
        "'on': '<any task_manager|any @task|job_manager>', 'for': '<@down|300ms|700ms|1500ms>'" } },
    { SCENE_RESTARTS,
      { "'when': '<job_manager.started #1|task_manager.registered #2|task.started #@C|"
        "task.restored #@C|restore.chosen #@R>', 'after': '@brief', 'do': 'pause', "
        "'on': '<any task_manager|any @task>', 'for': '@zombie'",
        "?'when': 'checkpoint <1|@N> " COMMIT_STEPS
        "', 'do': 'crash', 'on': 'job_manager', 'for': '@long'" } },
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N <snapshot.taken(@X)|snapshot.written(@X)|task.acked(@X)|"
        "checkpoint.all_acked|checkpoint.completed|task.notified(@X)>', "
        "<'do': 'pause', 'on': '@X'|'do': 'partition', 'on': 'network of @X'>, "
        "'for': '@zombie'" } },
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N " COMMIT_STEPS "', 'do': 'pause', 'on': 'job_manager', "
        "'for': '@zombie'" } },
    { SCENE_RESTARTS,
      { "'at': '@at', 'do': 'clock', 'on': 'machine of <job_manager|job_manager|any "
        "task_manager>', 'by': '<-@zombie|-@zombie|@zombie>'",
        "?'at': '@at', 'do': 'crash', 'on': '" ANY_PROCESS "', 'for': '@down'" } },
    /* State and transactions are dealt out anew, by somebody who may die over it; and once more. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N <task.acked(@X)|checkpoint.all_acked|manifest.renamed|"
        "checkpoint.completed|task.notified(@X)>', <|'after': '@brief', >"
        "'do': 'rescale', 'on': 'job', 'parallelism': @P",
        "?'when': '<rescale.accepted|rescale.started|job.deployed #@R|task.restored #@C|"
        "job.running #@R>', 'do': 'crash', 'on': '" ANY_PROCESS "', 'for': '@down'",
        "?'when': 'job.running #@S', 'after': '@then', <'do': 'rescale', 'on': 'job', "
        "'parallelism': @P|'do': 'crash', 'on': 'any @task', 'for': '@down'>" } },
    /* ... after a crash that left transactions in doubt, or when some had finished. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N " COMMIT_STEPS
        "', 'after': '@brief', 'do': 'crash', 'on': '" ANY_PROCESS "', 'for': '@down'",
        "'when': 'checkpoint @N checkpoint.completed', 'after': '@brief', "
        "'do': 'rescale', 'on': 'job', 'parallelism': @P" } },
    { SCENE_RESTARTS,
      { "'when': '<task.end_of_data #@E|task.finished #@E>', 'after': '@brief', "
        "'do': 'rescale', 'on': 'job', 'parallelism': @P",
        "?'when': 'job.running #@R', 'after': '@brief', 'do': 'crash', 'on': '" ANY_PROCESS
        "', 'for': '@down'" } },
    /* ... by a JobManager that cannot note it at first, and dies when it could. */
    { SCENE_RESTARTS,
      { "'when': 'checkpoint @N <checkpoint.triggered|task.acked(@X)|checkpoint.completed>', "
        "'do': 'io_error', 'on': 'file job/*', 'calls': '<write|sync|rename>', "
        "<'count': 1|'count': 2|'for': '@brief'>",
        "'when': 'checkpoint @N <checkpoint.triggered|task.acked(@X)|checkpoint.completed>', "
        "'do': 'rescale', 'on': 'job', 'parallelism': @P",
        "'when': '<rescale.accepted|rescale.started>', 'do': 'crash', 'on': 'job_manager', "
        "'for': '@down'" } },
    /* A bad record is left out, and counted once though it may be read again. */
    { SCENE_RATED_INPUT | SCENE_RESTARTS,
      { "'at': '@at', 'do': 'poison', 'on': 'input'",
        "'when': 'checkpoint @N checkpoint.completed', 'do': 'crash', 'on': '" ANY_PROCESS
        "', 'for': '@down'",
        "?'when': 'checkpoint @O checkpoint.completed', 'do': 'crash', 'on': 'any @task', "
        "'for': '@down'" } },
    /* Who never comes back must be missed. */
    { SCENE_SPARE_SLOTS | SCENE_RESTARTS,
      { "<'at': '@at'|'when': 'job.deployed #@R'|'when': 'checkpoint @N task.acked'>, "
        "'do': 'crash', 'on': '<|machine of >task_manager[@last]', 'for': 'ever'" } },
    /* What is said twice, and who is late. */
    { 0,
      { "'when': '<job.deployed|restore.chosen> #<1|@R>', 'do': 'duplicate', "
        "'on': '<network|network of any task_manager>', 'by': '@brief', 'for': '@while'",
        "'when': '<job.deployed|restore.chosen> #<1|@R>', 'do': '<pause|crash>', "
        "'on': 'any task_manager', 'for': '@down'" } },
    { 0,
      { "'when': 'checkpoint @N <checkpoint.triggered|barrier.received|task.acked>', "
        "'do': 'duplicate', 'on': 'network', 'by': '@brief', 'for': '@while'",
        "'when': 'checkpoint @N <checkpoint.triggered|barrier.received|task.acked>', "
        "<'do': 'pause'|'do': 'slow', 'factor': 20>, 'on': 'any @task', 'for': '@down'" } },
    /* An old order comes late, to somebody who has a new one. */
    { SCENE_RESTARTS,
      { "'when': '<restore.chosen|job.deployed> #<1|@R>', "
        "<'do': 'clog'|'do': 'partition'|'do': 'delay', 'by': '@down'>, "
        "'on': 'network of <any task_manager|job_manager>', 'for': '@zombie'",
        "?'when': 'job.deployed #<2|@S>', 'do': 'pause', 'on': 'any task_manager', "
        "'for': '@down'" } },
    /* A snapshot cannot be written. */
    { 0,
      { "'when': 'checkpoint @N <snapshot.taken(@X)|task.aligned(@X)|barrier.emitted>', "
        "'do': 'io_error', 'on': '<store of @X|file checkpoints/*/@task-*>', 'calls': "
        "'<write|write|sync|open|any>', 'count': <1|2>",
        "?'when': 'checkpoint @O checkpoint.triggered', 'do': 'io_error', "
        "'on': '<store of job_manager|store>', 'calls': '<write|sync|rename|any>', "
        "'count': <1|2>" } },
    { 0,
      { "'when': 'checkpoint @N <checkpoint.triggered|checkpoint.all_acked|manifest.renamed|"
        "checkpoint.completed>', 'do': '<io_error|ambiguous>', 'on': 'store of <job_manager|any "
        "@task>', 'calls': '<sync|rename|remove|write|any>', 'count': <1|2|8>" } },
    { 0,
      { "'when': 'checkpoint @N <checkpoint.completed|task.notified(@X)>', "
        "'do': '<io_error|ambiguous>', 'on': 'store of @X', "
        "'calls': '<rename|sync|any>', 'count': <1|2>" } },
    /* Barriers and the ends of streams overtake each other on different channels. */
    { 0,
      { "'when': 'checkpoint @N <checkpoint.completed|checkpoint.all_acked>', 'do': 'delay', "
        "'on': 'network', 'by': '<1ms|10ms>', 'jitter': '<20ms|80ms|300ms>', 'for': "
        "'<500ms|1s|3s>'" } },
    /* Barriers that come when nobody waits for them any more. */
    { 0,
      { "'when': 'checkpoint @N checkpoint.triggered', 'do': 'delay', 'on': '@link', "
        "'by': '<@zombie|5s|10s>', 'for': '<@brief|100ms>'" } },
    /* At the end there is no next checkpoint to make good what went wrong. */
    { 0,
      { "'when': 'task.end_of_data #<@E|@L|@L>', 'do': '<io_error|ambiguous>', "
        "'on': '<store|store of job_manager|store of any @task>', "
        "'calls': '<write|sync|rename|remove|any>', <'count': 1|'count': 2|'count': 8>" } },
    { SCENE_RESTARTS,
      { "'when': '<task.end_of_data #@E|task.finished #@E>', 'after': '@brief', 'do': 'crash', "
        "'on': '<|machine of ><job_manager|any task_manager|any @task>', 'for': '@down'",
        "?'when': 'job.running #@R', 'after': '@brief', 'do': 'crash', "
        "'on': '<job_manager|any task_manager>', 'for': '@down'" } },
    { 0,
      { "'when': '<task.end_of_data|task.end_of_data #@L|task.finished>', 'do': 'duplicate', "
        "'on': 'network', 'by': '@brief', 'for': '@while'",
        "'when': '<task.end_of_data #@L|task.finished|task.finished #@E>', <|'after': '@brief', >"
        "'do': 'pause', 'on': '<any task_manager|any @task>', 'for': '@down'" } },
    { 0,
      { "'when': '<task.end_of_data|task.end_of_data(@X)|task.end_of_data #@L|task.finished>', "
        "<'do': 'slow', 'factor': 20, 'on': 'store'|'do': 'slow', 'factor': 20, 'on': "
        "'@X'|'do': 'stall', 'on': 'store of @X'>, 'for': '@while'" } },
    /* Some have ended while others go on, and checkpoints take long; or are restored. */
    { 0,
      { "'at': '@at', 'do': 'slow', 'factor': <5|20>, 'on': 'any @task', 'for': '@long'",
        "'when': '<task.end_of_data #1|task.end_of_data #@E>', 'do': 'slow', 'factor': 50, "
        "'on': '<store|store of @X>', 'for': '@long'",
        "?'when': 'task.finished #@E', 'after': '@then', 'do': 'crash', 'on': '" ANY_PROCESS
        "', 'for': '@down'" } },
    { 0,
      { "'when': '<checkpoint @N checkpoint.triggered|task.end_of_data>', "
        "<'do': 'clog'|'do': 'delay', 'by': '@down'|'do': 'throttle', 'bandwidth': '100KiB/s'>, "
        "'on': '<@link|network of any @task>', 'for': '@while'",
        "?'when': 'task.end_of_data', 'after': '@brief', 'do': 'delay', 'by': '10ms', "
        "'jitter': '@brief', 'on': 'network', 'for': '@while'" } },
    /* ... and one end of a stream is late: its reader is not ready when the others finish. */
    { SCENE_RESTARTS,
      { "'when': 'task.end_of_data #<1|1|@E>', 'do': 'clog', 'on': '<connection any task_manager - "
        "any task_manager|network of any @task>', 'direction': 'out', 'for': '@while'",
        "'when': 'task.finished #<@E|@L>', 'after': '@then', 'do': 'crash', 'on': '" ANY_PROCESS
        "', 'for': '@down'" } },
};

const uint32_t swarm_scene_count = sizeof swarm_scenes / sizeof swarm_scenes[0];
_Static_assert(sizeof swarm_scenes / sizeof swarm_scenes[0] <= SWARM_SCENE_COUNT_MAX, "the limit");
