#include "model/runtime/task_private.h"

/* K1, K2: every input stands at the barrier. Freezes the state, sends the barrier on. */
static void take_snapshot(struct task *task, const struct trigger *trigger,
                          const struct aligner_answer *aligned)
{
    uint64_t checkpoint = trigger->checkpoint;
    uint64_t begin_ns = host_now_ns(task->host);
    /* Machines' clocks may differ. */
    uint64_t start_delay_ns = aligned->first_barrier_ns > trigger->triggered_ns
                                  ? aligned->first_barrier_ns - trigger->triggered_ns
                                  : 0;
    task_report(task, FACT_TASK_ALIGNED, checkpoint, start_delay_ns,
           aligned->last_barrier_ns - aligned->first_barrier_ns);
    if (task->outputs.count > 0) {
        output_set_broadcast(&task->outputs, task->host,
                             trigger_encode(task->host, MESSAGE_BARRIER, task->context.attempt,
                                            trigger));
        task_report(task, FACT_BARRIER_EMITTED, checkpoint, 0, 0);
    }
    struct buffer operators;
    buffer_init(&operators, task->host->arena);
    operator_chain_snapshot(&task->chain, checkpoint, &operators);
    if (task_has_failed(task)) {
        buffer_free(&operators);
        return;
    }
    bool after_end =
        task->state == TASK_END_OF_DATA && checkpoint > task->newest_before_end;
    if (after_end && task->final_checkpoint == 0) {
        task->final_checkpoint = checkpoint;
    }
    task_report(task, FACT_SNAPSHOT_TAKEN, checkpoint, host_now_ns(task->host) - begin_ns, 0);
    task_snapshots_begin(&task->snapshots, checkpoint, trigger->base, &operators, after_end);
    if (task_snapshots_has_work(&task->snapshots)) {
        task_schedule_work(task);
    }
}

static void give_up(struct task *task, uint64_t checkpoint)
{
    struct failure failure = { .checkpoint = checkpoint,
                               .superseded = true,
                               .why = bytes_of_text("a newer barrier came") };
    host_send(task->host, task->deployment->job_manager,
              failure_encode(task->host, MESSAGE_DECLINE, task->context.attempt, task->index,
                             &failure));
}

/* What the newest barrier or trigger named as the base; 0 for another checkpoint than its own: that
 * gets a whole snapshot. */
static uint64_t base_of(const struct task *task, uint64_t checkpoint)
{
    return task->newest_trigger.checkpoint == checkpoint ? task->newest_trigger.base : 0;
}

static void note_trigger(struct task *task, const struct trigger *trigger)
{
    if (trigger->checkpoint > task->newest_trigger.checkpoint) {
        task->newest_trigger = *trigger;
    }
}

/* Does what the aligner answered. `trigger` is that of the event, or NULL. */
static void follow(struct task *task, const struct aligner_answer *answer,
                   const struct trigger *trigger)
{
    if (answer->given_up_id != 0) {
        host_mark(task->host, MARK_ALIGNMENT_GIVEN_UP);
        give_up(task, answer->given_up_id);
    }
    if (answer->aligned_id != 0) {
        /* The end of a channel may complete an alignment whose barriers came before. */
        struct trigger own = { .checkpoint = answer->aligned_id,
                               .triggered_ns = answer->first_barrier_ns,
                               .base = base_of(task, answer->aligned_id) };
        bool given = trigger != NULL && trigger->checkpoint == own.checkpoint;
        take_snapshot(task, given ? trigger : &own, answer);
    }
    if (answer->unblocked) {
        input_gate_unblock(&task->gate);
        task_schedule_work(task);
    }
}

void task_on_barrier(struct task *task, const struct message *message)
{
    struct trigger trigger = trigger_decode(message);
    note_trigger(task, &trigger);
    task_report(task, FACT_BARRIER_RECEIVED, trigger.checkpoint, message->channel, 0);
    struct aligner_answer answer = aligner_on_barrier(
        &task->aligner, message->channel, trigger.checkpoint, host_now_ns(task->host));
    follow(task, &answer, &trigger);
}

void task_on_end_of_partition(struct task *task, const struct message *message)
{
    struct aligner_answer answer =
        aligner_on_end_of_partition(&task->aligner, message->channel, host_now_ns(task->host));
    follow(task, &answer, NULL);
}

void task_on_trigger(struct task *task, const struct message *message)
{
    if (task_is_active(task)) {
        struct trigger trigger = trigger_decode(message);
        note_trigger(task, &trigger);
        struct aligner_answer answer =
            aligner_on_trigger(&task->aligner, trigger.checkpoint, host_now_ns(task->host));
        follow(task, &answer, &trigger);
    }
}

void task_on_aborted(struct task *task, uint64_t checkpoint)
{
    struct aligner_answer answer = aligner_on_aborted(&task->aligner, checkpoint);
    follow(task, &answer, NULL);
    task_snapshots_abandon(&task->snapshots, checkpoint);
}

/* Not before its uploads are over: else a file may stay that the checkpoint knows nothing of. */
void task_finish_if_due(struct task *task)
{
    if (!task_is_active(task) || task->final_checkpoint == 0 ||
        task->final_checkpoint > task->newest_notified || task->snapshots.oldest != NULL) {
        return;
    }
    output_set_broadcast(
        &task->outputs, task->host,
        message_of_kind(task->host, MESSAGE_END_OF_PARTITION, task->context.attempt));
    task->state = TASK_FINISHED;
    task_report(task, FACT_TASK_FINISHED, 0, 0, 0);
    task_tell_job_manager(task, MESSAGE_FINISHED);
}

void task_on_complete(struct task *task, uint64_t checkpoint)
{
    if (!task_is_active(task)) {
        return;
    }
    task_report(task, FACT_TASK_NOTIFIED, checkpoint, 0, 0);
    operator_chain_notify_complete(&task->chain, checkpoint);
    task->newest_notified = checkpoint;
    (void)task_has_failed(task);
}
