#include "sim/oracle/differences.h"

#include "model/base/bytes.h"
#include "model/base/check.h"

void differences_add(struct differences *differences, int64_t key, int64_t expected, int64_t found)
{
    CHECK(expected != found);
    uint64_t used = differences->count;
    if (used > DIFFERENCES_SHOWN) {
        used = DIFFERENCES_SHOWN;
    }
    differences->count++;
    uint64_t at = used;
    while (at > 0 && differences->shown[at - 1].key > key) {
        at--;
    }
    if (at == DIFFERENCES_SHOWN) {
        return;
    }
    uint64_t last = used < DIFFERENCES_SHOWN ? used : DIFFERENCES_SHOWN - 1;
    for (uint64_t i = last; i > at; i--) {
        differences->shown[i] = differences->shown[i - 1];
    }
    CHECK(at <= last);
    differences->shown[at] =
        (struct difference){ .key = key, .expected = expected, .found = found };
}

static void append_count(struct buffer *out, int64_t count)
{
    if (count == 0) {
        buffer_append_text(out, "nothing");
    } else {
        buffer_append_format(out, "%lld", (long long)count);
    }
}

const char *differences_text(const struct differences *differences, struct arena *arena)
{
    CHECK(differences->count > 0);
    struct buffer out;
    buffer_init(&out, arena);
    buffer_append_format(&out, "%llu %s: ", (unsigned long long)differences->count,
                         differences->count == 1 ? "key differs" : "keys differ");
    for (uint64_t i = 0; i < differences->count && i < DIFFERENCES_SHOWN; i++) {
        const struct difference *difference = &differences->shown[i];
        buffer_append_format(&out, "%skey %lld: expected ", i == 0 ? "" : "; ",
                             (long long)difference->key);
        append_count(&out, difference->expected);
        buffer_append_text(&out, ", found ");
        append_count(&out, difference->found);
    }
    if (differences->count > DIFFERENCES_SHOWN) {
        buffer_append_text(&out, "; ...");
    }
    *buffer_extend(&out, 1) = '\0';
    CHECK(out.size > 1);
    return (const char *)out.data;
}
