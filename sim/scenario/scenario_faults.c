#include "sim/scenario/scenario_faults.h"

#include <string.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_nearest.h"

/* Removes `prefix` and the spaces behind it from the start of `*text`. */
static bool skip_word(const char **text, const char *prefix)
{
    CHECK(*prefix != '\0');
    size_t size = strlen(prefix);
    if (strncmp(*text, prefix, size) != 0) {
        return false;
    }
    *text += size;
    *text += strspn(*text, " ");
    return true;
}

static uint32_t find_vertex(const struct reader *reader, const char *name)
{
    CHECK(reader->pipeline.vertex_count > 0);
    int32_t vertex = pipeline_find_vertex(&reader->pipeline, bytes_of_text(name));
    return vertex < 0 ? FACT_NO_TASK : (uint32_t)vertex;
}

static bool fail_unknown_vertex(struct reader *reader, const char *path, const char *name)
{
    struct nearest nearest;
    nearest_init(&nearest, bytes_of_text(name));
    const char *list = "";
    for (uint32_t i = 0; i < reader->pipeline.vertex_count; i++) {
        const char *known = reader->pipeline.vertices[i].name;
        nearest_offer(&nearest, bytes_of_text(known), known);
        list = arena_format(reader->arena, "%s%s\"%s\"", list, i == 0 ? "" : ", ", known);
    }
    if (nearest.answer != NULL) {
        return reader_fail(reader, path, "unknown vertex \"%s\"; did you mean \"%s\"?", name,
                           nearest.answer);
    }
    return reader_fail(reader, path, "unknown vertex \"%s\"; the job's vertices are %s", name,
                       list);
}

/* `NAME`, or `NAME[INDEX]` with nothing behind it. */
struct indexed_name {
    const char *name;
    bool has_index;
    uint32_t index;
};

static bool parse_indexed_name(struct reader *reader, const char *path, const char *text,
                               struct indexed_name *parsed)
{
    size_t size = strcspn(text, "[");
    *parsed = (struct indexed_name){
        .name = arena_format(reader->arena, "%.*s", (int)size, text),
        .has_index = text[size] == '[',
    };
    if (!parsed->has_index) {
        return true;
    }
    const char *digits = text + size + 1;
    size_t digit_count = strspn(digits, "0123456789");
    uint64_t index = UINT64_MAX;
    struct bytes number = { .data = (const uint8_t *)digits, .size = digit_count };
    bool ok = value_parse(number, VALUE_COUNT, &index) == VALUE_OK && index < UINT32_MAX;
    if (!ok || strcmp(digits + digit_count, "]") != 0) {
        return reader_fail(reader, path, "\"%s\" must end in an index such as [0]", text);
    }
    parsed->index = (uint32_t)index;
    return true;
}

static bool fail_unknown_object(struct reader *reader, const char *path, const char *text,
                                const char *name)
{
    struct nearest nearest;
    nearest_init(&nearest, bytes_of_text(name));
    static const char *const objects[] = { "job_manager",
                                           "task_manager",
                                           "any task_manager",
                                           "all task_managers",
                                           "machine of",
                                           "link",
                                           "file",
                                           "connection",
                                           "network of",
                                           "disk of",
                                           "store of",
                                           "network",
                                           "store",
                                           "input",
                                           "job" };
    for (uint32_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        nearest_offer(&nearest, bytes_of_text(objects[i]), objects[i]);
    }
    for (uint32_t i = 0; i < reader->pipeline.vertex_count; i++) {
        const char *known = reader->pipeline.vertices[i].name;
        nearest_offer(&nearest, bytes_of_text(known), known);
    }
    if (nearest.answer != NULL) {
        return reader_fail(reader, path, "unknown object \"%s\"; did you mean \"%s\"?", text,
                           nearest.answer);
    }
    return reader_fail(reader, path,
                       "unknown object \"%s\"; must be one such as \"job_manager\", "
                       "\"task_manager[0]\", \"any %s\" or \"machine of job_manager\"",
                       text, reader->pipeline.vertices[0].name);
}

static bool parse_link(struct reader *reader, const char *path, const char *text,
                       struct fault_object *object)
{
    const char *arrow = strstr(text, "->");
    if (arrow == NULL) {
        return reader_fail(reader, path, "must be a link such as \"link source->count\"");
    }
    size_t size = (size_t)(arrow - text);
    while (size > 0 && text[size - 1] == ' ') {
        size--;
    }
    const char *from = arena_format(reader->arena, "%.*s", (int)size, text);
    const char *to = arrow + 2 + strspn(arrow + 2, " ");
    object->kind = OBJECT_LINK;
    object->vertex = find_vertex(reader, from);
    object->vertex_to = find_vertex(reader, to);
    if (object->vertex == FACT_NO_TASK || object->vertex_to == FACT_NO_TASK) {
        return fail_unknown_vertex(reader, path, object->vertex == FACT_NO_TASK ? from : to);
    }
    if (pipeline_edge(&reader->pipeline, object->vertex, object->vertex_to) < 0) {
        return reader_fail(reader, path, "there is no link from \"%s\" to \"%s\"", from, to);
    }
    return true;
}

static bool parse_file(struct reader *reader, const char *path, const char *text,
                       struct fault_object *object)
{
    if (*text == '\0' || *text == '/') {
        return reader_fail(reader, path,
                           "must name files of the shared volume, such as "
                           "\"file checkpoints/*/_metadata\"");
    }
    object->kind = OBJECT_FILE;
    object->glob = arena_text(reader->arena, text);
    return true;
}

static bool parse_indexed_object(struct reader *reader, const char *path, const char *text,
                                 bool any, struct prng *prng, struct fault_object *object)
{
    CHECK(reader->scenario->job.task_managers > 0);
    CHECK(reader->scenario->job.parallelism > 0);
    struct indexed_name parsed;
    if (!parse_indexed_name(reader, path, text, &parsed)) {
        return false;
    }
    bool of_cluster = strcmp(parsed.name, "task_manager") == 0;
    uint32_t vertex = find_vertex(reader, parsed.name);
    if (!of_cluster && vertex == FACT_NO_TASK) {
        return fail_unknown_object(reader, path, text, parsed.name);
    }
    const struct job_config *job = &reader->scenario->job;
    uint32_t count = of_cluster ? job->task_managers : faults_parallelism_max(reader);
    object->kind = of_cluster ? OBJECT_TASK_MANAGER : OBJECT_TASK;
    object->vertex = of_cluster ? 0 : vertex;
    if (any && !parsed.has_index) {
        object->index = (uint32_t)prng_below(prng, count);
        CHECK(object->index < count);
        return true;
    }
    if (any || !parsed.has_index) {
        return reader_fail(reader, path, "must say which: \"%s[0]\" or \"any %s\"", parsed.name,
                           parsed.name);
    }
    if (parsed.index >= count) {
        return reader_fail(reader, path, "there is no %s: %s is %u", text,
                           of_cluster ? "cluster.task_managers" : "job.parallelism", count);
    }
    object->index = parsed.index;
    return true;
}

/* `job_manager`, `task_manager[1]`, `any task_manager`, `all task_managers`, `count[2]`. */
static bool parse_process(struct reader *reader, const char *path, const char *text,
                          struct prng *prng, struct fault_object *object)
{
    if (strcmp(text, "job_manager") == 0) {
        object->kind = OBJECT_JOB_MANAGER;
        return true;
    }
    if (strcmp(text, "all task_managers") == 0) {
        object->kind = OBJECT_ALL_TASK_MANAGERS;
        return true;
    }
    bool any = skip_word(&text, "any ");
    return parse_indexed_object(reader, path, text, any, prng, object);
}

static bool parse_connection(struct reader *reader, const char *path, const char *text,
                             struct prng *prng, struct fault_object *object)
{
    const char *dash = strstr(text, " - ");
    if (dash == NULL) {
        return reader_fail(reader, path,
                           "must be a connection such as \"connection job_manager - "
                           "task_manager[0]\"");
    }
    const char *first = arena_format(reader->arena, "%.*s", (int)(dash - text), text);
    struct fault_object other = { 0 };
    if (!parse_process(reader, path, first, prng, object) ||
        !parse_process(reader, path, dash + strlen(" - "), prng, &other)) {
        return false;
    }
    object->first = (struct fault_peer){ object->kind, object->index, object->vertex };
    object->other = (struct fault_peer){ other.kind, other.index, other.vertex };
    object->kind = OBJECT_CONNECTION;
    return true;
}

/* The words before a process that name a part of it. */
static const struct {
    const char *word;
    enum fault_part part;
    bool machine;
} part_words[] = {
    { "machine of ", PART_PROCESS, true },
    { "network of ", PART_NETWORK, false },
    { "disk of ", PART_DISK, false },
    { "store of ", PART_STORE, false },
};

static bool parse_part(struct reader *reader, const char *path, const char **text,
                       struct fault_object *object)
{
    for (size_t i = 0; i < sizeof part_words / sizeof *part_words; i++) {
        if (!skip_word(text, part_words[i].word)) {
            continue;
        }
        object->machine = part_words[i].machine;
        object->part = part_words[i].part;
        static const char *const no_processes[] = { "link ", "file ", "machine ", "connection " };
        for (size_t k = 0; k < sizeof no_processes / sizeof *no_processes; k++) {
            if (strncmp(*text, no_processes[k], strlen(no_processes[k])) == 0) {
                return object->machine
                           ? reader_fail(reader, path, "only a process runs on a machine, not "
                                                       "\"%s\"", *text)
                           : reader_fail(reader, path, "\"%s\" is no process", *text);
            }
        }
        break;
    }
    return true;
}

bool parse_fault_object(struct reader *reader, const char *path, const char *text,
                        struct prng *prng, struct fault_object *object)
{
    CHECK(!reader->failed);
    CHECK(text != NULL);
    *object = (struct fault_object){ 0 };
    static const struct {
        const char *text;
        enum fault_object_kind kind;
    } wholes[] = { { "network", OBJECT_NETWORK },
                   { "store", OBJECT_STORE },
                   { "input", OBJECT_INPUT },
                   { "job", OBJECT_JOB } };
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        if (strcmp(text, wholes[i].text) == 0) {
            object->kind = wholes[i].kind;
            return true;
        }
    }
    const char *rest = text;
    if (skip_word(&rest, "link ")) {
        return parse_link(reader, path, rest, object);
    }
    if (skip_word(&rest, "file ")) {
        return parse_file(reader, path, rest, object);
    }
    if (skip_word(&rest, "connection ")) {
        return parse_connection(reader, path, rest, prng, object);
    }
    return parse_part(reader, path, &rest, object) &&
           parse_process(reader, path, rest, prng, object);
}

bool parse_process_name(struct reader *reader, const char *path, const char *text,
                        struct fault_object *object)
{
    CHECK(!reader->failed);
    *object = (struct fault_object){ 0 };
    if (strncmp(text, "any ", 4) == 0) {
        return reader_fail(reader, path, "must say which process, not \"%s\"", text);
    }
    struct prng none = { 0 };
    return parse_process(reader, path, text, &none, object);
}

bool parse_fact(struct reader *reader, const char *path, const char *name, enum fact_kind *fact)
{
    CHECK(!reader->failed);
    if (fact_find(bytes_of_text(name), fact)) {
        return true;
    }
    struct nearest nearest;
    nearest_init(&nearest, bytes_of_text(name));
    for (unsigned i = 0; i < FACT_KIND_COUNT; i++) {
        const char *known = fact_info((enum fact_kind)i)->name;
        nearest_offer(&nearest, bytes_of_text(known), known);
    }
    for (unsigned i = 0; i < FACT_KIND_COUNT && nearest.answer == NULL; i++) {
        /* The step alone: "all_acked". */
        const char *known = fact_info((enum fact_kind)i)->name;
        nearest_offer(&nearest, bytes_of_text(strchr(known, '.') + 1), known);
    }
    if (nearest.answer != NULL) {
        return reader_fail(reader, path, "unknown fact \"%s\"; did you mean \"%s\"?", name,
                           nearest.answer);
    }
    return reader_fail(reader, path, "unknown fact \"%s\"; \"faultline list facts\" names them",
                       name);
}

bool fact_is_of_job(enum fact_kind fact)
{
    CHECK((unsigned)fact < FACT_KIND_COUNT);
    switch (fact) {
    case FACT_JOB_MANAGER_STARTED:
    case FACT_TASK_MANAGER_REGISTERED:
    case FACT_RESTORE_CHOSEN:
    case FACT_RESTORE_RETRIED:
    case FACT_JOB_DEPLOYED:
    case FACT_JOB_RUNNING:
    case FACT_CHECKPOINT_TRIGGERED:
    case FACT_CHECKPOINT_ALL_ACKED:
    case FACT_MANIFEST_WRITTEN:
    case FACT_MANIFEST_SYNCED:
    case FACT_MANIFEST_RENAMED:
    case FACT_CHECKPOINT_COMPLETED:
    case FACT_CHECKPOINT_SUBSUMED:
    case FACT_JOB_CANCELLED:
    case FACT_RESTART_SCHEDULED:
    case FACT_RESCALE_ACCEPTED:
    case FACT_RESCALE_REFUSED:
    case FACT_RESCALE_STARTED:
    case FACT_JOB_FINISHED:
    case FACT_JOB_FAILED: return true;
    default: return false;
    }
}

/* A number from 1 at the start of `*text`. */
static bool parse_ordinal(struct reader *reader, const char *path, const char **text,
                          const char *what, uint64_t max, uint64_t *ordinal)
{
    CHECK(max >= 1);
    size_t size = strspn(*text, "0123456789");
    struct bytes digits = { .data = (const uint8_t *)*text, .size = size };
    if (value_parse(digits, VALUE_COUNT, ordinal) != VALUE_OK || *ordinal < 1 || *ordinal > max) {
        return reader_fail(reader, path, "the %s must be a number from 1", what);
    }
    *text += size;
    *text += strspn(*text, " ");
    return true;
}

/* What stands between the parentheses behind a fact: `count`, `count[2]` or `any count`. */
static bool parse_subtask(struct reader *reader, const char *path, const char *text,
                          struct prng *prng, struct fault_trigger *trigger)
{
    bool any = skip_word(&text, "any ");
    struct indexed_name parsed;
    if (!parse_indexed_name(reader, path, text, &parsed)) {
        return false;
    }
    trigger->vertex = find_vertex(reader, parsed.name);
    if (trigger->vertex == FACT_NO_TASK) {
        return fail_unknown_vertex(reader, path, parsed.name);
    }
    if (fact_is_of_job(trigger->fact)) {
        return reader_fail(reader, path, "\"%s\" is of the whole job, not of a subtask",
                           fact_info(trigger->fact)->name);
    }
    uint32_t count = faults_parallelism_max(reader);
    if (any && parsed.has_index) {
        return reader_fail(reader, path, "must say which: \"%s[0]\" or \"any %s\"", parsed.name,
                           parsed.name);
    }
    if (parsed.has_index && parsed.index >= count) {
        return reader_fail(reader, path, "there is no %s: job.parallelism is %u", text, count);
    }
    if (any) {
        trigger->subtask = (uint32_t)prng_below(prng, count);
    } else if (parsed.has_index) {
        trigger->subtask = parsed.index;
    }
    CHECK(trigger->subtask == FACT_NO_TASK || trigger->subtask < count);
    return true;
}

bool parse_fault_when(struct reader *reader, const char *path, const char *text, struct prng *prng,
                      struct fault_trigger *trigger)
{
    CHECK(!reader->failed);
    *trigger = (struct fault_trigger){
        .kind = TRIGGER_WHEN, .vertex = FACT_NO_TASK, .subtask = FACT_NO_TASK, .occurrence = 1
    };
    const char *rest = text + strspn(text, " ");
    if (skip_word(&rest, "checkpoint ") &&
        !parse_ordinal(reader, path, &rest, "checkpoint", INT64_MAX, &trigger->checkpoint)) {
        return false;
    }
    size_t size = strcspn(rest, " (#");
    const char *name = arena_format(reader->arena, "%.*s", (int)size, rest);
    if (size == 0) {
        return reader_fail(reader, path,
                           "must be a step such as \"checkpoint 3 task.acked(%s[0]) #2\"",
                           reader->pipeline.vertices[0].name);
    }
    if (!parse_fact(reader, path, name, &trigger->fact)) {
        return false;
    }
    rest += size;
    if (*rest == '(') {
        size_t inside = strcspn(rest + 1, ")");
        if (rest[1 + inside] == '\0') {
            return reader_fail(reader, path, "a \")\" is missing");
        }
        const char *subtask = arena_format(reader->arena, "%.*s", (int)inside, rest + 1);
        if (!parse_subtask(reader, path, subtask, prng, trigger)) {
            return false;
        }
        rest += inside + 2;
    }
    rest += strspn(rest, " ");
    if (skip_word(&rest, "#")) {
        uint64_t occurrence = 0;
        if (!parse_ordinal(reader, path, &rest, "occurrence", INT32_MAX, &occurrence)) {
            return false;
        }
        trigger->occurrence = (uint32_t)occurrence;
    }
    if (*rest != '\0') {
        return reader_fail(reader, path, "\"%s\" is left over after the step", rest);
    }
    CHECK(trigger->occurrence >= 1);
    return true;
}

bool read_verb(struct reader *reader, const char *path, const json_t *value, enum fault_verb *verb)
{
    const char *names[FAULT_VERB_COUNT + 1] = { NULL };
    for (unsigned i = 0; i < FAULT_VERB_COUNT; i++) {
        names[i] = fault_verb_name((enum fault_verb)i);
    }
    uint32_t index = 0;
    if (!read_choice(reader, path, value, names, &index)) {
        return false;
    }
    *verb = (enum fault_verb)index;
    return true;
}
