#include "model/trace.h"

#include "model/base/check.h"

static const struct fact_info infos[FACT_KIND_COUNT] = {
#define FACT(identifier, name, value0, value1, help)                                               \
    [FACT_##identifier] = { name, { value0, value1 }, help },
    FACT_LIST(FACT)
#undef FACT
};

const struct fact_info *fact_info(enum fact_kind kind)
{
    CHECK((unsigned)kind < FACT_KIND_COUNT);
    return &infos[kind];
}

bool fact_find(struct bytes name, enum fact_kind *kind)
{
    for (unsigned i = 0; i < FACT_KIND_COUNT; i++) {
        if (bytes_equal(name, bytes_of_text(infos[i].name))) {
            *kind = (enum fact_kind)i;
            return true;
        }
    }
    return false;
}

struct mark_text {
    const char *name;
    const char *help;
};

static const struct mark_text marks[MARK_COUNT] = {
#define MARK(identifier, name, help) [MARK_##identifier] = { name, help },
    MARK_LIST(MARK)
#undef MARK
};

const char *mark_name(enum mark mark)
{
    CHECK((unsigned)mark < MARK_COUNT);
    return marks[mark].name;
}

const char *mark_help(enum mark mark)
{
    CHECK((unsigned)mark < MARK_COUNT);
    return marks[mark].help;
}

bool mark_find(struct bytes name, enum mark *mark)
{
    for (unsigned i = 0; i < MARK_COUNT; i++) {
        if (bytes_equal(name, bytes_of_text(marks[i].name))) {
            *mark = (enum mark)i;
            return true;
        }
    }
    return false;
}
