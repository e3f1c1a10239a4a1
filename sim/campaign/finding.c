#include "sim/campaign/finding.h"

#include <signal.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/hash.h"

enum { KEY_SIZE_MAX = 64 };

/* The size of the key that the sentence of an expectation begins with: "expect.recoveries". */
static size_t key_size(const char *message)
{
    size_t size = strcspn(message, ":");
    return size < KEY_SIZE_MAX ? size : KEY_SIZE_MAX;
}

/* What is the same in two sentences about the same thing: what stands before the first number, and
 * before what the reason's reason is. */
static uint64_t hash_of_words(const char *message)
{
    size_t size = strcspn(message, "0123456789");
    const char *colon = memchr(message, ':', size);
    if (colon != NULL) {
        size_t first = (size_t)(colon - message) + 1;
        colon = memchr(message + first, ':', size - first);
    }
    size = colon != NULL ? (size_t)(colon - message) : size;
    return hash_bytes((struct bytes){ .data = (const uint8_t *)message, .size = size });
}

/* Where a process died, if it said so: "model/checkpoint/coordinator.c:354". */
static uint64_t hash_of_place(const char *text)
{
    const char *dot = strstr(text, ".c:");
    if (dot == NULL) {
        return 0;
    }
    const char *from = dot;
    while (from > text && from[-1] > ' ') {
        from--;
    }
    const char *to = dot + strlen(".c:");
    to += strspn(to, "0123456789");
    return hash_bytes((struct bytes){ .data = (const uint8_t *)from, .size = (size_t)(to - from) });
}

static struct finding of_violations(const struct run *run)
{
    uint32_t count;
    const struct violation *violations = oracle_violations(run->oracle, &count);
    struct finding finding = { .kind = FINDING_NONE, .message = "" };
    for (uint32_t i = 0; i < count; i++) {
        bool is_liveness = violations[i].property == PROPERTY_LIVENESS;
        if (!is_liveness || finding.kind == FINDING_NONE) {
            finding.kind = is_liveness ? FINDING_LIVENESS : FINDING_PROPERTY;
            finding.number = violations[i].property;
            finding.message = violations[i].message;
            finding.place = is_liveness ? hash_of_words(violations[i].message) : 0;
        }
        if (!is_liveness) {
            break;
        }
    }
    return finding;
}

struct finding finding_of_run(const struct run *run)
{
    struct finding finding = of_violations(run);
    if (finding.kind == FINDING_PROPERTY && !run->is_ambiguous) {
        return finding;
    }
    if (run->is_ambiguous) {
        finding.kind = FINDING_NONE;
    } else if (run->outcome == OUTCOME_STUCK) {
        finding.kind = FINDING_STUCK;
        finding.number = 0;
        finding.place = 0;
        return finding;
    }
    if (finding.kind == FINDING_NONE && run->unmet_count > 0) {
        const char *message = run->unmet[0].message;
        struct bytes key = { .data = (const uint8_t *)message, .size = key_size(message) };
        return (
            struct finding){ .kind = FINDING_UNMET, .number = hash_bytes(key), .message = message };
    }
    if (finding.kind == FINDING_NONE && run->verdict == VERDICT_NOT_FIRED) {
        finding =
            (struct finding){ .kind = FINDING_NOT_FIRED, .message = "a planned fault never fired" };
    }
    CHECK((finding.kind == FINDING_NONE) == (run->verdict == VERDICT_PASS));
    return finding;
}

struct finding finding_of_crash(const struct worker_end *end, struct arena *arena)
{
    CHECK(end->crashed);
    CHECK(end->signal >= 0);
    const char *text = arena_format(arena, "%.*s", (int)end->error_output.size,
                                    (const char *)end->error_output.data);
    if (end->signal == SIGALRM) {
        text = "the run did not end in real time: the simulation hangs";
    } else if (*text == '\0') {
        text = "it died without a word";
    }
    return (struct finding){ .kind = FINDING_CRASHED,
                             .number = (uint64_t)end->signal,
                             .place = hash_of_place(text),
                             .message = text };
}

bool finding_same(const struct finding *a, const struct finding *b)
{
    return a->kind == b->kind && a->number == b->number && a->place == b->place;
}

void finding_describe(const struct finding *finding, struct buffer *out)
{
    switch (finding->kind) {
    case FINDING_NONE: buffer_append_text(out, "pass"); return;
    case FINDING_PROPERTY:
        buffer_append_text(out, property_name((enum property)finding->number));
        return;
    case FINDING_STUCK: buffer_append_text(out, "stuck"); return;
    case FINDING_LIVENESS: buffer_append_text(out, "liveness"); return;
    case FINDING_UNMET:
        buffer_append_format(out, "%.*s", (int)key_size(finding->message), finding->message);
        return;
    case FINDING_NOT_FIRED: buffer_append_text(out, "not fired"); return;
    case FINDING_CRASHED: buffer_append_format(out, "signal %u", (unsigned)finding->number); return;
    case FINDING_INVALID: buffer_append_text(out, "invalid"); return;
    }
    CHECK_UNREACHABLE("a kind of finding");
}

enum verdict finding_verdict(const struct finding *finding)
{
    switch (finding->kind) {
    case FINDING_NONE: return VERDICT_PASS;
    case FINDING_PROPERTY:
    case FINDING_LIVENESS:
    case FINDING_UNMET:
    case FINDING_CRASHED: return VERDICT_WRONG;
    case FINDING_STUCK: return VERDICT_STUCK;
    case FINDING_NOT_FIRED: return VERDICT_NOT_FIRED;
    case FINDING_INVALID: return VERDICT_BAD_USAGE;
    }
    CHECK_UNREACHABLE("a kind of finding");
}

void finding_encode(const struct finding *finding, struct buffer *out)
{
    CHECK(finding->message != NULL);
    encode_u8(out, (uint8_t)finding->kind);
    encode_u64(out, finding->number);
    encode_u64(out, finding->place);
    encode_bytes(out, bytes_of_text(finding->message));
}

struct finding finding_decode(struct decoder *decoder, struct arena *arena)
{
    struct finding finding = { .kind = (enum finding_kind)decode_u8(decoder) };
    finding.number = decode_u64(decoder);
    finding.place = decode_u64(decoder);
    struct bytes message = decode_bytes(decoder);
    CHECK(!decoder->failed);
    CHECK(finding.kind <= FINDING_INVALID);
    finding.message = arena_format(arena, "%.*s", (int)message.size, (const char *)message.data);
    return finding;
}
