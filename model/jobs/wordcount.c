#include "model/jobs/wordcount.h"

#include "model/base/text.h"
#include "model/state/state.h"

enum { WORD_SIZE_MAX = 256 }; /* what a longer word has behind that is cut */

/* 0: the byte belongs to no word. */
static uint8_t letter(uint8_t byte)
{
    if (byte >= 'A' && byte <= 'Z') {
        return (uint8_t)(byte - 'A' + 'a');
    }
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte >= 0x80;
    return is_letter ? byte : 0;
}

static void split(struct operator_context *context, const struct record *line,
                  struct collector *out)
{
    (void)context;
    uint8_t word[WORD_SIZE_MAX];
    size_t size = 0;
    for (size_t i = 0; i <= line->value.size; i++) {
        uint8_t byte = i < line->value.size ? letter(line->value.data[i]) : 0;
        if (byte != 0 && size < WORD_SIZE_MAX) {
            word[size++] = byte;
        } else if (byte == 0 && size > 0) {
            collector_emit(out, &(struct record){ .value = { .data = word, .size = size } });
            size = 0;
        }
    }
}

static void by_word(const struct record *word, struct key *key)
{
    key->bytes = word->value;
    key->hash = key_hash_text(word->value);
}

struct wordcount {
    struct value_state count;
};

static void wordcount_open(void *self, struct operator_context *context)
{
    struct wordcount *wordcount = self;
    value_state_open(&wordcount->count, context->backend, "count");
}

static void wordcount_process(void *self, const struct record *word, struct collector *out)
{
    struct wordcount *wordcount = self;
    int64_t seen = value_state_add(&wordcount->count, 1);
    static const uint8_t separator[] = { ' ', ':', ' ' };
    uint8_t line[WORD_SIZE_MAX + sizeof separator + TEXT_INTEGER_SIZE_MAX];
    size_t size = word->value.size;
    bytes_put(line, word->value.data, size);
    bytes_put(line + size, separator, sizeof separator);
    size += sizeof separator;
    size += text_format_i64(line + size, seen);
    collector_emit(out, &(struct record){ .value = { .data = line, .size = size } });
}

void wordcount_build(struct pipeline *pipeline)
{
    static const struct map_parameters splitting = { .map = split };
    static const struct process_parameters counting = { .self_bytes = sizeof(struct wordcount),
                                                        .open = wordcount_open,
                                                        .process = wordcount_process };
    struct stream lines = pipeline_source(pipeline, "source");
    struct stream words = stream_map(lines, "split", &splitting);
    struct stream counts = stream_process(stream_key_by(words, by_word), "count", &counting);
    stream_file_sink(counts, "sink");
}
