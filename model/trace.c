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
