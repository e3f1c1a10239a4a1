#include "reports/junit.h"

#include <inttypes.h>

#include "model/base/check.h"

void markup_append(struct buffer *out, const char *text)
{
    CHECK(text != NULL);
    for (const char *at = text; *at != '\0'; at++) {
        uint8_t byte = (uint8_t)*at;
        switch (*at) {
        case '&': buffer_append_text(out, "&amp;"); break;
        case '<': buffer_append_text(out, "&lt;"); break;
        case '>': buffer_append_text(out, "&gt;"); break;
        case '"': buffer_append_text(out, "&quot;"); break;
        case '\'': buffer_append_text(out, "&#39;"); break;
        case '\n':
        case '\t': *buffer_extend(out, 1) = byte; break;
        default: *buffer_extend(out, 1) = byte < 0x20 || byte == 0x7f ? '?' : byte; break;
        }
    }
}

static void append_seconds(struct buffer *out, uint64_t time_ns)
{
    enum { NS_PER_MS = 1000000, MS_PER_S = 1000 };
    uint64_t time_ms = time_ns / NS_PER_MS;
    buffer_append_format(out, "%" PRIu64 ".%03" PRIu64, time_ms / MS_PER_S, time_ms % MS_PER_S);
}

static void append_case(struct buffer *out, const struct junit_case *test)
{
    CHECK(test->name != NULL && test->group != NULL);
    buffer_append_text(out, "  <testcase classname=\"");
    markup_append(out, test->group);
    buffer_append_text(out, "\" name=\"");
    markup_append(out, test->name);
    buffer_append_text(out, "\" time=\"");
    append_seconds(out, test->wall_ns);
    if (test->kind == JUNIT_PASSED) {
        buffer_append_text(out, "\"/>\n");
        return;
    }
    const char *element = test->kind == JUNIT_FAILED ? "failure" : "error";
    buffer_append_format(out, "\">\n    <%s message=\"", element);
    markup_append(out, test->message);
    buffer_append_text(out, "\">");
    markup_append(out, test->detail);
    buffer_append_format(out, "</%s>\n  </testcase>\n", element);
}

void junit_write(const char *suite, const struct junit_case *cases, uint64_t count,
                 struct buffer *out)
{
    CHECK(count == 0 || cases != NULL);
    uint64_t failed = 0;
    uint64_t errors = 0;
    uint64_t wall_ns = 0;
    for (uint64_t i = 0; i < count; i++) {
        failed += cases[i].kind == JUNIT_FAILED ? 1 : 0;
        errors += cases[i].kind == JUNIT_ERROR ? 1 : 0;
        wall_ns += cases[i].wall_ns;
    }
    buffer_append_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    markup_append(out, suite);
    buffer_append_format(
        out, "\" tests=\"%" PRIu64 "\" failures=\"%" PRIu64 "\" errors=\"%" PRIu64 "\" time=\"",
        count, failed, errors);
    append_seconds(out, wall_ns);
    buffer_append_text(out, "\">\n");
    for (uint64_t i = 0; i < count; i++) {
        append_case(out, &cases[i]);
    }
    buffer_append_text(out, "</testsuite>\n");
}
