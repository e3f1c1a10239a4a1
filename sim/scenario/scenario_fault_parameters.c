/* The parameters of faults: read from JSON, written back, and described. */
#include <string.h>

#include "model/base/check.h"
#include "model/runtime/process.h"
#include "sim/scenario/scenario_faults.h"

static const char *const unsynced_choices[] = { "keep", "lose", "tear", "random", NULL };
static const char *const direction_choices[] = { "both", "out", "in", NULL };
static const char *const user_call_choices[] = { "map",     "process", "snapshot",
                                                 "restore", "commit",  NULL };
static const char *const call_choices[] = { "open", "read",   "write",    "sync", "rename",
                                            "list", "remove", "make_dir", NULL };

_Static_assert(DISK_KEEP == 0 && DISK_LOSE == 1 && DISK_TEAR == 2 && DISK_RANDOM == 3,
               "the order of unsynced_choices");
_Static_assert(DIRECTION_BOTH == 0 && DIRECTION_OUT == 1 && DIRECTION_IN == 2,
               "the order of direction_choices");
_Static_assert(HOST_CALL_MAP == 0 && HOST_CALL_PROCESS == 1 && HOST_CALL_SNAPSHOT == 2 &&
                   HOST_CALL_RESTORE == 3 && HOST_CALL_COMMIT == 4 && HOST_USER_CALL_COUNT == 5,
               "the order of user_call_choices");
_Static_assert(HOST_STORAGE_OPEN == 1 && HOST_STORAGE_MAKE_DIR == 1 << 7,
               "the order of call_choices");

enum { DEFAULT_FOR_NS = 1000000000, GROUPS_MAX = 250, MILLION = 1000000 };
static const uint64_t fault_time_max_ns = UINT64_C(8760) * 3600 * 1000000000;

struct parameter_reader {
    struct reader *reader;
    const char *fault_path;
    const json_t *object;
    struct fault *fault;
    const char *path; /* of the parameter being read */
};

/* ---- single parameters ----------------------------------------------------------------------- */

static struct limits duration_limits(uint64_t min_ns)
{
    return (struct limits){ .unit = VALUE_DURATION, .min = min_ns, .max = fault_time_max_ns };
}

/* A sign in front of a text means that the clock is behind. */
static const char *without_sign(struct fault *fault, const json_t *value)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    bool is_negative = *text == '-';
    fault->backwards = fault->backwards || is_negative;
    return is_negative ? text + 1 : NULL;
}

static bool read_by(struct parameter_reader *self, const json_t *value)
{
    struct fault *fault = self->fault;
    const char *positive = fault->verb == FAULT_CLOCK ? without_sign(fault, value) : NULL;
    json_t *own = positive != NULL ? json_string(positive) : NULL;
    bool ok = read_quantity(self->reader, self->path, own != NULL ? own : value, duration_limits(1),
                            &fault->by_ns);
    json_decref(own);
    return ok;
}

static bool read_drift(struct parameter_reader *self, const json_t *value)
{
    struct fault *fault = self->fault;
    const char *positive = without_sign(fault, value);
    json_t *own = positive != NULL ? json_string(positive) : NULL;
    uint64_t ppm = 0;
    bool ok = read_ppm(self->reader, self->path, own != NULL ? own : value, 1, MILLION / 2, &ppm);
    json_decref(own);
    fault->drift_ppm = (uint32_t)ppm;
    return ok;
}

static bool read_calls(struct parameter_reader *self, const json_t *value)
{
    uint32_t index = 0;
    self->fault->calls = 0;
    if (!json_is_array(value)) {
        if (json_is_string(value) && strcmp(json_string_value(value), "any") == 0) {
            self->fault->calls = HOST_STORAGE_ANY;
            return true;
        }
        if (!read_choice(self->reader, self->path, value, call_choices, &index)) {
            return false;
        }
        self->fault->calls = 1u << index;
        return true;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!read_choice(self->reader, self->path, json_array_get(value, i), call_choices,
                         &index)) {
            return false;
        }
        self->fault->calls |= 1u << index;
    }
    return self->fault->calls != 0 ||
           reader_fail(self->reader, self->path, "must name at least one call");
}

static bool read_enum(struct parameter_reader *self, const json_t *value,
                      const char *const *choices, uint32_t *index)
{
    return read_choice(self->reader, self->path, value, choices, index);
}

static bool set_group(struct parameter_reader *self, uint8_t *of_process, const char *name,
                      uint8_t group)
{
    struct fault_object object;
    if (!parse_process_name(self->reader, self->path, name, &object)) {
        return false;
    }
    if (object.kind == OBJECT_JOB_MANAGER) {
        of_process[PROCESS_JOB_MANAGER] = group;
        return true;
    }
    if (object.kind == OBJECT_TASK_MANAGER) {
        of_process[PROCESS_FIRST_TASK_MANAGER + object.index] = group;
        return true;
    }
    return reader_fail(self->reader, self->path,
                       "a group is made of job_manager and task_manager[N], not of \"%s\"", name);
}

static bool read_groups(struct parameter_reader *self, const json_t *value)
{
    struct reader *reader = self->reader;
    const char *text = NULL;
    if (!read_text(reader, self->path, value, &text)) {
        return false;
    }
    size_t processes = PROCESS_FIRST_TASK_MANAGER + reader->scenario->job.task_managers;
    uint8_t *of_process = arena_alloc(reader->arena, processes, 1);
    uint32_t group = 1;
    for (const char *at = text; *at != '\0'; group++) {
        size_t group_size = strcspn(at, "|");
        const char *end = at + group_size;
        while (at < end) {
            at += strspn(at, ", ");
            size_t size = strcspn(at, ",|");
            size_t trimmed = size;
            while (trimmed > 0 && at[trimmed - 1] == ' ') {
                trimmed--;
            }
            if (trimmed > 0 &&
                !set_group(self, of_process, arena_format(reader->arena, "%.*s", (int)trimmed, at),
                           (uint8_t)group)) {
                return false;
            }
            at += size;
        }
        at = *end == '|' ? end + 1 : end;
        if (group == GROUPS_MAX) {
            return reader_fail(reader, self->path, "must be at most %d groups", GROUPS_MAX);
        }
    }
    struct fault_groups *groups = arena_alloc(reader->arena, 1, sizeof *groups);
    *groups = (struct fault_groups){ .text = text, .of_process = of_process };
    self->fault->groups = groups;
    return true;
}

static bool read_count(struct parameter_reader *self, const json_t *value)
{
    uint64_t count = 0;
    struct limits limits = { .unit = VALUE_COUNT, .min = 1, .max = INT32_MAX };
    bool ok = read_quantity(self->reader, self->path, value, limits, &count);
    self->fault->count = (uint32_t)count;
    return ok;
}

static bool read_parallelism(struct parameter_reader *self, const json_t *value,
                             uint32_t *parallelism)
{
    uint64_t count = 0;
    struct limits limits = { .unit = VALUE_COUNT, .min = 1, .max = KEY_GROUP_COUNT_MAX };
    bool ok = read_quantity(self->reader, self->path, value, limits, &count);
    *parallelism = (uint32_t)count;
    return ok;
}

static bool read_one(struct parameter_reader *self, enum fault_parameter parameter,
                     const json_t *value)
{
    struct fault *fault = self->fault;
    struct reader *reader = self->reader;
    uint32_t index = 0;
    bool ok = false;
    switch (parameter) {
    case PARAMETER_BY: return read_by(self, value);
    case PARAMETER_JITTER:
        return read_quantity(reader, self->path, value, duration_limits(0), &fault->jitter_ns);
    case PARAMETER_FACTOR:
        return read_ppm(reader, self->path, value, MILLION, UINT64_C(1000) * MILLION,
                        &fault->factor_ppm);
    case PARAMETER_BANDWIDTH: {
        struct limits limits = { .unit = VALUE_BANDWIDTH, .min = 1, .max = UINT64_C(1) << 40 };
        return read_quantity(reader, self->path, value, limits, &fault->bandwidth_bytes_per_s);
    }
    case PARAMETER_SIZE: {
        struct limits limits = { .unit = VALUE_SIZE, .min = 0, .max = UINT64_C(1) << 40 };
        return read_quantity(reader, self->path, value, limits, &fault->size_bytes);
    }
    case PARAMETER_DIRECTION:
        ok = read_enum(self, value, direction_choices, &index);
        fault->direction = (enum fault_direction)index;
        return ok;
    case PARAMETER_IN:
        ok = read_enum(self, value, user_call_choices, &index);
        fault->in = (enum host_user_call)index;
        return ok;
    case PARAMETER_UNSYNCED:
        ok = read_enum(self, value, unsynced_choices, &index);
        fault->unsynced = (enum disk_survival)index;
        return ok;
    case PARAMETER_CALLS: return read_calls(self, value);
    case PARAMETER_COUNT: return read_count(self, value);
    case PARAMETER_GROUPS: return read_groups(self, value);
    case PARAMETER_DRIFT: return read_drift(self, value);
    case PARAMETER_PARALLELISM: return read_parallelism(self, value, &fault->parallelism);
    case PARAMETER_MAX_PARALLELISM: return read_parallelism(self, value, &fault->max_parallelism);
    }
    CHECK_UNREACHABLE("a parameter");
}

/* ---- all of them ----------------------------------------------------------------------------- */

static const struct {
    enum fault_parameter parameter;
    const char *key;
    const char *only_with; /* which verbs know it */
} parameters[] = {
    { PARAMETER_BY, "by", "\"delay\", \"late\", \"duplicate\" and \"clock\"" },
    { PARAMETER_JITTER, "jitter", "\"delay\"" },
    { PARAMETER_FACTOR, "factor", "\"slow\" and \"burst\"" },
    { PARAMETER_BANDWIDTH, "bandwidth", "\"throttle\"" },
    { PARAMETER_DIRECTION, "direction", "\"clog\" and \"partition\" of a connection or a process" },
    { PARAMETER_CALLS, "calls", "\"io_error\", \"ambiguous\" and \"stall\"" },
    { PARAMETER_COUNT, "count", "\"io_error\", \"ambiguous\", \"lie\" and \"throw\"" },
    { PARAMETER_IN, "in", "\"throw\"" },
    { PARAMETER_GROUPS, "groups", "\"partition\" of the network" },
    { PARAMETER_UNSYNCED, "unsynced", "the crash of a machine" },
    { PARAMETER_DRIFT, "drift", "\"clock\"" },
    { PARAMETER_SIZE, "size", "\"truncate\"" },
    { PARAMETER_PARALLELISM, "parallelism", "\"rescale\"" },
    { PARAMETER_MAX_PARALLELISM, "max_parallelism", "\"rescale\"" },
};
enum { PARAMETER_KINDS = sizeof parameters / sizeof *parameters };

/* Which parameters make sense, given the verb and the object. */
static uint32_t sensible(const struct fault *fault)
{
    uint32_t known = verb_parameters(fault->verb);
    const struct fault_object *object = &fault->object;
    if (!object->machine) {
        known &= ~(uint32_t)PARAMETER_UNSYNCED;
    }
    if (object->kind != OBJECT_CONNECTION && object->part != PART_NETWORK) {
        known &= ~(uint32_t)PARAMETER_DIRECTION;
    }
    if (object->kind != OBJECT_NETWORK) {
        known &= ~(uint32_t)PARAMETER_GROUPS;
    }
    return known;
}

static bool read_for(struct parameter_reader *self)
{
    struct reader *reader = self->reader;
    struct fault *fault = self->fault;
    enum fault_length length = verb_length(fault->verb);
    const json_t *value = json_object_get(self->object, "for");
    self->path = arena_format(reader->arena, "%s.for", self->fault_path);
    if (value == NULL) {
        fault->for_ns = length == LENGTH_DEFAULT ? DEFAULT_FOR_NS : 0;
        fault->for_ever = length == LENGTH_OR_COUNT;
        return length != LENGTH_GIVEN || reader_fail(reader, self->path, "must be given");
    }
    if (length == LENGTH_NONE) {
        return reader_fail(reader, self->path, "makes no sense: \"%s\" is done at once",
                           fault_verb_name(fault->verb));
    }
    if (json_is_string(value) && strcmp(json_string_value(value), "ever") == 0) {
        fault->for_ever = true;
        return true;
    }
    struct limits limits = duration_limits(1);
    limits.special = "ever";
    return read_quantity(reader, self->path, value, limits, &fault->for_ns);
}

/* A job can be asked for no more than its key groups and the cluster's slots allow. */
static bool check_rescale(struct parameter_reader *self)
{
    const struct fault *fault = self->fault;
    const struct job_config *job = &self->reader->scenario->job;
    bool is_given = fault->max_parallelism > 0;
    uint32_t most = is_given ? fault->max_parallelism : job->max_parallelism;
    const char *path = arena_format(self->reader->arena, "%s.parallelism", self->fault_path);
    if (fault->parallelism > most) {
        return reader_fail(self->reader, path, "must be at most %s, which is %u",
                           is_given ? "max_parallelism" : "job.max_parallelism", most);
    }
    if ((uint64_t)job->task_managers * job->slots < fault->parallelism) {
        return reader_fail(self->reader, path,
                           "%u TaskManagers with %u slots each are too few for %u",
                           job->task_managers, job->slots, fault->parallelism);
    }
    return true;
}

/* What no single parameter can say. */
static bool check_together(struct parameter_reader *self)
{
    const struct fault *fault = self->fault;
    struct reader *reader = self->reader;
    if (fault->verb == FAULT_CLOCK && fault->by_ns == 0 && fault->drift_ppm == 0) {
        return reader_fail(reader, self->fault_path, "needs \"by\" or \"drift\"");
    }
    if (fault->verb == FAULT_PARTITION && fault->object.kind == OBJECT_NETWORK &&
        fault->groups == NULL) {
        return reader_fail(reader, self->fault_path,
                           "needs \"groups\", or the network of one process");
    }
    if (fault->verb == FAULT_RESCALE) {
        return check_rescale(self);
    }
    bool is_input = fault->object.kind == OBJECT_INPUT;
    const struct input_config *input = &reader->scenario->job.input;
    if (is_input && (input->kind != INPUT_GENERATOR || input->rate_per_s == 0)) {
        return reader_fail(reader, self->fault_path,
                           "\"%s\" needs generated records with a job.input.rate",
                           fault_verb_name(fault->verb));
    }
    if (is_input && fault->trigger.kind != TRIGGER_AT) {
        return reader_fail(reader, self->fault_path,
                           "\"%s\" needs \"at\": the input is known "
                           "before the run",
                           fault_verb_name(fault->verb));
    }
    return true;
}

bool read_parameters(struct reader *reader, const char *path, const json_t *object,
                     struct fault *fault)
{
    CHECK(!reader->failed);
    CHECK(verb_fits(fault->verb, &fault->object));
    struct parameter_reader self = {
        .reader = reader, .fault_path = path, .object = object, .fault = fault
    };
    uint32_t known = sensible(fault);
    uint32_t required = verb_required(fault->verb);
    fault->calls = (known & PARAMETER_CALLS) != 0 ? HOST_STORAGE_ANY : 0;
    /* The crash of a process keeps what the kernel had. */
    fault->unsynced = (known & PARAMETER_UNSYNCED) != 0 ? DISK_RANDOM : DISK_KEEP;
    fault->count = fault->verb == FAULT_THROW ? 1 : 0;
    for (size_t i = 0; i < PARAMETER_KINDS; i++) {
        const json_t *value = json_object_get(object, parameters[i].key);
        bool is_required = (required & parameters[i].parameter) != 0;
        if (value == NULL && !is_required) {
            continue;
        }
        self.path = arena_format(reader->arena, "%s.%s", path, parameters[i].key);
        if (value == NULL) {
            return reader_fail(reader, self.path, "must be given");
        }
        if ((known & parameters[i].parameter) == 0) {
            return reader_fail(reader, self.path, "makes sense with %s only",
                               parameters[i].only_with);
        }
        if (!read_one(&self, parameters[i].parameter, value)) {
            return false;
        }
    }
    return read_for(&self) && check_together(&self);
}

/* ---- back again ------------------------------------------------------------------------------ */

static void write_calls(uint32_t calls, struct buffer *out)
{
    if (calls == HOST_STORAGE_ANY) {
        buffer_append_text(out, "\"any\"");
        return;
    }
    buffer_append_text(out, "[");
    const char *joint = "";
    for (uint32_t i = 0; call_choices[i] != NULL; i++) {
        if ((calls >> i & 1u) != 0) {
            buffer_append_format(out, "%s\"%s\"", joint, call_choices[i]);
            joint = ", ";
        }
    }
    buffer_append_text(out, "]");
}

static void write_quantity(uint64_t value, enum value_unit unit, const char *sign,
                           struct buffer *out)
{
    buffer_append_format(out, "\"%s", sign);
    value_format(value, unit, out);
    buffer_append_text(out, "\"");
}

/* Is there something to write that the reader would not assume by itself? */
static bool is_set(const struct fault *fault, enum fault_parameter parameter)
{
    if ((sensible(fault) & parameter) == 0) {
        return false;
    }
    switch (parameter) {
    case PARAMETER_BY: return fault->by_ns > 0;
    case PARAMETER_JITTER: return fault->jitter_ns > 0;
    case PARAMETER_COUNT: return fault->count > 0;
    case PARAMETER_GROUPS: return fault->groups != NULL;
    case PARAMETER_DRIFT: return fault->drift_ppm > 0;
    case PARAMETER_DIRECTION: return fault->direction != DIRECTION_BOTH;
    case PARAMETER_CALLS: return fault->calls != HOST_STORAGE_ANY;
    case PARAMETER_FACTOR:
    case PARAMETER_BANDWIDTH:
    case PARAMETER_IN:
    case PARAMETER_UNSYNCED:
    case PARAMETER_PARALLELISM:
    case PARAMETER_SIZE: return true;
    case PARAMETER_MAX_PARALLELISM: return fault->max_parallelism > 0;
    }
    CHECK_UNREACHABLE("a parameter");
}

static void write_value(const struct fault *fault, enum fault_parameter parameter,
                        struct buffer *out)
{
    const char *sign = fault->backwards ? "-" : "";
    switch (parameter) {
    case PARAMETER_BY: write_quantity(fault->by_ns, VALUE_DURATION, sign, out); return;
    case PARAMETER_JITTER: write_quantity(fault->jitter_ns, VALUE_DURATION, "", out); return;
    case PARAMETER_FACTOR: value_format_ppm(fault->factor_ppm, out); return;
    case PARAMETER_BANDWIDTH:
        write_quantity(fault->bandwidth_bytes_per_s, VALUE_BANDWIDTH, "", out);
        return;
    case PARAMETER_SIZE: write_quantity(fault->size_bytes, VALUE_SIZE, "", out); return;
    case PARAMETER_DIRECTION:
        buffer_append_format(out, "\"%s\"", direction_choices[fault->direction]);
        return;
    case PARAMETER_CALLS: write_calls(fault->calls, out); return;
    case PARAMETER_COUNT: buffer_append_format(out, "%u", fault->count); return;
    case PARAMETER_PARALLELISM: buffer_append_format(out, "%u", fault->parallelism); return;
    case PARAMETER_MAX_PARALLELISM: buffer_append_format(out, "%u", fault->max_parallelism); return;
    case PARAMETER_IN: buffer_append_format(out, "\"%s\"", user_call_choices[fault->in]); return;
    case PARAMETER_GROUPS: append_json_text(fault->groups->text, out); return;
    case PARAMETER_UNSYNCED:
        CHECK((unsigned)fault->unsynced <= DISK_RANDOM);
        buffer_append_format(out, "\"%s\"", unsynced_choices[fault->unsynced]);
        return;
    case PARAMETER_DRIFT:
        buffer_append_format(out, "\"%s", sign);
        value_format_ppm(fault->drift_ppm, out);
        buffer_append_text(out, "\"");
        return;
    }
    CHECK_UNREACHABLE("a parameter");
}

void parameters_write(const struct fault *fault, struct buffer *out)
{
    CHECK(verb_fits(fault->verb, &fault->object));
    for (size_t i = 0; i < PARAMETER_KINDS; i++) {
        if (is_set(fault, parameters[i].parameter)) {
            buffer_append_format(out, ", \"%s\": ", parameters[i].key);
            write_value(fault, parameters[i].parameter, out);
        }
    }
    enum fault_length length = verb_length(fault->verb);
    if (length == LENGTH_NONE) {
        return;
    }
    CHECK(fault->for_ever || fault->for_ns > 0);
    if (!fault->for_ever) {
        buffer_append_text(out, ", \"for\": ");
        write_quantity(fault->for_ns, VALUE_DURATION, "", out);
    } else if (length != LENGTH_OR_COUNT) {
        buffer_append_text(out, ", \"for\": \"ever\"");
    }
}

void fault_parameters_describe(const struct fault *fault, struct buffer *out)
{
    CHECK(verb_fits(fault->verb, &fault->object));
    for (size_t i = 0; i < PARAMETER_KINDS; i++) {
        enum fault_parameter parameter = parameters[i].parameter;
        if (parameter == PARAMETER_UNSYNCED || !is_set(fault, parameter)) {
            continue; /* what a power cut left is told elsewhere */
        }
        struct buffer value;
        buffer_init(&value, out->arena);
        write_value(fault, parameter, &value);
        buffer_append_format(out, " %s ", parameters[i].key);
        for (size_t k = 0; k < value.size; k++) {
            if (value.data[k] != '"' && value.data[k] != '[' && value.data[k] != ']') {
                buffer_append(out, (struct bytes){ .data = value.data + k, .size = 1 });
            }
        }
        buffer_free(&value);
    }
}
