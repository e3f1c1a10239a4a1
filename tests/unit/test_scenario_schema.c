#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/scenario_json.h"
#include "tests/support/runner.h"

static struct arena arena;
static json_t *schema;

static void set_up(void)
{
    arena_init(&arena);
    json_error_t error;
    schema = json_load_file("scenarios/scenario.schema.json", JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(schema != NULL, "line %d: %s", error.line, error.text);
}

static void tear_down(void)
{
    json_decref(schema);
    arena_drop(&arena);
}

/* Calls `each` with every key that the schema describes, as a path, and its description. */
static void walk(const json_t *described, const char *path,
                 void (*each)(void *context, const char *path, const json_t *described),
                 void *context)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(json_object_get(described, "properties"), key, value)
    {
        const char *place = arena_format(&arena, "%s%s%s", path, *path == '\0' ? "" : ".", key);
        each(context, place, value);
        walk(value, place, each, context);
    }
    const json_t *items = json_object_get(described, "items");
    if (items != NULL) {
        walk(items, arena_format(&arena, "%s[]", path), each, context);
    }
}

static void collect_described(void *context, const char *path, const json_t *described)
{
    ck_assert_msg(json_is_string(json_object_get(described, "description")),
                  "%s has no description", path);
    ck_assert_int_eq(json_object_set_new(context, path, json_true()), 0);
}

static void collect_known(void *context, const char *path)
{
    ck_assert_msg(json_object_get(context, path) == NULL, "%s is named twice", path);
    ck_assert_int_eq(json_object_set_new(context, path, json_true()), 0);
}

START_TEST(the_schema_names_the_keys_of_the_reader_and_no_others)
{
    json_t *described = json_object();
    json_t *known = json_object();
    walk(schema, "", collect_described, described);
    scenario_each_key(collect_known, known);
    const char *path = NULL;
    json_t *value = NULL;
    json_object_foreach(known, path, value)
    {
        ck_assert_msg(json_object_get(described, path) != NULL, "%s is not in the schema", path);
    }
    json_object_foreach(described, path, value)
    {
        ck_assert_msg(json_object_get(known, path) != NULL, "%s is no key", path);
    }
    ck_assert_uint_gt(json_object_size(known), 80);
    json_decref(described);
    json_decref(known);
}
END_TEST

static void check_closed(void *context, const char *path, const json_t *described)
{
    (void)context;
    if (json_object_get(described, "properties") != NULL) {
        ck_assert_msg(json_is_false(json_object_get(described, "additionalProperties")),
                      "%s lets unknown keys pass", path);
    }
}

START_TEST(the_schema_lets_no_unknown_key_pass)
{
    check_closed(NULL, "the root", schema);
    walk(schema, "", check_closed, NULL);
}
END_TEST

static const char *const random_job = "{\"job\": {\"name\": \"count\", \"parallelism\": 3},"
                                      " \"random\": {\"faults\": 9}}";
static const char *const plain_job = "{\"job\": {\"name\": \"count\"}}";
static const char *const events_job =
    "{\"job\": {\"name\": \"q1\", \"input\": {\"nexmark\": {}}}}";

/* The job in which a key makes sense. */
static const char *job_for(const char *path)
{
    static const char *const of_rows[] = { "job.input.format", "job.input.compression",
                                           "job.input.header" };
    for (size_t i = 0; i < sizeof of_rows / sizeof of_rows[0]; i++) {
        if (strcmp(path, of_rows[i]) == 0) {
            return "{\"job\": {\"name\": \"count\", \"input\": {\"file\": \"a.csv\", "
                   "\"column\": \"n\"}}}";
        }
    }
    return strcmp(path, "random.faults") == 0
               ? "{\"job\": {\"name\": \"count\", \"parallelism\": 3}, \"random\": {}}"
           : strncmp(path, "random.", strlen("random.")) == 0                       ? random_job
           : strncmp(path, "job.input.nexmark.", strlen("job.input.nexmark.")) == 0 ? events_job
                                                                                    : plain_job;
}

/* What a scenario becomes with one setting; the error if it is refused. */
static const char *resolve(const char *json, const char *setting, bool *ok)
{
    struct scenario scenario;
    struct buffer out;
    buffer_init(&out, &arena);
    struct scenario_overrides overrides = { .settings = &setting,
                                            .setting_count = setting == NULL ? 0 : 1 };
    enum status status =
        scenario_parse(&scenario, &arena, bytes_of_text(json), "test.json", ".", &overrides, &out);
    *ok = status == STATUS_OK;
    if (*ok) {
        scenario_write(&scenario, &out);
    }
    return arena_format(&arena, "%.*s", (int)out.size, (const char *)out.data);
}

static const char *setting_of(const char *path, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(10));
    const char *setting = arena_format(&arena, "%s=%s", path, text);
    free(text);
    return setting;
}

static void check_default(void *context, const char *path, const json_t *described)
{
    uint32_t *count = context;
    const json_t *value = json_object_get(described, "default");
    if (value == NULL || strchr(path, '[') != NULL) {
        return;
    }
    const char *job = job_for(path);
    bool ok = false;
    const char *setting = setting_of(path, value);
    /* "on" draws from a shorter list if it is given, but the same ones. */
    const char *with = resolve(job, setting, &ok);
    ck_assert_msg(ok, "%s: %s", setting, with);
    if (strcmp(path, "random.on") != 0) {
        ck_assert_str_eq(with, resolve(job, NULL, &ok));
    }
    (*count)++;
}

START_TEST(the_defaults_of_the_schema_are_those_of_the_reader)
{
    uint32_t count = 0;
    walk(schema, "", check_default, &count);
    ck_assert_uint_gt(count, 50);
}
END_TEST

static void check_choices(void *context, const char *path, const json_t *described)
{
    uint32_t *count = context;
    size_t index = 0;
    json_t *choice = NULL;
    if (strchr(path, '[') != NULL) {
        return;
    }
    json_array_foreach(json_object_get(described, "enum"), index, choice)
    {
        bool ok = false;
        const char *setting = setting_of(path, choice);
        const char *text = resolve(job_for(path), setting, &ok);
        ck_assert_msg(ok, "%s: %s", setting, text);
        (*count)++;
    }
}

START_TEST(every_choice_of_the_schema_is_accepted)
{
    uint32_t count = 0;
    walk(schema, "", check_choices, &count);
    ck_assert_uint_ge(count, 16);
}
END_TEST

START_TEST(the_verbs_of_the_schema_are_those_of_the_faults)
{
    const json_t *verbs =
        json_object_get(json_object_get(json_object_get(schema, "$defs"), "verb"), "enum");
    ck_assert_uint_eq(json_array_size(verbs), FAULT_VERB_COUNT);
    for (unsigned i = 0; i < FAULT_VERB_COUNT; i++) {
        ck_assert_str_eq(json_string_value(json_array_get(verbs, i)),
                         fault_verb_name((enum fault_verb)i));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("scenario schema");
    TCase *tests = tcase_create("scenario schema");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_schema_names_the_keys_of_the_reader_and_no_others);
    tcase_add_test(tests, the_schema_lets_no_unknown_key_pass);
    tcase_add_test(tests, the_defaults_of_the_schema_are_those_of_the_reader);
    tcase_add_test(tests, every_choice_of_the_schema_is_accepted);
    tcase_add_test(tests, the_verbs_of_the_schema_are_those_of_the_faults);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
