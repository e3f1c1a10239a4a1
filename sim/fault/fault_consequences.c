#include "sim/fault/fault_consequences.h"

#include <string.h>

#include "model/base/check.h"

static const struct fault_consequence table[FAULT_VERB_COUNT] = {
    [FAULT_CRASH] = { EXPECT_SAME, "except of a JobManager that holds the checkpoints in memory",
                      "what was synced is there; the rest is read again" },
    [FAULT_PAUSE] = { EXPECT_SAME, "", "a zombie is fenced by its attempt number" },
    [FAULT_DELAY] = { EXPECT_SAME, "", "nothing depends on how long a message takes" },
    [FAULT_CORRUPT] = { EXPECT_SAME_OR_REFUSED, "",
                        "the newest checkpoint may be what is damaged; checksums show it. A "
                        "database may hold all of them" },
    [FAULT_REMOVE] = { EXPECT_SAME_OR_REFUSED, "", "the newest checkpoint may be what is gone" },
    [FAULT_TRUNCATE] = { EXPECT_SAME_OR_REFUSED, "",
                         "the newest checkpoint may be what is damaged; checksums show it" },
    [FAULT_WIPE] = { EXPECT_SAME, "", "working files are disposable; all that counts is shared" },
    [FAULT_SLOW] = { EXPECT_SAME, "", "back-pressure; checkpoints may expire" },
    [FAULT_THROW] = { EXPECT_SAME, "", "the attempt fails and is restarted" },
    [FAULT_LATE] = { EXPECT_SAME, "", "timers promise no more than: not before" },
    [FAULT_CLOCK] = { EXPECT_SAME, "", "no result depends on a clock" },
    [FAULT_THROTTLE] = { EXPECT_SAME, "", "back-pressure; checkpoints may expire" },
    [FAULT_CLOG] = { EXPECT_SAME, "", "to the other side it is a pause" },
    [FAULT_PARTITION] = { EXPECT_SAME, "", "who is not heard is given up, and fenced when back" },
    [FAULT_SWIZZLE] = { EXPECT_SAME, "", "as clog" },
    [FAULT_RESET] = { EXPECT_SAME, "", "the subtasks that lost a channel fail" },
    [FAULT_DUPLICATE] = { EXPECT_SAME, "", "control messages are idempotent" },
    [FAULT_STALL] = { EXPECT_SAME, "", "as a pause of whoever calls" },
    [FAULT_FULL] = { EXPECT_SAME, "", "checkpoints are given up, sinks fail, until there is room" },
    [FAULT_IO_ERROR] = { EXPECT_SAME_OR_REFUSED, "of open or read",
                         "a checkpoint that cannot be read restart.restore_tries times is "
                         "refused" },
    [FAULT_AMBIGUOUS] = { EXPECT_SAME_OR_REFUSED, "of open or read",
                          "as io_error; a commit in doubt is looked up" },
    /* If the JobManager was lied to, its power cut may take manifests and the record of them both:
     * then nothing is left to notice it by, and the run is judged wrong, which it is. */
    [FAULT_LIE] = { EXPECT_SAME_OR_REFUSED, "to TaskManagers",
                    "what was said to be durable may be gone after a power cut" },
    [FAULT_HOT_KEY] = { EXPECT_SAME, "", "one subtask has most of the work" },
    [FAULT_BURST] = { EXPECT_SAME, "", "back-pressure" },
    [FAULT_RESCALE] = { EXPECT_SAME_OR_REFUSED, "to another max_parallelism",
                        "key groups, splits and transactions are dealt out anew; no key stays in "
                        "its group" },
    [FAULT_POISON] = { EXPECT_FAILED, "unless job.bad_records is \"skip\"",
                       "a record that cannot be used ends the job, and is named" },
};

const struct fault_consequence *fault_consequence(enum fault_verb verb)
{
    CHECK((unsigned)verb < FAULT_VERB_COUNT);
    CHECK(table[verb].why != NULL);
    return &table[verb];
}

/* Does the row hold for this fault, or does it fall under what `when` leaves out? */
static bool applies(const struct scenario *scenario, const struct fault *fault)
{
    switch (fault->verb) {
    case FAULT_IO_ERROR:
    case FAULT_AMBIGUOUS: return (fault->calls & (HOST_STORAGE_OPEN | HOST_STORAGE_READ)) != 0;
    case FAULT_RESCALE:
        return fault->max_parallelism > 0 &&
               fault->max_parallelism != scenario->job.max_parallelism;
    case FAULT_POISON: return !scenario->job.input.skip_bad_records;
    default: return true;
    }
}

/* May the fault end a JobManager that holds the checkpoints in its memory, of a job that may not
 * begin anew without them? */
static bool ends_memory(const struct scenario *scenario, const struct fault *fault)
{
    bool may_repeat =
        scenario->job.allow_older || scenario->job.checkpoint.mode == MODE_AT_LEAST_ONCE;
    bool is_end = fault->verb == FAULT_CRASH || fault->verb == FAULT_WIPE;
    return scenario->job.checkpoint.store == STORE_MEMORY && !may_repeat && is_end &&
           fault->object.kind == OBJECT_JOB_MANAGER;
}

/* What a fault may lead to. Output that was promised and is gone ends the job when it is to be
 * committed: in a restore, which is refused then, or after a checkpoint. */
static enum expected_result consequence_of(const struct scenario *scenario,
                                           const struct fault *fault)
{
    if (!applies(scenario, fault)) {
        return EXPECT_SAME;
    }
    if (ends_memory(scenario, fault)) {
        return EXPECT_SAME_OR_REFUSED;
    }
    bool is_output = fault->object.kind == OBJECT_FILE &&
                     strncmp(fault->object.glob, "output/", strlen("output/")) == 0;
    return fault->verb == FAULT_REMOVE && is_output ? EXPECT_SAME_OR_FAILED
                                                    : fault_consequence(fault->verb)->result;
}

/* Results in the order of how much they allow. */
static int rank(enum expected_result result)
{
    switch (result) {
    case EXPECT_SAME: return 0;
    case EXPECT_SAME_OR_REFUSED: return 1;
    case EXPECT_REFUSED: return 2;
    case EXPECT_SAME_OR_FAILED: return 3;
    case EXPECT_FAILED: return 4;
    }
    CHECK_UNREACHABLE("an expected result");
}

enum expected_result fault_consequences_of(const struct scenario *scenario)
{
    enum expected_result most = EXPECT_SAME;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        enum expected_result result = consequence_of(scenario, &scenario->faults[i]);
        if (rank(result) > rank(most)) {
            most = result;
        }
    }
    return most;
}
