#include "model/stream/operator.h"

#include "model/base/check.h"
#include "model/stream/source.h"

enum { RECORD_SHOWN_BYTES_MAX = 40 };

static void discard(void *target, const struct record *record)
{
    (void)target;
    (void)record;
}

struct collector *operator_side(struct operator_context *context, const char *tag)
{
    CHECK(tag != NULL);
    struct collector *out =
        context->side == NULL ? NULL : context->side(context->side_argument, tag);
    if (out == NULL) {
        out = arena_alloc(context->host->arena, 1, sizeof *out);
        out->emit = discard;
    }
    return out;
}

void operator_fail(struct operator_context *context, bool final, const char *why)
{
    if (context->failure.size == 0) {
        buffer_append_text(&context->failure, why);
        context->failure_is_final = final;
    }
}

bool operator_check(struct operator_context *context, enum status status, const char *what)
{
    if (status == STATUS_OK) {
        return true;
    }
    if (status != STATUS_HALTED && context->failure.size == 0) {
        buffer_append_format(&context->failure, "%s: %s", what, status_text(status));
    }
    return false;
}

/* The record as text, cut short, with everything unprintable replaced. */
static void append_shown(struct buffer *out, struct bytes value)
{
    size_t size = value.size < RECORD_SHOWN_BYTES_MAX ? value.size : RECORD_SHOWN_BYTES_MAX;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = value.data[i];
        *buffer_extend(out, 1) = c >= ' ' && c < 0x7f && c != '"' ? c : '?';
    }
    if (size < value.size) {
        buffer_append_text(out, "...");
    }
}

void operator_bad_record(struct operator_context *context, const struct record *record,
                         const char *why)
{
    CHECK(context->source != NULL);
    struct buffer text;
    buffer_init(&text, context->host->arena);
    source_describe_place(context->source, &text);
    buffer_append_format(&text, ": %s: \"", why);
    append_shown(&text, record->value);
    buffer_append_text(&text, "\"");
    if (context->input->skip_bad_records) {
        source_note_skipped(context->source);
        host_trace(context->host, &(struct fact){ .kind = FACT_RECORD_SKIPPED,
                                                  .vertex = context->vertex,
                                                  .subtask = context->subtask,
                                                  .attempt = context->attempt,
                                                  .text = buffer_bytes(&text) });
    } else {
        *buffer_extend(&text, 1) = '\0';
        operator_fail(context, true, (const char *)text.data);
    }
    buffer_free(&text);
}
