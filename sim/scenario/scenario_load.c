#include "sim/scenario/scenario_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_fields.h"

enum { FILE_SIZE_MAX = 16 * 1024 * 1024, LIKE_DEPTH_MAX = 16, READ_STEP_BYTES = 65536 };

enum status file_load(struct arena *arena, const char *path, struct bytes *content,
                      const char **reason)
{
    CHECK(content != NULL);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        *reason = errno == ENOENT ? "no such file" : arena_text(arena, strerror(errno));
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    }
    struct buffer buffer;
    buffer_init(&buffer, arena);
    enum status status = STATUS_OK;
    for (bool more = true; more;) {
        size_t size = fread(buffer_extend(&buffer, READ_STEP_BYTES), 1, READ_STEP_BYTES, file);
        buffer.size -= READ_STEP_BYTES - size;
        more = size == READ_STEP_BYTES && buffer.size <= FILE_SIZE_MAX;
    }
    if (ferror(file)) {
        *reason = arena_text(arena, strerror(errno));
        status = STATUS_IO;
    } else if (buffer.size > FILE_SIZE_MAX) {
        *reason = "is larger than any scenario";
        status = STATUS_INVALID;
    }
    fclose(file);
    *content = buffer_bytes(&buffer);
    return status;
}

const char *path_directory(struct arena *arena, const char *path)
{
    CHECK(path != NULL);
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return ".";
    }
    return slash == path ? "/" : arena_format(arena, "%.*s", (int)(slash - path), path);
}

const char *path_base(const char *path)
{
    CHECK(path != NULL);
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static const char *path_join(struct arena *arena, const char *directory, const char *path)
{
    bool as_it_is = path[0] == '/' || strcmp(directory, ".") == 0;
    return as_it_is ? path : arena_format(arena, "%s/%s", directory, path);
}

const char *path_absolute(struct arena *arena, const char *directory, const char *path)
{
    CHECK(*path != '\0');
    char *real_directory = realpath(directory, NULL);
    const char *joined = path[0] == '/' || real_directory == NULL
                             ? path_join(arena, directory, path)
                             : arena_format(arena, "%s/%s", real_directory, path);
    char *real = realpath(joined, NULL);
    const char *absolute = arena_text(arena, real != NULL ? real : joined);
    free(real);
    free(real_directory);
    return absolute;
}

static const char *join_key(struct arena *arena, const char *path, const char *key)
{
    return arena_format(arena, "%s%s%s", path, *path == '\0' ? "" : ".", key);
}

/* What else goes with an input that is given way to. */
static const char *const keys_of_generator[] = { "records", "keys", "skew", "seed", NULL };
static const char *const keys_of_file[] = { "file",   "format", "compression",
                                            "column", "header", NULL };
static const char *const keys_of_query[] = { "sqlite", "query", NULL };

static void drop_keys(json_t *object, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        json_object_del(object, *keys);
    }
}

/* Rule L2: what `overlay` says at `path` takes the place of its alternative in `target`. */
static void drop_alternatives(json_t *target, const json_t *overlay, const char *path)
{
    CHECK(target != overlay);
    if (*path == '\0') {
        if (json_object_get(overlay, "faults") != NULL) {
            json_object_del(target, "random");
        }
        if (json_object_get(overlay, "random") != NULL) {
            json_object_del(target, "faults");
        }
    } else if (strcmp(path, "job") == 0) {
        if (json_object_get(overlay, "library") != NULL) {
            json_object_del(target, "name");
        }
        if (json_object_get(overlay, "name") != NULL) {
            json_object_del(target, "library");
        }
    } else if (strcmp(path, "job.input") == 0) {
        if (json_object_get(overlay, "file") != NULL) {
            drop_keys(target, keys_of_generator);
            drop_keys(target, keys_of_query);
            json_object_del(target, "label");
        }
        if (json_object_get(overlay, "sqlite") != NULL) {
            drop_keys(target, keys_of_generator);
            drop_keys(target, keys_of_file);
            json_object_del(target, "label");
        }
        if (json_object_get(overlay, "records") != NULL ||
            json_object_get(overlay, "keys") != NULL) {
            drop_keys(target, keys_of_file);
            drop_keys(target, keys_of_query);
            json_object_del(target, "label");
        }
    }
}

/* Paths and labels are whatever the user's file system and shell hold: not checked for UTF-8. */
static void set_text(json_t *object, const char *key, const char *text)
{
    CHECK(text != NULL);
    int failed = json_object_set_new_nocheck(object, key, json_string_nocheck(text));
    CHECK(failed == 0);
}

static void set_origin(struct reader *reader, const char *path, const char *label)
{
    set_text(reader->origins, path, label);
}

/* Rule L1. Remembers `label` as the origin of whatever it sets. */
static void merge(struct reader *reader, json_t *target, json_t *overlay, const char *path,
                  const char *label)
{
    CHECK(json_is_object(target));
    CHECK(json_is_object(overlay));
    drop_alternatives(target, overlay, path);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(overlay, key, value)
    {
        const char *place = join_key(reader->arena, path, key);
        json_t *old = json_object_get(target, key);
        if (json_is_object(old) && json_is_object(value)) {
            merge(reader, old, value, place, label);
            continue;
        }
        int failed = json_object_set(target, key, value);
        CHECK(failed == 0);
        set_origin(reader, place, label);
    }
}

static void anchor_path(struct reader *reader, json_t *input, const char *key,
                        const char *directory)
{
    const char *path = json_string_value(json_object_get(input, key));
    if (path == NULL || *path == '\0') {
        return;
    }
    bool is_standard = strcmp(key, "file") == 0 && input_is_standard(path);
    if (json_object_get(input, "label") == NULL) {
        set_text(input, "label", is_standard ? "standard input" : path);
    }
    if (!is_standard) {
        set_text(input, key, path_absolute(reader->arena, directory, path));
    }
}

/* Rule L3: makes the paths that `tree` names absolute. Of an input what was written is kept as its
 * label. */
static void anchor_paths(struct reader *reader, json_t *tree, const char *directory)
{
    json_t *job = json_object_get(tree, "job");
    json_t *input = json_object_get(job, "input");
    anchor_path(reader, input, "file", directory);
    anchor_path(reader, input, "sqlite", directory);
    const char *library = json_string_value(json_object_get(job, "library"));
    if (library != NULL && *library != '\0') {
        set_text(job, "library", path_absolute(reader->arena, directory, library));
    }
}

/* A file being read, and those that led to it. */
struct like_chain {
    const char *real_path;
    const struct like_chain *previous;
    uint32_t depth;
};

/* NULL if the text is no JSON object; the error is set. */
static json_t *parse_object(struct reader *reader, struct bytes json, const char *label)
{
    CHECK(!reader->failed);
    json_error_t error;
    json_t *tree = json_loadb((const char *)json.data, json.size, JSON_REJECT_DUPLICATES, &error);
    if (tree != NULL && json_is_object(tree)) {
        return tree;
    }
    reader->failed = true;
    size_t start = reader->error->size;
    if (tree == NULL) {
        /* The library's own words, but for the one that names a flag of its interface. */
        bool has_nul = json_error_code(&error) == json_error_null_character;
        buffer_append_format(reader->error, "%s:%d:%d: %s", label, error.line, error.column,
                             has_nul ? "\\u0000 is not allowed" : error.text);
    } else {
        buffer_append_format(reader->error, "%s: must hold a JSON object", label);
        json_decref(tree);
    }
    error_make_line(reader->error, start);
    return NULL;
}

static json_t *load_file(struct reader *reader, struct bytes json, const char *label,
                         const char *directory, const struct like_chain *chain);

/* The tree of the file that `tree` is like; NULL with the error set. */
static json_t *load_like(struct reader *reader, const json_t *like, const char *label,
                         const char *directory, const struct like_chain *chain)
{
    CHECK(like != NULL);
    const char *name = json_string_value(like);
    reader->label = label; /* of the file in which an error about "like" stands */
    if (name == NULL || *name == '\0') {
        reader_fail(reader, "like", "must be the path of a scenario");
        return NULL;
    }
    const char *path = path_join(reader->arena, directory, name);
    const char *real = path_absolute(reader->arena, directory, name);
    for (const struct like_chain *link = chain; link != NULL; link = link->previous) {
        if (link->real_path != NULL && strcmp(link->real_path, real) == 0) {
            reader_fail(reader, "like", "\"%s\" leads back to itself", name);
            return NULL;
        }
    }
    if (chain->depth + 1 >= LIKE_DEPTH_MAX) {
        reader_fail(reader, "like", "more than %d files in a row", LIKE_DEPTH_MAX - 1);
        return NULL;
    }
    struct bytes content = { 0 };
    const char *reason = NULL;
    enum status status = file_load(reader->arena, path, &content, &reason);
    if (status != STATUS_OK) {
        reader->lack = status;
        reader_fail(reader, "like", "\"%s\": %s", name, reason);
        return NULL;
    }
    struct like_chain link = { .real_path = real, .previous = chain, .depth = chain->depth + 1 };
    json_t *tree = load_file(reader, content, path, path_directory(reader->arena, path), &link);
    if (tree != NULL) {
        json_object_del(tree, "name");
        json_object_del(tree, "about");
    }
    return tree;
}

/* Owned by the caller; NULL with the error set. */
static json_t *load_file(struct reader *reader, struct bytes json, const char *label,
                         const char *directory, const struct like_chain *chain)
{
    CHECK(chain->depth < LIKE_DEPTH_MAX);
    json_t *tree = parse_object(reader, json, label);
    if (tree == NULL) {
        return NULL;
    }
    json_t *like = json_object_get(tree, "like");
    json_t *target =
        like == NULL ? json_object() : load_like(reader, like, label, directory, chain);
    if (target != NULL) {
        anchor_paths(reader, tree, directory);
        merge(reader, target, tree, "", label);
    }
    json_decref(tree);
    return target;
}

/* What is wrong from here on is wrong with `--set` at `path`. */
static void blame_setting(struct reader *reader, const char *path)
{
    reader->label = "--set";
    if (*path != '\0') {
        set_origin(reader, path, "--set");
    }
}

/* A text stays a text where a text must be, even if it looks like something else. NULL with the
 * error set if it cannot be one. */
static json_t *setting_value(struct reader *reader, const char *path, const char *pattern,
                             const char *text)
{
    CHECK(!reader->failed);
    const struct field *field = field_find(pattern);
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (value != NULL && field != NULL && field->kind == FIELD_TEXT && !json_is_string(value)) {
        json_decref(value);
        value = NULL;
    }
    if (value == NULL) {
        value = json_string(text);
    }
    if (value == NULL) {
        blame_setting(reader, path);
        reader_fail(reader, path, "must be UTF-8");
    }
    return value;
}

/* `{"a": {"b": value}}` of "a.b"; takes `value`. */
static json_t *nest(struct reader *reader, const char *path, json_t *value)
{
    CHECK(value != NULL);
    char *rest = arena_text(reader->arena, path);
    for (char *dot = strrchr(rest, '.'); dot != NULL; dot = strrchr(rest, '.')) {
        *dot = '\0';
        value = json_pack("{s:o}", dot + 1, value);
        CHECK(value != NULL);
    }
    value = json_pack("{s:o}", rest, value);
    CHECK(value != NULL);
    return value;
}

/* "faults[1].for" and the like: an element that exists, or a key of one. */
static bool set_in_array(struct reader *reader, const char *path, json_t *value)
{
    const char *open = strchr(path, '[');
    CHECK(open != NULL);
    char *name = arena_format(reader->arena, "%.*s", (int)(open - path), path);
    json_t *array = reader_find(reader, name);
    char *end = NULL;
    unsigned long long index = strtoull(open + 1, &end, 10);
    size_t count = json_array_size(array); /* 0 if it is no array */
    blame_setting(reader, path);
    if (end == open + 1 || index >= count) {
        return reader_fail(reader, path, "\"%s\" has %zu elements, counted from 0", name, count);
    }
    int failed = 0;
    if (strcmp(end, "]") == 0) {
        failed = json_array_set(array, (size_t)index, value);
    } else {
        CHECK(end[0] == ']' && end[1] == '.');
        json_t *element = json_array_get(array, (size_t)index);
        if (!json_is_object(element)) {
            return reader_fail(reader, path, "element %llu is no object", index);
        }
        failed = json_object_set(element, end + 2, value);
    }
    CHECK(failed == 0);
    return true;
}

/* Is it the path of an element of an array: "faults[0]"? */
static bool is_element(struct arena *arena, const char *pattern)
{
    size_t size = strcspn(pattern, "[");
    const struct field *field = field_find(arena_format(arena, "%.*s", (int)size, pattern));
    return strcmp(pattern + size, "[]") == 0 && field != NULL && field->kind == FIELD_ARRAY;
}

static bool apply_setting(struct reader *reader, const char *setting, const char *directory)
{
    CHECK(!reader->failed);
    const char *equals = strchr(setting, '=');
    if (equals == NULL || equals == setting) {
        blame_setting(reader, "");
        return reader_fail(reader, "", "\"%s\" must be PATH=VALUE", setting);
    }
    const char *path = arena_format(reader->arena, "%.*s", (int)(equals - setting), setting);
    const char *pattern = path_pattern(reader->arena, path);
    if (field_find(pattern) == NULL && !field_is_section(pattern) &&
        !is_element(reader->arena, pattern)) {
        const char *meant = field_suggestion(reader->arena, path);
        blame_setting(reader, path);
        return meant == NULL
                   ? reader_fail(reader, path, "unknown key")
                   : reader_fail(reader, path, "unknown key; did you mean \"%s\"?", meant);
    }
    if (strcmp(pattern, "like") == 0) {
        blame_setting(reader, path);
        return reader_fail(reader, path, "only a file can be like another");
    }
    json_t *value = setting_value(reader, path, pattern, equals + 1);
    if (value == NULL) {
        return false;
    }
    if (strchr(pattern, '[') != NULL) {
        const char *label = reader->label;
        bool done = set_in_array(reader, path, value);
        json_decref(value);
        reader->label = label;
        return done;
    }
    json_t *overlay = nest(reader, path, value);
    anchor_paths(reader, overlay, directory);
    merge(reader, reader->root, overlay, "", "--set");
    json_decref(overlay);
    return true;
}

static bool apply_overrides(struct reader *reader, const struct scenario_overrides *overrides,
                            const char *directory)
{
    const char *label = reader->label;
    for (uint32_t i = 0; i < overrides->setting_count; i++) {
        if (!apply_setting(reader, overrides->settings[i], directory)) {
            return false;
        }
    }
    if (overrides->has_seed) {
        /* As a text: JSON integers end at 63 bits. */
        const char *seed = arena_format(reader->arena, "%llu", (unsigned long long)overrides->seed);
        set_text(reader->root, "seed", seed);
    }
    CHECK(reader->label == label);
    return true;
}

bool load_tree(struct reader *reader, struct bytes json, const char *path, const char *directory,
               const struct scenario_overrides *overrides)
{
    CHECK(reader->root == NULL);
    CHECK(reader->origins == NULL);
    const char *label = reader->label;
    reader->origins = json_object();
    CHECK(reader->origins != NULL);
    struct like_chain chain = { 0 };
    if (path != NULL) {
        chain.real_path = path_absolute(reader->arena, ".", path);
    }
    reader->root = load_file(reader, json, label, directory, &chain);
    if (reader->root == NULL) {
        return false;
    }
    reader->label = label;
    return overrides == NULL || apply_overrides(reader, overrides, directory);
}
