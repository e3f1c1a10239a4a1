#include "model/jobs/numbers.h"

#include "model/base/text.h"

enum { GROUPS = 100 };

static void parse(struct operator_context *context, const struct record *line,
                  struct collector *out)
{
    int64_t value;
    if (line->is_number) {
        collector_emit(out, line);
        return;
    }
    if (!text_parse_i64(line->value, &value)) {
        operator_bad_record(context, line, "not a 64-bit integer");
        return;
    }
    uint8_t room[8];
    struct record number = record_i64(room, value);
    collector_emit(out, &number);
}

struct stream numbers_source(struct pipeline *pipeline)
{
    static const struct map_parameters parsing = { .map = parse, .keeps_numbers = true };
    return stream_map(pipeline_number_source(pipeline, "source"), "parse", &parsing);
}

void numbers_by_value(const struct record *number, struct key *key)
{
    key_set_i64(key, record_to_i64(number));
}

int64_t numbers_group(int64_t number)
{
    int64_t rest = number % GROUPS;
    return rest < 0 ? rest + GROUPS : rest;
}

void numbers_by_group(const struct record *number, struct key *key)
{
    key_set_i64(key, numbers_group(record_to_i64(number)));
}
