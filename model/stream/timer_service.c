#include "model/stream/timer_service.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/base/hash.h"

enum {
    NS_PER_MS = 1000000,
    BUCKET_COUNT_FIRST = 64,
    SUBKEY_HEAD_BYTES = 1 + sizeof(int64_t), /* before the namespace */
};

/* A timer in its queue. The key's and the namespace's bytes stand behind it. */
struct entry {
    struct timer timer;
    uint32_t key_group;
    size_t position; /* in the heap */
    uint64_t hash;
    struct entry *next; /* of the same bucket */
    uint8_t bytes[];
};

struct queue {
    struct entry **heap; /* children of i: 2i + 1, 2i + 2; none fires before its parent */
    size_t count;
    size_t capacity;
};

struct timer_service {
    struct arena *arena;
    uint32_t max_parallelism;
    struct key_group_range range;
    struct queue queues[TIMER_KIND_COUNT];
    struct entry **buckets; /* of all timers, so that none is there twice */
    size_t bucket_count;    /* a power of two */
    struct entry *popped;   /* the last one; NULL: none */
    /* Of timers_open: where all timers are kept as well. */
    struct backend *backend;
    state_id state;
    struct buffer subkey;
};

struct timer_service *timer_service_create(struct arena *arena, uint32_t max_parallelism,
                                           struct key_group_range range)
{
    CHECK(range.first <= range.last);
    CHECK(range.last < max_parallelism);
    struct timer_service *service = arena_alloc(arena, 1, sizeof *service);
    *service = (struct timer_service){ .arena = arena,
                                       .max_parallelism = max_parallelism,
                                       .range = range,
                                       .bucket_count = BUCKET_COUNT_FIRST };
    service->buckets = arena_alloc(arena, service->bucket_count, sizeof(struct entry *));
    return service;
}

uint64_t timer_service_count(const struct timer_service *service)
{
    return service->queues[TIMER_EVENT_TIME].count + service->queues[TIMER_PROCESSING_TIME].count;
}

/* ---- order ----------------------------------------------------------------------------------- */

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* M1 */
static int compare(const struct entry *a, const struct entry *b)
{
    if (a->timer.time_ms != b->timer.time_ms) {
        return a->timer.time_ms < b->timer.time_ms ? -1 : 1;
    }
    if (a->key_group != b->key_group) {
        return a->key_group < b->key_group ? -1 : 1;
    }
    int order = compare_bytes(a->timer.key.bytes, b->timer.key.bytes);
    return order != 0 ? order : compare_bytes(a->timer.name_space, b->timer.name_space);
}

static void place(struct queue *queue, size_t position, struct entry *entry)
{
    queue->heap[position] = entry;
    entry->position = position;
}

static void sift_up(struct queue *queue, size_t position)
{
    struct entry *entry = queue->heap[position];
    while (position > 0 && compare(entry, queue->heap[(position - 1) / 2]) < 0) {
        place(queue, position, queue->heap[(position - 1) / 2]);
        position = (position - 1) / 2;
    }
    place(queue, position, entry);
}

static void sift_down(struct queue *queue, size_t position)
{
    struct entry *entry = queue->heap[position];
    for (;;) {
        size_t child = 2 * position + 1;
        if (child + 1 < queue->count && compare(queue->heap[child + 1], queue->heap[child]) < 0) {
            child++;
        }
        if (child >= queue->count || compare(entry, queue->heap[child]) <= 0) {
            break;
        }
        place(queue, position, queue->heap[child]);
        position = child;
    }
    place(queue, position, entry);
}

/* ---- each timer once ------------------------------------------------------------------------- */

static uint64_t hash_of(const struct timer *timer)
{
    uint64_t hash = hash_bytes(timer->key.bytes) ^ (uint64_t)timer->kind;
    hash = hash * UINT64_C(0x9e3779b97f4a7c15) ^ hash_bytes(timer->name_space);
    return (hash ^ (uint64_t)timer->time_ms) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct entry **bucket_of(const struct timer_service *service, uint64_t hash)
{
    return &service->buckets[(hash >> 32) & (service->bucket_count - 1)];
}

/* The link to the equal timer, or to the end of its bucket. */
static struct entry **find(const struct timer_service *service, const struct timer *timer,
                           uint64_t hash)
{
    struct entry **link = bucket_of(service, hash);
    for (; *link != NULL; link = &(*link)->next) {
        const struct timer *other = &(*link)->timer;
        if ((*link)->hash == hash && other->kind == timer->kind &&
            other->time_ms == timer->time_ms && bytes_equal(other->key.bytes, timer->key.bytes) &&
            bytes_equal(other->name_space, timer->name_space)) {
            break;
        }
    }
    return link;
}

static void grow_buckets(struct timer_service *service)
{
    struct entry **old = service->buckets;
    size_t old_count = service->bucket_count;
    service->bucket_count *= 2;
    service->buckets = arena_alloc(service->arena, service->bucket_count, sizeof *old);
    for (size_t i = 0; i < old_count; i++) {
        for (struct entry *entry = old[i]; entry != NULL;) {
            struct entry *next = entry->next;
            struct entry **bucket = bucket_of(service, entry->hash);
            entry->next = *bucket;
            *bucket = entry;
            entry = next;
        }
    }
    arena_free(service->arena, old);
}

/* ---- adding and removing --------------------------------------------------------------------- */

static struct entry *new_entry(struct timer_service *service, const struct timer *timer,
                               uint64_t hash)
{
    size_t key_size = timer->key.bytes.size;
    size_t size = key_size + timer->name_space.size;
    struct entry *entry = arena_alloc_raw(service->arena, sizeof *entry + size);
    *entry = (struct entry){ .timer = *timer, .hash = hash };
    bytes_put(entry->bytes, timer->key.bytes.data, key_size);
    bytes_put(entry->bytes + key_size, timer->name_space.data, timer->name_space.size);
    entry->timer.key.bytes.data = entry->bytes;
    entry->timer.name_space.data = entry->bytes + key_size;
    entry->key_group = key_group_of(timer->key.hash, service->max_parallelism);
    return entry;
}

bool timer_service_add(struct timer_service *service, const struct timer *timer)
{
    CHECK(timer->kind < TIMER_KIND_COUNT);
    uint64_t hash = hash_of(timer);
    if (*find(service, timer, hash) != NULL) {
        return false;
    }
    if (timer_service_count(service) >= service->bucket_count) {
        grow_buckets(service);
    }
    struct entry *entry = new_entry(service, timer, hash);
    CHECK(entry->key_group >= service->range.first);
    CHECK(entry->key_group <= service->range.last);
    *find(service, timer, hash) = entry;
    struct queue *queue = &service->queues[timer->kind];
    queue->heap = arena_grow(service->arena, queue->heap, &queue->capacity, queue->count + 1,
                             sizeof *queue->heap);
    place(queue, queue->count++, entry);
    sift_up(queue, entry->position);
    return true;
}

/* Takes `entry` out of the queue and the bucket; the caller owns it. */
static void take_out(struct timer_service *service, struct entry *entry)
{
    struct entry **link = find(service, &entry->timer, entry->hash);
    CHECK(*link == entry);
    *link = entry->next;
    struct queue *queue = &service->queues[entry->timer.kind];
    size_t position = entry->position;
    CHECK(queue->heap[position] == entry);
    struct entry *last = queue->heap[--queue->count];
    if (last != entry) {
        place(queue, position, last);
        sift_up(queue, position);
        sift_down(queue, last->position);
    }
}

bool timer_service_remove(struct timer_service *service, const struct timer *timer)
{
    struct entry *entry = *find(service, timer, hash_of(timer));
    if (entry == NULL) {
        return false;
    }
    take_out(service, entry);
    arena_free(service->arena, entry);
    return true;
}

const struct timer *timer_service_pop(struct timer_service *service, enum timer_kind kind,
                                      int64_t limit_ms)
{
    arena_free(service->arena, service->popped);
    service->popped = NULL;
    struct queue *queue = &service->queues[kind];
    if (queue->count == 0 || queue->heap[0]->timer.time_ms > limit_ms) {
        return NULL;
    }
    service->popped = queue->heap[0];
    take_out(service, service->popped);
    return &service->popped->timer;
}

bool timer_service_first_ms(const struct timer_service *service, enum timer_kind kind,
                            int64_t *time_ms)
{
    const struct queue *queue = &service->queues[kind];
    if (queue->count == 0) {
        return false;
    }
    *time_ms = queue->heap[0]->timer.time_ms;
    return true;
}

void timer_service_check(const struct timer_service *service)
{
    uint64_t count = 0;
    for (int kind = 0; kind < TIMER_KIND_COUNT; kind++) {
        const struct queue *queue = &service->queues[kind];
        for (size_t i = 0; i < queue->count; i++) {
            CHECK(queue->heap[i]->position == i);
            CHECK(queue->heap[i]->timer.kind == (enum timer_kind)kind);
            CHECK(i == 0 || compare(queue->heap[(i - 1) / 2], queue->heap[i]) < 0);
            CHECK(*find(service, &queue->heap[i]->timer, queue->heap[i]->hash) == queue->heap[i]);
        }
    }
    for (size_t i = 0; i < service->bucket_count; i++) {
        for (const struct entry *entry = service->buckets[i]; entry != NULL; entry = entry->next) {
            count++;
        }
    }
    CHECK(count == timer_service_count(service));
}

/* ---- functions and operators ----------------------------------------------------------------- */

int64_t timers_now_ms(struct operator_context *context)
{
    return (int64_t)(host_now_ns(context->host) / NS_PER_MS);
}

/* ---- the timers in the backend --------------------------------------------------------------- */

/* An entry: of the timer's key; its subkey is kind u8, time i64 and the namespace; its value the
 * key's hash, u32. Makes its subkey current. */
static void set_subkey(struct timer_service *service, const struct timer *timer)
{
    buffer_reset(&service->subkey);
    encode_u8(&service->subkey, (uint8_t)timer->kind);
    encode_u64(&service->subkey, (uint64_t)timer->time_ms);
    buffer_append(&service->subkey, timer->name_space);
    backend_set_subkey(service->backend, buffer_bytes(&service->subkey));
}

static void keep(struct timer_service *service, const struct timer *timer)
{
    uint8_t hash[sizeof(uint32_t)];
    store_u32(hash, (uint32_t)timer->key.hash);
    set_subkey(service, timer);
    backend_put(service->backend, service->state,
                (struct bytes){ .data = hash, .size = sizeof hash });
}

static void forget(struct timer_service *service, const struct timer *timer)
{
    set_subkey(service, timer);
    backend_remove(service->backend, service->state);
}

/* False: no timer was kept so. */
static bool read_timer(const struct timer_service *service, const struct backend_entry *entry,
                       struct timer *timer)
{
    struct bytes subkey = entry->at.subkey;
    if (subkey.size < SUBKEY_HEAD_BYTES || subkey.data[0] >= TIMER_KIND_COUNT ||
        entry->value.size != sizeof(uint32_t)) {
        return false;
    }
    *timer = (struct timer){ .kind = subkey.data[0],
                             .time_ms = (int64_t)load_u64(subkey.data + 1),
                             .key = { .bytes = entry->at.key,
                                      .hash = (int32_t)load_u32(entry->value.data) },
                             .name_space = { .data = subkey.data + SUBKEY_HEAD_BYTES,
                                             .size = subkey.size - SUBKEY_HEAD_BYTES } };
    return key_group_of(timer->key.hash, service->max_parallelism) == entry->key_group;
}

/* M2: when the millisecond is over. */
static void want_wake(struct operator_context *context)
{
    int64_t first_ms;
    if (timer_service_first_ms(context->timers, TIMER_PROCESSING_TIME, &first_ms)) {
        uint64_t passed_ms = first_ms < 0 ? 0 : (uint64_t)first_ms + 1;
        uint64_t due_ns = passed_ms < WAKE_NEVER / NS_PER_MS ? passed_ms * NS_PER_MS : WAKE_NEVER;
        context->wake_ns = due_ns < context->wake_ns ? due_ns : context->wake_ns;
    }
}

void timers_register(struct operator_context *context, enum timer_kind kind, int64_t time_ms,
                     struct bytes name_space)
{
    CHECK(context->timers != NULL);
    CHECK(context->key != NULL); /* no timers for a side that has no key */
    struct timer timer = {
        .kind = kind, .time_ms = time_ms, .key = *context->key, .name_space = name_space
    };
    if (timer_service_add(context->timers, &timer)) {
        keep(context->timers, &timer);
    }
    if (kind == TIMER_PROCESSING_TIME) {
        want_wake(context);
    }
}

void timers_delete(struct operator_context *context, enum timer_kind kind, int64_t time_ms,
                   struct bytes name_space)
{
    CHECK(context->timers != NULL);
    CHECK(context->key != NULL);
    struct timer timer = {
        .kind = kind, .time_ms = time_ms, .key = *context->key, .name_space = name_space
    };
    if (timer_service_remove(context->timers, &timer)) {
        forget(context->timers, &timer);
    }
}

static void fire_up_to(struct operator_context *context, enum timer_kind kind, int64_t limit_ms,
                       timer_function fire, void *self)
{
    uint64_t fired = 0;
    const struct timer *timer;
    while (context->failure.size == 0 && backend_failure(context->backend) == STATUS_OK &&
           (timer = timer_service_pop(context->timers, kind, limit_ms)) != NULL &&
           !operator_throws(context, HOST_CALL_PROCESS)) {
        context->key = &timer->key;
        context->timestamp_ms = kind == TIMER_EVENT_TIME ? timer->time_ms : NO_TIMESTAMP;
        backend_set_key(context->backend, operator_key_group(context), timer->key.bytes);
        forget(context->timers, timer); /* M4 */
        fire(self, timer);
        fired++;
    }
    context->key = NULL;
    context->timestamp_ms = NO_TIMESTAMP;
    host_charge(context->host, HOST_WORK_RECORDS, fired);
}

void timers_on_watermark(struct operator_context *context, int64_t watermark_ms,
                         timer_function fire, void *self)
{
    if (context->timers != NULL) {
        fire_up_to(context, TIMER_EVENT_TIME, watermark_ms, fire, self);
    }
}

void timers_on_processing_time(struct operator_context *context, uint64_t now_ns,
                               timer_function fire, void *self)
{
    if (context->timers != NULL) {
        fire_up_to(context, TIMER_PROCESSING_TIME, (int64_t)(now_ns / NS_PER_MS) - 1, fire, self);
        want_wake(context);
    }
}

void timers_open(struct operator_context *context)
{
    static const struct state_descriptor timers = { .name = "timers",
                                                    .kind = STATE_TIMERS,
                                                    .value = { .name = "key hash" },
                                                    .subkey = { .name = "timer" } };
    CHECK(context->timers == NULL); /* one keyed function a vertex */
    CHECK(context->backend != NULL);
    context->timers = timer_service_create(
        context->host->arena, context->max_parallelism,
        key_group_range_of(context->subtask, context->max_parallelism, context->parallelism));
    context->timers->backend = context->backend;
    context->timers->state = backend_declare(context->backend, &timers);
    CHECK(context->timers->state != STATE_REFUSED);
    buffer_init(&context->timers->subkey, context->host->arena);
}

enum status timers_restore(struct operator_context *context)
{
    if (context->timers == NULL) {
        return STATUS_OK;
    }
    struct backend_entry entry;
    struct timer timer;
    backend_iterate(context->backend, context->timers->state, SCOPE_STATE);
    while (backend_next(context->backend, context->timers->state, &entry)) {
        if (!read_timer(context->timers, &entry, &timer)) {
            return STATUS_CORRUPT;
        }
        (void)timer_service_add(context->timers, &timer);
    }
    want_wake(context);
    return STATUS_OK;
}
