/* The references of the jobs that count bids in windows of event time.
 *
 * When a watermark passes a record depends on which subtask was faster; but no watermark passes a
 * record that is at most EVENT_DISORDER_MS behind the newest one before it in its split. Where all
 * records of a window are like that, its line is known. Else some may be late, and this must hold:
 *
 *   tumbling  the counts of its lines and its late lines add up to its records
 *   sliding   no count is above its records; the highest is not below those that cannot be late
 *   sessions  the counts of a bidder's lines and its late lines add up to its records
 *
 * At least once, records may be counted more than once, and windows begin anew after they fired:
 * then only the lower bounds hold. */
#include "sim/oracle/event_line.h"
#include "sim/oracle/job_reference.h"
#include "sim/oracle/reference.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"

enum {
    TUMBLING = 0, /* windows: by auction and start */
    SLIDING = 1,  /* the same */
    BIDDERS = 0,  /* sessions: by bidder */
    LINES = 1,    /* sessions: the lines known */
    TUMBLING_MS = 1000,
    SLIDING_MS = 2000,
    SLIDE_MS = 500,
    GAP_MS = 500,
    BIDS = 0,       /* of an entry's numbers: how many */
    MAYBE_LATE = 1, /* how many of them may be late */
    LINE_COUNT = 1, /* of `committed` of a sliding window */
};

struct session_bid {
    int64_t bidder;
    int64_t timestamp_ms;
};

struct windows_memory {
    int64_t *newest_ms; /* one a split: the newest event so far */
    struct session_bid *bids;
    size_t bid_count;
    size_t bid_capacity;
};

static struct windows_memory *memory_of(struct job_fold *fold)
{
    if (fold->memory == NULL) {
        struct windows_memory *memory = arena_alloc(fold->arena, 1, sizeof *memory);
        memory->newest_ms = arena_alloc(fold->arena, fold->split_count, sizeof *memory->newest_ms);
        fold->memory = memory;
    }
    return fold->memory;
}

/* May a watermark have passed the event? Each split's events are asked about in their order. */
static bool may_be_late(struct job_fold *fold, uint32_t split, int64_t timestamp_ms)
{
    CHECK(split < fold->split_count);
    return event_may_be_late(&memory_of(fold)->newest_ms[split], timestamp_ms, timestamp_ms);
}

static void count_bid(struct fold_entry *entry, bool may_be)
{
    entry->folded[BIDS]++;
    entry->folded[MAYBE_LATE] += may_be;
}

/* `KEY,BIDS,START,END` */
struct window_line {
    int64_t key;
    int64_t bids;
    int64_t start_ms;
    int64_t end_ms;
};

static bool read_window_line(struct bytes line, struct window_line *window)
{
    struct bytes fields[4];
    return fields_of(line, ',', fields, 4) == 4 && reference_parse(fields[0], &window->key) &&
           reference_parse(fields[1], &window->bids) &&
           reference_parse(fields[2], &window->start_ms) &&
           reference_parse(fields[3], &window->end_ms);
}

/* Is the line of `entry` known, whatever subtask was faster? */
static bool is_known(const struct line_judge *judge, const struct fold_entry *entry)
{
    return entry->folded[MAYBE_LATE] == 0 && !judge->may_exceed;
}

/* A record that came too late, in the line as it was. */
static void judge_late(struct line_judge *judge, struct fold_entry *entry, struct bytes line)
{
    if (entry != NULL && is_known(judge, entry)) {
        line_judge_wrong(judge, line, "this bid cannot be late");
        return;
    }
    adding_line(judge, entry, line, 1);
}

/* ---- windows --------------------------------------------------------------------------------- */

static bool windows_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    struct event_line event;
    if (!event_line_read(record, &event)) {
        return false;
    }
    bool may_be = may_be_late(fold, split, event.timestamp_ms);
    if (event.kind != 'b') {
        return true;
    }
    struct fold_key key;
    int64_t auction = event.numbers[0];
    int64_t start_ms = event.timestamp_ms / TUMBLING_MS * TUMBLING_MS;
    count_bid(fold_table_at(&fold->tables[TUMBLING], fold_key_pair(&key, auction, start_ms)),
              may_be);
    start_ms = event.timestamp_ms / SLIDE_MS * SLIDE_MS;
    for (; start_ms + SLIDING_MS > event.timestamp_ms; start_ms -= SLIDE_MS) {
        struct bytes window = fold_key_pair(&key, auction, start_ms);
        count_bid(fold_table_at(&fold->tables[SLIDING], window), may_be);
    }
    return true;
}

static void tumbling_line(struct job_fold *fold, struct line_judge *judge, struct bytes line,
                          const struct window_line *window)
{
    struct fold_key key;
    struct fold_entry *entry = fold_table_find(&fold->tables[TUMBLING],
                                               fold_key_pair(&key, window->key, window->start_ms));
    bool is_known_wrong = entry != NULL && is_known(judge, entry) && entry->folded[BIDS] > 0 &&
                          window->bids != entry->folded[BIDS];
    if (window->end_ms != window->start_ms + TUMBLING_MS || is_known_wrong) {
        line_judge_wrong(judge, line, "expected %lld bids in 1 s",
                         entry == NULL ? 0LL : (long long)entry->folded[BIDS]);
        return;
    }
    adding_line(judge, entry, line, window->bids);
}

static void sliding_line(struct job_fold *fold, struct line_judge *judge, struct bytes line,
                         const struct window_line *window)
{
    struct fold_key key;
    struct fold_entry *entry =
        fold_table_find(&fold->tables[SLIDING], fold_key_pair(&key, window->key, window->start_ms));
    if (entry == NULL || entry->folded[BIDS] == 0 || window->bids < 1 ||
        window->end_ms != window->start_ms + SLIDING_MS) {
        line_judge_wrong(judge, line, "expected no such line");
        return;
    }
    int64_t bids = entry->folded[BIDS];
    bool is_right =
        is_known(judge, entry) ? window->bids == bids : window->bids <= bids || judge->may_exceed;
    bool is_again = ++entry->committed[LINE_COUNT] > 1 && is_known(judge, entry);
    judge->repeated += is_again;
    if (!is_right || (is_again && !judge->may_repeat)) {
        line_judge_wrong(judge, line, "expected %lld bids in 2 s%s", (long long)bids,
                         is_again ? ", once" : "");
    }
    if (window->bids > entry->committed[BIDS]) {
        entry->committed[BIDS] = window->bids;
    }
}

static void windows_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    struct event_line event;
    struct window_line window;
    if (strcmp(judge->sink, "late") == 0) {
        struct fold_key key;
        struct fold_entry *entry = NULL;
        if (event_line_read(line, &event) && event.kind == 'b') {
            int64_t start_ms = event.timestamp_ms / TUMBLING_MS * TUMBLING_MS;
            entry = fold_table_find(&fold->tables[TUMBLING],
                                    fold_key_pair(&key, event.numbers[0], start_ms));
        }
        judge_late(judge, entry, line);
    } else if (!read_window_line(line, &window)) {
        line_judge_wrong(judge, line, "expected a line `AUCTION,BIDS,START,END`");
    } else if (strcmp(judge->sink, "sliding") == 0) {
        sliding_line(fold, judge, line, &window);
    } else {
        tumbling_line(fold, judge, line, &window);
    }
}

static void name_window(const struct fold_entry *entry, struct buffer *out)
{
    buffer_append_format(out, "%lld from %lld ms on", (long long)load_u64(entry->key.near),
                         (long long)load_u64(entry->key.near + sizeof(int64_t)));
}

static void windows_end(struct job_fold *fold, struct line_judge *judge)
{
    adding_end(judge, &fold->tables[TUMBLING], name_window);
    const struct fold_table *sliding = &fold->tables[SLIDING];
    for (size_t i = 0; judge->finished && i < sliding->count; i++) {
        const struct fold_entry *entry = &sliding->entries[i];
        int64_t least = entry->folded[BIDS] - entry->folded[MAYBE_LATE];
        if (entry->committed[BIDS] < least) {
            line_judge_missing(judge, "sliding %lld from %lld ms on: expected %lld, found %lld",
                               (long long)load_u64(entry->key.near),
                               (long long)load_u64(entry->key.near + sizeof(int64_t)),
                               (long long)least, (long long)entry->committed[BIDS]);
        }
    }
}

/* All windows have fired and are cleaned away: no accumulator, no timer. */
static struct fold_table *no_state(struct job_fold *fold)
{
    return known_lines_create(fold->arena);
}

const struct job_reference windows_reference = {
    .job = "windows",
    .fold = windows_fold,
    .line = windows_line,
    .end = windows_end,
    .final_state = no_state,
};

/* ---- sessions -------------------------------------------------------------------------------- */

static bool sessions_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    struct event_line event;
    if (!event_line_read(record, &event)) {
        return false;
    }
    bool may_be = may_be_late(fold, split, event.timestamp_ms);
    if (event.kind != 'b') {
        return true;
    }
    struct fold_key key;
    struct windows_memory *memory = memory_of(fold);
    count_bid(fold_table_at(&fold->tables[BIDDERS], fold_key_i64(&key, event.numbers[1])), may_be);
    memory->bids = arena_grow(fold->arena, memory->bids, &memory->bid_capacity,
                              memory->bid_count + 1, sizeof *memory->bids);
    memory->bids[memory->bid_count++] =
        (struct session_bid){ .bidder = event.numbers[1], .timestamp_ms = event.timestamp_ms };
    return true;
}

static int compare_bids(const void *a, const void *b)
{
    const struct session_bid *left = a;
    const struct session_bid *right = b;
    if (left->bidder != right->bidder) {
        return left->bidder < right->bidder ? -1 : 1;
    }
    return (left->timestamp_ms > right->timestamp_ms) - (left->timestamp_ms < right->timestamp_ms);
}

static void expect_session(struct job_fold *fold, const struct session_bid *bids, size_t count)
{
    struct fold_key key;
    const struct fold_entry *bidder =
        fold_table_find(&fold->tables[BIDDERS], fold_key_i64(&key, bids->bidder));
    CHECK(bidder != NULL);
    if (bidder->folded[MAYBE_LATE] > 0) {
        return;
    }
    struct buffer line;
    buffer_init(&line, fold->arena);
    buffer_append_format(&line, "%lld,%zu,%lld,%lld", (long long)bids->bidder, count,
                         (long long)bids->timestamp_ms,
                         (long long)bids[count - 1].timestamp_ms + GAP_MS);
    known_lines_expect(&fold->tables[LINES], buffer_bytes(&line));
    buffer_free(&line);
}

/* A session goes on as long as the next bid comes within the gap, or just at its end. */
static void sessions_finish(struct job_fold *fold)
{
    struct windows_memory *memory = memory_of(fold);
    if (memory->bid_count > 0) {
        qsort(memory->bids, memory->bid_count, sizeof *memory->bids, compare_bids);
    }
    for (size_t first = 0; first < memory->bid_count;) {
        size_t end = first + 1;
        while (end < memory->bid_count && memory->bids[end].bidder == memory->bids[first].bidder &&
               memory->bids[end].timestamp_ms - memory->bids[end - 1].timestamp_ms <= GAP_MS) {
            end++;
        }
        expect_session(fold, &memory->bids[first], end - first);
        first = end;
    }
}

static void sessions_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    bool is_late = strcmp(judge->sink, "late") == 0;
    struct event_line event;
    struct window_line window = { 0 };
    struct fold_key key;
    struct fold_entry *entry = NULL;
    if (is_late ? event_line_read(line, &event) && event.kind == 'b'
                : read_window_line(line, &window)) {
        int64_t bidder = is_late ? event.numbers[1] : window.key;
        entry = fold_table_find(&fold->tables[BIDDERS], fold_key_i64(&key, bidder));
    }
    if (is_late) {
        judge_late(judge, entry, line);
    } else if (entry != NULL && is_known(judge, entry)) {
        known_lines_line(judge, &fold->tables[LINES], line);
    } else {
        adding_line(judge, entry, line, window.bids);
    }
}

static void name_bidder(const struct fold_entry *entry, struct buffer *out)
{
    buffer_append_text(out, "bids of ");
    fold_name_i64(entry, out);
}

static void sessions_end(struct job_fold *fold, struct line_judge *judge)
{
    struct fold_table *bidders = &fold->tables[BIDDERS];
    for (size_t i = 0; i < bidders->count; i++) {
        struct fold_entry *entry = &bidders->entries[i];
        if (is_known(judge, entry)) {
            entry->committed[BIDS] = entry->folded[BIDS]; /* judged line by line */
        }
    }
    adding_end(judge, bidders, name_bidder);
    if (!judge->may_exceed) {
        known_lines_end(judge, &fold->tables[LINES]);
    }
}

const struct job_reference sessions_reference = {
    .job = "sessions",
    .fold = sessions_fold,
    .finish = sessions_finish,
    .line = sessions_line,
    .end = sessions_end,
    .final_state = no_state,
};
