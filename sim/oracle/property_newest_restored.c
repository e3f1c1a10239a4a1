/* Property 5: a restore uses the newest completed checkpoint, never an aborted one; an older one
 * only if the scenario allows it and every newer one is damaged, or faults make reads fail. Nobody
 * refuses for want of an older one while there is one.
 *
 * What is newest is decided by the facts and by the volume: a JobManager may die between giving the
 * manifest its name and reporting so. Then the checkpoint exists or not, as the volume has it, and
 * whoever looks must take it if it is there. And a new JobManager knows of a completed checkpoint
 * by its manifest, or by the job's durable record: if faults took the one and prevented the other,
 * it cannot know of it. */
#include "sim/oracle/judge.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/checkpoint/store.h"

#define RECORD_PATH "job/record" /* model/runtime/job_record.c writes it */

struct search {
    const struct oracle *oracle;
    uint64_t newest;
};

static void consider_file(void *context, const char *path)
{
    struct search *search = context;
    uint64_t id;
    const char *name;
    if (!judge_parse_checkpoint_path(path, &id, &name) || strcmp(name, STORE_MANIFEST) != 0 ||
        id <= search->newest) {
        return;
    }
    const struct checkpoint_record *record = checkpoint_history_find(&search->oracle->history, id);
    struct bytes content;
    if ((record == NULL || !record->superseded) &&
        stored_peek(&search->oracle->stored, path, &content) && checkpoint_is_sound(content)) {
        search->newest = id;
    }
}

/* The checkpoint that must be restored; 0: none. */
static uint64_t find_expected(const struct oracle *oracle)
{
    struct search search = { .oracle = oracle };
    for (size_t i = oracle->history.count; i > 0 && search.newest == 0; i--) {
        const struct checkpoint_record *record = &oracle->history.records[i - 1];
        if (record->completed && !record->superseded) {
            search.newest = record->id;
        }
    }
    uint64_t reported = search.newest;
    stored_each(&oracle->stored, consider_file, &search);
    CHECK(search.newest >= reported);
    return search.newest;
}

/* Did a fault take away output that some checkpoint has promised, and that its restore commits? */
static bool is_output_damaged(const struct oracle *oracle)
{
    bool is_damaged = false;
    for (size_t i = 0; i < oracle->damaged_count; i++) {
        is_damaged = is_damaged || strncmp(oracle->damaged[i], "output/", strlen("output/")) == 0;
    }
    return is_damaged;
}

/* Did a fault damage it, or may reading it have failed for as long as it was tried? */
static bool may_be_unreadable(const struct oracle *oracle, uint64_t id)
{
    return oracle->reads_may_fail || judge_is_checkpoint_damaged(oracle, id) ||
           is_output_damaged(oracle);
}

/* Does the scenario allow an older checkpoint, and may every newer one be unreadable? */
static bool may_go_back(const struct oracle *oracle, uint64_t chosen, uint64_t expected)
{
    CHECK(chosen < expected);
    if (!oracle->scenario->job.allow_older || chosen == 0 || !may_be_unreadable(oracle, expected)) {
        return false;
    }
    for (size_t i = oracle->history.count; i > 0; i--) {
        const struct checkpoint_record *record = &oracle->history.records[i - 1];
        if (record->id <= chosen) {
            break;
        }
        if (record->completed && !may_be_unreadable(oracle, record->id)) {
            return false;
        }
    }
    return true;
}

static void supersede_above(struct oracle *oracle, uint64_t chosen)
{
    CHECK(oracle->went_back);
    for (size_t i = oracle->history.count; i > 0; i--) {
        struct checkpoint_record *record = &oracle->history.records[i - 1];
        if (record->id <= chosen) {
            break;
        }
        record->superseded = true;
        record->unsure = false;
    }
}

static bool may_repeat_output(const struct oracle *oracle)
{
    const struct job_config *job = &oracle->scenario->job;
    return job->allow_older || job->checkpoint.mode == MODE_AT_LEAST_ONCE;
}

/* Checkpoints in the memory of a JobManager go with it: the next one may begin anew where output
 * may come twice. */
static bool may_begin_anew(const struct oracle *oracle, uint64_t chosen, bool is_taken_over)
{
    return chosen == 0 && is_taken_over && may_repeat_output(oracle) &&
           oracle->scenario->job.checkpoint.store == STORE_MEMORY;
}

static bool has_manifest(const struct oracle *oracle, uint64_t id)
{
    char path[JUDGE_PATH_SIZE];
    struct bytes content;
    judge_manifest_path(path, id);
    return stored_peek(&oracle->stored, path, &content);
}

/* The newest completed checkpoint that the job's record names; if nobody can say, none is newer
 * than what is answered. */
static uint64_t newest_noted(const struct oracle *oracle)
{
    struct bytes content;
    struct decoder decoder;
    if (!disk_peek(oracle->shared, RECORD_PATH, &content)) {
        return UINT64_MAX;
    }
    decoder_init(&decoder, content);
    (void)decode_u32(&decoder); /* magic */
    (void)decode_u64(&decoder); /* epoch */
    (void)decode_u64(&decoder); /* attempt */
    (void)decode_u64(&decoder); /* the next checkpoint */
    uint64_t newest = decode_u64(&decoder);
    return decoder.failed ? UINT64_MAX : newest;
}

/* Is there nothing by which a new JobManager could know of a checkpoint above `chosen`, and is that
 * the doing of faults? They took each manifest, and prevented each note. */
static bool is_unknowable(const struct oracle *oracle, uint64_t chosen, bool is_taken_over)
{
    if (!is_taken_over || !oracle->notes_may_fail || newest_noted(oracle) > chosen) {
        return false;
    }
    for (size_t i = oracle->history.count; i > 0; i--) {
        const struct checkpoint_record *record = &oracle->history.records[i - 1];
        if (record->id <= chosen) {
            break;
        }
        if (record->completed && !record->superseded &&
            (has_manifest(oracle, record->id) || !judge_is_manifest_damaged(oracle, record->id))) {
            return false;
        }
    }
    return true;
}

static void judge_older(struct oracle *oracle, uint64_t chosen, uint64_t expected,
                        bool is_taken_over)
{
    CHECK(chosen < expected);
    oracle->went_back = true;
    if (may_go_back(oracle, chosen, expected) || may_begin_anew(oracle, chosen, is_taken_over)) {
        oracle->older_restored = true;
    } else if (is_unknowable(oracle, chosen, is_taken_over)) {
        oracle->older_restored = may_repeat_output(oracle); /* else nobody may have been told */
    } else {
        judge_report(oracle, PROPERTY_NEWEST_RESTORED,
                     "checkpoint %llu was restored, but checkpoint %llu is the newest completed",
                     (unsigned long long)chosen, (unsigned long long)expected);
    }
    supersede_above(oracle, chosen);
}

/* Does the checkpoint exist? One in memory does for the JobManager that committed it. */
static bool may_exist(const struct oracle *oracle, uint64_t id, bool is_taken_over)
{
    if (oracle->stored.kind == STORE_MEMORY) {
        const struct checkpoint_record *record = checkpoint_history_find(&oracle->history, id);
        return record != NULL && record->commit_begun && !is_taken_over;
    }
    return has_manifest(oracle, id) || judge_is_manifest_damaged(oracle, id);
}

/* `chosen` was never reported complete: then it must exist, and nobody may have given it up before
 * its manifest could. */
static void judge_unreported(struct oracle *oracle, const struct fact *fact, bool is_taken_over)
{
    uint64_t chosen = fact->checkpoint;
    const struct checkpoint_record *record = checkpoint_history_find(&oracle->history, chosen);
    CHECK(record == NULL || !record->completed);
    if (record != NULL && record->aborted && !record->commit_begun) {
        judge_report(oracle, PROPERTY_NEWEST_RESTORED,
                     "checkpoint %llu was restored although it had been aborted",
                     (unsigned long long)chosen);
    } else if (!may_exist(oracle, chosen, is_taken_over)) {
        judge_report(oracle, PROPERTY_NEWEST_RESTORED,
                     "checkpoint %llu was restored although it never completed",
                     (unsigned long long)chosen);
        return;
    }
    judge_on_complete(oracle, chosen, fact->attempt);
    oracle->unnoted = oracle->stored.kind == STORE_MEMORY ? chosen : 0;
}

static bool is_on_volume(const struct oracle *oracle, uint64_t id)
{
    char path[JUDGE_PATH_SIZE];
    struct bytes content;
    judge_manifest_path(path, id);
    return stored_peek(&oracle->stored, path, &content) && checkpoint_is_sound(content);
}

/* A commit may fail when the manifest has its name already. Who then dies takes with him that the
 * checkpoint had been given up: for his successor it is one of those that completed. */
static void adopt_older(struct oracle *oracle, uint64_t chosen)
{
    for (size_t i = 0; i < oracle->history.count; i++) {
        struct checkpoint_record *record = &oracle->history.records[i];
        if (record->id < chosen && record->aborted && record->commit_begun &&
            is_on_volume(oracle, record->id)) {
            record->completed = true;
        }
    }
}

/* That a checkpoint was given up is durable with the attempt that goes on from an older one, and
 * need not be known any more when it is gone; but a disk that lied may bring it back. */
static void doubt_superseded(struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->history.count; i++) {
        struct checkpoint_record *record = &oracle->history.records[i];
        record->unsure = record->unsure || record->superseded != record->noted ||
                         (record->subsumed && has_manifest(oracle, record->id));
    }
}

void property_newest_restored_on_take_over(struct oracle *oracle)
{
    oracle->is_taken_over = true;
    for (size_t i = 0; i < oracle->history.count; i++) {
        oracle->history.records[i].lost = oracle->stored.kind == STORE_MEMORY;
    }
    if (oracle->unnoted != 0) {
        checkpoint_history_at(&oracle->history, oracle->unnoted)->completed = false;
        oracle->unnoted = 0;
    }
}

void property_newest_restored_on_deployed(struct oracle *oracle)
{
    oracle->unnoted = 0;
    for (size_t i = 0; i < oracle->history.count; i++) {
        oracle->history.records[i].noted = oracle->history.records[i].superseded;
    }
}

void property_newest_restored_on_chosen(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_RESTORE_CHOSEN);
    uint64_t chosen = fact->checkpoint;
    bool is_taken_over = oracle->is_taken_over;
    oracle->is_taken_over = false;
    if (is_taken_over) {
        doubt_superseded(oracle);
    }
    uint64_t expected = find_expected(oracle);
    if (chosen < expected) {
        judge_older(oracle, chosen, expected, is_taken_over);
    }
    if (chosen == 0) {
        return;
    }
    const struct checkpoint_record *record = checkpoint_history_find(&oracle->history, chosen);
    if (record == NULL || !record->completed) {
        judge_unreported(oracle, fact, is_taken_over);
    }
    if (is_taken_over) {
        adopt_older(oracle, chosen);
    }
    struct checkpoint_record *restored = checkpoint_history_find(&oracle->history, chosen);
    if (restored != NULL) {
        restored->superseded = false; /* whoever took over could read it after all */
        restored->subsumed = false;
        restored->unsure = false;
    }
}

/* The oldest checkpoint that completed and still has its manifest; 0: none. */
static uint64_t oldest_on_volume(const struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->history.count; i++) {
        const struct checkpoint_record *record = &oracle->history.records[i];
        if (record->completed && is_on_volume(oracle, record->id)) {
            return record->id;
        }
    }
    return 0;
}

void property_newest_restored_on_failed(struct oracle *oracle, const struct fact *fact)
{
    CHECK(fact->kind == FACT_JOB_FAILED);
    unsigned long long refused = 0;
    char *why = arena_format(oracle->arena, "%.*s", (int)fact->text.size,
                             (const char *)fact->text.data);
    bool is_claimed = strstr(why, "there is no older one") != NULL &&
                      sscanf(why, "checkpoint %llu cannot be restored", &refused) == 1;
    uint64_t oldest = oldest_on_volume(oracle);
    if (is_claimed && oracle->stored.kind == STORE_FILES && oldest != 0 && oldest < refused) {
        judge_report(oracle, PROPERTY_NEWEST_RESTORED,
                     "checkpoint %llu was refused since there was no older one, but checkpoint "
                     "%llu is there",
                     refused, (unsigned long long)oldest);
    }
    arena_free(oracle->arena, why);
}
