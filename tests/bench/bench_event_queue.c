/* The hold model: with a steady number of pending events, pop one and push one that is due after an
 * exponential delay. Beside the queue stands a plain binary heap, as the reference of the ratio:
 * the machine's speed cancels out. Both fold what they pop into a sum, and the sums must agree. */
#include "sim/world/event_queue.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/check.h"
#include "model/base/prng.h"

enum {
    REPEATS = 5,
    TABLE_BITS = 12,
    TABLE_STEPS = 1 << TABLE_BITS,
    FRACTION_BITS = 24,
    HOLDS_SMALL = 1000000,
    HOLDS_LARGE = 400000, /* from LARGE pending on, so that the heap ends within seconds */
    LARGE = 100000,
    LIFE_EVENTS = 1000
};

/* A binary heap of 32 bytes an event: a sequence number keeps equal times in the order of Q1. */
struct entry {
    struct event event;
    uint64_t sequence;
};

struct heap {
    struct entry *entries;
    uint64_t count;
    uint64_t sequence;
};

struct model {
    struct event_queue *queue; /* or NULL: the heap is measured */
    struct heap heap;
    struct prng prng;
    uint64_t sum;
    uint64_t delays_ns[TABLE_STEPS + 1];
};

struct timing {
    double ns_median;
    double ns_min;
    double ns_max;
    double bytes;
};

static bool entry_is_before(const struct entry *a, const struct entry *b)
{
    return a->event.due_ns != b->event.due_ns ? a->event.due_ns < b->event.due_ns
                                              : a->sequence < b->sequence;
}

static void heap_push(struct heap *heap, struct event event)
{
    struct entry entry = { .event = event, .sequence = heap->sequence++ };
    uint64_t at = heap->count++;
    while (at > 0 && entry_is_before(&entry, &heap->entries[(at - 1) / 2])) {
        heap->entries[at] = heap->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->entries[at] = entry;
}

static void heap_pop(struct heap *heap, struct event *event)
{
    CHECK(heap->count > 0);
    *event = heap->entries[0].event;
    struct entry entry = heap->entries[--heap->count];
    uint64_t at = 0;
    for (uint64_t child = 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count &&
            entry_is_before(&heap->entries[child + 1], &heap->entries[child])) {
            child++;
        }
        if (!entry_is_before(&heap->entries[child], &entry)) {
            break;
        }
        heap->entries[at] = heap->entries[child];
        at = child;
    }
    heap->entries[at] = entry;
}

static void fill_table(struct model *model, double mean_ns)
{
    for (uint64_t i = 0; i < TABLE_STEPS; i++) {
        model->delays_ns[i] = (uint64_t)(-log1p(-(double)i / TABLE_STEPS) * mean_ns);
    }
    model->delays_ns[TABLE_STEPS] = (uint64_t)(log(2.0 * TABLE_STEPS) * mean_ns);
}

static uint64_t draw_delay_ns(const struct model *model, struct prng *prng)
{
    uint64_t bits = prng_next(prng);
    uint64_t step = bits >> (64 - TABLE_BITS);
    uint64_t fraction = bits % (UINT64_C(1) << FRACTION_BITS);
    uint64_t low_ns = model->delays_ns[step];
    return low_ns + ((model->delays_ns[step + 1] - low_ns) * fraction >> FRACTION_BITS);
}

/* The event that a popped one becomes: built anew, as a simulation builds it. */
static struct event event_after(struct event event, uint64_t delay_ns)
{
    return (struct event){ .due_ns = event.due_ns + delay_ns,
                           .kind = event.kind,
                           .number = event.number,
                           .subject = event.subject };
}

static void hold_queue(struct model *model, uint64_t hold_count)
{
    struct prng prng = model->prng; /* in registers: the loop is to measure the queue */
    uint64_t sum = model->sum;
    struct event event = { .due_ns = 0 };
    for (uint64_t i = 0; i < hold_count; i++) {
        CHECK(event_queue_pop(model->queue, &event));
        sum = (sum ^ event.due_ns) + event.number + i;
        event_queue_push(model->queue, event_after(event, draw_delay_ns(model, &prng)));
    }
    model->prng = prng;
    model->sum = sum;
}

static void hold_heap(struct model *model, uint64_t hold_count)
{
    struct prng prng = model->prng;
    uint64_t sum = model->sum;
    struct event event = { .due_ns = 0 };
    for (uint64_t i = 0; i < hold_count; i++) {
        heap_pop(&model->heap, &event);
        sum = (sum ^ event.due_ns) + event.number + i;
        heap_push(&model->heap, event_after(event, draw_delay_ns(model, &prng)));
    }
    model->prng = prng;
    model->sum = sum;
}

static void hold(struct model *model, uint64_t hold_count)
{
    if (model->queue != NULL) {
        hold_queue(model, hold_count);
    } else {
        hold_heap(model, hold_count);
    }
}

static double clock_ns(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double resident_bytes(void)
{
    long total_pages = 0;
    long resident_pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL);
    CHECK(fscanf(file, "%ld %ld", &total_pages, &resident_pages) == 2);
    CHECK(fclose(file) == 0);
    return (double)resident_pages * (double)sysconf(_SC_PAGESIZE);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct timing measure(struct model *model, uint64_t pending_count)
{
    double ns[REPEATS];
    double before_bytes = resident_bytes();
    uint64_t hold_count = pending_count < LARGE ? HOLDS_SMALL : HOLDS_LARGE;
    for (uint64_t i = 0; i < pending_count; i++) {
        struct event event = { .due_ns = draw_delay_ns(model, &model->prng),
                               .number = (uint32_t)i };
        if (model->queue != NULL) {
            event_queue_push(model->queue, event);
        } else {
            heap_push(&model->heap, event);
        }
    }
    hold(model, pending_count + HOLDS_LARGE);
    for (int i = 0; i < REPEATS; i++) {
        double start_ns = clock_ns();
        hold(model, hold_count);
        ns[i] = (clock_ns() - start_ns) / (double)hold_count;
    }
    double bytes = (resident_bytes() - before_bytes) / (double)pending_count;
    qsort(ns, REPEATS, sizeof ns[0], compare_doubles);
    return (struct timing){ ns[REPEATS / 2], ns[0], ns[REPEATS - 1], bytes };
}

static void print_row(uint64_t pending_count)
{
    struct model *model = calloc(1, sizeof *model);
    CHECK(model != NULL);
    fill_table(model, 1e9);
    model->queue = event_queue_create();
    struct timing queue = measure(model, pending_count);
    uint64_t queue_sum = model->sum;
    event_queue_destroy(model->queue);

    model->queue = NULL;
    model->prng.state = 0;
    model->sum = 0;
    model->heap.entries = malloc(pending_count * sizeof *model->heap.entries);
    CHECK(model->heap.entries != NULL);
    struct timing heap = measure(model, pending_count);
    CHECK(model->sum == queue_sum);
    (void)printf("%8lu  %6.1f M (%.1f..%.1f)  %7.1f  %8.1f  %8.1f M  %6.1f  %6.1f\n",
                 (unsigned long)pending_count, 1e3 / queue.ns_median, 1e3 / queue.ns_max,
                 1e3 / queue.ns_min, queue.ns_median, queue.bytes, 1e3 / heap.ns_median,
                 heap.ns_median, heap.ns_median / queue.ns_median);
    free(model->heap.entries);
    free(model);
}

/* How long a small world lives: create, a thousand events, destroy. */
static void print_life(void)
{
    enum { LIVES = 1000 };
    double start_ns = clock_ns();
    for (uint64_t life = 0; life < LIVES; life++) {
        event_queue_destroy(event_queue_create());
    }
    double empty_ns = clock_ns() - start_ns;
    struct prng prng = { .state = 1 };
    start_ns = clock_ns();
    for (uint64_t life = 0; life < LIVES; life++) {
        struct event_queue *queue = event_queue_create();
        struct event event = { .due_ns = 0 };
        for (uint64_t i = 0; i < LIFE_EVENTS; i++) {
            uint64_t due_ns = event.due_ns + prng_below(&prng, 1000000);
            event_queue_push(queue, (struct event){ .due_ns = due_ns });
            if (i >= 50) {
                CHECK(event_queue_pop(queue, &event));
            }
        }
        event_queue_destroy(queue);
    }
    (void)printf("\ncreate and destroy: %.2f us; with %d events, 50 pending: %.1f us\n",
                 empty_ns / LIVES / 1e3, LIFE_EVENTS, (clock_ns() - start_ns) / LIVES / 1e3);
}

/* What is left of the memory of a million events when they have been popped. */
static void print_burst(void)
{
    enum { BURST = 1000000 };
    struct prng prng = { .state = 2 };
    struct event_queue *queue = event_queue_create();
    struct event event;
    double before_bytes = resident_bytes();
    double start_ns = clock_ns();
    for (uint32_t i = 0; i < BURST; i++) {
        event_queue_push(queue, (struct event){ .due_ns = prng_below(&prng, 300000) });
    }
    double full_bytes = resident_bytes() - before_bytes;
    while (event_queue_pop(queue, &event)) {
        CHECK(event.due_ns == event_queue_now_ns(queue));
    }
    double ns = (clock_ns() - start_ns) / BURST;
    (void)malloc_trim(0);
    (void)printf("burst of %d within 300 us: %.1f ns an event, %.1f MB; drained: %.1f MB\n", BURST,
                 ns, full_bytes / 1e6, (resident_bytes() - before_bytes) / 1e6);
    event_queue_destroy(queue);
}

/* In a process of its own, a row finds no memory that an earlier row has left behind. */
static void print_apart(void (*print)(uint64_t), uint64_t argument)
{
    (void)fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        print(argument);
        exit(EXIT_SUCCESS);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

static void print_others(uint64_t unused)
{
    (void)unused;
    print_life();
    print_burst();
}

int main(void)
{
    static const uint64_t pending_counts[] = { 10, 100, 1024, 16384, 131072, 1048576 };
    (void)printf("Hold model, exponential delays of mean 1 s; median of %d (min..max)\n\n",
                 REPEATS);
    (void)printf(" pending  queue, holds/s            ns/hold  bytes/ev  heap, holds/s  "
                 "ns/hold  ratio\n");
    for (size_t i = 0; i < sizeof pending_counts / sizeof pending_counts[0]; i++) {
        print_apart(print_row, pending_counts[i]);
    }
    print_apart(print_others, 0);
    return EXIT_SUCCESS;
}
