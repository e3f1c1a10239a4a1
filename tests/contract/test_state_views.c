#include <check.h>
#include <signal.h>
#include <string.h>

#include "model/state/folding_state.h"
#include "model/state/list_state.h"
#include "model/state/map_state.h"
#include "model/state/state.h"
#include "tests/support/backend_kinds.h"
#include "tests/support/backend_texts.h"
#include "tests/support/parts.h"
#include "tests/support/runner.h"

/* The typed views: Flink's rules for nulls, defaults and the time to live. Every test runs once for
 * each kind of backend; _i is its number. */
enum { KIND_COUNT = BACKEND_KIND_COUNT, PARTS_MAX = 4, TTL_NS = 100 };

/* One key of one backend, and a clock. */
struct bed {
    struct host host; /* first */
    struct arena arena;
    uint64_t now_ns;
    struct backend *backend;
};

static uint64_t tell_time(struct host *host)
{
    return ((struct bed *)(void *)host)->now_ns;
}

static const struct host_ops clock_ops = { .now_ns = tell_time };

static const struct bytes null = { 0 };

static void bed_open(struct bed *bed, int kind)
{
    *bed = (struct bed){ .host = { .ops = &clock_ops } };
    arena_init(&bed->arena);
    bed->backend = backend_kinds[kind].create(&bed->arena, all_groups, PARTS_MAX);
    backend_set_key(bed->backend, 5, text("k"));
}

static void bed_close(struct bed *bed, int kind)
{
    backend_kinds[kind].check(bed->backend);
    backend_destroy(bed->backend);
    arena_drop(&bed->arena);
}

/* A state of texts with a time to live, if `ttl` has one. */
static struct state_options options_of(struct bed *bed, const char *name, struct ttl_options ttl)
{
    ttl.host = &bed->host;
    return (struct state_options){
        .name = name, .value = { .name = "text" }, .subkey = { .name = "text" }, .ttl = ttl
    };
}

static const char *list_text(struct bed *bed, struct list_state *list)
{
    struct buffer out;
    struct bytes element;
    buffer_init(&out, &bed->arena);
    list_state_begin(list);
    while (list_state_next(list, &element)) {
        buffer_append_format(&out, "%.*s ", (int)element.size, (const char *)element.data);
    }
    encode_u8(&out, 0);
    return (const char *)out.data;
}

static const char *map_text(struct bed *bed, struct map_state *map)
{
    struct buffer out;
    struct bytes subkey;
    struct bytes value;
    buffer_init(&out, &bed->arena);
    map_state_begin(map);
    while (map_state_next(map, &subkey, &value)) {
        buffer_append_format(&out, "%.*s=%.*s ", (int)subkey.size, (const char *)subkey.data,
                             (int)value.size, (const char *)value.data);
    }
    encode_u8(&out, 0);
    return (const char *)out.data;
}

static void join_texts(void *context, struct bytes a, struct bytes b, struct buffer *out)
{
    (void)context;
    buffer_append(out, a);
    buffer_append(out, b);
}

/* An accumulator that counts, and answers in words. */
static void create_count(void *context, struct buffer *accumulator)
{
    (void)context;
    encode_u64(accumulator, 0);
}

static void add_count(void *context, struct buffer *accumulator, struct bytes value)
{
    (void)context;
    store_u64(accumulator->data, load_u64(accumulator->data) + value.size);
}

static void merge_count(void *context, struct buffer *accumulator, struct bytes other)
{
    (void)context;
    store_u64(accumulator->data, load_u64(accumulator->data) + load_u64(other.data));
}

static void tell_count(void *context, struct bytes accumulator, struct buffer *out)
{
    (void)context;
    buffer_append_format(out, "%llu", (unsigned long long)load_u64(accumulator.data));
}

static const struct accumulate_function counting = { create_count, add_count, merge_count,
                                                     tell_count, NULL };

/* ---- rules without time ---------------------------------------------------------------------- */

START_TEST(a_null_clears_a_value_and_a_default_stands_for_an_absent_one)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct bytes_state state;
    struct state_options options = options_of(&bed, "value", (struct ttl_options){ 0 });
    char room[] = "default";
    bytes_state_open(&state, &bed.arena, bed.backend, &options, text(room));
    room[0] = 'X'; /* it was copied */
    ck_assert(is_text(bytes_state_get(&state), "default"));
    bytes_state_put(&state, text("v"));
    ck_assert(is_text(bytes_state_get(&state), "v"));
    bytes_state_put(&state, text(""));
    ck_assert(is_text(bytes_state_get(&state), ""));
    bytes_state_put(&state, null);
    ck_assert(is_text(bytes_state_get(&state), "default"));
    ck_assert_uint_eq(backend_entry_count(bed.backend), 0); /* reading it does not write it */
    struct bytes_state bare;
    options.name = "bare";
    bytes_state_open(&bare, &bed.arena, bed.backend, &options, null);
    ck_assert(is_text(bytes_state_get(&bare), NULL));
    bytes_state_clear(&bare);
    bed_close(&bed, _i);
}
END_TEST

START_TEST(a_list_keeps_what_is_added_in_its_order)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct list_state list;
    struct state_options options = options_of(&bed, "list", (struct ttl_options){ 0 });
    list_state_open(&list, &bed.arena, bed.backend, &options);
    ck_assert_str_eq(list_text(&bed, &list), "");
    list_state_add(&list, text("b"));
    list_state_add(&list, text("a"));
    list_state_add(&list, text(""));
    ck_assert_str_eq(list_text(&bed, &list), "b a  ");
    list_state_begin(&list);
    struct bytes element;
    ck_assert(list_state_next(&list, &element));
    list_state_add(&list, text("later")); /* is not seen by what has begun */
    list_state_clear(&list);
    ck_assert(list_state_next(&list, &element));
    ck_assert(is_text(element, "a"));
    ck_assert_str_eq(list_text(&bed, &list), "");
    list_state_update(&list, (const struct bytes[]){ text("x"), text("y") }, 2);
    list_state_add(&list, text("z"));
    ck_assert_str_eq(list_text(&bed, &list), "x y z ");
    list_state_update(&list, NULL, 0);
    ck_assert_uint_eq(backend_entry_count(bed.backend), 0);
    bed_close(&bed, _i);
}
END_TEST

START_TEST(a_list_takes_no_null)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct list_state list;
    struct state_options options = options_of(&bed, "list", (struct ttl_options){ 0 });
    list_state_open(&list, &bed.arena, bed.backend, &options);
    list_state_add(&list, null);
}
END_TEST

START_TEST(a_list_cannot_be_made_of_nulls)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct list_state list;
    struct state_options options = options_of(&bed, "list", (struct ttl_options){ 0 });
    list_state_open(&list, &bed.arena, bed.backend, &options);
    list_state_update(&list, (const struct bytes[]){ text("x"), null }, 2);
}
END_TEST

START_TEST(a_map_takes_no_null)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct map_state map;
    struct state_options options = options_of(&bed, "map", (struct ttl_options){ 0 });
    map_state_open(&map, &bed.arena, bed.backend, &options);
    map_state_put(&map, text("a"), null);
}
END_TEST

START_TEST(a_map_keeps_a_value_for_each_of_its_keys)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct map_state map;
    struct state_options options = options_of(&bed, "map", (struct ttl_options){ 0 });
    map_state_open(&map, &bed.arena, bed.backend, &options);
    ck_assert(map_state_is_empty(&map));
    map_state_put(&map, text("b"), text("2"));
    map_state_put(&map, text("a"), text("1"));
    map_state_put(&map, text(""), text(""));
    ck_assert(map_state_contains(&map, text("a")));
    ck_assert(!map_state_contains(&map, text("c")));
    ck_assert(is_text(map_state_get(&map, text("")), ""));
    ck_assert(is_text(map_state_get(&map, text("c")), NULL));
    ck_assert_str_eq(map_text(&bed, &map), "= a=1 b=2 ");
    map_state_remove(&map, text("a"));
    ck_assert_str_eq(map_text(&bed, &map), "= b=2 ");
    backend_set_key(bed.backend, 5, text("another"));
    ck_assert(map_state_is_empty(&map));
    backend_set_key(bed.backend, 5, text("k"));
    map_state_clear(&map);
    ck_assert(map_state_is_empty(&map));
    ck_assert_uint_eq(backend_entry_count(bed.backend), 0);
    bed_close(&bed, _i);
}
END_TEST

START_TEST(a_reducing_state_folds_what_is_added_and_a_null_clears_it)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct reducing_state sum;
    struct state_options options = options_of(&bed, "sum", (struct ttl_options){ 0 });
    reducing_state_open(&sum, &bed.arena, bed.backend, &options, join_texts, NULL);
    ck_assert(is_text(reducing_state_get(&sum), NULL));
    reducing_state_add(&sum, text("a"));
    reducing_state_add(&sum, text("b"));
    reducing_state_add(&sum, text("c"));
    ck_assert(is_text(reducing_state_get(&sum), "abc"));
    reducing_state_add(&sum, null);
    ck_assert(is_text(reducing_state_get(&sum), NULL));
    reducing_state_add(&sum, text("d"));
    ck_assert(is_text(reducing_state_get(&sum), "d"));
    reducing_state_clear(&sum);
    ck_assert(is_text(reducing_state_get(&sum), NULL));
    bed_close(&bed, _i);
}
END_TEST

START_TEST(an_aggregating_state_answers_the_result_of_its_accumulator)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct aggregating_state total;
    struct state_options options = options_of(&bed, "total", (struct ttl_options){ 0 });
    aggregating_state_open(&total, &bed.arena, bed.backend, &options, &counting);
    ck_assert(is_text(aggregating_state_get(&total), NULL));
    aggregating_state_add(&total, text("four"));
    aggregating_state_add(&total, text("seventy"));
    ck_assert(is_text(aggregating_state_get(&total), "11"));
    aggregating_state_add(&total, null);
    ck_assert(is_text(aggregating_state_get(&total), NULL));
    bed_close(&bed, _i);
}
END_TEST

START_TEST(merging_namespaces_leaves_all_in_the_target_and_nothing_in_the_sources)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct reducing_state sum;
    struct aggregating_state total;
    struct list_state list;
    struct state_options options = options_of(&bed, "sum", (struct ttl_options){ 0 });
    options.has_namespace = true;
    reducing_state_open(&sum, &bed.arena, bed.backend, &options, join_texts, NULL);
    options.name = "total";
    aggregating_state_open(&total, &bed.arena, bed.backend, &options, &counting);
    options.name = "list";
    list_state_open(&list, &bed.arena, bed.backend, &options);
    struct bytes sources[] = { text("w1"), text("w2"), text("empty") };
    for (size_t i = 0; i < 2; i++) {
        backend_set_namespace(bed.backend, sources[i]);
        reducing_state_add(&sum, sources[i]);
        aggregating_state_add(&total, sources[i]);
        list_state_add(&list, sources[i]);
    }
    for (int round = 0; round < 2; round++) { /* into nothing, then into something */
        struct bytes target = round == 0 ? text("t0") : text("t1");
        backend_set_namespace(bed.backend, target);
        if (round == 1) {
            reducing_state_add(&sum, text("t"));
            aggregating_state_add(&total, text("t"));
            list_state_add(&list, text("t"));
            sources[0] = text("t0");
        }
        reducing_state_merge(&sum, target, sources, 3);
        aggregating_state_merge(&total, target, sources, 3);
        list_state_merge(&list, target, sources, 3);
        ck_assert(is_text(reducing_state_get(&sum), round == 0 ? "w1w2" : "tw1w2"));
        ck_assert(is_text(aggregating_state_get(&total), round == 0 ? "4" : "5"));
        ck_assert_str_eq(list_text(&bed, &list), round == 0 ? "w1 w2 " : "t w1 w2 ");
    }
    ck_assert_uint_eq(backend_entry_count(bed.backend), 3);
    bed_close(&bed, _i);
}
END_TEST

/* ---- the time to live ------------------------------------------------------------------------ */

START_TEST(l1_a_value_is_over_exactly_when_its_time_is)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct bytes_state state;
    struct state_options options = options_of(&bed, "v", (struct ttl_options){ .ttl_ns = TTL_NS });
    bytes_state_open(&state, &bed.arena, bed.backend, &options, text("default"));
    bed.now_ns = 1000;
    bytes_state_put(&state, text("v"));
    bed.now_ns = 1000 + TTL_NS - 1;
    ck_assert(is_text(bytes_state_get(&state), "v"));
    bed.now_ns = 1000 + TTL_NS;
    ck_assert(is_text(bytes_state_get(&state), "default"));
    ck_assert_uint_eq(backend_entry_count(bed.backend), 0); /* reading it cleaned it up */
    bytes_state_put(&state, text("w"));
    bed.now_ns += TTL_NS - 1;
    bytes_state_put(&state, text("x")); /* a write begins anew */
    bed.now_ns += TTL_NS - 1;
    ck_assert(is_text(bytes_state_get(&state), "x"));
    bed.now_ns++;
    ck_assert(is_text(bytes_state_get(&state), "default"));
    bed_close(&bed, _i);
}
END_TEST

START_TEST(l1_a_time_too_far_away_to_be_told_never_comes)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct bytes_state state;
    struct state_options options =
        options_of(&bed, "v", (struct ttl_options){ .ttl_ns = UINT64_MAX - 5 });
    bytes_state_open(&state, &bed.arena, bed.backend, &options, null);
    bed.now_ns = 1000;
    bytes_state_put(&state, text("v"));
    bed.now_ns = UINT64_MAX;
    ck_assert(is_text(bytes_state_get(&state), "v"));
    bed_close(&bed, _i);
}
END_TEST

START_TEST(reading_begins_a_values_time_anew_if_that_is_wished)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct ttl_options ttl = { .ttl_ns = TTL_NS, .refresh = TTL_ON_READ_AND_WRITE };
    struct bytes_state state;
    struct map_state map;
    struct list_state list;
    struct state_options options = options_of(&bed, "v", ttl);
    bytes_state_open(&state, &bed.arena, bed.backend, &options, null);
    options.name = "map";
    map_state_open(&map, &bed.arena, bed.backend, &options);
    options.name = "list";
    list_state_open(&list, &bed.arena, bed.backend, &options);
    bytes_state_put(&state, text("v"));
    map_state_put(&map, text("a"), text("1"));
    map_state_put(&map, text("b"), text("2"));
    list_state_add(&list, text("x"));
    for (int round = 0; round < 3; round++) {
        bed.now_ns += TTL_NS - 1;
        ck_assert(is_text(bytes_state_get(&state), "v"));
        ck_assert(is_text(map_state_get(&map, text("a")), "1")); /* and not b */
        ck_assert_str_eq(list_text(&bed, &list), "x ");
    }
    ck_assert_str_eq(map_text(&bed, &map), "a=1 ");
    bed.now_ns += TTL_NS - 1;
    ck_assert_str_eq(map_text(&bed, &map), "a=1 ");
    bed.now_ns += TTL_NS - 1; /* going through it was reading, too */
    ck_assert_str_eq(map_text(&bed, &map), "a=1 ");
    bed.now_ns += TTL_NS;
    ck_assert_str_eq(map_text(&bed, &map), "");
    ck_assert(map_state_is_empty(&map));
    ck_assert_str_eq(list_text(&bed, &list), "");
    ck_assert(is_text(bytes_state_get(&state), NULL));
    ck_assert_uint_eq(backend_entry_count(bed.backend), 0);
    bed_close(&bed, _i);
}
END_TEST

START_TEST(what_is_over_is_seen_once_more_if_that_is_wished_and_it_is_still_there)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct ttl_options ttl = { .ttl_ns = TTL_NS,
                               .visibility = TTL_RETURN_EXPIRED_IF_NOT_CLEANED_UP,
                               .cleanup_count = TTL_NO_CLEANUP };
    struct bytes_state state;
    struct map_state map;
    struct list_state list;
    struct state_options options = options_of(&bed, "v", ttl);
    bytes_state_open(&state, &bed.arena, bed.backend, &options, null);
    options.name = "map";
    map_state_open(&map, &bed.arena, bed.backend, &options);
    options.name = "list";
    list_state_open(&list, &bed.arena, bed.backend, &options);
    bytes_state_put(&state, text("v"));
    map_state_put(&map, text("a"), text("1"));
    list_state_add(&list, text("x"));
    list_state_add(&list, text("y"));
    bed.now_ns = TTL_NS;
    ck_assert(is_text(bytes_state_get(&state), "v"));
    ck_assert(is_text(bytes_state_get(&state), NULL));
    ck_assert_str_eq(map_text(&bed, &map), "a=1 ");
    ck_assert_str_eq(map_text(&bed, &map), "");
    ck_assert_str_eq(list_text(&bed, &list), "x y ");
    ck_assert_str_eq(list_text(&bed, &list), "");
    bed_close(&bed, _i);
}
END_TEST

START_TEST(each_element_and_each_map_entry_has_a_time_of_its_own)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct map_state map;
    struct list_state list;
    struct state_options options =
        options_of(&bed, "map", (struct ttl_options){ .ttl_ns = TTL_NS });
    map_state_open(&map, &bed.arena, bed.backend, &options);
    options.name = "list";
    list_state_open(&list, &bed.arena, bed.backend, &options);
    list_state_add(&list, text("x"));
    map_state_put(&map, text("a"), text("1"));
    bed.now_ns = TTL_NS / 2;
    list_state_add(&list, text("y"));
    map_state_put(&map, text("b"), text("2"));
    ck_assert_str_eq(list_text(&bed, &list), "x y ");
    bed.now_ns = TTL_NS;
    ck_assert_str_eq(list_text(&bed, &list), "y ");
    ck_assert_str_eq(map_text(&bed, &map), "b=2 ");
    ck_assert(!map_state_contains(&map, text("a")));
    bed.now_ns = TTL_NS + TTL_NS / 2;
    ck_assert_str_eq(list_text(&bed, &list), "");
    ck_assert(map_state_is_empty(&map));
    ck_assert_uint_eq(backend_entry_count(bed.backend), 0);
    bed_close(&bed, _i);
}
END_TEST

START_TEST(what_is_over_is_not_folded_into_and_folding_begins_its_time_anew)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct reducing_state sum;
    struct aggregating_state total;
    /* What is folded must not be what would be seen. */
    struct ttl_options ttl = { .ttl_ns = TTL_NS,
                               .visibility = TTL_RETURN_EXPIRED_IF_NOT_CLEANED_UP,
                               .cleanup_count = TTL_NO_CLEANUP };
    struct state_options options = options_of(&bed, "sum", ttl);
    reducing_state_open(&sum, &bed.arena, bed.backend, &options, join_texts, NULL);
    options.name = "total";
    aggregating_state_open(&total, &bed.arena, bed.backend, &options, &counting);
    reducing_state_add(&sum, text("a"));
    aggregating_state_add(&total, text("a"));
    bed.now_ns = TTL_NS - 1;
    reducing_state_add(&sum, text("b"));
    aggregating_state_add(&total, text("b"));
    bed.now_ns += TTL_NS - 1;
    ck_assert(is_text(reducing_state_get(&sum), "ab"));
    ck_assert(is_text(aggregating_state_get(&total), "2"));
    bed.now_ns++;
    reducing_state_add(&sum, text("c"));
    aggregating_state_add(&total, text("c"));
    ck_assert(is_text(reducing_state_get(&sum), "c"));
    ck_assert(is_text(aggregating_state_get(&total), "1"));
    bed_close(&bed, _i);
}
END_TEST

START_TEST(l2_a_whole_snapshot_leaves_out_what_is_over)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct bytes_state state;
    struct list_state list;
    struct ttl_options ttl = { .ttl_ns = TTL_NS, .cleanup_count = TTL_NO_CLEANUP };
    struct state_options options = options_of(&bed, "v", ttl);
    bytes_state_open(&state, &bed.arena, bed.backend, &options, null);
    options.name = "list";
    list_state_open(&list, &bed.arena, bed.backend, &options);
    bytes_state_put(&state, text("old"));
    list_state_add(&list, text("old"));
    backend_set_key(bed.backend, 6, text("l"));
    list_state_add(&list, text("old"));
    bed.now_ns = TTL_NS;
    list_state_add(&list, text("new"));
    bytes_state_put(&state, text("new"));
    struct buffer out;
    buffer_init(&out, &bed.arena);
    struct backend_snapshot *snapshot = backend_snapshot_begin(bed.backend, 1, 0);
    struct bytes part = finish_snapshot(snapshot, &out, 1000);
    backend_snapshot_end(snapshot);
    struct backend *restored = backend_kinds[_i].create(&bed.arena, all_groups, PARTS_MAX);
    ck_assert_int_eq(restore_parts(restored, 1, &part, 1), STATUS_OK);
    ck_assert_uint_eq(backend_entry_count(restored), 2);
    list.view.backend = restored;
    backend_set_key(restored, 6, text("l"));
    ck_assert_str_eq(list_text(&bed, &list), "new ");
    backend_destroy(restored);
    bed_close(&bed, _i);
}
END_TEST

START_TEST(l2_other_accesses_clean_up_what_nobody_reads_any_more)
{
    enum { COUNT = 200 };
    struct bed bed;
    bed_open(&bed, _i);
    struct bytes_state state;
    struct map_state map;
    struct state_options options = options_of(&bed, "v", (struct ttl_options){ .ttl_ns = TTL_NS });
    bytes_state_open(&state, &bed.arena, bed.backend, &options, null);
    options.name = "map";
    map_state_open(&map, &bed.arena, bed.backend, &options);
    for (uint32_t i = 0; i < COUNT; i++) {
        backend_set_key(bed.backend, i % 128, (struct bytes){ (const uint8_t *)&i, sizeof i });
        bytes_state_put(&state, text("old"));
        map_state_put(&map, text("a"), text("old"));
    }
    bed.now_ns = TTL_NS;
    backend_set_key(bed.backend, 5, text("k"));
    for (uint32_t i = 0; i < COUNT; i++) {
        bytes_state_put(&state, text("new"));
    }
    if (bed.backend->ops->expire != NULL) {
        ck_assert_uint_eq(backend_entry_count(bed.backend), 1);
    }
    ck_assert(is_text(bytes_state_get(&state), "new"));
    bed_close(&bed, _i);
}
END_TEST

/* While a map is gone through, its owner reads another state, and the backend cleans up. */
START_TEST(l2_cleaning_up_does_not_lead_an_iteration_astray)
{
    enum { COUNT = 60 };
    struct bed bed;
    bed_open(&bed, _i);
    struct map_state map;
    struct bytes_state other;
    struct state_options options =
        options_of(&bed, "map", (struct ttl_options){ .ttl_ns = TTL_NS });
    map_state_open(&map, &bed.arena, bed.backend, &options);
    options.name = "other";
    options.ttl.cleanup_count = 1000; /* all there is */
    bytes_state_open(&other, &bed.arena, bed.backend, &options, null);
    for (int i = 0; i < 2 * COUNT; i++) {
        bed.now_ns = (uint64_t)(i < COUNT ? 0 : TTL_NS / 2);
        if ((i < COUNT) == (i % 3 > 0)) {
            map_state_put(&map, text(arena_format(&bed.arena, "%02d", i % COUNT)), text("v"));
        }
    }
    bed.now_ns = TTL_NS; /* two thirds are over */
    struct bytes subkey;
    struct bytes value;
    int count = 0;
    map_state_begin(&map);
    while (map_state_next(&map, &subkey, &value)) {
        ck_assert(bytes_equal(subkey, text(arena_format(&bed.arena, "%02d", count * 3))));
        (void)bytes_state_get(&other);
        count++;
    }
    ck_assert_int_eq(count, COUNT / 3);
    bed_close(&bed, _i);
}
END_TEST

/* ---- the number ------------------------------------------------------------------------------ */

START_TEST(a_view_of_a_state_of_another_kind_is_an_error)
{
    struct bed bed;
    bed_open(&bed, _i);
    struct value_state count;
    struct list_state list;
    value_state_open(&count, bed.backend, "count");
    struct state_options options = options_of(&bed, "count", (struct ttl_options){ 0 });
    list_state_open(&list, &bed.arena, bed.backend, &options);
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("state views");
    tcase_set_timeout(tcase, 60);
    const TTest *const tests[] = {
        a_null_clears_a_value_and_a_default_stands_for_an_absent_one,
        a_list_keeps_what_is_added_in_its_order,
        a_map_keeps_a_value_for_each_of_its_keys,
        a_reducing_state_folds_what_is_added_and_a_null_clears_it,
        an_aggregating_state_answers_the_result_of_its_accumulator,
        merging_namespaces_leaves_all_in_the_target_and_nothing_in_the_sources,
        l1_a_value_is_over_exactly_when_its_time_is,
        l1_a_time_too_far_away_to_be_told_never_comes,
        reading_begins_a_values_time_anew_if_that_is_wished,
        what_is_over_is_seen_once_more_if_that_is_wished_and_it_is_still_there,
        each_element_and_each_map_entry_has_a_time_of_its_own,
        what_is_over_is_not_folded_into_and_folding_begins_its_time_anew,
        l2_a_whole_snapshot_leaves_out_what_is_over,
        l2_other_accesses_clean_up_what_nobody_reads_any_more,
        l2_cleaning_up_does_not_lead_an_iteration_astray,
    };
    const TTest *const errors[] = {
        a_list_takes_no_null,
        a_list_cannot_be_made_of_nulls,
        a_map_takes_no_null,
        a_view_of_a_state_of_another_kind_is_an_error,
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tcase_add_loop_test(tcase, tests[i], 0, KIND_COUNT);
    }
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        tcase_add_loop_test_raise_signal(tcase, errors[i], SIGABRT, 0, KIND_COUNT);
    }
    Suite *suite = suite_create("state_views");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
