#include "model/stream/generator.h"

#include "model/base/check.h"
#include "model/base/hash.h"

__extension__ typedef unsigned __int128 wide;

enum { FRACTION_BITS = 32 };

/* One column of Walker's table: the coin decides between the column's own key and the other. */
struct generator_column {
    uint32_t threshold; /* coins below it take the column's own key */
    uint32_t other;
};

/* log2 of `value` >= 1, with FRACTION_BITS fractional bits: each squaring of the mantissa yields
 * one more bit. */
static uint64_t log2_fixed(uint64_t value)
{
    CHECK(value >= 1);
    uint32_t exponent = 63u - (uint32_t)__builtin_clzll(value);
    uint64_t mantissa = value << (63 - exponent); /* in [1, 2), 63 fractional bits */
    uint64_t result = exponent;
    for (int i = 0; i < FRACTION_BITS; i++) {
        wide square = (wide)mantissa * mantissa >> 63;
        uint64_t bit = (uint64_t)(square >> 64);
        mantissa = (uint64_t)(bit != 0 ? square >> 1 : square);
        result = result << 1 | bit;
    }
    return result;
}

static uint64_t square_root(wide value)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 63; bit != 0; bit >>= 1) {
        uint64_t candidate = root | bit;
        if ((wide)candidate * candidate <= value) {
            root = candidate;
        }
    }
    return root;
}

/* halvings[i] = 2^-(2^-(i+1)) with 64 fractional bits: what one fractional bit of an exponent is
 * worth. */
static void fill_halvings(uint64_t halvings[FRACTION_BITS])
{
    uint64_t half = UINT64_C(1) << 63;
    for (int i = 0; i < FRACTION_BITS; i++) {
        half = square_root((wide)half << 64);
        halvings[i] = half;
    }
}

/* 2^-exponent as a weight with 62 fractional bits; 0 where it is too small to matter. */
static uint64_t weight_of(uint64_t exponent, const uint64_t halvings[FRACTION_BITS])
{
    uint64_t whole = exponent >> FRACTION_BITS;
    if (whole > 62) {
        return 0;
    }
    uint64_t weight = UINT64_C(1) << 62;
    for (int i = 0; i < FRACTION_BITS; i++) {
        if ((exponent >> (FRACTION_BITS - 1 - i) & 1) != 0) {
            weight = (uint64_t)((wide)weight * halvings[i] >> 64);
        }
    }
    return weight >> whole;
}

/* Walker's alias table (Vose's construction): a column too light for its share is filled up by one
 * that is too heavy. */
static void fill_columns(struct arena *arena, struct generator *generator, uint32_t skew_ppm)
{
    uint64_t keys = generator->keys;
    uint64_t halvings[FRACTION_BITS];
    fill_halvings(halvings);
    wide *share = arena_alloc(arena, keys, sizeof *share); /* weight * keys; one column = total */
    uint32_t *light = arena_alloc(arena, keys, sizeof *light);
    uint32_t *heavy = arena_alloc(arena, keys, sizeof *heavy);
    uint64_t light_count = 0;
    uint64_t heavy_count = 0;
    wide total = 0;
    for (uint64_t key = 0; key < keys; key++) {
        uint64_t exponent = (uint64_t)((wide)log2_fixed(key + 1) * skew_ppm / 1000000);
        uint64_t weight = weight_of(exponent, halvings);
        total += weight;
        share[key] = (wide)weight * keys;
    }
    for (uint64_t key = keys; key-- > 0;) {
        if (share[key] < total) {
            light[light_count++] = (uint32_t)key;
        } else {
            heavy[heavy_count++] = (uint32_t)key;
        }
    }
    wide unit = (total >> 32) + 1; /* the share that one step of the threshold stands for */
    while (light_count > 0 && heavy_count > 0) {
        uint32_t small = light[--light_count];
        uint32_t large = heavy[heavy_count - 1];
        generator->columns[small] =
            (struct generator_column){ .threshold = (uint32_t)(share[small] / unit),
                                       .other = large };
        share[large] -= total - share[small];
        if (share[large] < total) {
            heavy_count--;
            light[light_count++] = large;
        }
    }
    while (heavy_count > 0 || light_count > 0) {
        uint32_t key = heavy_count > 0 ? heavy[--heavy_count] : light[--light_count];
        generator->columns[key] =
            (struct generator_column){ .threshold = UINT32_MAX, .other = key };
    }
    arena_free(arena, share);
    arena_free(arena, light);
    arena_free(arena, heavy);
}

struct generator *generator_create(struct arena *arena, uint64_t keys, uint32_t skew_ppm,
                                   uint64_t seed)
{
    CHECK(keys >= 1 && keys <= UINT32_MAX);
    CHECK(skew_ppm <= 4000000);
    struct generator *generator = arena_alloc(arena, 1, sizeof *generator);
    *generator = (struct generator){ .keys = keys, .seed = hash_mix(seed) };
    if (skew_ppm > 0) {
        generator->columns = arena_alloc(arena, keys, sizeof *generator->columns);
        fill_columns(arena, generator, skew_ppm);
    }
    return generator;
}

void generator_set_ranges(struct generator *generator, const struct generator_range *ranges,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK(ranges[i].first <= ranges[i].end);
        CHECK(ranges[i].key < generator->keys || ranges[i].key == GENERATOR_BAD_KEY);
    }
    generator->ranges = ranges;
    generator->range_count = count;
    generator->remembered_count = 0;
}

static uint64_t draw_key(const struct generator *generator, uint64_t number)
{
    uint64_t random = hash_mix(generator->seed + number * UINT64_C(0x9e3779b97f4a7c15));
    uint64_t index = (random >> 32) * generator->keys >> 32;
    if (generator->columns == NULL) {
        return index;
    }
    const struct generator_column *column = &generator->columns[index];
    return (uint32_t)random < column->threshold ? index : column->other;
}

void generator_remember(struct generator *generator, struct arena *arena, uint64_t count)
{
    CHECK(generator->remembered == NULL && generator->range_count == 0);
    uint32_t *keys = arena_alloc(arena, count, sizeof *keys);
    for (uint64_t i = 0; i < count; i++) {
        keys[i] = (uint32_t)draw_key(generator, i);
    }
    generator->remembered = keys;
    generator->remembered_count = count;
}

uint64_t generator_key_any(const struct generator *generator, uint64_t number)
{
    for (uint32_t i = 0; i < generator->range_count; i++) {
        if (number >= generator->ranges[i].first && number < generator->ranges[i].end) {
            return generator->ranges[i].key;
        }
    }
    return draw_key(generator, number);
}
