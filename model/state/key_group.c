#include "model/state/key_group.h"

#include "model/base/check.h"

int32_t key_hash_i64(int64_t value)
{
    uint64_t bits = (uint64_t)value;
    return (int32_t)(uint32_t)(bits ^ (bits >> 32));
}

int32_t key_hash_text(struct bytes text)
{
    CHECK(text.data != NULL || text.size == 0);
    uint32_t hash = 0;
    for (size_t i = 0; i < text.size; i++) {
        hash = hash * 31 + text.data[i];
    }
    return (int32_t)hash;
}

uint32_t key_group_subtask(uint32_t key_group, uint32_t max_parallelism, uint32_t parallelism)
{
    CHECK(max_parallelism <= KEY_GROUP_COUNT_MAX);
    CHECK(key_group < max_parallelism);
    CHECK(parallelism >= 1);
    CHECK(parallelism <= max_parallelism);
    return key_group * parallelism / max_parallelism;
}

struct key_group_range key_group_range_of(uint32_t subtask, uint32_t max_parallelism,
                                          uint32_t parallelism)
{
    CHECK(max_parallelism <= KEY_GROUP_COUNT_MAX);
    CHECK(parallelism <= max_parallelism);
    CHECK(subtask < parallelism);
    struct key_group_range range = {
        .first = (subtask * max_parallelism + parallelism - 1) / parallelism,
        .last = ((subtask + 1) * max_parallelism - 1) / parallelism,
    };
    CHECK(range.first <= range.last);
    return range;
}
