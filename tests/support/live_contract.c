#include "tests/support/live_contract.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/live/live_cluster.h"
#include "tests/support/contract_actor.h"

enum { PROCESSES_MAX = 4, SLOWNESS = 5 };

struct live {
    char directory[32];
    struct live_cluster *cluster;
    void (*listen)(const struct fact_event *event);
    uint64_t back_ns[PROCESSES_MAX]; /* when a process that was killed starts again; 0: never */
};

static void on_fact(void *context, const struct fact_event *event)
{
    const struct live *live = context;
    live->listen(event);
}

static void on_death(void *context, uint32_t process, int how)
{
    (void)context;
    ck_abort_msg("process %u ended by itself: status %d", process, how);
}

static void *start(bool threads, uint32_t process_count, const struct actor_ops *main,
                   void (*listen)(const struct fact_event *event))
{
    struct live *live = calloc(1, sizeof *live);
    ck_assert_ptr_nonnull(live);
    ck_assert_uint_le(process_count, PROCESSES_MAX);
    (void)snprintf(live->directory, sizeof live->directory, "/tmp/faultline-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(live->directory));
    live->listen = listen;
    struct live_cluster_options options = {
        .threads = threads,
        .process_count = process_count,
        .slowness = contract.slowness * (contract.is_timed ? SLOWNESS : 1),
        .first = main,
        .others = main,
        .directory = live->directory,
        .waits = UINT64_MAX,
        .listener = { .on_fact = on_fact, .on_death = on_death, .context = live },
    };
    live->cluster = live_cluster_create(&options);
    ck_assert_ptr_nonnull(live->cluster);
    ck_assert(live_cluster_begin(live->cluster));
    return live;
}

static void *start_threads(uint32_t process_count, const struct actor_ops *main,
                           void (*listen)(const struct fact_event *event))
{
    return start(true, process_count, main, listen);
}

static void *start_processes(uint32_t process_count, const struct actor_ops *main,
                             void (*listen)(const struct fact_event *event))
{
    return start(false, process_count, main, listen);
}

/* Starts who is due; returns when the next one is, at the latest `wake_ns`. */
static uint64_t start_due(struct live *live, uint64_t now_ns, uint64_t wake_ns)
{
    for (uint32_t i = 0; i < PROCESSES_MAX; i++) {
        if (live->back_ns[i] != 0 && live->back_ns[i] <= now_ns) {
            live->back_ns[i] = 0;
            ck_assert(live_cluster_start(live->cluster, i));
        } else if (live->back_ns[i] != 0 && live->back_ns[i] < wake_ns) {
            wake_ns = live->back_ns[i];
        }
    }
    return wake_ns;
}

static void run(void *cluster, uint64_t until_ns)
{
    struct live *live = cluster;
    uint64_t now_ns;
    do {
        now_ns = live_cluster_now_ns(live->cluster);
        live_cluster_poll(live->cluster, start_due(live, now_ns, until_ns));
    } while (now_ns < until_ns);
}

static void crash(void *cluster, uint32_t process, uint64_t for_ns)
{
    struct live *live = cluster;
    ck_assert(live_cluster_kill(live->cluster, process));
    live->back_ns[process] = for_ns == 0 ? 0 : live_cluster_now_ns(live->cluster) + for_ns;
}

static void reset(void *cluster, uint32_t one, uint32_t other)
{
    ck_assert(live_cluster_reset(((struct live *)cluster)->cluster, one, other));
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

static void end(void *cluster)
{
    struct live *live = cluster;
    live_cluster_destroy(live->cluster);
    ck_assert_int_eq(nftw(live->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(live);
}

const struct contract_host live_contract_threads = { .name = "live host, threads",
                                                     .start = start_threads,
                                                     .run = run,
                                                     .crash = crash,
                                                     .reset = reset,
                                                     .end = end };

const struct contract_host live_contract_processes = { .name = "live host, processes",
                                                       .apart = true,
                                                       .start = start_processes,
                                                       .run = run,
                                                       .crash = crash,
                                                       .reset = reset,
                                                       .end = end };
