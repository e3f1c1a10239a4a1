/* Which verb goes with which object and parameter: the one table that reading, writing, drawing and
 * describing faults follow. */
#include "model/base/check.h"
#include "sim/scenario/scenario_faults.h"

/* Classes of objects, as bits. */
enum {
    ON_PROCESS = 1,
    ON_SUBTASK = 2, /* a process named by one of its subtasks */
    ON_MACHINE = 4,
    ON_LINK = 8,
    ON_CONNECTION = 16,
    ON_NETWORK_OF = 32,
    ON_NETWORK = 64,
    ON_STORE = 128, /* all of it, or as one process sees it */
    ON_DISK = 256,
    ON_FILE = 512,
    ON_INPUT = 1024,
    ON_JOB = 2048,
    ON_WIRE = ON_LINK | ON_CONNECTION | ON_NETWORK_OF | ON_NETWORK,
    ON_VOLUME = ON_STORE | ON_DISK,
};

struct verb_rule {
    uint32_t objects;
    uint32_t required; /* bits of enum fault_parameter */
    uint32_t optional;
    enum fault_length length;
    const char *needs;
};

static const struct verb_rule rules[FAULT_VERB_COUNT] = {
    [FAULT_CRASH] = { ON_PROCESS | ON_MACHINE, 0, PARAMETER_UNSYNCED, LENGTH_DEFAULT,
                      "a process or a machine" },
    [FAULT_PAUSE] = { ON_PROCESS, 0, 0, LENGTH_DEFAULT, "a process" },
    [FAULT_DELAY] = { ON_WIRE, PARAMETER_BY, PARAMETER_JITTER, LENGTH_GIVEN,
                      "a link or a connection" },
    [FAULT_CORRUPT] = { ON_FILE, 0, 0, LENGTH_NONE, "a file" },
    [FAULT_REMOVE] = { ON_FILE, 0, 0, LENGTH_NONE, "a file" },
    [FAULT_TRUNCATE] = { ON_FILE, 0, PARAMETER_SIZE, LENGTH_NONE, "a file" },
    [FAULT_WIPE] = { ON_MACHINE, 0, 0, LENGTH_DEFAULT, "a machine" },
    [FAULT_SLOW] = { ON_PROCESS | ON_VOLUME | ON_FILE, PARAMETER_FACTOR, 0, LENGTH_GIVEN,
                     "a process, a disk, the store or a file" },
    [FAULT_THROW] = { ON_SUBTASK, PARAMETER_IN, PARAMETER_COUNT, LENGTH_NONE,
                      "a subtask such as \"count[0]\"" },
    [FAULT_LATE] = { ON_PROCESS, PARAMETER_BY, 0, LENGTH_GIVEN, "a process" },
    [FAULT_CLOCK] = { ON_MACHINE, 0, PARAMETER_BY | PARAMETER_DRIFT, LENGTH_NONE, "a machine" },
    [FAULT_THROTTLE] = { ON_WIRE, PARAMETER_BANDWIDTH, 0, LENGTH_GIVEN, "a link or a connection" },
    [FAULT_CLOG] = { ON_WIRE, 0, PARAMETER_DIRECTION, LENGTH_GIVEN, "a link or a connection" },
    [FAULT_PARTITION] = { ON_NETWORK | ON_NETWORK_OF, 0, PARAMETER_DIRECTION | PARAMETER_GROUPS,
                          LENGTH_GIVEN, "the network, or the network of a process" },
    [FAULT_SWIZZLE] = { ON_NETWORK, 0, 0, LENGTH_GIVEN, "the network" },
    [FAULT_RESET] = { ON_WIRE, 0, 0, LENGTH_NONE, "a link or a connection" },
    [FAULT_DUPLICATE] = { ON_CONNECTION | ON_NETWORK_OF | ON_NETWORK, PARAMETER_BY, 0, LENGTH_GIVEN,
                          "a connection or a network" },
    [FAULT_STALL] = { ON_VOLUME | ON_FILE, 0, PARAMETER_CALLS, LENGTH_GIVEN,
                      "a disk, the store or a file" },
    [FAULT_FULL] = { ON_VOLUME, 0, 0, LENGTH_GIVEN, "a disk or the store" },
    [FAULT_IO_ERROR] = { ON_VOLUME | ON_FILE, 0, PARAMETER_CALLS | PARAMETER_COUNT, LENGTH_OR_COUNT,
                         "a disk, the store or a file" },
    [FAULT_AMBIGUOUS] = { ON_VOLUME | ON_FILE, 0, PARAMETER_CALLS | PARAMETER_COUNT,
                          LENGTH_OR_COUNT, "a disk, the store or a file" },
    [FAULT_LIE] = { ON_VOLUME | ON_FILE, 0, PARAMETER_COUNT, LENGTH_OR_COUNT,
                    "a disk, the store or a file" },
    [FAULT_HOT_KEY] = { ON_INPUT, 0, 0, LENGTH_GIVEN, "the input" },
    [FAULT_BURST] = { ON_INPUT, PARAMETER_FACTOR, 0, LENGTH_GIVEN, "the input" },
    [FAULT_POISON] = { ON_INPUT, 0, 0, LENGTH_NONE, "the input" },
    [FAULT_RESCALE] = { ON_JOB, PARAMETER_PARALLELISM, PARAMETER_MAX_PARALLELISM, LENGTH_NONE,
                        "the job" },
};

static const struct verb_rule *rule_of(enum fault_verb verb)
{
    CHECK((unsigned)verb < FAULT_VERB_COUNT);
    CHECK(rules[verb].needs != NULL);
    return &rules[verb];
}

static uint32_t classes_of(const struct fault_object *object)
{
    switch (object->kind) {
    case OBJECT_LINK: return ON_LINK;
    case OBJECT_FILE: return ON_FILE;
    case OBJECT_CONNECTION: return ON_CONNECTION;
    case OBJECT_NETWORK: return ON_NETWORK;
    case OBJECT_STORE: return ON_STORE;
    case OBJECT_INPUT: return ON_INPUT;
    case OBJECT_JOB: return ON_JOB;
    case OBJECT_JOB_MANAGER:
    case OBJECT_TASK_MANAGER:
    case OBJECT_ALL_TASK_MANAGERS:
    case OBJECT_TASK: break;
    }
    if (object->machine) {
        return ON_MACHINE;
    }
    switch (object->part) {
    case PART_NETWORK: return ON_NETWORK_OF;
    case PART_DISK: return ON_DISK;
    case PART_STORE: return ON_STORE;
    case PART_PROCESS: break;
    }
    return ON_PROCESS | (object->kind == OBJECT_TASK ? ON_SUBTASK : 0);
}

bool verb_fits(enum fault_verb verb, const struct fault_object *object)
{
    CHECK(object != NULL);
    return (rule_of(verb)->objects & classes_of(object)) != 0;
}

const char *verb_needs(enum fault_verb verb)
{
    return rule_of(verb)->needs;
}

enum fault_length verb_length(enum fault_verb verb)
{
    return rule_of(verb)->length;
}

bool verb_lasts(enum fault_verb verb)
{
    return rule_of(verb)->length == LENGTH_DEFAULT || rule_of(verb)->length == LENGTH_GIVEN;
}

uint32_t verb_required(enum fault_verb verb)
{
    return rule_of(verb)->required;
}

uint32_t verb_parameters(enum fault_verb verb)
{
    return rule_of(verb)->required | rule_of(verb)->optional;
}
