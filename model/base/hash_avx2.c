#include "model/base/hash_avx2.h"

#include "model/base/check.h"

#ifdef __AVX2__

#define XXH_INLINE_ALL
#include <xxhash.h>

bool hash_avx2_is_possible(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

uint64_t hash_avx2(struct bytes bytes)
{
    CHECK(hash_avx2_is_possible());
    return XXH3_64bits(bytes.data, bytes.size);
}

void hash_avx2_add(void *state, struct bytes bytes)
{
    CHECK(hash_avx2_is_possible());
    CHECK(XXH3_64bits_update(state, bytes.data, bytes.size) == XXH_OK);
}

#else

bool hash_avx2_is_possible(void)
{
    return false;
}

uint64_t hash_avx2(struct bytes bytes)
{
    (void)bytes;
    CHECK_UNREACHABLE("a processor without these instructions");
}

void hash_avx2_add(void *state, struct bytes bytes)
{
    (void)state;
    (void)bytes;
    CHECK_UNREACHABLE("a processor without these instructions");
}

#endif
