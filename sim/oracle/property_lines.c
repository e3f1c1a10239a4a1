/* Property 2 for the jobs that have a reference of their own (job_reference.h): every committed
 * line is one that the reference expects, and none of those is missing if the job finished. */
#include <string.h>

#include "model/base/check.h"
#include "sim/oracle/judge.h"
#include "sim/oracle/line_judge.h"

struct lines_reading {
    struct job_fold *fold;
    struct line_judge judge;
    const char *sink;    /* the name of one; NULL: none yet */
    const char *unended; /* the path of a file whose last line has no end; NULL: none */
};

/* "output/late/0/chk-1" is of the sink "late"; "output/0/chk-1" of the only one. */
static const char *sink_of(struct lines_reading *reading, const char *path)
{
    const char *name = strchr(path, '/') + 1;
    size_t size = strcspn(name, "/");
    bool is_number = strspn(name, "0123456789") == size;
    if (is_number) {
        return "";
    }
    if (reading->sink == NULL || strncmp(reading->sink, name, size) != 0 ||
        reading->sink[size] != '\0') {
        reading->sink = arena_format(reading->judge.arena, "%.*s", (int)size, name);
    }
    return reading->sink;
}

static void read_lines(void *context, const char *path, struct bytes content)
{
    struct lines_reading *reading = context;
    reading->judge.path = path;
    reading->judge.sink = sink_of(reading, path);
    for (size_t at = 0; at < content.size;) {
        const uint8_t *start = content.data + at;
        const uint8_t *feed = memchr(start, '\n', content.size - at);
        if (feed == NULL) {
            reading->unended = arena_text(reading->judge.arena, path);
            return;
        }
        struct bytes line = { .data = start, .size = (size_t)(feed - start) };
        reading->judge.lines++;
        reading->fold->job->line(reading->fold, &reading->judge, line);
        at += line.size + 1;
    }
}

static void report(struct oracle *oracle, const char *what, uint64_t count, struct buffer *text)
{
    if (count > 0) {
        *buffer_extend(text, 1) = '\0';
        judge_report(oracle, PROPERTY_OUTPUT, "%s %llu%s", what, (unsigned long long)count,
                     (const char *)text->data);
    }
}

const char *property_lines_judge(struct oracle *oracle, bool finished)
{
    struct job_fold *fold = oracle->reference.fold;
    CHECK(fold != NULL);
    bool at_least_once = oracle->scenario->job.checkpoint.mode == MODE_AT_LEAST_ONCE;
    struct lines_reading reading = { .fold = fold };
    struct line_judge *judge = &reading.judge;
    line_judge_init(judge, oracle->arena);
    judge->may_repeat = at_least_once || oracle->older_restored;
    judge->may_exceed = at_least_once;
    judge->may_go_back = oracle->older_restored;
    judge->finished = finished;
    if (fold->job->finish != NULL) {
        fold->job->finish(fold);
    }
    const char *stray = property_output_each_file(oracle, read_lines, &reading);
    judge->path = "the output";
    fold->job->end(fold, judge);
    CHECK(judge->repeated <= judge->lines);
    oracle->totals.output_lines = judge->lines;
    oracle->totals.output_duplicates = judge->may_repeat ? judge->repeated : 0;
    if (reading.unended != NULL) {
        judge_report(oracle, PROPERTY_OUTPUT, "%s: its last line has no end", reading.unended);
    }
    report(oracle, "committed lines that are wrong:", judge->wrong_count, &judge->wrong);
    report(oracle, "missing from the committed output:", judge->missing_count, &judge->missing);
    return stray;
}
