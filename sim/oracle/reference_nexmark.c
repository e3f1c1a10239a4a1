/* The references of Nexmark's queries.
 *
 * q1 and q3 and q8 have known lines. q12 counts by the clock, so only the sum of each bidder's
 * counts is known. In the end q3 holds all that it may ever need, and q8 and q12 hold nothing. */
#include "sim/oracle/event_line.h"
#include "sim/oracle/final_state.h"
#include "sim/oracle/job_reference.h"
#include "sim/oracle/reference.h"

#include "model/base/check.h"

enum {
    LINES = 0,     /* the lines expected, as keys */
    BY_BIDDER = 0, /* q12 */
    PERSONS = 1,   /* by id: folded[0] is 1 + the place of the newest one in the list */
    WINDOW_MS = 10000,
    Q3_CATEGORY = 10,
};

/* ---- lines ----------------------------------------------------------------------------------- */

/* Expects the line that `out` holds, and frees it. */
static void expect(struct job_fold *fold, struct buffer *out)
{
    CHECK(out->size > 0);
    known_lines_expect(&fold->tables[LINES], buffer_bytes(out));
    buffer_free(out);
}

static void known_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    known_lines_line(judge, &fold->tables[LINES], line);
}

static void known_end(struct job_fold *fold, struct line_judge *judge)
{
    known_lines_end(judge, &fold->tables[LINES]);
}

/* ---- q1: `AUCTION,BIDDER,PRICE,TIMESTAMP` of each bid, the price times 0.908 ------------------
 */

static bool q1_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    CHECK(split < fold->split_count);
    struct event_line event;
    if (!event_line_read(record, &event)) {
        return false;
    }
    if (event.kind == 'b') {
        struct buffer line;
        buffer_init(&line, fold->arena);
        buffer_append_format(
            &line, "%lld,%lld,%lld,%lld", (long long)event.numbers[0], (long long)event.numbers[1],
            (long long)(event.numbers[2] / 1000 * 908 + event.numbers[2] % 1000 * 908 / 1000),
            (long long)event.timestamp_ms);
        expect(fold, &line);
    }
    return true;
}

const struct job_reference q1_reference = {
    .job = "q1",
    .fold = q1_fold,
    .line = known_line,
    .end = known_end,
};

/* ---- persons and auctions -------------------------------------------------------------------- */

struct person {
    int64_t timestamp_ms;
    bool may_be_late; /* for its window of q8 */
    int64_t id;
    struct bytes record;
    struct bytes texts[3]; /* name, city, state */
    size_t other;          /* 1 + the place of another one with the same id; 0: none */
};

struct auction {
    int64_t timestamp_ms;
    bool may_be_late;
    int64_t id;
    int64_t seller;
    int64_t category;
    struct bytes record;
};

struct house {
    int64_t *newest_ms; /* one a split: the newest event so far */
    struct person *persons;
    size_t person_count;
    size_t person_capacity;
    struct auction *auctions;
    size_t auction_count;
    size_t auction_capacity;
};

static struct house *house_of(struct job_fold *fold)
{
    if (fold->memory == NULL) {
        struct house *house = arena_alloc(fold->arena, 1, sizeof *house);
        house->newest_ms = arena_alloc(fold->arena, fold->split_count, sizeof *house->newest_ms);
        fold->memory = house;
    }
    return fold->memory;
}

static void add_person(struct job_fold *fold, const struct event_line *event, struct bytes record,
                       bool may_be_late)
{
    struct house *house = house_of(fold);
    struct fold_key key;
    struct fold_entry *entry =
        fold_table_at(&fold->tables[PERSONS], fold_key_i64(&key, event->numbers[0]));
    house->persons = arena_grow(fold->arena, house->persons, &house->person_capacity,
                                house->person_count + 1, sizeof *house->persons);
    struct person *person = &house->persons[house->person_count++];
    *person = (struct person){ .timestamp_ms = event->timestamp_ms,
                               .may_be_late = may_be_late,
                               .id = event->numbers[0],
                               .record = bytes_copy(fold->arena, record),
                               .other = (size_t)entry->folded[0] };
    for (uint32_t i = 0; i < 3; i++) {
        person->texts[i] = bytes_copy(fold->arena, event->texts[i]);
    }
    entry->folded[0] = (int64_t)house->person_count;
}

static void add_auction(struct job_fold *fold, const struct event_line *event, struct bytes record,
                        bool may_be_late)
{
    struct house *house = house_of(fold);
    house->auctions = arena_grow(fold->arena, house->auctions, &house->auction_capacity,
                                 house->auction_count + 1, sizeof *house->auctions);
    house->auctions[house->auction_count++] =
        (struct auction){ .timestamp_ms = event->timestamp_ms,
                          .may_be_late = may_be_late,
                          .id = event->numbers[0],
                          .seller = event->numbers[1],
                          .category = event->numbers[2],
                          .record = bytes_copy(fold->arena, record) };
}

static bool house_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    CHECK(split < fold->split_count);
    struct event_line event;
    if (!event_line_read(record, &event)) {
        return false;
    }
    int64_t last_ms = event.timestamp_ms / WINDOW_MS * WINDOW_MS + WINDOW_MS - 1;
    bool may_be_late =
        event_may_be_late(&house_of(fold)->newest_ms[split], event.timestamp_ms, last_ms);
    if (event.kind == 'p') {
        add_person(fold, &event, record, may_be_late);
    } else if (event.kind == 'a') {
        add_auction(fold, &event, record, may_be_late);
    }
    return true;
}

typedef void (*pair_function)(struct job_fold *fold, const struct person *person,
                              const struct auction *auction);

/* Calls `each` for every auction with each person of the seller's id. */
static void each_pair(struct job_fold *fold, pair_function each)
{
    struct house *house = house_of(fold);
    for (size_t i = 0; i < house->auction_count; i++) {
        const struct auction *auction = &house->auctions[i];
        struct fold_key key;
        const struct fold_entry *entry =
            fold_table_find(&fold->tables[PERSONS], fold_key_i64(&key, auction->seller));
        size_t next = entry == NULL ? 0 : (size_t)entry->folded[0];
        while (next > 0) {
            CHECK(next <= house->person_count);
            const struct person *person = &house->persons[next - 1];
            each(fold, person, auction);
            next = person->other;
        }
    }
}

/* ---- q3: `NAME,CITY,STATE,AUCTION` of auctions of category 10 by sellers in OR, ID or CA --------
 */

static bool is_local(const struct person *person)
{
    static const char *const states[] = { "OR", "ID", "CA" };
    bool is_there = false;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        is_there = is_there || bytes_equal(person->texts[2], bytes_of_text(states[i]));
    }
    return is_there;
}

static void q3_pair(struct job_fold *fold, const struct person *person,
                    const struct auction *auction)
{
    if (auction->category != Q3_CATEGORY || !is_local(person)) {
        return;
    }
    struct buffer line;
    buffer_init(&line, fold->arena);
    for (uint32_t i = 0; i < 3; i++) {
        buffer_append(&line, person->texts[i]);
        buffer_append_text(&line, ",");
    }
    buffer_append_format(&line, "%lld", (long long)auction->id);
    expect(fold, &line);
}

static void q3_finish(struct job_fold *fold)
{
    each_pair(fold, q3_pair);
}

static void expect_kept(struct fold_table *lines, struct arena *arena, const char *state,
                        int64_t key, struct bytes record)
{
    struct fold_key room;
    struct buffer line;
    buffer_init(&line, arena);
    final_state_line(&line, "join", bytes_of_text(state), fold_key_i64(&room, key), record);
    known_lines_expect(lines, buffer_bytes(&line));
    buffer_free(&line);
}

/* A join that never forgets: all that can ever make a pair. */
static struct fold_table *q3_state(struct job_fold *fold)
{
    const struct house *house = house_of(fold);
    struct fold_table *lines = known_lines_create(fold->arena);
    for (size_t i = 0; i < house->person_count; i++) {
        const struct person *person = &house->persons[i];
        if (is_local(person)) {
            expect_kept(lines, fold->arena, "first", person->id, person->record);
        }
    }
    for (size_t i = 0; i < house->auction_count; i++) {
        const struct auction *auction = &house->auctions[i];
        if (auction->category == Q3_CATEGORY) {
            expect_kept(lines, fold->arena, "second", auction->seller, auction->record);
        }
    }
    return lines;
}

const struct job_reference q3_reference = {
    .job = "q3",
    .fold = house_fold,
    .finish = q3_finish,
    .line = known_line,
    .end = known_end,
    .final_state = q3_state,
};

/* ---- what windows leave behind: nothing -------------------------------------------------------
 */

static struct fold_table *no_state(struct job_fold *fold)
{
    return known_lines_create(fold->arena);
}

/* ---- q8: `PERSON,NAME,WINDOW` of those who opened an auction in the window in which they came ---
 * Who may have come after the end of that window may be missing. */

static void q8_pair(struct job_fold *fold, const struct person *person,
                    const struct auction *auction)
{
    int64_t window_ms = person->timestamp_ms / WINDOW_MS * WINDOW_MS;
    if (auction->timestamp_ms / WINDOW_MS * WINDOW_MS != window_ms) {
        return;
    }
    struct buffer line;
    buffer_init(&line, fold->arena);
    buffer_append_format(&line, "%lld,", (long long)auction->seller);
    buffer_append(&line, person->texts[0]);
    buffer_append_format(&line, ",%lld", (long long)window_ms);
    struct fold_entry *entry = fold_table_at(&fold->tables[LINES], buffer_bytes(&line));
    bool is_certain = !person->may_be_late && !auction->may_be_late;
    bool was_certain = entry->folded[0] > entry->folded[1];
    entry->folded[0] = 1;
    entry->folded[1] = !is_certain && !was_certain;
    buffer_free(&line);
}

static void q8_finish(struct job_fold *fold)
{
    each_pair(fold, q8_pair);
}

const struct job_reference q8_reference = {
    .job = "q8",
    .fold = house_fold,
    .finish = q8_finish,
    .line = known_line,
    .end = known_end,
    .final_state = no_state,
};

/* ---- q12: `BIDDER,BIDS,WINDOW`: how many bids in a window of the clock --------------------------
 */

static bool q12_fold(struct job_fold *fold, uint32_t split, struct bytes record)
{
    CHECK(split < fold->split_count);
    struct event_line event;
    if (!event_line_read(record, &event)) {
        return false;
    }
    if (event.kind == 'b') {
        struct fold_key key;
        struct bytes bidder = fold_key_i64(&key, event.numbers[1]);
        fold_table_at(&fold->tables[BY_BIDDER], bidder)->folded[0]++;
    }
    return true;
}

static void q12_line(struct job_fold *fold, struct line_judge *judge, struct bytes line)
{
    struct bytes fields[3];
    int64_t numbers[3] = { 0 };
    bool is_right = fields_of(line, ',', fields, 3) == 3;
    for (uint32_t i = 0; i < 3; i++) {
        is_right = is_right && event_number_read(fields[i], &numbers[i]);
    }
    if (!is_right || numbers[2] % WINDOW_MS != 0) {
        line_judge_wrong(judge, line, "expected a line `BIDDER,BIDS,WINDOW`");
        return;
    }
    struct fold_key key;
    struct bytes bidder = fold_key_i64(&key, numbers[0]);
    adding_line(judge, fold_table_find(&fold->tables[BY_BIDDER], bidder), line, numbers[1]);
}

static void q12_end(struct job_fold *fold, struct line_judge *judge)
{
    adding_end(judge, &fold->tables[BY_BIDDER], fold_name_i64);
}

const struct job_reference q12_reference = {
    .job = "q12",
    .fold = q12_fold,
    .line = q12_line,
    .end = q12_end,
    .final_state = no_state,
};
