#include "tests/support/contract_actor.h"

struct contract contract;

static void *on_start(struct host *host, struct bytes argument)
{
    struct contract_actor *actor = arena_alloc(host->arena, 1, sizeof *actor);
    actor->host = host;
    if (contract.script.on_start != NULL) {
        contract.script.on_start(actor, argument);
    }
    return actor;
}

static void on_message(void *self, struct message *message)
{
    struct contract_actor *actor = self;
    if (contract.script.on_message != NULL) {
        contract.script.on_message(actor, message);
    }
    host_message_free(actor->host, message);
}

static void on_timer(void *self, timer_id timer, uint64_t tag)
{
    if (contract.script.on_timer != NULL) {
        contract.script.on_timer(self, timer, tag);
    }
}

const struct actor_ops contract_actor_ops = {
    .name = "contract", .on_start = on_start, .on_message = on_message, .on_timer = on_timer
};

void contract_setup(void)
{
    contract = (struct contract){ .host = contract.host, .slowness = contract.slowness };
}

void contract_setup_timed(void)
{
    contract_setup();
    contract.is_timed = true;
}

void contract_teardown(void)
{
    if (contract.cluster != NULL) {
        contract.host->end(contract.cluster);
    }
}

static void on_fact(const struct fact_event *event)
{
    ck_assert_uint_lt(contract.entry_count, CONTRACT_ENTRIES_MAX);
    contract.entries[contract.entry_count++] =
        (struct contract_entry){ .time_ns = event->time_ns,
                                 .actor = event->actor,
                                 .what = event->fact.values[0],
                                 .value = event->fact.values[1] };
    if (contract.crash_at > 0 && --contract.crash_at == 0) {
        contract.host->crash(contract.cluster, 0, FOR_EVER);
    }
}

void contract_start(uint32_t process_count, struct contract_script script)
{
    contract.script = script;
    contract.cluster = contract.host->start(process_count, &contract_actor_ops, on_fact);
}

void contract_run(uint64_t until_ns)
{
    contract.host->run(contract.cluster, until_ns);
}

void contract_report(struct contract_actor *actor, uint64_t what, uint64_t value)
{
    host_trace(actor->host, &(struct fact){ .kind = FACT_SOURCE_PROGRESS,
                                            .vertex = FACT_NO_TASK,
                                            .subtask = FACT_NO_TASK,
                                            .values = { what, value } });
}

void contract_send(struct contract_actor *actor, actor_id to, uint32_t stream, uint64_t number)
{
    struct message *message = host_message_new(actor->host, 0);
    message->kind = KIND;
    message->stream = stream;
    message->attempt = number;
    host_send(actor->host, to, message);
}

size_t contract_count(uint64_t what)
{
    size_t count = 0;
    for (size_t i = 0; i < contract.entry_count; i++) {
        count += contract.entries[i].what == what;
    }
    return count;
}

const struct contract_entry *contract_entry(uint64_t what, size_t n)
{
    for (size_t i = 0; i < contract.entry_count; i++) {
        if (contract.entries[i].what == what && n-- == 0) {
            return &contract.entries[i];
        }
    }
    ck_abort_msg("that was not reported so often");
}

void contract_assert(uint64_t what, size_t count, const uint64_t *values)
{
    ck_assert_uint_eq(contract_count(what), count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(contract_entry(what, i)->value, values[i]);
    }
}

void contract_note_message(struct contract_actor *actor, const struct message *message)
{
    contract_report(actor, message->kind == HOST_PEER_LOST ? LOST : ARRIVED,
                    message->kind == HOST_PEER_LOST ? message->from : message->attempt);
}

void contract_ticking_start(struct contract_actor *actor, struct bytes argument)
{
    (void)argument;
    contract_report(actor, STARTED, actor->host->self);
    if (contract_process(actor) == 0) {
        actor->other = actor_address(1, 1, HOST_MAIN_ACTOR);
        (void)host_timer_set(actor->host, 10 * MS, 0);
    }
}

void contract_ticking_timer(struct contract_actor *actor, timer_id timer, uint64_t tag)
{
    (void)timer;
    actor->count++;
    contract_report(actor, SENT, actor->count);
    contract_send(actor, tag == 0 ? actor->other : contract_main_of(1), 0, actor->count);
    (void)host_timer_set(actor->host, (actor->count + 1) * 10 * MS, tag);
}

void contract_add_timed(Suite *suite, const TTest *test)
{
    TCase *tcase = tcase_create(test->name);
    tcase_set_timeout(tcase, 20);
    tcase_add_checked_fixture(tcase, contract_setup_timed, contract_teardown);
    tcase_add_test(tcase, test);
    suite_add_tcase(suite, tcase);
}
