#include "sim/command/list_command.h"

#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/jobs/jobs.h"
#include "model/trace.h"
#include "sim/fault/fault_consequences.h"
#include "sim/live/live_faults.h"
#include "sim/oracle/oracle.h"

static void print_row(int width, const char *name, const char *help)
{
    (void)printf("%-*s  %s\n", width, name, help);
}

static int wider(int width, const char *name)
{
    int size = (int)strlen(name);
    return size > width ? size : width;
}

static void list_jobs(void)
{
    int width = 0;
    const struct job_info *job;
    for (uint32_t i = 0; (job = job_at(i)) != NULL; i++) {
        width = wider(width, job->name);
    }
    for (uint32_t i = 0; (job = job_at(i)) != NULL; i++) {
        print_row(width, job->name, job->help);
    }
}

static void list_facts(void)
{
    int width = 0;
    for (int i = 0; i < FACT_KIND_COUNT; i++) {
        width = wider(width, fact_info((enum fact_kind)i)->name);
    }
    for (int i = 0; i < FACT_KIND_COUNT; i++) {
        const struct fact_info *info = fact_info((enum fact_kind)i);
        print_row(width, info->name, info->help);
    }
}

static void list_marks(void)
{
    int width = 0;
    for (int i = 0; i < MARK_COUNT; i++) {
        width = wider(width, mark_name((enum mark)i));
    }
    for (int i = 0; i < MARK_COUNT; i++) {
        print_row(width, mark_name((enum mark)i), mark_help((enum mark)i));
    }
}

static void list_properties(void)
{
    int width = 0;
    for (int i = 1; i < PROPERTY_COUNT_PLUS_ONE; i++) {
        width = wider(width, property_name((enum property)i));
    }
    for (int i = 1; i < PROPERTY_COUNT_PLUS_ONE; i++) {
        (void)printf("%d  ", i);
        print_row(width, property_name((enum property)i), property_help((enum property)i));
    }
}

static void list_consequence(enum fault_verb verb)
{
    static const char *const results[] = { [EXPECT_SAME] = "same",
                                           [EXPECT_SAME_OR_REFUSED] = "same or refused",
                                           [EXPECT_REFUSED] = "refused",
                                           [EXPECT_FAILED] = "failed",
                                           [EXPECT_SAME_OR_FAILED] = "same or failed" };
    const struct fault_consequence *row = fault_consequence(verb);
    (void)printf("  %-11s%-16s", fault_verb_name(verb), results[row->result]);
    (void)printf("%s%s%s\n", row->when, *row->when != '\0' ? ": " : "", row->why);
}

static void list_backends(void)
{
    static const char *const helps[STATE_BACKEND_COUNT] = {
        [STATE_BACKEND_HEAP] = "tables in memory",
        [STATE_BACKEND_SQLITE] = "a SQLite file on the machine's LOCAL disk, whose faults it feels",
        [STATE_BACKEND_ROCKSDB] = "RocksDB, its files in memory",
    };
    for (uint32_t i = 0; i < STATE_BACKEND_COUNT; i++) {
        enum state_backend kind = (enum state_backend)i;
        print_row(12, state_backend_name(kind),
                  state_backend_is_built_in(kind) ? helps[i] : "(not built into this program)");
    }
}

static void list_refusals(int width)
{
    (void)puts("what `live` refuses, because it cannot be caused for real");
    for (int i = 0; i < FAULT_VERB_COUNT; i++) {
        const char *refusal = live_fault_refusal(&(struct fault){ .verb = (enum fault_verb)i });
        if (refusal != NULL) {
            (void)printf("  ");
            print_row(width, fault_verb_name((enum fault_verb)i), refusal);
        }
    }
}

static void list_faults(void)
{
    static const char *const objects[][2] = {
        { "job_manager", "the JobManager's process" },
        { "task_manager[1]", "one TaskManager's process, counted from 0" },
        { "any task_manager", "one of them, drawn from the seed" },
        { "all task_managers", "every one at once" },
        { "count[2]", "the process that runs subtask 2 of the vertex `count`" },
        { "any count", "... of one subtask, drawn from the seed" },
        { "machine of X", "the machine of any of these; say what becomes of \"unsynced\" data" },
        { "link source->count", "the channels from one vertex to the next" },
        { "connection X - Y", "all that two processes say to each other" },
        { "network of X", "all that a process says and hears; `network`: everybody" },
        { "store", "the shared volume; `store of X`: as that process sees it" },
        { "disk of X", "the local volume of a machine, which the backend sqlite uses" },
        { "file GLOB", "files of the shared volume" },
        { "input", "the generated records" },
    };
    static const char *const triggers[][2] = {
        { "\"at\": \"2.5s\"", "at that simulated time" },
        { "\"when\": \"FACT\"", "the first time it is reported (`list facts` names them)" },
        { "\"when\": \"checkpoint 3 FACT\"", "... for checkpoint 3" },
        { "\"when\": \"FACT(count[1])\"", "... by subtask 1 of `count`" },
        { "\"when\": \"FACT #2\"", "... for the second time" },
        { "\"after\": \"5ms\"", "... that much later" },
        { "\"every\": \"1s..3s\"", "again and again, `times` in all" },
        { "\"rate\": \"2/s\"", "at random, so many a second, `times` in all" },
        { "\"times\", \"spacing\"", "so many in a row; `rolling`: over all TaskManagers" },
        { "\"p\": 0.5", "each with this probability" },
    };
    enum { WIDTH = 27 };
    (void)puts("do: what is done");
    for (int i = 0; i < FAULT_VERB_COUNT; i++) {
        (void)printf("  ");
        print_row(WIDTH, fault_verb_name((enum fault_verb)i), fault_verb_help((enum fault_verb)i));
    }
    (void)puts("what may come of it, if the scenario does not say (`expect.result`)");
    for (int i = 0; i < FAULT_VERB_COUNT; i++) {
        list_consequence((enum fault_verb)i);
    }
    list_refusals(WIDTH);
    (void)puts("on: to whom");
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        (void)printf("  ");
        print_row(WIDTH, objects[i][0], objects[i][1]);
    }
    (void)puts("at or when: the trigger");
    for (size_t i = 0; i < sizeof triggers / sizeof *triggers; i++) {
        (void)printf("  ");
        print_row(WIDTH, triggers[i][0], triggers[i][1]);
    }
}

void list_command(enum list_topic topic)
{
    switch (topic) {
    case LIST_JOBS: list_jobs(); return;
    case LIST_BACKENDS: list_backends(); return;
    case LIST_FAULTS: list_faults(); return;
    case LIST_FACTS: list_facts(); return;
    case LIST_PROPERTIES: list_properties(); return;
    case LIST_MARKS: list_marks(); return;
    case LIST_TOPIC_COUNT: break;
    }
    CHECK_UNREACHABLE("a topic");
}
