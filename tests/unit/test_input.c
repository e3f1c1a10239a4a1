#include "sim/input/input.h"

#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/runner.h"
#include "tests/support/scratch.h"

static const struct input_shape plain = { 0 };

static const char *put(const char *name, const char *content)
{
    return folder_put(&folder, &arena, name, content);
}

/* Runs `command` in the folder. */
static void shell(const char *command)
{
    ck_assert_int_eq(system(arena_format(&arena, "cd %s && %s", folder.path, command)), 0);
}

static void expect_lines(const char *path, const struct input_shape *shape, const char *expected)
{
    struct bytes lines;
    struct buffer error;
    bool is_numbered;
    buffer_init(&error, &arena);
    enum status status = input_read_all(&arena, path, shape, &lines, &is_numbered, &error);
    ck_assert_msg(status == STATUS_OK, "%.*s", (int)error.size, (const char *)error.data);
    ck_assert_uint_eq(error.size, 0);
    const char *got = arena_format(&arena, "%.*s", (int)lines.size, (const char *)lines.data);
    ck_assert_str_eq(got, expected);
}

/* The sentence, in which @ stands for the test's folder. */
static void expect_error(const char *path, const struct input_shape *shape, enum status expected,
                         const char *sentence)
{
    struct bytes lines;
    struct buffer error;
    bool is_numbered;
    buffer_init(&error, &arena);
    ck_assert_int_eq(input_read_all(&arena, path, shape, &lines, &is_numbered, &error), expected);
    const char *got = arena_format(&arena, "%.*s", (int)error.size, (const char *)error.data);
    const char *at = strchr(sentence, '@');
    const char *wanted = at == NULL ? sentence
                                    : arena_format(&arena, "%.*s%s%s", (int)(at - sentence),
                                                   sentence, folder.path, at + 1);
    ck_assert_msg(strstr(got, wanted) == got, "%s\nis not\n%s", got, wanted);
}

/* ---- lines ----------------------------------------------------------------------------------- */

START_TEST(lines_pass_as_they_are)
{
    expect_lines(put("a.txt", "1\r\n\n 2 \n3"), &plain, "1\r\n\n 2 \n3");
    expect_lines(put("empty.txt", ""), &plain, "");
    expect_lines(put("a.csv", "x,y\n1,2\n"), &(struct input_shape){ .format = FORMAT_LINES },
                 "x,y\n1,2\n");
}
END_TEST

START_TEST(what_is_not_there_or_not_readable_is_named)
{
    expect_error(folder_path(&folder, &arena, "none"), &plain, STATUS_NOT_FOUND,
                 "cannot read @/none: No such file or directory");
    expect_error("/proc/self/mem", &plain, STATUS_IO, "cannot read /proc/self/mem: ");
}
END_TEST

/* ---- directories ----------------------------------------------------------------------------- */

START_TEST(a_directory_is_its_files_in_the_order_of_their_names)
{
    put("b", "3");
    put("a-b", "2\n");
    put("a", "1"); /* without a line feed: the next file begins a line of its own */
    put("B", "0\n");
    shell(
        "mkdir sub && echo 9 > sub/a && printf '4\\n' | gzip > c.gz && printf 'n\\n5\\n' > d.csv");
    expect_error(folder.path, &plain, STATUS_INVALID, "@/d.csv: which column of the CSV ");
    shell("rm d.csv");
    expect_lines(folder.path, &plain, "0\n1\n2\n3\n4\n");
}
END_TEST

START_TEST(each_file_of_a_directory_has_its_own_header)
{
    put("1.csv", "n,x\n1,a\n");
    put("2.csv", "x,n\nb,2");
    expect_lines(folder.path, &(struct input_shape){ .column = "n" }, "1\n2\n");
}
END_TEST

START_TEST(a_directory_without_files_is_an_error)
{
    shell("mkdir sub");
    expect_error(folder.path, &plain, STATUS_INVALID, "@: the directory has no files");
}
END_TEST

/* ---- compressed ------------------------------------------------------------------------------ */

/* Text that does not compress to nothing, longer than any buffer of the reader. */
static const char *long_text(void)
{
    enum { LINES = 120000 };
    struct buffer text;
    buffer_init(&text, &arena);
    uint32_t number = 1;
    for (int i = 0; i < LINES; i++) {
        number = number * 1664525 + 1013904223;
        buffer_append_format(&text, "%u\n", number);
    }
    *buffer_extend(&text, 1) = '\0';
    return (const char *)text.data;
}

static const char *const packers[][3] = {
    { "gzip -c", ".gz", "gzip" },
    { "zstd -q -c", ".zst", "zstd" },
};

static bool has_packer(int i)
{
    return i == 0 || (input_has_zstd() && system("command -v zstd >/dev/null") == 0);
}

START_TEST(compressed_lines_are_those_that_were_compressed)
{
    if (!has_packer(_i)) {
        return;
    }
    const char *text = long_text();
    put("a.txt", text);
    shell(arena_format(&arena, "%s a.txt > a.txt%s", packers[_i][0], packers[_i][1]));
    const char *packed =
        folder_path(&folder, &arena, arena_format(&arena, "a.txt%s", packers[_i][1]));
    expect_lines(packed, &plain, text);
    /* Several compressed pieces, one behind the other, and a piece without a byte in it. */
    put("b.txt", "5\n");
    shell(arena_format(&arena, "(%s b.txt; : | %s; %s b.txt) > b", packers[_i][0], packers[_i][0],
                       packers[_i][0]));
    const enum input_compression asked[] = { COMPRESSION_GZIP, COMPRESSION_ZSTD };
    expect_lines(folder_path(&folder, &arena, "b"),
                 &(struct input_shape){ .compression = asked[_i] }, "5\n5\n");
}
END_TEST

START_TEST(what_is_cut_off_or_damaged_is_never_taken_for_the_whole)
{
    if (!has_packer(_i)) {
        return;
    }
    put("a.txt", long_text());
    const char *ending = packers[_i][1];
    const char *kind = packers[_i][2];
    shell(arena_format(&arena, "%s a.txt > a%s && head -c 300000 a%s > b%s", packers[_i][0], ending,
                       ending, ending));
    shell(arena_format(&arena, "head -c -1 a%s > c%s && : > d%s && echo hello > e%s", ending,
                       ending, ending, ending));
    shell(arena_format(&arena,
                       "cp a%s f%s && printf '\\377\\377\\377\\377\\377\\377' |"
                       " dd of=f%s bs=1 seek=200000 conv=notrunc 2>/dev/null",
                       ending, ending, ending));
    static const char *const ends[] = { "b", "c", "d" };
    for (int i = 0; i < 3; i++) {
        const char *name = arena_format(&arena, "%s%s", ends[i], ending);
        expect_error(folder_path(&folder, &arena, name), &plain, STATUS_INVALID,
                     arena_format(&arena, "@/%s: the %s data is damaged at its byte ", name, kind));
    }
    for (char letter = 'e'; letter <= 'f'; letter++) {
        const char *name = arena_format(&arena, "%c%s", letter, ending);
        expect_error(folder_path(&folder, &arena, name), &plain, STATUS_INVALID,
                     arena_format(&arena, "@/%s: the %s data is damaged at its byte ", name, kind));
    }
}
END_TEST

/* ---- CSV ------------------------------------------------------------------------------------- */

static const struct csv_row {
    const char *text;
    const char *column;
    enum input_header header;
    const char *lines; /* NULL: an error */
    const char *error;
} csv_rows[] = {
    { "a,n\n1,2\n3,4\n", "n", HEADER_AUTO, "2\n4\n", NULL },
    { "a,n\r\n1,2\r\n3,4", "n", HEADER_AUTO, "2\n4\n", NULL },
    { "a,n\r\n1,2\r\n3,4\r", "n", HEADER_AUTO, "2\n4\n", NULL },
    { "1,2\n3,4\n", "1", HEADER_AUTO, "1\n3\n", NULL },
    { "x,y\n3,4\n", "2", HEADER_PRESENT, "4\n", NULL },
    { "\xef\xbb\xbfn,a\n5,6\n", "n", HEADER_AUTO, "5\n", NULL },
    { "\"n\",\"a,b\"\n\"7\",\"x\ny\"\n8,\"\"\n", "n", HEADER_AUTO, "7\n8\n", NULL },
    { "\"say \"\"n\"\"\"\n\"\"\"1\"\", 2\"\n", "say \"n\"", HEADER_AUTO, "\"1\", 2\n", NULL },
    { "a,n\n,\n1,\n", "n", HEADER_AUTO, "\n\n", NULL },
    { "", "1", HEADER_AUTO, "", NULL },
    { "a,n\n1,2\n", "m", HEADER_AUTO, NULL, "@/a.csv:1:1: the header has no column of that name" },
    { "n,n\n1,2\n", "n", HEADER_AUTO, NULL, "@/a.csv:1:3: a second column of that name" },
    { "a,n\n1,2\n3\n", "n", HEADER_AUTO, NULL, "@/a.csv:3:1: the row ends before the column" },
    { "a,n\n1,2\n3,\"4\n5\n", "n", HEADER_AUTO, NULL, "@/a.csv:3:3: this quote is never closed" },
    { "a,n\n\"x\n\n\",1\n3,4\"5\"\n", "n", HEADER_AUTO, NULL,
      "@/a.csv:5:4: a quote in a value that does not start with one" },
    { "a,n\n1,\"2\" \n", "n", HEADER_AUTO, NULL,
      "@/a.csv:2:6: behind a closed quote stands neither a comma nor a line break" },
    { "a,n\n1,\"2\n3\"\n", "n", HEADER_AUTO, NULL,
      "@/a.csv:2:3: a value with a line break in it cannot be a record" },
    { "1,2\n", "0", HEADER_AUTO, NULL, "@/a.csv: column 0: columns are numbered from 1" },
    { "1,2\n", "n", HEADER_ABSENT, NULL, "@/a.csv: without a header no column is named n" },
    { "1,2\n", NULL, HEADER_AUTO, NULL, "@/a.csv: which column of the CSV is the record" },
};

START_TEST(one_column_of_csv_passes_or_a_sentence_says_where_it_is_broken)
{
    const struct csv_row *row = &csv_rows[_i];
    struct input_shape shape = { .column = row->column, .header = row->header };
    const char *path = put("a.csv", row->text);
    if (row->lines != NULL) {
        expect_lines(path, &shape, row->lines);
    } else {
        expect_error(path, &shape, STATUS_INVALID, row->error);
    }
}
END_TEST

/* Rows meet the ends of steps at every place, and one is longer than several steps. */
START_TEST(rows_may_be_cut_anywhere_by_a_step)
{
    enum { ROWS = 200000, LONG = 3000000 };
    struct buffer text;
    struct buffer lines;
    buffer_init(&text, &arena);
    buffer_init(&lines, &arena);
    buffer_append_text(&text, "\"the \"\"n\"\"\",a\r\n");
    for (int i = 0; i < ROWS; i++) {
        bool is_quoted = i % 2 == 0;
        buffer_append_text(&text, is_quoted ? "\"" : "");
        buffer_append_format(&text, "%d", i);
        buffer_append_text(&text, is_quoted ? " \"\"\",\"x\r\n,\"\r\n" : ",\r\n");
        buffer_append_format(&lines, is_quoted ? "%d \"\n" : "%d\n", i);
    }
    buffer_append_text(&text, "1,\"");
    memset(buffer_extend(&text, LONG), ',', LONG);
    buffer_append_text(&text, "\"\r\n2,");
    buffer_append_text(&lines, "1\n2\n");
    *buffer_extend(&text, 1) = '\0';
    *buffer_extend(&lines, 1) = '\0';
    expect_lines(put("a.csv", (const char *)text.data),
                 &(struct input_shape){ .column = "the \"n\"" }, (const char *)lines.data);
}
END_TEST

/* ---- JSON lines ------------------------------------------------------------------------------ */

static const struct json_row {
    const char *text;
    const char *lines; /* NULL: an error */
    const char *error;
} json_rows[] = {
    { "{\"n\": 1}\n{\"a\": [2], \"n\": \"two \\u00e4\"}\r\n{\"n\": -0.5}",
      "1\ntwo \xc3\xa4\n-0.5\n", NULL },
    { "", "", NULL },
    { "{\"n\": 1}\n{\"m\": 1}\n", NULL, "@/a.jsonl:2:1: the object has no member of that name" },
    { "{\"n\": 1}\n{\"n\": null}\n", NULL,
      "@/a.jsonl:2:1: the member is neither a text nor a number" },
    { "{\"n\": 1}\n{\"n\": 2,}\n", NULL, "@/a.jsonl:2:9: " },
    { "{\"n\": 1}\n\n", NULL, "@/a.jsonl:2:1: " },
    { "[1]\n", NULL, "@/a.jsonl:1:1: not an object" },
    { "{\"n\": \"a\\nb\"}\n", NULL, "@/a.jsonl:1:1: a value with a line break" },
};

START_TEST(one_member_of_json_lines_passes_or_a_sentence_says_where_it_is_broken)
{
    const struct json_row *row = &json_rows[_i];
    const char *path = put("a.jsonl", row->text);
    struct input_shape shape = { .column = "n" };
    if (row->lines != NULL) {
        expect_lines(path, &shape, row->lines);
    } else {
        expect_error(path, &shape, STATUS_INVALID, row->error);
    }
}
END_TEST

START_TEST(lines_have_no_column)
{
    expect_error(put("a.txt", "1\n"), &(struct input_shape){ .column = "n" }, STATUS_INVALID,
                 "@/a.txt: is read as lines, which have no column n");
}
END_TEST

/* ---- SQLite ---------------------------------------------------------------------------------- */

static const char *make_database(void)
{
    const char *path = folder_path(&folder, &arena, "a.db");
    sqlite3 *database;
    ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(database,
                                  "CREATE TABLE t (n, x);"
                                  "INSERT INTO t VALUES (3, 'c'), (1, NULL), (2, 'a' || char(10))",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
    return path;
}

START_TEST(the_first_column_of_a_query_passes_in_its_order)
{
    const char *path = make_database();
    expect_lines(path, &(struct input_shape){ .query = "SELECT n, x FROM t ORDER BY n DESC; " },
                 "3\n2\n1\n");
    expect_lines(path, &(struct input_shape){ .query = "SELECT n FROM t WHERE n > 9" }, "");
}
END_TEST

static const char *const bad_queries[][2] = {
    { "SELEC n FROM t", "@/a.db: query:1:1: near \"SELEC\": syntax error" },
    { "SELECT m FROM t", "@/a.db: query:1:8: no such column: m" },
    { "DELETE FROM t RETURNING n", "@/a.db: the query must be one that answers rows" },
    { "", "@/a.db: the query must be one that answers rows" },
    { "SELECT 1; SELECT 2", "@/a.db: the query must be one statement" },
    { "SELECT x FROM t", "@/a.db: the first column of row 2 of the answer is NULL" },
    { "SELECT x FROM t WHERE n = 2",
      "@/a.db: the first column of row 1 of the answer has a line break in it" },
};

START_TEST(a_bad_query_is_answered_with_a_sentence)
{
    expect_error(make_database(), &(struct input_shape){ .query = bad_queries[_i][0] },
                 STATUS_INVALID, bad_queries[_i][1]);
}
END_TEST

START_TEST(what_is_no_database_is_said_to_be_none)
{
    struct input_shape shape = { .query = "SELECT 1 FROM sqlite_schema" };
    expect_error(put("a.txt", "This is a text, and long enough not to be an empty database."),
                 &shape, STATUS_INVALID, "@/a.txt: file is not a database");
    expect_error(folder_path(&folder, &arena, "none.db"), &shape, STATUS_NOT_FOUND,
                 "cannot read @/none.db: ");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("input");
    TCase *tests = tcase_create("input");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, scratch_set_up, scratch_tear_down);
    tcase_add_test(tests, lines_pass_as_they_are);
    tcase_add_test(tests, what_is_not_there_or_not_readable_is_named);
    tcase_add_test(tests, a_directory_is_its_files_in_the_order_of_their_names);
    tcase_add_test(tests, each_file_of_a_directory_has_its_own_header);
    tcase_add_test(tests, a_directory_without_files_is_an_error);
    tcase_add_loop_test(tests, compressed_lines_are_those_that_were_compressed, 0, 2);
    tcase_add_loop_test(tests, what_is_cut_off_or_damaged_is_never_taken_for_the_whole, 0, 2);
    tcase_add_loop_test(tests, one_column_of_csv_passes_or_a_sentence_says_where_it_is_broken, 0,
                        sizeof csv_rows / sizeof csv_rows[0]);
    tcase_add_test(tests, rows_may_be_cut_anywhere_by_a_step);
    tcase_add_loop_test(tests,
                        one_member_of_json_lines_passes_or_a_sentence_says_where_it_is_broken, 0,
                        sizeof json_rows / sizeof json_rows[0]);
    tcase_add_test(tests, lines_have_no_column);
    tcase_add_test(tests, the_first_column_of_a_query_passes_in_its_order);
    tcase_add_loop_test(tests, a_bad_query_is_answered_with_a_sentence, 0,
                        sizeof bad_queries / sizeof bad_queries[0]);
    tcase_add_test(tests, what_is_no_database_is_said_to_be_none);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
