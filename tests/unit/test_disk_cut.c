#include <stdio.h>
#include <string.h>

#include "tests/support/disk_bed.h"
#include "tests/support/runner.h"

/* What a power cut leaves on a disk. */

static struct disk_bed bed;

static void set_up(void)
{
    bed_init(&bed);
}

static void tear_down(void)
{
    bed_drop(&bed);
}

/* D2 */
START_TEST(what_was_synced_survives_every_cut)
{
    bed_make_file(&bed, ALICE, "a", "hello", true);
    for (enum disk_survival survival = DISK_KEEP; survival <= DISK_RANDOM; survival++) {
        bed_cut(&bed, ALICE, survival);
        bed_assert_file(&bed, "a", "hello");
    }
}
END_TEST

START_TEST(lose_undoes_writes_back_to_the_last_sync)
{
    bed_make_file(&bed, ALICE, "a", "hello", true);
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    bed_write(&bed, ALICE, file, 1, "ipp");
    bed_write(&bed, ALICE, file, 4, "ooooooo");
    bed_write(&bed, ALICE, file, 20, "behind a gap");
    bed_write(&bed, ALICE, file, 0, "H");
    disk_close(bed.disk, file);
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", "hello");
}
END_TEST

START_TEST(keep_makes_everything_durable)
{
    bed_make_file(&bed, ALICE, "a", "hello", false);
    bed_cut(&bed, ALICE, DISK_KEEP);
    bed_assert_file(&bed, "a", "hello");
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", "hello");
}
END_TEST

/* D5, D8 */
START_TEST(a_durable_name_without_a_file_sync_leads_to_an_empty_file)
{
    bed_make_file(&bed, ALICE, "a", "hello", false);
    ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", "");
}
END_TEST

/* D8 */
START_TEST(a_synced_file_without_a_durable_name_is_gone)
{
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    bed_write(&bed, ALICE, file, 0, "hello");
    disk_sync(bed.disk, file);
    disk_close(bed.disk, file);
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", NULL);
}
END_TEST

START_TEST(a_lost_directory_takes_its_synced_names_along)
{
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d"), STATUS_OK);
    bed_make_file(&bed, ALICE, "d/a", "hello", true);
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "d/a", NULL);
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d"), STATUS_OK);
    bed_assert_file(&bed, "d/a", NULL);
}
END_TEST

START_TEST(an_unsynced_remove_comes_back)
{
    bed_make_file(&bed, ALICE, "a", "hello", true);
    ck_assert_int_eq(disk_remove(bed.disk, ALICE, "a"), STATUS_OK);
    bed_assert_file(&bed, "a", NULL);
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", "hello");
    ck_assert_int_eq(disk_remove(bed.disk, ALICE, "a"), STATUS_OK);
    ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", NULL);
}
END_TEST

/* D4 */
START_TEST(a_rename_survives_whole_or_not_at_all)
{
    unsigned old_count = 0;
    for (unsigned i = 0; i < 64; i++) {
        bed_make_file(&bed, ALICE, "new", "new content", false);
        bed_make_file(&bed, ALICE, "name", "old content", true);
        struct disk_file *file = bed_open(&bed, ALICE, "new");
        disk_sync(bed.disk, file);
        disk_close(bed.disk, file);
        ck_assert_int_eq(disk_rename(bed.disk, ALICE, "new", "name"), STATUS_OK);
        bed_assert_file(&bed, "new", NULL);
        bed_cut(&bed, ALICE, DISK_TEAR);
        struct bytes content;
        bool is_old = disk_peek(bed.disk, "new", &content);
        bed_assert_file(&bed, "new", is_old ? "new content" : NULL);
        bed_assert_file(&bed, "name", is_old ? "old content" : "new content");
        old_count += is_old;
    }
    ck_assert_uint_gt(old_count, 8);
    ck_assert_uint_lt(old_count, 56);
}
END_TEST

/* D4 */
START_TEST(a_rename_between_directories_never_loses_both_names)
{
    unsigned seen[4] = { 0 };
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d"), STATUS_OK);
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "e"), STATUS_OK);
    for (unsigned i = 0; i < 96; i++) {
        bed_make_file(&bed, ALICE, "d/a", "hello", true);
        ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
        ck_assert_int_eq(disk_rename(bed.disk, ALICE, "d/a", "e/a"), STATUS_OK);
        if (i % 3 == 1) {
            ck_assert_int_eq(disk_sync_dir(bed.disk, "d"), STATUS_OK);
        } else if (i % 3 == 2) {
            ck_assert_int_eq(disk_sync_dir(bed.disk, "e"), STATUS_OK);
        }
        bed_cut(&bed, ALICE, DISK_TEAR);
        struct bytes content;
        bool is_old = disk_peek(bed.disk, "d/a", &content);
        bool is_new = disk_peek(bed.disk, "e/a", &content);
        ck_assert(is_old || is_new);
        bed_assert_file(&bed, is_old ? "d/a" : "e/a", "hello");
        seen[is_old * 2 + is_new]++;
        ck_assert(i % 3 != 1 || !is_old);
        if (is_new) {
            ck_assert_int_eq(disk_remove(bed.disk, ALICE, "e/a"), STATUS_OK);
        }
        ck_assert_int_eq(disk_sync_dir(bed.disk, "e"), STATUS_OK);
    }
    ck_assert(seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
}
END_TEST

/* D3, D9 */
START_TEST(tear_cuts_a_write_at_a_sector)
{
    enum { SECTORS = 4, SIZE = SECTORS * DISK_SECTOR_BYTES - 10 };
    bool seen_empty = false, seen_whole = false, seen_short = false, seen_zeros = false;
    uint8_t data[SIZE];
    memset(data, 'x', SIZE);
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
    for (unsigned i = 0; i < 200; i++) {
        ck_assert_int_eq(disk_write(bed.disk, ALICE, file, 0, (struct bytes){ data, SIZE }),
                         STATUS_OK);
        bed_cut(&bed, ALICE, DISK_TEAR);
        struct bytes content;
        ck_assert(disk_peek(bed.disk, "a", &content));
        size_t zeros = 0;
        while (zeros < content.size && content.data[zeros] == 0) {
            zeros++;
        }
        ck_assert_uint_eq(zeros % DISK_SECTOR_BYTES, 0);
        ck_assert(content.size == SIZE || content.size % DISK_SECTOR_BYTES == 0);
        ck_assert(content.size <= SIZE && (zeros == 0 || content.size == SIZE));
        ck_assert(content.size == zeros ||
                  memcmp(content.data + zeros, data, content.size - zeros) == 0);
        seen_empty |= content.size == 0;
        seen_whole |= content.size == SIZE && zeros == 0;
        seen_short |= content.size > 0 && content.size < SIZE;
        seen_zeros |= zeros > 0;
        ck_assert(disk_truncate(bed.disk, "a", 0));
    }
    ck_assert(seen_empty && seen_whole && seen_short && seen_zeros);
    disk_close(bed.disk, file);
}
END_TEST

/* W3 */
START_TEST(what_a_tear_left_is_durable)
{
    static uint8_t data[6 * DISK_SECTOR_BYTES];
    memset(data, 'x', sizeof data);
    for (unsigned i = 0; i < 20; i++) {
        /* Older unsynced changes of another machine keep the survivors in the lists. */
        if (i % 2 == 0) {
            bed_make_file(&bed, BOB, "a", "B", false);
            bed_make_file(&bed, BOB, "d", "", false);
        }
        struct disk_file *file = bed_open(&bed, ALICE, "a");
        struct bytes content;
        struct bytes again;
        ck_assert_int_eq(
            disk_write(bed.disk, ALICE, file, 100, (struct bytes){ data, sizeof data }), STATUS_OK);
        disk_close(bed.disk, file);
        bed_make_file(&bed, ALICE, "b", "", false);
        ck_assert_int_eq(disk_rename(bed.disk, ALICE, "b", "c"), STATUS_OK);
        bed_cut(&bed, ALICE, DISK_TEAR);
        bool is_there = disk_peek(bed.disk, "a", &content);
        content = is_there ? bytes_copy(&bed.arena, content) : (struct bytes){ 0 };
        bool is_c = disk_peek(bed.disk, "c", &again);
        bed_cut(&bed, ALICE, DISK_LOSE);
        ck_assert(disk_peek(bed.disk, "a", &again) == is_there);
        ck_assert(!is_there || bytes_equal(again, content));
        ck_assert(disk_peek(bed.disk, "c", &again) == is_c);
        arena_free(&bed.arena, (void *)(uintptr_t)content.data);
    }
}
END_TEST

START_TEST(tear_chooses_for_each_name_alone)
{
    unsigned seen[4] = { 0 };
    struct bytes content;
    for (unsigned i = 0; i < 64; i++) {
        bed_make_file(&bed, ALICE, "a", "", false);
        bed_make_file(&bed, ALICE, "b", "", false);
        bed_cut(&bed, ALICE, DISK_TEAR);
        bool is_a = disk_peek(bed.disk, "a", &content);
        bool is_b = disk_peek(bed.disk, "b", &content);
        seen[is_a * 2 + is_b]++;
        if (is_a) {
            ck_assert_int_eq(disk_remove(bed.disk, ALICE, "a"), STATUS_OK);
        }
        if (is_b) {
            ck_assert_int_eq(disk_remove(bed.disk, ALICE, "b"), STATUS_OK);
        }
        ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
    }
    ck_assert(seen[0] > 0 && seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
}
END_TEST

START_TEST(the_same_random_stream_gives_the_same_cut)
{
    struct bytes content[2];
    uint8_t data[8 * DISK_SECTOR_BYTES];
    memset(data, 'x', sizeof data);
    for (unsigned i = 0; i < 20; i++) {
        for (unsigned j = 0; j < 2; j++) {
            struct arena other;
            arena_init(&other);
            struct disk *twin = disk_create(&other);
            struct disk_file *file;
            ck_assert_int_eq(disk_open(twin, ALICE, "a", true, false, &file), STATUS_OK);
            ck_assert_int_eq(disk_write(twin, ALICE, file, 9, (struct bytes){ data, sizeof data }),
                             STATUS_OK);
            disk_close(twin, file);
            struct prng same = { .state = i };
            disk_cut(twin, ALICE, DISK_RANDOM, &same);
            content[j] = (struct bytes){ 0 };
            if (disk_peek(twin, "a", &content[j])) {
                content[j] = bytes_copy(&bed.arena, content[j]);
            }
            arena_drop(&other);
        }
        ck_assert(bytes_equal(content[0], content[1]));
        arena_free(&bed.arena, (void *)(uintptr_t)content[0].data);
        arena_free(&bed.arena, (void *)(uintptr_t)content[1].data);
    }
}
END_TEST

/* D2 */
START_TEST(a_cut_of_one_machine_leaves_the_writes_of_another)
{
    bed_make_file(&bed, ALICE, "a", "....", true);
    struct disk_file *file = bed_open(&bed, BOB, "a");
    bed_write(&bed, ALICE, file, 0, "AA");
    bed_write(&bed, BOB, file, 1, "BB");
    bed_write(&bed, ALICE, file, 2, "AA");
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", ".BB.");
    disk_close(bed.disk, file);
    bed_cut(&bed, BOB, DISK_LOSE);
    bed_assert_file(&bed, "a", "....");
}
END_TEST

/* D7 */
START_TEST(an_append_behind_a_lost_append_leaves_a_gap)
{
    struct disk_file *file = bed_open(&bed, BOB, "a");
    ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
    bed_write(&bed, ALICE, file, 0, "AA");
    bed_write(&bed, BOB, file, 2, "BB");
    bed_cut(&bed, ALICE, DISK_LOSE);
    char data[4] = "";
    ck_assert_uint_eq(disk_read(file, 0, data, 4), 4);
    ck_assert_mem_eq(data, "\0\0BB", 4);
    disk_close(bed.disk, file);
    bed_cut(&bed, BOB, DISK_LOSE);
    bed_assert_file(&bed, "a", "");
}
END_TEST

/* W3 */
START_TEST(what_survived_a_cut_survives_the_cut_of_the_other)
{
    bed_make_file(&bed, ALICE, "a", "....", true);
    struct disk_file *file = bed_open(&bed, BOB, "a");
    bed_write(&bed, BOB, file, 0, "BB");
    bed_write(&bed, ALICE, file, 1, "AA");
    disk_close(bed.disk, file);
    bed_cut(&bed, ALICE, DISK_KEEP);
    bed_cut(&bed, BOB, DISK_LOSE);
    bed_assert_file(&bed, "a", ".AA.");
}
END_TEST

/* D6 */
START_TEST(a_sync_makes_the_writes_of_all_durable)
{
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    bed_write(&bed, ALICE, file, 0, "AA");
    bed_write(&bed, BOB, file, 2, "BB");
    disk_sync(bed.disk, file);
    disk_close(bed.disk, file);
    bed_make_file(&bed, BOB, "b", "", false);
    ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_cut(&bed, BOB, DISK_LOSE);
    bed_assert_file(&bed, "a", "AABB");
    bed_assert_file(&bed, "b", "");
}
END_TEST

/* D7 */
START_TEST(a_name_that_another_changed_later_stays_as_the_other_left_it)
{
    bed_make_file(&bed, ALICE, "a", "of alice", false);
    bed_make_file(&bed, BOB, "new", "of bob", false);
    ck_assert_int_eq(disk_rename(bed.disk, BOB, "new", "a"), STATUS_OK);
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", "of bob");
    bed_cut(&bed, BOB, DISK_LOSE);
    bed_assert_file(&bed, "a", NULL);
    bed_assert_file(&bed, "new", NULL);
}
END_TEST

START_TEST(a_lost_replacement_uncovers_what_the_other_machine_put_there)
{
    bed_make_file(&bed, ALICE, "a", "of alice", false);
    bed_make_file(&bed, BOB, "new", "of bob", false);
    ck_assert_int_eq(disk_rename(bed.disk, BOB, "new", "a"), STATUS_OK);
    bed_cut(&bed, BOB, DISK_LOSE);
    bed_assert_file(&bed, "a", "of alice");
    bed_assert_file(&bed, "new", NULL);
}
END_TEST

START_TEST(an_open_file_lives_when_a_cut_takes_its_directory)
{
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d"), STATUS_OK);
    struct disk_file *file = bed_open(&bed, BOB, "d/a");
    bed_write(&bed, BOB, file, 0, "hello");
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "d/a", NULL);
    ck_assert_uint_eq(disk_size(file), 5);
    disk_close(bed.disk, file);
    bed_cut(&bed, BOB, DISK_LOSE);
}
END_TEST

/* W4 */
START_TEST(a_file_rewritten_for_long_without_a_sync_stays_small_and_undoable)
{
    enum { PAGE = 4096, PAGES = 16, WRITES = 4000 };
    static uint8_t page[PAGE];
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    for (unsigned i = 0; i < PAGES; i++) {
        memset(page, (int)i, PAGE);
        ck_assert_int_eq(disk_write(bed.disk, ALICE, file, i * PAGE, (struct bytes){ page, PAGE }),
                         STATUS_OK);
    }
    disk_sync(bed.disk, file);
    ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
    if (_i == 1) { /* and emptied before */
        disk_close(bed.disk, file);
        ck_assert_int_eq(disk_open(bed.disk, ALICE, "a", true, true, &file), STATUS_OK);
    }
    memset(page, 0xff, PAGE);
    for (unsigned i = 0; i < WRITES; i++) {
        uint64_t offset = prng_below(&bed.prng, 2 * PAGES) * PAGE;
        ck_assert_int_eq(disk_write(bed.disk, ALICE, file, offset, (struct bytes){ page, PAGE }),
                         STATUS_OK);
    }
    disk_check(bed.disk);
    disk_close(bed.disk, file);
    bed_cut(&bed, ALICE, DISK_LOSE);
    struct bytes content;
    ck_assert(disk_peek(bed.disk, "a", &content));
    ck_assert_uint_eq(content.size, PAGES * PAGE);
    for (unsigned i = 0; i < PAGES; i++) {
        ck_assert_uint_eq(content.data[i * PAGE], i);
        ck_assert_uint_eq(content.data[i * PAGE + PAGE - 1], i);
    }
}
END_TEST

/* A second, simple-minded implementation of D2 for one file: the content of the last sync, and all
 * writes since. */
struct replay {
    uint8_t base[64];
    size_t base_size;
    struct replayed_write {
        uint32_t client; /* UINT32_MAX: survived a cut */
        size_t offset;
        size_t size;
        uint8_t byte;
        bool truncates;
    } writes[64];
    size_t count;
};

static void replay_content(const struct replay *replay, uint8_t data[64], size_t *size)
{
    memcpy(data, replay->base, 64);
    *size = replay->base_size;
    for (size_t i = 0; i < replay->count; i++) {
        const struct replayed_write *write = &replay->writes[i];
        if (write->truncates) {
            *size = 0;
            continue;
        }
        if (write->offset > *size) {
            memset(data + *size, 0, write->offset - *size);
        }
        memset(data + write->offset, write->byte, write->size);
        *size = write->offset + write->size > *size ? write->offset + write->size : *size;
    }
}

static void replay_cut(struct replay *replay, uint32_t client, enum disk_survival survival)
{
    size_t kept = 0;
    for (size_t i = 0; i < replay->count; i++) {
        struct replayed_write write = replay->writes[i];
        if (write.client == client && survival == DISK_LOSE) {
            continue;
        }
        write.client = write.client == client ? UINT32_MAX : write.client;
        replay->writes[kept++] = write;
    }
    replay->count = kept;
}

static void random_write(struct replay *replay, struct disk_file *file)
{
    struct replayed_write write = { .client = (uint32_t)prng_below(&bed.prng, 3),
                                    .truncates = prng_below(&bed.prng, 8) == 0,
                                    .offset = prng_below(&bed.prng, 48),
                                    .size = prng_between(&bed.prng, 1, 16),
                                    .byte = (uint8_t)prng_next(&bed.prng) };
    if (write.truncates) {
        struct disk_file *again;
        ck_assert_int_eq(disk_open(bed.disk, write.client, "a", true, true, &again), STATUS_OK);
        ck_assert_ptr_eq(again, file);
        disk_close(bed.disk, again);
    } else {
        uint8_t data[16];
        memset(data, write.byte, sizeof data);
        ck_assert_int_eq(disk_write(bed.disk, write.client, file, write.offset,
                                    (struct bytes){ data, write.size }),
                         STATUS_OK);
    }
    replay->writes[replay->count++] = write;
}

START_TEST(random_writes_and_cuts_of_three_machines_agree_with_a_replay)
{
    struct replay replay = { .count = 0 };
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t what = prng_below(&bed.prng, 16);
        if (what == 0 || replay.count == 64) {
            disk_sync(bed.disk, file);
            replay_content(&replay, replay.base, &replay.base_size);
            replay.count = 0;
        } else if (what <= 2) {
            uint32_t client = (uint32_t)prng_below(&bed.prng, 3);
            enum disk_survival survival = what == 1 ? DISK_LOSE : DISK_KEEP;
            replay_cut(&replay, client, survival);
            bed_cut(&bed, client, survival);
        } else {
            random_write(&replay, file);
        }
        uint8_t data[64];
        size_t size;
        struct bytes content;
        replay_content(&replay, data, &size);
        ck_assert(disk_peek(bed.disk, "a", &content));
        ck_assert(bytes_equal(content, (struct bytes){ data, size }));
    }
    disk_close(bed.disk, file);
}
END_TEST

static void append_file(void *context, const char *path)
{
    struct bytes content;
    ck_assert(disk_peek(bed.disk, path, &content));
    buffer_append_format(context, "%s=%.*s\n", path, (int)content.size, (const char *)content.data);
}

static void random_name_change(unsigned step)
{
    static const char *const paths[] = { "a", "b", "d/a", "d/b", "e/a", "e/b" };
    const char *from = paths[prng_below(&bed.prng, 6)];
    const char *to = paths[prng_below(&bed.prng, 6)];
    struct disk_file *file;
    char text[16];
    switch (prng_below(&bed.prng, 5)) {
    case 0:
        if (disk_open(bed.disk, ALICE, from, true, false, &file) == STATUS_OK) {
            if (disk_size(file) == 0) {
                (void)snprintf(text, sizeof text, "%u", step);
                bed_write(&bed, ALICE, file, 0, text);
                disk_sync(bed.disk, file);
            }
            disk_close(bed.disk, file);
        }
        break;
    case 1: (void)(disk_remove(bed.disk, ALICE, from) == STATUS_OK); break;
    case 2: (void)(disk_make_dir(bed.disk, ALICE, step % 2 ? "d" : "e") == STATUS_OK); break;
    case 3: (void)(disk_remove_dir(bed.disk, ALICE, step % 2 ? "d" : "e") == STATUS_OK); break;
    default: (void)(disk_rename(bed.disk, ALICE, from, to) == STATUS_OK); break;
    }
}

START_TEST(lose_brings_back_exactly_the_names_of_the_last_sync)
{
    struct buffer before;
    struct buffer after;
    buffer_init(&before, &bed.arena);
    buffer_init(&after, &bed.arena);
    for (unsigned i = 0; i < 3000; i++) {
        buffer_reset(&before);
        disk_each_file(bed.disk, append_file, &before);
        uint64_t count = prng_below(&bed.prng, 10);
        for (uint64_t j = 0; j < count; j++) {
            random_name_change(i * 10 + (unsigned)j);
            disk_check(bed.disk);
        }
        if (prng_below(&bed.prng, 2) == 0) {
            bed_cut(&bed, ALICE, DISK_LOSE);
            buffer_reset(&after);
            disk_each_file(bed.disk, append_file, &after);
            ck_assert(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
        } else {
            bed_cut(&bed, ALICE, prng_below(&bed.prng, 2) == 0 ? DISK_KEEP : DISK_TEAR);
        }
    }
    buffer_free(&before);
    buffer_free(&after);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("disk_cut");
    TCase *tests = tcase_create("disk_cut");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_was_synced_survives_every_cut);
    tcase_add_test(tests, lose_undoes_writes_back_to_the_last_sync);
    tcase_add_test(tests, keep_makes_everything_durable);
    tcase_add_test(tests, a_durable_name_without_a_file_sync_leads_to_an_empty_file);
    tcase_add_test(tests, a_synced_file_without_a_durable_name_is_gone);
    tcase_add_test(tests, a_lost_directory_takes_its_synced_names_along);
    tcase_add_test(tests, an_unsynced_remove_comes_back);
    tcase_add_test(tests, a_rename_survives_whole_or_not_at_all);
    tcase_add_test(tests, a_rename_between_directories_never_loses_both_names);
    tcase_add_test(tests, tear_cuts_a_write_at_a_sector);
    tcase_add_test(tests, what_a_tear_left_is_durable);
    tcase_add_test(tests, tear_chooses_for_each_name_alone);
    tcase_add_test(tests, the_same_random_stream_gives_the_same_cut);
    tcase_add_test(tests, a_cut_of_one_machine_leaves_the_writes_of_another);
    tcase_add_test(tests, an_append_behind_a_lost_append_leaves_a_gap);
    tcase_add_test(tests, what_survived_a_cut_survives_the_cut_of_the_other);
    tcase_add_test(tests, a_sync_makes_the_writes_of_all_durable);
    tcase_add_test(tests, a_name_that_another_changed_later_stays_as_the_other_left_it);
    tcase_add_test(tests, a_lost_replacement_uncovers_what_the_other_machine_put_there);
    tcase_add_test(tests, an_open_file_lives_when_a_cut_takes_its_directory);
    tcase_add_loop_test(tests, a_file_rewritten_for_long_without_a_sync_stays_small_and_undoable, 0,
                        2);
    tcase_add_test(tests, random_writes_and_cuts_of_three_machines_agree_with_a_replay);
    tcase_add_test(tests, lose_brings_back_exactly_the_names_of_the_last_sync);
    suite_add_tcase(all, tests);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
