/* One idea: never sort what is not due soon. Only the next few events, the *front*, are sorted.
 * Every other event lies unsorted in a bucket chosen by its time alone, and is only ever appended
 * and read in sequence, which a cache likes better than any heap.
 *
 * Times are read as eight digits of eight bits. An event is filed by the highest digit in which it
 * differs from a base time: that digit's place is its level (0 lowest), the digit its bucket. So
 * all of level 0 comes before all of level 1, and so on, and within a level the buckets are in the
 * order of their digits: the next events are in the first filled bucket of the lowest filled level.
 * When the front is empty that bucket is emptied: few events are sorted into the front, many are
 * filed anew with a base in their midst, at least one level lower. An event therefore moves at most
 * eight times, in practice two or three, however many are pending. As buckets keep the order of
 * arrival and are emptied in it, equal times need no sequence number.
 *
 * I1  now <= every pending time, and the front is sorted: latest first, of equal times the last
 *     pushed first, so that the next event is the last one.
 * I2  limit divides: no time in the front is above it, none in a bucket is below it. A push below
 *     it goes to the front, any other to a bucket. An event at the limit itself may be in the front
 *     only if it was pushed before all those in buckets that are equal to it.
 * I3  Each event in a bucket is where its time and the base put it.
 * I4  A filled bucket has its bit set in `filled`, and its level has its bit set in `levels`.
 * I5  Spare chunks are not more than the used ones and a few: a burst does not keep its memory.
 *
 * As long as all events fit into the front, there is nothing else: a queue of a few events costs
 * a few moves in one array, and neither a bucket nor a chunk has been touched. */
#include "sim/world/event_queue.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/check.h"

enum {
    DIGIT_BITS = 8,
    DIGITS = 1 << DIGIT_BITS,
    LEVELS = 64 / DIGIT_BITS,
    WORD_BITS = 64,
    WORDS = DIGITS / WORD_BITS,
    CHUNK_EVENTS = 28, /* also the most that are sorted at once, so at most 1 << ORDER_BITS */
    ORDER_BITS = 5,
    FRONT_EVENTS = 40, /* more than a chunk, so that a front just loaded has room for pushes */
    SPARE_MIN = 64,
    CACHE_LINE_BYTES = 64
};

struct chunk {
    struct chunk *next;
    struct event events[CHUNK_EVENTS];
};

/* A bucket that was used once keeps one chunk, so that a push seldom has to ask for one: at most
 * 1.4 MB in all, in practice half of it. */
struct bucket {
    struct chunk *first;
    struct chunk *last;
    struct event *write; /* in the last chunk; all chunks before it are full */
    struct event *end;   /* of the last chunk */
};

struct event_queue {
    uint64_t now_ns;
    uint64_t base_ns;
    uint64_t limit_ns;
    uint64_t size;
    uint32_t front_count;
    uint32_t levels;      /* a bit for each level that may hold events */
    uint32_t levels_used; /* a bit for each level that has been initialised */
    struct chunk *spare;
    uint64_t spare_count;
    uint64_t used_count;
    struct event front[FRONT_EVENTS];
    uint64_t filled[LEVELS][WORDS];
    struct bucket buckets[LEVELS][DIGITS];
};

/* The buckets are initialised level by level when they are first used: most worlds are small. */
struct event_queue *event_queue_create(void)
{
    struct event_queue *queue = malloc(sizeof *queue);
    CHECK(queue != NULL);
    memset(queue, 0, offsetof(struct event_queue, front));
    queue->limit_ns = UINT64_MAX;
    return queue;
}

static void chain_free(struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void event_queue_destroy(struct event_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    for (unsigned level = 0; level < LEVELS; level++) {
        if ((queue->levels_used >> level & 1) == 0) {
            continue;
        }
        for (unsigned digit = 0; digit < DIGITS; digit++) {
            chain_free(queue->buckets[level][digit].first);
        }
    }
    chain_free(queue->spare);
    free(queue);
}

static struct chunk *chunk_take(struct event_queue *queue)
{
    struct chunk *chunk = queue->spare;
    if (chunk != NULL) {
        queue->spare = chunk->next;
        queue->spare_count--;
    } else {
        chunk = malloc(sizeof *chunk);
        CHECK(chunk != NULL);
    }
    queue->used_count++;
    chunk->next = NULL;
    return chunk;
}

static void chunk_give(struct event_queue *queue, struct chunk *chunk)
{
    CHECK(queue->used_count > 0);
    chunk->next = queue->spare;
    queue->spare = chunk;
    queue->spare_count++;
    queue->used_count--;
    while (queue->spare_count > queue->used_count + SPARE_MIN) {
        chunk = queue->spare;
        queue->spare = chunk->next;
        queue->spare_count--;
        free(chunk);
    }
}

static void level_open(struct event_queue *queue, unsigned level)
{
    uint32_t bit = UINT32_C(1) << level;
    if ((queue->levels_used & bit) == 0) {
        memset(queue->filled[level], 0, sizeof queue->filled[level]);
        memset(queue->buckets[level], 0, sizeof queue->buckets[level]);
        queue->levels_used |= bit;
    }
    queue->levels |= bit;
}

static void bucket_grow(struct event_queue *queue, struct bucket *bucket)
{
    struct chunk *chunk = chunk_take(queue);
    if (bucket->first == NULL) {
        bucket->first = chunk;
    } else {
        bucket->last->next = chunk;
    }
    bucket->last = chunk;
    bucket->write = chunk->events;
    bucket->end = chunk->events + CHUNK_EVENTS;
}

static unsigned level_of(uint64_t due_ns, uint64_t base_ns)
{
    uint64_t differ = (due_ns ^ base_ns) | 1;
    return (WORD_BITS - 1 - (unsigned)__builtin_clzll(differ)) / DIGIT_BITS;
}

static unsigned digit_of(uint64_t due_ns, unsigned level)
{
    return (unsigned)(due_ns >> (level * DIGIT_BITS)) % DIGITS;
}

/* The last time of the bucket at `level` that `due_ns` is in. */
static uint64_t block_last_ns(uint64_t due_ns, unsigned level)
{
    return due_ns | ((UINT64_C(1) << (level * DIGIT_BITS)) - 1);
}

static inline void bucket_push(struct event_queue *queue, const struct event *event)
{
    unsigned level = level_of(event->due_ns, queue->base_ns);
    unsigned digit = digit_of(event->due_ns, level);
    struct bucket *bucket = &queue->buckets[level][digit];
    if ((queue->levels >> level & 1) == 0) {
        level_open(queue, level);
    }
    queue->filled[level][digit / WORD_BITS] |= UINT64_C(1) << digit % WORD_BITS;
    if (bucket->write == bucket->end) {
        bucket_grow(queue, bucket);
    }
    *bucket->write++ = *event;
}

static inline void front_push(struct event_queue *queue, const struct event *event)
{
    struct event *slot = queue->front + queue->front_count++;
    while (slot > queue->front && slot[-1].due_ns <= event->due_ns) {
        slot[0] = slot[-1];
        slot--;
    }
    *slot = *event;
}

/* Files a full front into buckets. All levels below the one the front came from are empty, and now
 * is in the front's block, so that the base may move to now without disturbing I3. */
static void front_spill(struct event_queue *queue)
{
    CHECK(queue->front_count == FRONT_EVENTS);
    CHECK(queue->limit_ns > queue->now_ns);
    queue->base_ns = queue->now_ns;
    queue->limit_ns = queue->now_ns;
    while (queue->front_count > 0) {
        bucket_push(queue, &queue->front[--queue->front_count]);
    }
}

void event_queue_push(struct event_queue *queue, struct event event)
{
    CHECK(event.due_ns >= queue->now_ns);
    CHECK(event.due_ns < UINT64_MAX);
    queue->size++;
    if (event.due_ns < queue->limit_ns) {
        if (queue->front_count < FRONT_EVENTS) {
            front_push(queue, &event);
            return;
        }
        front_spill(queue);
    }
    bucket_push(queue, &event);
}

/* Sorts a chunk of one block into the empty front. Counting for each event how many precede it
 * takes more comparisons than other sorts, but no branch depends on one, and a branch that cannot
 * be predicted costs as much as dozens of comparisons. */
static void front_load(struct event_queue *queue, const struct event *events, uint32_t count)
{
    CHECK(count <= CHUNK_EVENTS);
    if (count <= 2) {
        for (uint32_t i = 0; i < count; i++) {
            front_push(queue, &events[i]);
        }
        return;
    }
    /* The shift drops high bits that are equal: a block leaves at most seven digits to differ. */
    uint64_t keys[CHUNK_EVENTS];
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = events[i].due_ns << ORDER_BITS | i;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t precede_count = 0;
        for (uint32_t j = 0; j < count; j++) {
            precede_count += keys[j] < keys[i];
        }
        queue->front[count - 1 - precede_count] = events[i];
    }
    queue->front_count = count;
}

/* Moves the events of a bucket of one chunk into the front, which from now on takes every push into
 * the bucket's block; into any block if there are no other events. */
static void bucket_load(struct event_queue *queue, struct bucket *bucket, unsigned level)
{
    const struct event *events = bucket->first->events;
    uint32_t count = (uint32_t)(bucket->write - events);
    uint64_t last_ns = block_last_ns(events[0].due_ns, level);
    bool is_all = count == queue->size;
    CHECK(count > 0);
    CHECK(is_all || last_ns < UINT64_MAX); /* nothing comes after the last block */
    queue->base_ns = events[0].due_ns;
    queue->limit_ns = is_all ? UINT64_MAX : last_ns + 1;
    front_load(queue, events, count);
    bucket->write = bucket->first->events;
}

/* Moves one chunk of equal times into the front. Pushes at the same time go on into the bucket:
 * they come after what is still there. */
static void bucket_load_chunk(struct event_queue *queue, struct bucket *bucket)
{
    struct chunk *chunk = bucket->first;
    CHECK(chunk != bucket->last);
    queue->base_ns = chunk->events[0].due_ns;
    queue->limit_ns = queue->base_ns;
    for (uint32_t i = 0; i < CHUNK_EVENTS; i++) {
        queue->front[CHUNK_EVENTS - 1 - i] = chunk->events[i];
    }
    queue->front_count = CHUNK_EVENTS;
    bucket->first = chunk->next;
    chunk_give(queue, chunk);
}

/* Files the events of a bucket at lower levels. The chunks lie scattered in memory, so the next one
 * is fetched into the cache while this one is emptied. */
static void bucket_split(struct event_queue *queue, struct bucket *bucket, unsigned level)
{
    uint64_t last_ns = block_last_ns(bucket->first->events[0].due_ns, level);
    queue->base_ns = last_ns - block_last_ns(0, level);
    CHECK(level > 0);
    while (bucket->first != bucket->last) {
        struct chunk *chunk = bucket->first;
        bucket->first = chunk->next;
        for (size_t at = 0; at < sizeof *chunk; at += CACHE_LINE_BYTES) {
            __builtin_prefetch((const char *)chunk->next + at);
        }
        for (uint32_t i = 0; i < CHUNK_EVENTS; i++) {
            bucket_push(queue, &chunk->events[i]);
        }
        chunk_give(queue, chunk);
    }
    for (const struct event *event = bucket->last->events; event < bucket->write; event++) {
        bucket_push(queue, event);
    }
    bucket->write = bucket->last->events;
}

/* Empties the first filled bucket, wholly or by one chunk. */
static void bucket_empty(struct event_queue *queue, unsigned level, unsigned digit)
{
    struct bucket *bucket = &queue->buckets[level][digit];
    uint64_t *filled = &queue->filled[level][digit / WORD_BITS];
    CHECK(bucket->first != NULL);
    if (bucket->first == bucket->last) {
        *filled &= *filled - 1;
        bucket_load(queue, bucket, level);
    } else if (level == 0) {
        bucket_load_chunk(queue, bucket);
    } else {
        *filled &= *filled - 1;
        bucket_split(queue, bucket, level);
    }
}

static void front_refill(struct event_queue *queue)
{
    while (queue->front_count == 0) {
        CHECK(queue->levels != 0);
        unsigned level = (unsigned)__builtin_ctz(queue->levels);
        const uint64_t *filled = queue->filled[level];
        unsigned word = 0;
        while (word < WORDS && filled[word] == 0) {
            word++;
        }
        if (word < WORDS) {
            unsigned bit = (unsigned)__builtin_ctzll(filled[word]);
            bucket_empty(queue, level, word * WORD_BITS + bit);
        } else {
            queue->levels &= queue->levels - 1;
        }
    }
}

bool event_queue_pop(struct event_queue *queue, struct event *event)
{
    if (queue->front_count == 0) {
        if (queue->size == 0) {
            return false;
        }
        front_refill(queue);
    }
    *event = queue->front[--queue->front_count];
    CHECK(event->due_ns >= queue->now_ns);
    queue->size--;
    queue->now_ns = event->due_ns;
    return true;
}

uint64_t event_queue_now_ns(const struct event_queue *queue)
{
    return queue->now_ns;
}

uint64_t event_queue_size(const struct event_queue *queue)
{
    return queue->size;
}

static void front_check(const struct event_queue *queue)
{
    CHECK(queue->front_count <= FRONT_EVENTS);
    for (uint32_t i = 0; i < queue->front_count; i++) {
        CHECK(queue->front[i].due_ns >= queue->now_ns);
        CHECK(queue->front[i].due_ns <= queue->limit_ns);
        CHECK(i == 0 || queue->front[i].due_ns <= queue->front[i - 1].due_ns);
    }
}

/* Returns how many events the bucket holds, and adds its chunks to `chunk_count`. */
static uint64_t bucket_check(const struct event_queue *queue, unsigned level, unsigned digit,
                             uint64_t *chunk_count)
{
    const struct bucket *bucket = &queue->buckets[level][digit];
    uint64_t count = 0;
    for (const struct chunk *chunk = bucket->first; chunk != NULL; chunk = chunk->next) {
        bool is_last = chunk == bucket->last;
        const struct event *end = is_last ? bucket->write : chunk->events + CHUNK_EVENTS;
        for (const struct event *event = chunk->events; event < end; event++) {
            CHECK(event->due_ns >= queue->now_ns);
            CHECK(event->due_ns >= queue->limit_ns);
            CHECK(level_of(event->due_ns, queue->base_ns) == level);
            CHECK(digit_of(event->due_ns, level) == digit);
            count++;
        }
        CHECK(is_last == (chunk->next == NULL));
        *chunk_count += 1;
    }
    bool is_filled = queue->filled[level][digit / WORD_BITS] >> digit % WORD_BITS & 1;
    CHECK(is_filled == (count > 0));
    CHECK(count == 0 || (queue->levels >> level & 1) == 1);
    return count;
}

void event_queue_check(const struct event_queue *queue)
{
    uint64_t count = queue->front_count;
    uint64_t used_count = 0;
    uint64_t spare_count = 0;
    front_check(queue);
    CHECK((queue->levels & ~queue->levels_used) == 0);
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned digit = 0; queue->levels_used >> level & 1 && digit < DIGITS; digit++) {
            count += bucket_check(queue, level, digit, &used_count);
        }
    }
    for (const struct chunk *chunk = queue->spare; chunk != NULL; chunk = chunk->next) {
        spare_count++;
    }
    CHECK(count == queue->size);
    CHECK(used_count == queue->used_count);
    CHECK(spare_count == queue->spare_count);
    CHECK(spare_count <= used_count + SPARE_MIN);
}
