#include "tests/support/coordinator_play.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct coordinator_options options_with(uint64_t interval_ns, uint32_t task_count)
{
    return (struct coordinator_options){ .interval_ns = interval_ns,
                                         .timeout_ns = 1000,
                                         .max_concurrent = 1,
                                         .tolerable_failures = 9,
                                         .retained = 1,
                                         .task_count = task_count };
}

static void action_text(char *text, size_t size, const struct coordinator_action *action)
{
    unsigned long long id = action->id;
    switch (action->kind) {
    case COORDINATOR_TRIGGER: snprintf(text, size, "trigger %llu; ", id); return;
    case COORDINATOR_COMMIT: snprintf(text, size, "commit %llu; ", id); return;
    case COORDINATOR_NOTIFY_COMPLETE: snprintf(text, size, "complete %llu; ", id); return;
    case COORDINATOR_NOTIFY_ABORTED:
        snprintf(text, size, "abort %llu %s; ", id, action->reason);
        return;
    case COORDINATOR_DISCARD: snprintf(text, size, "discard %llu; ", id); return;
    case COORDINATOR_DISCARD_ACK: snprintf(text, size, "discard_ack %llu; ", id); return;
    case COORDINATOR_SUBSUME: snprintf(text, size, "subsume %llu; ", id); return;
    case COORDINATOR_WAKE:
        snprintf(text, size, "wake %llu; ", (unsigned long long)action->at_ns);
        return;
    case COORDINATOR_FAIL_JOB:
        snprintf(text, size, "fail_job %llu %s; ", id, action->reason);
        return;
    }
    ck_abort_msg("unknown action");
}

/* All actions since the last call, behind `prefix`. */
static void taken_text(char text[512], struct coordinator *coordinator, const char *prefix)
{
    uint32_t count;
    const struct coordinator_action *actions = coordinator_take_actions(coordinator, &count);
    snprintf(text, 512, "%s", prefix);
    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        action_text(text + used, 512 - used, &actions[i]);
    }
    size_t used = strlen(text);
    if (used >= 2) {
        text[used - 2] = '\0';
    }
}

static const char *give_ack(struct coordinator *coordinator, uint64_t now_ns, uint64_t id,
                            uint32_t task)
{
    switch (coordinator_on_ack(coordinator, now_ns, id, task)) {
    case COORDINATOR_ACK_ACCEPTED: return "";
    case COORDINATOR_ACK_DUPLICATE: return "duplicate; ";
    case COORDINATOR_ACK_LATE: return "late; ";
    case COORDINATOR_ACK_UNKNOWN: return "unknown; ";
    }
    ck_abort_msg("unknown judgement");
}

static const char *give_event(struct coordinator *coordinator, const char *event)
{
    unsigned long long now_ns = 0;
    unsigned long long id = 0;
    unsigned task = 0;
    char verb[32];
    int fields = sscanf(event, "%llu %31s %llu %u", &now_ns, verb, &id, &task);
    ck_assert_int_ge(fields, 2);
    if (strcmp(verb, "start") == 0) {
        coordinator_start(coordinator, now_ns, 0, NULL);
    } else if (strcmp(verb, "start_late") == 0) {
        coordinator_start(coordinator, now_ns, UINT64_MAX, NULL);
    } else if (strcmp(verb, "stop") == 0) {
        coordinator_stop(coordinator, now_ns, "stopped");
    } else if (strcmp(verb, "time") == 0) {
        coordinator_on_time(coordinator, now_ns);
    } else if (strcmp(verb, "ack") == 0) {
        return give_ack(coordinator, now_ns, id, task);
    } else if (strcmp(verb, "decline") == 0) {
        coordinator_on_decline(coordinator, now_ns, id, task, "declined");
    } else if (strcmp(verb, "given_up") == 0) {
        coordinator_on_given_up(coordinator, now_ns, id, task);
    } else if (strcmp(verb, "trigger_failed") == 0) {
        coordinator_on_trigger_failed(coordinator, now_ns, id);
    } else if (strcmp(verb, "committed") == 0) {
        coordinator_on_committed(coordinator, now_ns, id);
    } else if (strcmp(verb, "commit_failed") == 0) {
        coordinator_on_commit_failed(coordinator, now_ns, id, false);
    } else if (strcmp(verb, "commit_unknown") == 0) {
        coordinator_on_commit_failed(coordinator, now_ns, id, true);
    } else if (strcmp(verb, "finish") == 0) {
        coordinator_mark_final(coordinator, id);
    } else if (strcmp(verb, "restoring") == 0) {
        coordinator_on_restoring(coordinator, id);
    } else if (strcmp(verb, "give_up") == 0) {
        return coordinator_give_up(coordinator, id) ? "" : "unknown; ";
    } else if (strcmp(verb, "end") == 0) {
        coordinator_on_end_of_data(coordinator, now_ns, (uint32_t)id);
    } else {
        ck_assert_str_eq(verb, "finished");
        coordinator_on_finished(coordinator, now_ns, (uint32_t)id);
    }
    return "";
}

void play_on(struct coordinator *coordinator, const struct step *steps)
{
    for (size_t i = 0; steps[i].event != NULL; i++) {
        char text[512];
        taken_text(text, coordinator, give_event(coordinator, steps[i].event));
        ck_assert_msg(strcmp(text, steps[i].expected) == 0, "step %zu '%s':\n  got  %s\n  want %s",
                      i, steps[i].event, text, steps[i].expected);
    }
}

void play(struct coordinator_options options, const struct step *steps)
{
    struct arena arena;
    arena_init(&arena);
    struct coordinator *coordinator = coordinator_create(&arena, &options, 1, NULL, 0);
    play_on(coordinator, steps);
    coordinator_destroy(coordinator);
    ck_assert_ptr_null(arena.blocks);
    arena_drop(&arena);
}
