#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "sim/scenario/scenario_fields.h"
#include "sim/scenario/scenario_reader.h"

/* Where an axis is being read. */
struct axis_reader {
    struct reader *reader;
    const char *key;   /* as it stands in the scenario */
    const char *place; /* for errors: `sweep["seed"]` */
    struct sweep_axis *axis;
};

static bool check_path(struct reader *reader, const char *place, const char *path)
{
    const char *pattern = path_pattern(reader->arena, path);
    if (field_find(pattern) != NULL || field_is_section(pattern)) {
        return true;
    }
    const char *meant = field_suggestion(reader->arena, path);
    return meant == NULL ? reader_fail(reader, place, "unknown key")
                         : reader_fail(reader, place, "unknown key; did you mean \"%s\"?", meant);
}

static struct sweep_setting make_setting(struct reader *reader, const char *path,
                                         const json_t *value)
{
    CHECK(value != NULL);
    char *json = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    CHECK(json != NULL);
    const char *text = json_is_string(value) ? json_string_value(value) : json;
    struct sweep_setting setting = {
        .path = arena_text(reader->arena, path),
        .json = arena_text(reader->arena, json),
        .text = arena_format(reader->arena, "%s=%s", path, text),
    };
    free(json);
    return setting;
}

static struct sweep_value *add_value(struct axis_reader *at, uint32_t setting_count)
{
    struct arena *arena = at->reader->arena;
    struct sweep_axis *axis = at->axis;
    axis->values =
        arena_resize(arena, axis->values, (axis->value_count + 1u) * sizeof *axis->values);
    struct sweep_value *value = &axis->values[axis->value_count++];
    *value = (struct sweep_value){
        .settings = arena_alloc(arena, setting_count + 1u, sizeof *value->settings),
        .setting_count = setting_count,
    };
    return value;
}

/* "1..5": the whole numbers from 1 to 5. */
static bool read_whole_range(struct axis_reader *at, const char *text)
{
    struct limits limits = { .unit = VALUE_COUNT, .max = INT64_MAX };
    uint64_t low = 0;
    uint64_t high = 0;
    json_t *json = json_string(text);
    bool ok = json != NULL && read_range(at->reader, at->place, json, limits, &low, &high);
    json_decref(json);
    if (!ok) {
        return false;
    }
    if (high - low >= SWEEP_CELLS_MAX) {
        return reader_fail(at->reader, at->place, "a sweep has at most %d cells", SWEEP_CELLS_MAX);
    }
    for (uint64_t number = low; number <= high; number++) {
        json_t *value = json_integer((json_int_t)number);
        add_value(at, 1)->settings[0] = make_setting(at->reader, at->key, value);
        json_decref(value);
    }
    return true;
}

/* Several settings that go together. */
static bool read_settings(struct axis_reader *at, json_t *object)
{
    struct sweep_value *value = add_value(at, (uint32_t)json_object_size(object));
    uint32_t count = 0;
    const char *path = NULL;
    json_t *setting = NULL;
    json_object_foreach(object, path, setting)
    {
        const char *place = arena_format(at->reader->arena, "%s[%u][\"%s\"]", at->place,
                                         at->axis->value_count - 1, path);
        if (!check_path(at->reader, place, path)) {
            return false;
        }
        value->settings[count++] = make_setting(at->reader, path, setting);
    }
    CHECK(count == value->setting_count);
    return true;
}

static bool read_list(struct axis_reader *at, const json_t *list, bool is_path)
{
    size_t index = 0;
    json_t *element = NULL;
    json_array_foreach(list, index, element)
    {
        if (!is_path && (!json_is_object(element) || json_object_size(element) == 0)) {
            return reader_fail(at->reader,
                               arena_format(at->reader->arena, "%s[%zu]", at->place, index),
                               "must be an object of settings, as \"%s\" is no path", at->key);
        }
        if (is_path) {
            add_value(at, 1)->settings[0] = make_setting(at->reader, at->key, element);
        } else if (!read_settings(at, element)) {
            return false;
        }
    }
    return at->axis->value_count > 0 ||
           reader_fail(at->reader, at->place, "must have at least one value");
}

/* A key that is no path of a scenario names an axis whose values set several paths at once. */
static bool holds_objects(const json_t *values)
{
    return json_is_array(values) && json_is_object(json_array_get(values, 0));
}

static bool read_axis(struct reader *reader, const char *key, const json_t *values,
                      struct sweep_axis *axis)
{
    struct axis_reader at = {
        .reader = reader,
        .key = key,
        .place = arena_format(reader->arena, "sweep[\"%s\"]", key),
        .axis = axis,
    };
    *axis = (struct sweep_axis){ .name = arena_text(reader->arena, key) };
    const char *pattern = path_pattern(reader->arena, key);
    bool is_path = field_find(pattern) != NULL || field_is_section(pattern);
    if (!is_path && !holds_objects(values)) {
        return check_path(reader, at.place, key);
    }
    if (json_is_string(values)) {
        return read_whole_range(&at, json_string_value(values));
    }
    if (!json_is_array(values)) {
        return reader_fail(reader, at.place,
                           "must be a list of values, or a range of whole "
                           "numbers such as \"1..5\"");
    }
    return read_list(&at, values, is_path);
}

bool read_sweep(struct reader *reader, struct sweep_grid *grid)
{
    CHECK(reader->root != NULL);
    json_t *sweep = json_object_get(reader->root, "sweep");
    size_t room = sweep == NULL ? 0 : json_object_size(sweep);
    *grid = (struct sweep_grid){ .axes = arena_alloc(reader->arena, room + 1, sizeof *grid->axes),
                                 .cell_count = 1 };
    const char *key = NULL;
    json_t *values = NULL;
    json_object_foreach(sweep, key, values)
    {
        struct sweep_axis *axis = &grid->axes[grid->axis_count++];
        if (!read_axis(reader, key, values, axis)) {
            return false;
        }
        grid->cell_count *= axis->value_count;
        if (grid->cell_count > SWEEP_CELLS_MAX) {
            return reader_fail(reader, "sweep", "a sweep has at most %d cells", SWEEP_CELLS_MAX);
        }
    }
    CHECK(grid->axis_count == room);
    return true;
}
