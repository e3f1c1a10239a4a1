#include "tests/support/scenarios.h"

#include <check.h>

const char scenario_minimal[] = "{\"job\": {\"name\": \"count\"}}";

const char scenario_example[] =
    "{ \"$schema\": \"../scenario.schema.json\", \"name\": \"coordinator-dies\","
    "  \"about\": \"Crash after the \\\"last\\\" ack.\\n\", \"seed\": 42,"
    "  \"job\": { \"name\": \"count\", \"parallelism\": 4, \"max_parallelism\": 128,"
    "    \"input\": { \"file\": \"input/package-sizes.txt\" } },"
    "  \"state\": { \"backend\": \"heap\", \"incremental\": false },"
    "  \"checkpoint\": { \"interval\": \"1s\", \"timeout\": \"10min\", \"min_pause\": \"0s\","
    "    \"max_concurrent\": 1, \"tolerable_failures\": 0, \"mode\": \"exactly_once\","
    "    \"unaligned\": false, \"retained\": 1, \"store\": \"files\" },"
    "  \"restart\": { \"strategy\": \"fixed_delay\", \"attempts\": 10, \"delay\": \"1s\" },"
    "  \"cluster\": { \"task_managers\": 4, \"slots\": 2,"
    "    \"network\": { \"latency\": \"100us..300us\", \"bandwidth\": \"1GiB/s\","
    "      \"buffer\": \"32KiB\", \"buffers_per_channel\": 2 },"
    "    \"disk\": { \"write\": \"500MiB/s\", \"sync\": \"2ms\" },"
    "    \"store\": { \"write\": \"1GiB/s\", \"latency\": \"5ms\" },"
    "    \"cpu\": { \"record\": \"200ns\", \"snapshot\": \"1GiB/s\" },"
    "    \"heartbeat\": { \"interval\": \"1s\", \"timeout\": \"5s\" } },"
    "  \"faults\": ["
    "    { \"when\": \"checkpoint 3 checkpoint.all_acked\", \"do\": \"crash\","
    "      \"on\": \"job_manager\", \"for\": \"400ms\" },"
    "    { \"at\": \"6.5s\", \"do\": \"pause\", \"on\": \"task_manager[1]\", \"for\": \"1s\" },"
    "    { \"at\": \"2s\", \"do\": \"delay\", \"on\": \"link source->count\", \"by\": \"50ms\","
    "      \"for\": \"3s\" },"
    "    { \"when\": \"manifest.written #2\", \"do\": \"crash\","
    "      \"on\": \"machine of job_manager\", \"unsynced\": \"tear\" } ],"
    "  \"expect\": { \"result\": \"same\", \"checkpoints\": \">= 5\", \"recoveries\": \"<= 3\","
    "    \"recovery_time\": \"< 10s\", \"fired\": \"all\" },"
    "  \"sweep\": { \"checkpoint.interval\": [\"100ms\", \"500ms\"], \"seed\": \"1..5\" },"
    "  \"plot\": [ { \"y\": \"checkpoint_time\", \"x\": \"interval_x_tasks\" } ] }";

const char scenario_unusual[] =
    "{ \"name\": \"unusual\", \"about\": \"tab\\tquote\\\"backslash\\\\\","
    "  \"seed\": \"18446744073709551615\","
    "  \"job\": { \"name\": \"count\", \"parallelism\": 7, \"max_parallelism\": 99,"
    "    \"input\": { \"records\": 12345, \"keys\": 678, \"skew\": 0.987654, \"seed\": 9,"
    "      \"rate\": \"1500/s\" }, \"bad_records\": \"skip\","
    "    \"watermark_interval\": \"19ms\" },"
    "  \"checkpoint\": { \"interval\": \"1.5s\", \"timeout\": \"90s\", \"min_pause\": \"7us\","
    "    \"max_concurrent\": 3, \"tolerable_failures\": 4, \"mode\": \"at_least_once\","
    "    \"retained\": 5, \"inline_threshold\": \"1B\" },"
    "  \"restart\": { \"strategy\": \"failure_rate\", \"attempts\": 6, \"delay\": \"11ms\","
    "    \"initial_delay\": \"12ms\", \"max_delay\": \"13h\", \"multiplier\": \"7/3\","
    "    \"reset_threshold\": \"14min\", \"jitter\": \"1/1000\", \"max_failures\": 8,"
    "    \"failure_interval\": \"15s\", \"allow_older\": true, \"restore_tries\": 16,"
    "    \"restore_retry_delay\": \"17ns\" },"
    "  \"cluster\": { \"task_managers\": 9, \"slots\": 10,"
    "    \"network\": { \"latency\": \"18ns..19h\", \"local_latency\": \"20ns\","
    "      \"bandwidth\": \"21B/s\", \"buffer\": \"257B\", \"buffers_per_channel\": 22,"
    "      \"buffer_timeout\": \"23ms\" },"
    "    \"disk\": { \"write\": \"24KiB/s\", \"read\": \"25MiB/s\", \"sync\": \"26us\" },"
    "    \"store\": { \"write\": \"27GiB/s\", \"read\": \"28B/s\", \"latency\": \"29ns\","
    "      \"client_write\": \"27KiB/s\", \"client_read\": \"28KiB/s\", \"writers\": 29 },"
    "    \"cpu\": { \"record\": \"30ns\", \"snapshot\": \"31B/s\" },"
    "    \"heartbeat\": { \"interval\": \"32ms\", \"timeout\": \"33s\" } },"
    "  \"faults\": ["
    "    { \"when\": \"checkpoint 2 task.acked(count[3]) #4\", \"do\": \"crash\","
    "      \"on\": \"machine of count[5]\", \"for\": \"ever\", \"unsynced\": \"lose\" },"
    "    { \"when\": \"task.restored(source)\", \"do\": \"crash\", \"on\": \"all task_managers\" },"
    "    { \"at\": \"1ns\", \"do\": \"corrupt\", \"on\": \"file a b/*\\\"?\" },"
    "    { \"at\": \"0s\", \"do\": \"remove\", \"on\": \"file x\" },"
    "    { \"at\": \"1s..2s\", \"do\": \"pause\", \"on\": \"any count\", \"for\": \"1ms..9s\" },"
    "    { \"at\": \"1s\", \"do\": \"crash\", \"on\": \"machine of any task_manager\" },"
    "    { \"when\": \"task.aligned(any count)\", \"do\": \"delay\", \"for\": \"ever\","
    "      \"on\": \"link source->count\", \"by\": \"1us..2us\" } ],"
    "  \"expect\": { \"result\": \"same_or_refused\", \"checkpoints\": 5, \"recoveries\": \"> 3\","
    "    \"recovery_time\": \"<= 1.5s\", \"fired\": \"any\", \"within\": \"34min\" },"
    "  \"plot\": [ { \"y\": \"subtasks\", \"x\": \"time\" },"
    "    { \"y\": \"phase_time\", \"x\": \"tasks\" } ] }";

const char *text_of(const struct buffer *buffer, struct arena *arena)
{
    return arena_format(arena, "%.*s", (int)buffer->size, (const char *)buffer->data);
}

const char *scenario_try(struct scenario *scenario, struct arena *arena, const char *json,
                         const struct scenario_overrides *overrides)
{
    struct buffer error;
    buffer_init(&error, arena);
    enum status status =
        scenario_parse(scenario, arena, bytes_of_text(json), "test.json", "/in", overrides, &error);
    ck_assert_int_eq(status, error.size == 0 ? STATUS_OK : STATUS_INVALID);
    return text_of(&error, arena);
}

const char *scenario_try_with(struct scenario *scenario, struct arena *arena, const char *json,
                              const char *const settings[4])
{
    struct scenario_overrides overrides = { .settings = settings };
    while (overrides.setting_count < 4 && settings[overrides.setting_count] != NULL) {
        overrides.setting_count++;
    }
    return scenario_try(scenario, arena, json, &overrides);
}

struct scenario scenario_from(struct arena *arena, const char *json)
{
    struct scenario scenario;
    ck_assert_str_eq(scenario_try(&scenario, arena, json, NULL), "");
    return scenario;
}
