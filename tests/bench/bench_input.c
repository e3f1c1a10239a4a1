/* How fast input is read, in each form, in megabytes of processor time: 100 MB of lines, and what
 * holds the same lines otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "model/base/check.h"
#include "sim/input/input.h"

enum { LINES = 13000000, MEGABYTE = 1000000 };

enum form { FORM_LINES, FORM_CSV, FORM_JSON_LINES };

static void append_line(struct buffer *text, enum form form, uint32_t number)
{
    static const char *const formats[] = { "%u\n", "%u,\"a, b\",x\n",
                                           "{\"n\": %u, \"s\": \"x\"}\n" };
    char line[64];
    int size = snprintf(line, sizeof line, formats[form], number);
    CHECK(size > 0 && (size_t)size < sizeof line);
    memcpy(buffer_extend(text, (size_t)size), line, (size_t)size);
}

/* Numbers of one to eight digits: 100 MB as lines. */
static void make_file(const char *path, enum form form, uint32_t lines)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer text;
    buffer_init(&text, &arena);
    uint32_t state = 1;
    for (uint32_t i = 0; i < lines; i++) {
        state = state * 1664525 + 1013904223;
        append_line(&text, form, (state >> 8) * 6);
    }
    bool is_gzip = strstr(path, ".gz") != NULL;
    gzFile file = gzopen(path, is_gzip ? "wb1" : "wbT");
    CHECK(file != NULL);
    CHECK(gzwrite(file, text.data, (unsigned)text.size) == (int)text.size);
    CHECK(gzclose(file) == Z_OK);
    arena_drop(&arena);
}

static void read_file(const char *path, const char *what, const struct input_shape *shape)
{
    struct arena arena;
    arena_init(&arena);
    struct buffer error;
    buffer_init(&error, &arena);
    struct bytes lines;
    bool is_numbered;
    clock_t start = clock();
    enum status status = input_read_all(&arena, path, shape, &lines, &is_numbered, &error);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    CHECK(status == STATUS_OK);
    struct stat file;
    CHECK(stat(path, &file) == 0);
    (void)printf("  %-18s %6.1f MB of file, %6.1f MB of lines: %7.0f MB/s of lines\n", what,
                 (double)file.st_size / MEGABYTE, (double)lines.size / MEGABYTE,
                 (double)lines.size / MEGABYTE / seconds);
    arena_drop(&arena);
}

int main(void)
{
    static const struct row {
        const char *name;
        const char *what;
        enum form form;
        uint32_t lines;
        const char *column;
    } rows[] = {
        { "a.txt", "lines", FORM_LINES, LINES, NULL },
        { "a.txt.gz", "lines, gzip", FORM_LINES, LINES / 2, NULL },
        { "a.csv", "CSV", FORM_CSV, LINES / 4, "1" },
        { "a.jsonl", "JSON lines", FORM_JSON_LINES, LINES / 16, "n" },
    };
    char folder[] = "/tmp/bench_input.XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/%s", folder, rows[i].name);
        make_file(path, rows[i].form, rows[i].lines);
        read_file(path, rows[i].what, &(struct input_shape){ .column = rows[i].column });
        (void)remove(path);
    }
    (void)rmdir(folder);
    return EXIT_SUCCESS;
}
