#include "sim/live/live_watch.h"

#include "model/base/check.h"
#include "model/runtime/messages.h"
#include "model/runtime/process.h"

uint32_t live_watch_tells(const struct message *message)
{
    bool from_manager = actor_process(message->from) == PROCESS_JOB_MANAGER;
    bool to_manager = actor_process(message->to) == PROCESS_JOB_MANAGER;
    switch (message->kind) {
    case MESSAGE_DATA:
    case MESSAGE_CREDIT: return LIVE_TELL_SENT;
    case MESSAGE_HEARTBEAT:
        return from_manager ? LIVE_TELL_SENT : to_manager ? LIVE_TELL_RECEIVED : 0;
    case MESSAGE_REGISTER:
    case MESSAGE_CANCELLED: return to_manager ? LIVE_TELL_RECEIVED : 0;
    default: return 0;
    }
}

static bool is_of_credit(const struct live_passing *passing)
{
    return passing->message_kind == MESSAGE_DATA || passing->message_kind == MESSAGE_CREDIT;
}

/* A buffer is on its way from when it was sent. What the JobManager does about heartbeats belongs
 * to the whole handler, the facts of which come after its begin. */
uint64_t live_watch_time_ns(const struct live_passing *passing)
{
    return is_of_credit(passing) ? passing->until_ns : passing->from_ns;
}

static struct credit_event credit_of(const struct live_passing *passing)
{
    bool is_returned = passing->message_kind == MESSAGE_CREDIT;
    CHECK(passing->stream > 0 && !passing->is_received);
    return (struct credit_event){ .time_ns = passing->until_ns,
                                  .sender = is_returned ? passing->to : passing->from,
                                  .receiver = is_returned ? passing->from : passing->to,
                                  .edge = passing->stream - 1,
                                  .is_returned = is_returned };
}

static struct heartbeat_event heartbeat_of(const struct live_passing *passing)
{
    bool is_heard = passing->is_received;
    actor_id task_manager = is_heard ? passing->from : passing->to;
    return (struct heartbeat_event){
        .time_ns = passing->from_ns,
        .until_ns = passing->until_ns,
        .job_manager = is_heard ? passing->to : passing->from,
        .task_manager = task_manager,
        .process = actor_process(task_manager),
        .kind = !is_heard                                   ? HEARTBEAT_SENT
                : passing->message_kind == MESSAGE_REGISTER ? HEARTBEAT_REGISTERING
                                                            : HEARTBEAT_HEARD,
    };
}

void live_watch_tell(const struct live_passing *passing, struct run *run)
{
    if (is_of_credit(passing)) {
        struct credit_event event = credit_of(passing);
        run_on_credit(run, &event);
    } else {
        struct heartbeat_event event = heartbeat_of(passing);
        run_on_heartbeat(run, &event);
    }
}
