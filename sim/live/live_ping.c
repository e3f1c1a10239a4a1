#include <errno.h>
#include <string.h>

#include "model/base/check.h"
#include "model/live/live_cluster.h"
#include "sim/live/live_folder.h"
#include "sim/live/live_measure.h"

enum {
    ROUNDS = 9,
    SMALL_BYTES = 16,
    SMALL_COUNT = 200, /* round trips in a round */
    LARGE_BYTES = 1 << 20,
    LARGE_COUNT = 8,
    KIND = 1, /* of the messages */
    ECHO = 1, /* index of the actor that answers in the same process */
};

#define LIMIT_NS (UINT64_C(5) * 1000 * 1000 * 1000)
#define RETRY_NS (UINT64_C(100) * 1000 * 1000)

/* What is sent to and fro. */
struct ping_plan {
    uint32_t size_bytes;
    uint32_t count;
    bool is_local;
};

struct ping {
    struct host *host;
    struct ping_plan plan;
    actor_id peer;
    uint64_t tries;
    uint64_t answers;
};

/* ---- the two actors -------------------------------------------------------------------------- */

static void *echo_on_start(struct host *host, struct bytes argument)
{
    (void)argument;
    return host;
}

static void echo_on_message(void *self, struct message *message)
{
    host_send(self, message->from, message);
}

static void echo_on_timer(void *self, timer_id timer, uint64_t tag)
{
    (void)self;
    (void)timer;
    (void)tag;
    CHECK_UNREACHABLE("it sets none");
}

static const struct actor_ops echo_actor = { .name = "echo",
                                             .on_start = echo_on_start,
                                             .on_message = echo_on_message,
                                             .on_timer = echo_on_timer };

/* The first message is lost when the other process is not there yet. */
static void ping_begin(struct ping *ping)
{
    struct message *message = host_message_new(ping->host, ping->plan.size_bytes);
    message->kind = KIND;
    message->stream = 1;
    message->attempt = ++ping->tries;
    message->size = ping->plan.size_bytes;
    memset(message->data, 0, message->size);
    host_send(ping->host, ping->peer, message);
    (void)host_timer_set(ping->host, host_now_ns(ping->host) + RETRY_NS, 0);
}

static void *ping_on_start(struct host *host, struct bytes argument)
{
    struct ping *ping = arena_alloc(host->arena, 1, sizeof *ping);
    *ping = (struct ping){ .host = host };
    CHECK(argument.size == sizeof ping->plan);
    memcpy(&ping->plan, argument.data, sizeof ping->plan);
    ping->peer = ping->plan.is_local ? host_spawn(host, ECHO, &echo_actor, (struct bytes){ 0 })
                                     : actor_address(1, HOST_INCARNATION_ANY, HOST_MAIN_ACTOR);
    ping_begin(ping);
    return ping;
}

/* The facts of a source that has emitted so many tell the rounds. */
static void ping_on_message(void *self, struct message *message)
{
    struct ping *ping = self;
    if (message->attempt != ping->tries) {
        host_message_free(ping->host, message);
        return;
    }
    if (ping->answers++ % ping->plan.count == 0) {
        host_trace(ping->host, &(struct fact){ .kind = FACT_SOURCE_PROGRESS,
                                               .vertex = 0,
                                               .values = { ping->answers } });
    }
    host_send(ping->host, message->from, message);
}

static void ping_on_timer(void *self, timer_id timer, uint64_t tag)
{
    struct ping *ping = self;
    (void)timer;
    (void)tag;
    if (ping->answers == 0) {
        ping_begin(ping);
    }
}

static const struct actor_ops ping_actor = { .name = "ping",
                                             .on_start = ping_on_start,
                                             .on_message = ping_on_message,
                                             .on_timer = ping_on_timer };

/* ---- listening ------------------------------------------------------------------------------- */

struct rounds {
    uint64_t times_ns[ROUNDS + 1];
    uint32_t count;
};

static void on_fact(void *context, const struct fact_event *event)
{
    struct rounds *rounds = context;
    if (event->fact.kind == FACT_SOURCE_PROGRESS && rounds->count <= ROUNDS) {
        rounds->times_ns[rounds->count++] = event->time_ns;
    }
}

static void on_death(void *context, uint32_t process, int how)
{
    (void)context;
    (void)process;
    (void)how;
}

/* One way, of one message. */
static enum status measure(struct arena *arena, const char *folder, const struct ping_plan *plan,
                           uint64_t *way_ns, struct buffer *error)
{
    struct live_folder *opened = live_folder_open(arena, folder, error);
    if (opened == NULL) {
        return STATUS_IO;
    }
    struct rounds rounds = { 0 };
    struct live_cluster_options options = {
        .process_count = 2,
        .first = &ping_actor,
        .others = &echo_actor,
        .argument = { .data = (const uint8_t *)plan, .size = sizeof *plan },
        .directory = folder,
        .listener = { .on_fact = on_fact, .on_death = on_death, .context = &rounds },
    };
    struct live_cluster *cluster = live_cluster_create(&options);
    bool ok = cluster != NULL && live_cluster_begin(cluster);
    while (ok && rounds.count <= ROUNDS && live_cluster_now_ns(cluster) < LIMIT_NS) {
        live_cluster_poll(cluster, LIMIT_NS);
    }
    if (cluster != NULL) {
        live_cluster_destroy(cluster);
    }
    live_folder_close(opened);
    if (!ok || rounds.count <= ROUNDS) {
        buffer_append_format(error, "no messages pass between processes: %s",
                             ok ? "they do not answer" : strerror(errno));
        return STATUS_IO;
    }
    uint64_t took_ns[ROUNDS];
    for (uint32_t i = 0; i < ROUNDS; i++) {
        took_ns[i] = (rounds.times_ns[i + 1] - rounds.times_ns[i]) / (UINT64_C(2) * plan->count);
    }
    *way_ns = live_median(took_ns, ROUNDS);
    return STATUS_OK;
}

enum status live_measure_messages(struct arena *arena, const char *folder,
                                  struct live_message_speed *speed, struct buffer *error)
{
    const struct ping_plan small = { .size_bytes = SMALL_BYTES, .count = SMALL_COUNT };
    const struct ping_plan local = { .size_bytes = SMALL_BYTES,
                                     .count = SMALL_COUNT,
                                     .is_local = true };
    const struct ping_plan large = { .size_bytes = LARGE_BYTES, .count = LARGE_COUNT };
    uint64_t large_ns = 0;
    enum status status = measure(arena, folder, &small, &speed->latency_ns, error);
    if (status == STATUS_OK) {
        status = measure(arena, folder, &local, &speed->local_latency_ns, error);
    }
    if (status == STATUS_OK) {
        status = measure(arena, folder, &large, &large_ns, error);
    }
    if (status == STATUS_OK) {
        uint64_t transfer_ns = large_ns > speed->latency_ns ? large_ns - speed->latency_ns : 1;
        speed->bytes_per_s = UINT64_C(1000000000) * LARGE_BYTES / transfer_ns;
    }
    return status;
}
