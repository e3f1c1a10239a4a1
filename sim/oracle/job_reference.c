#include "sim/oracle/job_reference.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"

static const struct job_reference *const references[] = {
    &running_reference, &distinct_reference, &pairs_reference, &wordcount_reference,
    &windows_reference, &sessions_reference, &q1_reference,    &q3_reference,
    &q8_reference,      &q12_reference,      &rules_reference,
};

const struct job_reference *job_reference_find(const char *job)
{
    CHECK(job != NULL);
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        if (strcmp(references[i]->job, job) == 0) {
            return references[i];
        }
    }
    return NULL;
}

bool job_reference_exists(const char *job)
{
    return strcmp(job, "count") == 0 || job_reference_find(job) != NULL;
}

void job_fold_init(struct job_fold *fold, const struct job_reference *job, struct arena *arena,
                   uint32_t split_count)
{
    CHECK(job != NULL);
    *fold = (struct job_fold){ .job = job, .arena = arena, .split_count = split_count };
    for (uint32_t i = 0; i < JOB_TABLES; i++) {
        fold_table_init(&fold->tables[i], arena);
    }
}

void job_fold_rewind(struct job_fold *fold)
{
    for (uint32_t i = 0; i < JOB_TABLES; i++) {
        fold_table_rewind(&fold->tables[i]);
    }
    fold->memory = NULL;
}

struct bytes fold_key_i64(struct fold_key *key, int64_t value)
{
    store_u64(key->room, (uint64_t)value);
    return (struct bytes){ .data = key->room, .size = sizeof value };
}

struct bytes fold_key_pair(struct fold_key *key, int64_t first, int64_t second)
{
    store_u64(key->room, (uint64_t)first);
    store_u64(key->room + sizeof first, (uint64_t)second);
    return (struct bytes){ .data = key->room, .size = sizeof key->room };
}

uint32_t fields_of(struct bytes line, char separator, struct bytes *fields, uint32_t limit)
{
    uint32_t count = 0;
    size_t start = 0;
    for (size_t at = 0; at <= line.size; at++) {
        if (at < line.size && line.data[at] != (uint8_t)separator) {
            continue;
        }
        if (count < limit) {
            fields[count] = (struct bytes){ .data = line.data + start, .size = at - start };
        }
        count++;
        start = at + 1;
    }
    return count;
}

bool split_line(struct bytes line, struct bytes *key, struct bytes *rest)
{
    for (size_t at = line.size; at >= 3; at--) {
        if (memcmp(line.data + at - 3, " : ", 3) == 0) {
            *key = (struct bytes){ .data = line.data, .size = at - 3 };
            *rest = (struct bytes){ .data = line.data + at, .size = line.size - at };
            return true;
        }
    }
    return false;
}

bool covers_count(const int64_t *folded, const int64_t *found)
{
    return found[0] >= folded[0];
}
