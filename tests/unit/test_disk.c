#include "sim/world/disk.h"

#include <signal.h>
#include <string.h>

#include "tests/support/disk_bed.h"
#include "tests/support/runner.h"

static struct disk_bed bed;

static void set_up(void)
{
    bed_init(&bed);
}

static void tear_down(void)
{
    bed_drop(&bed);
}

static void append_name(void *context, const char *name)
{
    strcat(strcat(context, name), " ");
}

START_TEST(reads_see_every_write_at_once)
{
    bed_make_file(&bed, ALICE, "a", "hello", false);
    struct disk_file *file = bed_open(&bed, BOB, "a");
    char data[8] = "";
    ck_assert_uint_eq(disk_read(file, 1, data, sizeof data), 4);
    ck_assert_str_eq(data, "ello");
    ck_assert_uint_eq(disk_read(file, 5, data, sizeof data), 0);
    ck_assert_uint_eq(disk_size(file), 5);
    disk_close(bed.disk, file);
}
END_TEST

START_TEST(a_gap_reads_as_zeros)
{
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    bed_write(&bed, ALICE, file, 3, "x");
    char data[4] = "abc";
    ck_assert_uint_eq(disk_read(file, 0, data, sizeof data), 4);
    ck_assert_mem_eq(data, "\0\0\0x", 4);
    disk_close(bed.disk, file);
}
END_TEST

START_TEST(truncate_on_open_empties_and_create_keeps)
{
    bed_make_file(&bed, ALICE, "a", "hello", true);
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    ck_assert_uint_eq(disk_size(file), 5);
    disk_close(bed.disk, file);
    ck_assert_int_eq(disk_open(bed.disk, ALICE, "a", true, true, &file), STATUS_OK);
    ck_assert_uint_eq(disk_size(file), 0);
    disk_close(bed.disk, file);
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", "hello");
}
END_TEST

START_TEST(missing_files_and_directories_are_not_found)
{
    struct disk_file *file;
    ck_assert_int_eq(disk_open(bed.disk, ALICE, "a", false, false, &file), STATUS_NOT_FOUND);
    ck_assert_int_eq(disk_open(bed.disk, ALICE, "d/a", true, false, &file), STATUS_NOT_FOUND);
    ck_assert_int_eq(disk_rename(bed.disk, ALICE, "a", "b"), STATUS_NOT_FOUND);
    ck_assert_int_eq(disk_remove(bed.disk, ALICE, "a"), STATUS_NOT_FOUND);
    ck_assert_int_eq(disk_remove_dir(bed.disk, ALICE, "a"), STATUS_NOT_FOUND);
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d/e"), STATUS_NOT_FOUND);
    ck_assert_int_eq(disk_sync_dir(bed.disk, "d"), STATUS_NOT_FOUND);
    ck_assert_int_eq(disk_list(bed.disk, "d", append_name, NULL), STATUS_NOT_FOUND);
    bed_make_file(&bed, ALICE, "a", "", false);
    ck_assert_int_eq(disk_rename(bed.disk, ALICE, "a", "d/b"), STATUS_NOT_FOUND);
    ck_assert_int_eq(disk_list(bed.disk, "a", append_name, NULL), STATUS_NOT_FOUND);
}
END_TEST

START_TEST(directories_are_made_once_and_removed_empty)
{
    struct disk_file *file;
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d"), STATUS_OK);
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d"), STATUS_EXISTS);
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, ""), STATUS_EXISTS);
    ck_assert_int_eq(disk_open(bed.disk, ALICE, "d", true, false, &file), STATUS_IO);
    bed_make_file(&bed, ALICE, "d/a", "", false);
    ck_assert_int_eq(disk_remove_dir(bed.disk, ALICE, "d"), STATUS_EXISTS);
    ck_assert_int_eq(disk_remove(bed.disk, ALICE, "d/a"), STATUS_OK);
    ck_assert_int_eq(disk_remove_dir(bed.disk, ALICE, "d"), STATUS_OK);
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d"), STATUS_OK);
}
END_TEST

START_TEST(a_list_is_sorted_by_bytes)
{
    char names[64] = "";
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "m"), STATUS_OK);
    bed_make_file(&bed, ALICE, "b", "", false);
    bed_make_file(&bed, ALICE, "ab", "", false);
    bed_make_file(&bed, ALICE, "a", "", false);
    bed_make_file(&bed, ALICE, "\xc3", "", false);
    ck_assert_int_eq(disk_list(bed.disk, "", append_name, names), STATUS_OK);
    ck_assert_str_eq(names, "a ab b m \xc3 ");
}
END_TEST

START_TEST(each_file_is_told_with_its_path)
{
    char paths[64] = "";
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d"), STATUS_OK);
    ck_assert_int_eq(disk_make_dir(bed.disk, ALICE, "d/e"), STATUS_OK);
    bed_make_file(&bed, ALICE, "z", "", false);
    bed_make_file(&bed, ALICE, "d/e/x", "", false);
    bed_make_file(&bed, ALICE, "a", "", false);
    disk_each_file(bed.disk, append_name, paths);
    ck_assert_str_eq(paths, "a d/e/x z ");
}
END_TEST

START_TEST(input_is_borrowed_durable_and_read_only)
{
    static const char text[] = "one\ntwo\n";
    struct bytes content;
    struct disk_file *file = NULL;
    disk_add_input(bed.disk, "input/deep/words.txt", bytes_of_text(text));
    bed_cut(&bed, ALICE, DISK_LOSE);
    ck_assert(disk_peek(bed.disk, "input/deep/words.txt", &content));
    ck_assert_ptr_eq(content.data, text);
    ck_assert_int_eq(disk_open(bed.disk, ALICE, "input/deep/words.txt", false, false, &file),
                     STATUS_OK);
    ck_assert_int_eq(disk_write(bed.disk, ALICE, file, 0, bytes_of_text("x")), STATUS_IO);
    disk_close(bed.disk, file);
    ck_assert_int_eq(disk_open(bed.disk, ALICE, "input/deep/words.txt", true, true, &file),
                     STATUS_IO);
    ck_assert(disk_corrupt(bed.disk, "input/deep/words.txt", 0));
    bed_assert_file(&bed, "input/deep/words.txt", "nne\ntwo\n");
    ck_assert_str_eq(text, "one\ntwo\n");
}
END_TEST

/* D8 */
START_TEST(a_file_without_a_name_lives_while_it_is_open)
{
    bed_make_file(&bed, ALICE, "a", "hello", false);
    struct disk_file *file = bed_open(&bed, BOB, "a");
    bed_cut(&bed, ALICE, DISK_KEEP);
    ck_assert_int_eq(disk_remove(bed.disk, ALICE, "a"), STATUS_OK);
    ck_assert_int_eq(disk_sync_dir(bed.disk, ""), STATUS_OK);
    bed_write(&bed, BOB, file, 5, " world");
    disk_sync(bed.disk, file);
    char data[11];
    ck_assert_uint_eq(disk_read(file, 0, data, sizeof data), 11);
    ck_assert_mem_eq(data, "hello world", 11);
    disk_check(bed.disk);
    disk_close(bed.disk, file);
    bed_assert_file(&bed, "a", NULL);
}
END_TEST

START_TEST(damage_is_durable)
{
    bed_make_file(&bed, ALICE, "a", "hello", true);
    ck_assert(disk_corrupt(bed.disk, "a", 8 + 2));
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", "hallo");
    ck_assert(disk_truncate(bed.disk, "a", 2));
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", "ha");
    ck_assert(!disk_corrupt(bed.disk, "b", 0));
    ck_assert(!disk_truncate(bed.disk, "b", 0));
}
END_TEST

START_TEST(damage_of_an_unsynced_file_leaves_its_writes_unsynced)
{
    bed_make_file(&bed, ALICE, "a", "hello", true);
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    bed_write(&bed, ALICE, file, 0, "HE");
    disk_close(bed.disk, file);
    ck_assert(disk_truncate(bed.disk, "a", 3));
    bed_cut(&bed, ALICE, DISK_LOSE);
    bed_assert_file(&bed, "a", "hel");
}
END_TEST

START_TEST(closing_a_file_twice_trips_a_check)
{
    struct disk_file *file = bed_open(&bed, ALICE, "a");
    disk_close(bed.disk, file);
    disk_close(bed.disk, file);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("disk");
    TCase *tests = tcase_create("disk");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, reads_see_every_write_at_once);
    tcase_add_test(tests, a_gap_reads_as_zeros);
    tcase_add_test(tests, truncate_on_open_empties_and_create_keeps);
    tcase_add_test(tests, missing_files_and_directories_are_not_found);
    tcase_add_test(tests, directories_are_made_once_and_removed_empty);
    tcase_add_test(tests, a_list_is_sorted_by_bytes);
    tcase_add_test(tests, each_file_is_told_with_its_path);
    tcase_add_test(tests, input_is_borrowed_durable_and_read_only);
    tcase_add_test(tests, a_file_without_a_name_lives_while_it_is_open);
    tcase_add_test(tests, damage_is_durable);
    tcase_add_test(tests, damage_of_an_unsynced_file_leaves_its_writes_unsynced);
    suite_add_tcase(all, tests);
    TCase *trips = tcase_create("checks");
    tcase_add_checked_fixture(trips, set_up, NULL);
    tcase_add_test_raise_signal(trips, closing_a_file_twice_trips_a_check, SIGABRT);
    suite_add_tcase(all, trips);
    return all;
}

int main(void)
{
    return run_suite(suite());
}
