/* A job that does on demand what a job must not do. Each record is a word: `crash`, `hang`, `fail`,
 * `foreign` (a key that is no part of the record), `count` (in a global, which no crash takes
 * away), `first` (tells who came first) - or any other, which goes out as it is. */
#include <faultline/job.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned global_count;

static bool is_word(struct faultline_bytes record, const char *word)
{
    return record.size == strlen(word) && memcmp(record.data, word, record.size) == 0;
}

static struct faultline_bytes key_of(struct faultline_bytes record)
{
    static const uint8_t foreign[] = "foreign";
    return is_word(record, "foreign") ? (struct faultline_bytes){ foreign, sizeof foreign }
                                      : (struct faultline_bytes){ record.data, 0 };
}

struct words {
    struct faultline_state *seen;
};

static void open_words(void *self, struct faultline_call *call)
{
    static const struct faultline_state_options seen = { .name = "seen" };
    ((struct words *)self)->seen = call->api->state(call, FAULTLINE_VALUE, &seen);
}

static void emit_number(struct faultline_call *call, long long number)
{
    char line[24];
    int size = snprintf(line, sizeof line, "%lld", number);
    call->api->emit(call, (struct faultline_bytes){ (const uint8_t *)line, (size_t)size });
}

static void on_word(void *self, struct faultline_call *call, struct faultline_bytes word)
{
    struct words *words = self;
    if (is_word(word, "crash")) {
        abort();
    } else if (is_word(word, "hang")) {
        for (volatile int forever = 1; forever;) {
        }
    } else if (is_word(word, "fail")) {
        call->api->fail(call, "the record says so");
    } else if (is_word(word, "count")) {
        emit_number(call, ++global_count);
    } else if (is_word(word, "first")) {
        emit_number(call, call->api->now_ms(call) * 1000000 % 1000003);
    } else {
        call->api->emit(call, word);
    }
    faultline_put_i64(call, words->seen, faultline_get_i64(call, words->seen) + 1);
}

static void build(struct faultline_graph *graph)
{
    static const struct faultline_key key = { .key_of = key_of };
    static const struct faultline_process words = { .self_bytes = sizeof(struct words),
                                                    .open = open_words,
                                                    .process = on_word };
    const struct faultline_api *api = graph->api;
    struct faultline_stream *keyed = api->key_by(api->source(graph), &key);
    api->sink(api->process(keyed, "words", &words), "sink");
}

const struct faultline_job faultline_job = { .version = FAULTLINE_JOB_VERSION,
                                             .name = "misbehaves",
                                             .build = build };
