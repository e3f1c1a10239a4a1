#include <string.h>

#include "model/base/check.h"
#include "reports/figure_choice.h"
#include "sim/scenario/scenario_fields.h"
#include "sim/scenario/scenario_nearest.h"
#include "sim/scenario/scenario_reader.h"

/* The y of figure `i`, or, where `y` is given, its x if it is a figure of that y, and else NULL. */
static const char *candidate(unsigned i, const char *y)
{
    const char *own = figure_choice_y((enum figure_choice)i);
    if (y == NULL) {
        return own;
    }
    return strcmp(own, y) == 0 ? figure_choice_x((enum figure_choice)i) : NULL;
}

static bool came_before(unsigned i, const char *y)
{
    bool found = false;
    for (unsigned j = 0; j < i; j++) {
        const char *before = candidate(j, y);
        found = found || (before != NULL && strcmp(before, candidate(i, y)) == 0);
    }
    return found;
}

/* Refuses the name `word` at `path`: no figure has it as its y, or, where `y` is given, as its x
 * over that y. Names the nearest that is one, or else all. */
static bool refuse_name(struct reader *reader, const char *path, const char *word, const char *y)
{
    struct nearest nearest;
    nearest_init(&nearest, bytes_of_text(word));
    const char *list = "";
    for (unsigned i = 0; i < FIGURE_CHOICE_COUNT; i++) {
        const char *known = candidate(i, y);
        if (known != NULL && !came_before(i, y)) {
            list = arena_format(reader->arena, "%s%s%s", list, *list == '\0' ? "" : ", ", known);
            nearest_offer(&nearest, bytes_of_text(known), known);
        }
    }
    CHECK(*list != '\0');
    const char *what = y == NULL ? "nothing that is drawn"
                                 : arena_format(reader->arena, "nothing over which %s is drawn", y);
    return nearest.answer != NULL
               ? reader_fail(reader, path, "\"%s\" is %s; did you mean \"%s\"?", word, what,
                             nearest.answer)
               : reader_fail(reader, path, "\"%s\" is %s; known: %s", word, what, list);
}

static bool is_y(const char *word)
{
    bool found = false;
    for (unsigned i = 0; i < FIGURE_CHOICE_COUNT; i++) {
        found = found || strcmp(figure_choice_y((enum figure_choice)i), word) == 0;
    }
    return found;
}

/* The text under `key` of an element. */
static bool read_axis_name(struct reader *reader, const char *place, const json_t *element,
                           const char *key, const char **path, const char **name)
{
    *path = arena_format(reader->arena, "%s.%s", place, key);
    const json_t *value = json_object_get(element, key);
    return value == NULL ? reader_fail(reader, *path, "must be given")
                         : read_text(reader, *path, value, name);
}

bool read_plots(struct reader *reader)
{
    CHECK(!reader->failed);
    size_t index = 0;
    json_t *element = NULL;
    json_array_foreach(json_object_get(reader->root, "plot"), index, element)
    {
        const char *place = arena_format(reader->arena, "plot[%zu]", index);
        const char *y_path = NULL;
        const char *x_path = NULL;
        const char *y = NULL;
        const char *x = NULL;
        if (!fields_check_keys(reader, place, element) ||
            !read_axis_name(reader, place, element, "y", &y_path, &y) ||
            !read_axis_name(reader, place, element, "x", &x_path, &x)) {
            return false;
        }
        enum figure_choice choice;
        if (!is_y(y)) {
            return refuse_name(reader, y_path, y, NULL);
        }
        if (!figure_choice_find(y, x, &choice)) {
            return refuse_name(reader, x_path, x, y);
        }
        reader->scenario->plots |= 1u << choice;
    }
    return true;
}

void plots_write(uint32_t plots, struct buffer *out)
{
    CHECK(plots != 0);
    const char *joint = "[";
    for (unsigned i = 0; i < FIGURE_CHOICE_COUNT; i++) {
        if ((plots & 1u << i) != 0) {
            buffer_append_format(out, "%s\n    { \"y\": \"%s\", \"x\": \"%s\" }", joint,
                                 figure_choice_y((enum figure_choice)i),
                                 figure_choice_x((enum figure_choice)i));
            joint = ",";
        }
    }
    buffer_append_text(out, "\n  ]");
}
