/* Property 14: who is silent is given up, and nobody else. A TaskManager that the JobManager has
 * not heard of for heartbeat.timeout is declared lost when the JobManager next sends its
 * heartbeats, and none is declared lost before. Judged by the messages that pass, at the moments
 * at which the JobManager works: what reached it while it was busy, it has not heard. Of a moment
 * that is only known to lie between two times, what holds for every moment between is judged. What
 * a clock that goes wrong measures is not judged. */
#include "sim/oracle/judge.h"

#include <string.h>

#include "model/base/check.h"

#define SILENT "no heartbeat within the timeout" /* what the text of failure.detected ends with */

enum { NS_PER_MS = 1000000, FIRST_TASK_MANAGER = 1 /* the number of its process */ };

void property_heartbeat_init(struct oracle *oracle)
{
    struct heartbeat_memory *memory = &oracle->heartbeat;
    memory->peers =
        arena_alloc(oracle->arena, oracle->scenario->job.task_managers, sizeof *memory->peers);
}

/* NULL: no TaskManager. */
static struct heartbeat_peer *peer_of(struct oracle *oracle, uint64_t process)
{
    bool is_one = process >= FIRST_TASK_MANAGER &&
                  process - FIRST_TASK_MANAGER < oracle->scenario->job.task_managers;
    return is_one ? &oracle->heartbeat.peers[process - FIRST_TASK_MANAGER] : NULL;
}

static uint64_t timeout_ns(const struct oracle *oracle)
{
    return oracle->scenario->job.heartbeat_timeout_ns;
}

static void on_sent(struct oracle *oracle, struct heartbeat_peer *peer,
                    const struct heartbeat_event *event)
{
    CHECK(event->time_ns >= peer->heard_ns);
    CHECK(peer->heard_until_ns >= peer->heard_ns);
    uint64_t heard_ns = peer->heard_until_ns; /* at the latest */
    uint64_t silent_ns = event->time_ns > heard_ns ? event->time_ns - heard_ns : 0;
    if (peer->address == event->task_manager && silent_ns >= timeout_ns(oracle) &&
        !oracle->clocks_go_wrong) {
        judge_report(oracle, PROPERTY_HEARTBEAT,
                     "task_manager[%u] was not declared lost at %llu ms, though it had been silent "
                     "for %llu ms; the timeout is %llu ms",
                     event->process - FIRST_TASK_MANAGER,
                     (unsigned long long)(event->time_ns / NS_PER_MS),
                     (unsigned long long)(silent_ns / NS_PER_MS),
                     (unsigned long long)(timeout_ns(oracle) / NS_PER_MS));
    }
}

/* A registration counts when the JobManager says that it does: it may come twice, or late, and the
 * JobManager may work long between the two. */
void property_heartbeat_on_event(struct oracle *oracle, const struct heartbeat_event *event)
{
    struct heartbeat_memory *memory = &oracle->heartbeat;
    struct heartbeat_peer *peer = peer_of(oracle, event->process);
    CHECK(peer != NULL);
    if (memory->job_manager != event->job_manager) {
        memset(memory->peers, 0, oracle->scenario->job.task_managers * sizeof *memory->peers);
        memory->job_manager = event->job_manager;
    }
    if (event->kind == HEARTBEAT_SENT) {
        on_sent(oracle, peer, event);
    } else if (event->kind == HEARTBEAT_REGISTERING) {
        peer->registering = event->task_manager;
        peer->registering_ns = event->time_ns;
    } else if (peer->address == event->task_manager) {
        peer->heard_ns = event->time_ns;
        peer->heard_until_ns = event->until_ns;
    }
}

static void on_lost(struct oracle *oracle, struct heartbeat_peer *peer,
                    const struct fact_event *event)
{
    CHECK(event->time_ns >= peer->heard_ns);
    uint64_t silent_ns = event->time_ns - peer->heard_ns;
    if (peer->address != 0 && silent_ns < timeout_ns(oracle) && !oracle->clocks_go_wrong) {
        judge_report(oracle, PROPERTY_HEARTBEAT,
                     "task_manager[%llu] was declared lost at %llu ms, %llu ms after it was heard "
                     "of; the timeout is %llu ms",
                     (unsigned long long)event->fact.values[0] - FIRST_TASK_MANAGER,
                     (unsigned long long)(event->time_ns / NS_PER_MS),
                     (unsigned long long)(silent_ns / NS_PER_MS),
                     (unsigned long long)(timeout_ns(oracle) / NS_PER_MS));
    }
    peer->address = 0;
}

void property_heartbeat_on_fact(struct oracle *oracle, const struct fact_event *event)
{
    struct heartbeat_peer *peer = peer_of(oracle, event->fact.values[0]);
    struct bytes text = event->fact.text;
    if (peer == NULL) {
        return;
    }
    if (event->fact.kind == FACT_TASK_MANAGER_REGISTERED) {
        peer->address = peer->registering;
        peer->heard_ns = peer->registering_ns;
        peer->heard_until_ns = event->time_ns;
        return;
    }
    CHECK(event->fact.kind == FACT_FAILURE_DETECTED);
    if (text.size >= strlen(SILENT) &&
        memcmp(text.data + text.size - strlen(SILENT), SILENT, strlen(SILENT)) == 0) {
        on_lost(oracle, peer, event);
    }
}
