#include "tests/support/disk_bed.h"

#include <check.h>
#include <string.h>

void bed_init(struct disk_bed *bed)
{
    arena_init(&bed->arena);
    bed->disk = disk_create(&bed->arena);
    bed->prng = (struct prng){ .state = 7 };
}

void bed_drop(struct disk_bed *bed)
{
    disk_check(bed->disk);
    disk_destroy(bed->disk);
    ck_assert_ptr_null(bed->arena.blocks);
    arena_drop(&bed->arena);
}

struct disk_file *bed_open(struct disk_bed *bed, uint32_t client, const char *path)
{
    struct disk_file *file = NULL;
    ck_assert_int_eq(disk_open(bed->disk, client, path, true, false, &file), STATUS_OK);
    return file;
}

void bed_write(struct disk_bed *bed, uint32_t client, struct disk_file *file, uint64_t offset,
               const char *text)
{
    ck_assert_int_eq(disk_write(bed->disk, client, file, offset, bytes_of_text(text)), STATUS_OK);
}

void bed_make_file(struct disk_bed *bed, uint32_t client, const char *path, const char *text,
                   bool is_durable)
{
    struct disk_file *file = bed_open(bed, client, path);
    bed_write(bed, client, file, 0, text);
    if (is_durable) {
        disk_sync(bed->disk, file);
        char directory[64] = "";
        const char *slash = strrchr(path, '/');
        memcpy(directory, path, slash != NULL ? (size_t)(slash - path) : 0);
        ck_assert_int_eq(disk_sync_dir(bed->disk, directory), STATUS_OK);
    }
    disk_close(bed->disk, file);
}

void bed_cut(struct disk_bed *bed, uint32_t client, enum disk_survival survival)
{
    disk_cut(bed->disk, client, survival, &bed->prng);
    disk_check(bed->disk);
}

void bed_assert_file(const struct disk_bed *bed, const char *path, const char *text)
{
    struct bytes content;
    bool is_there = disk_peek(bed->disk, path, &content);
    ck_assert_msg(is_there == (text != NULL), "%s", path);
    ck_assert_msg(!is_there || bytes_equal(content, bytes_of_text(text)), "%s: '%.*s'", path,
                  (int)content.size, (const char *)content.data);
}
