#include "model/runtime/output.h"

#include <string.h>

#include "model/base/codec.h"
#include "model/base/prng.h"
#include "model/runtime/messages.h"
#include "tests/support/message_host.h"
#include "tests/support/runner.h"

enum { CHANNELS = 4, BUFFER_BYTES = 100, CREDIT = 2, MAX_PARALLELISM = 128, ATTEMPT = 9 };

static struct message_host host;
static struct output output;
static actor_id receivers[CHANNELS];

static void key_of_number(const struct record *record, struct key *key)
{
    key_set_i64(key, record_to_i64(record));
}

static void begin(uint32_t buffer_bytes, uint32_t credit)
{
    message_host_init(&host);
    for (uint32_t i = 0; i < CHANNELS; i++) {
        receivers[i] = actor_address(2, 1, 10 + i);
    }
    struct output_options options = { .attempt = ATTEMPT,
                                      .edge = 3,
                                      .source_channel = 7,
                                      .channel_count = CHANNELS,
                                      .receivers = receivers,
                                      .max_parallelism = MAX_PARALLELISM,
                                      .exchange = EXCHANGE_HASH,
                                      .key_of = key_of_number,
                                      .buffer_bytes = buffer_bytes,
                                      .buffers_per_channel = credit };
    output_init(&output, &host.host, &options);
}

static void setup(void)
{
    begin(BUFFER_BYTES, CREDIT);
}

static void teardown(void)
{
    message_host_free(&host);
}

static uint32_t channel_of(int64_t key)
{
    return key_group_subtask(key_group_of(key_hash_i64(key), MAX_PARALLELISM), MAX_PARALLELISM,
                             CHANNELS);
}

/* The `n`-th key, from 0, that belongs to `channel`. */
static int64_t key_for(uint32_t channel, int n)
{
    int64_t key = 0;
    for (;; key++) {
        if (channel_of(key) == channel && n-- == 0) {
            return key;
        }
    }
}

/* A record of `size` bytes, at least 8: its key, then filling. */
static void emit(int64_t key, uint32_t size)
{
    uint8_t data[1000];
    ck_assert_uint_ge(size, 8);
    ck_assert_uint_le(size, sizeof data);
    memset(data, (int)(key & 0xff), size);
    store_u64(data, (uint64_t)key);
    output_emit(&output, &(struct record){ .value = { data, size } });
}

static struct message *make_barrier(struct host *base, const void *argument)
{
    return trigger_encode(base, MESSAGE_BARRIER, ATTEMPT, argument);
}

static void broadcast(uint64_t checkpoint)
{
    output_broadcast(&output, make_barrier, &(struct trigger){ .checkpoint = checkpoint });
}

static uint32_t channel_of_message(const struct message *message)
{
    return actor_index(message->to) - 10;
}

static size_t sent_count(void)
{
    size_t count = 0;
    for (const struct message *at = host.sent_head; at != NULL; at = at->next) {
        count++;
    }
    return count;
}

static void drop_sent(void)
{
    struct message *message;
    while ((message = message_host_take(&host)) != NULL) {
        host_message_free(&host.host, message);
    }
}

START_TEST(records_go_to_the_subtask_that_owns_their_key)
{
    for (int64_t key = 0; key < 30; key++) {
        emit(key, 8);
    }
    ck_assert(output_is_dirty(&output));
    output_flush(&output);
    ck_assert(!output_is_dirty(&output));
    int count = 0;
    struct message *message;
    while ((message = message_host_take(&host)) != NULL) {
        for (uint32_t at = 0; at < message->size; at += 12) {
            ck_assert_uint_eq(load_u32(message->data + at), 8);
            int64_t key = (int64_t)load_u64(message->data + at + 4);
            ck_assert_uint_eq(channel_of(key), channel_of_message(message));
            count++;
        }
        host_message_free(&host.host, message);
    }
    ck_assert_int_eq(count, 30);
}
END_TEST

START_TEST(a_buffer_says_whose_it_is)
{
    emit(1, 8);
    output_flush(&output);
    struct message *message = message_host_take(&host);
    ck_assert_uint_eq(message->kind, MESSAGE_DATA);
    ck_assert_uint_eq(message->attempt, ATTEMPT);
    ck_assert_uint_eq(message->stream, 4); /* edge 3; 0 is control */
    ck_assert_uint_eq(message->channel, 7);
    ck_assert_uint_eq(message->to, receivers[channel_of(1)]);
}
END_TEST

START_TEST(nothing_is_sent_before_a_buffer_is_full_or_flushed)
{
    int64_t key = key_for(0, 0);
    for (int i = 0; i < 8; i++) {
        emit(key, 8); /* 12 bytes each with its length: 96 */
    }
    ck_assert_uint_eq(sent_count(), 0);
    emit(key, 8);
    ck_assert_uint_eq(sent_count(), 1);
    ck_assert_uint_eq(host.sent_head->size, 96);
    output_flush(&output);
    ck_assert_uint_eq(sent_count(), 2);
    ck_assert_uint_eq(host.sent_tail->size, 12);
    output_flush(&output);
    ck_assert_uint_eq(sent_count(), 2);
}
END_TEST

START_TEST(a_buffer_can_be_filled_to_its_last_byte)
{
    int64_t key = key_for(0, 0);
    emit(key, 50 - 4);
    emit(key, 50 - 4);
    ck_assert_uint_eq(sent_count(), 0);
    emit(key, 8);
    ck_assert_uint_eq(host.sent_head->size, BUFFER_BYTES);
}
END_TEST

START_TEST(a_buffer_grows_and_keeps_what_it_holds)
{
    teardown();
    begin(32 * 1024, CREDIT);
    int64_t key = key_for(1, 0);
    for (uint32_t i = 0; i < 300; i++) {
        emit(key, 8 + i % 90);
    }
    output_flush(&output);
    ck_assert_uint_eq(sent_count(), 1);
    const struct message *message = host.sent_head;
    uint32_t at = 0;
    for (uint32_t i = 0; i < 300; i++) {
        ck_assert_uint_eq(load_u32(message->data + at), 8 + i % 90);
        ck_assert_uint_eq(load_u64(message->data + at + 4), (uint64_t)key);
        at += 4 + 8 + i % 90;
    }
    ck_assert_uint_eq(at, message->size);
    ck_assert_uint_eq(host.live, 1); /* the smaller buffers were freed */
}
END_TEST

START_TEST(a_record_larger_than_a_buffer_gets_one_of_its_own)
{
    int64_t key = key_for(2, 0);
    emit(key, 8);
    emit(key, 500);
    ck_assert_uint_eq(sent_count(), 1);
    ck_assert_uint_eq(host.sent_head->size, 12);
    emit(key, 8);
    ck_assert_uint_eq(sent_count(), 2);
    ck_assert_uint_eq(host.sent_tail->size, 504);
    ck_assert_uint_eq(load_u32(host.sent_tail->data), 500);
    ck_assert_uint_eq(host.sent_tail->data[503], (uint8_t)key);
}
END_TEST

/* W2 */
START_TEST(no_more_buffers_are_on_their_way_than_credit_allows)
{
    int64_t key = key_for(0, 0);
    for (int i = 0; i < 5; i++) {
        emit(key, 8);
        output_flush(&output);
        ck_assert_uint_eq(sent_count(), i < CREDIT ? (size_t)i + 1 : CREDIT);
        ck_assert_int_eq(output_is_available(&output), i < CREDIT);
    }
    output_on_credit(&output, 0);
    ck_assert_uint_eq(sent_count(), 3);
    ck_assert(!output_is_available(&output));
    output_on_credit(&output, 0);
    output_on_credit(&output, 0);
    ck_assert_uint_eq(sent_count(), 5);
    ck_assert(output_is_available(&output));
}
END_TEST

/* W3 */
START_TEST(one_channel_without_credit_stops_the_subtask)
{
    for (uint32_t channel = 0; channel < 2; channel++) {
        for (int i = 0; i < CREDIT + 1; i++) {
            emit(key_for(channel, i), 8);
            output_flush(&output);
        }
    }
    ck_assert(!output_is_available(&output));
    output_on_credit(&output, 0);
    ck_assert(!output_is_available(&output)); /* channel 1 still waits */
    output_on_credit(&output, 1);
    ck_assert(output_is_available(&output));
}
END_TEST

/* W1, W2 */
START_TEST(an_event_needs_no_credit_but_keeps_its_place)
{
    int64_t key = key_for(0, 0);
    for (int i = 0; i < CREDIT + 1; i++) {
        emit(key, 8);
        output_flush(&output);
    }
    drop_sent();
    broadcast(5);
    ck_assert_uint_eq(sent_count(), CHANNELS - 1); /* channel 0: behind the buffer that waits */
    for (const struct message *at = host.sent_head; at != NULL; at = at->next) {
        ck_assert_uint_ne(channel_of_message(at), 0);
        ck_assert_uint_eq(at->kind, MESSAGE_BARRIER);
        ck_assert_uint_eq(at->stream, 4);
        ck_assert_uint_eq(at->channel, 7);
    }
    drop_sent();
    output_on_credit(&output, 0);
    ck_assert_uint_eq(sent_count(), 2);
    ck_assert_uint_eq(host.sent_head->kind, MESSAGE_DATA);
    ck_assert_uint_eq(host.sent_tail->kind, MESSAGE_BARRIER);
    ck_assert(output_is_available(&output));
}
END_TEST

/* W1 */
START_TEST(an_event_comes_behind_what_was_collected_before_it)
{
    int64_t key = key_for(3, 0);
    emit(key, 8);
    broadcast(1);
    emit(key, 8);
    output_flush(&output);
    uint32_t kinds[3];
    size_t count = 0;
    for (const struct message *at = host.sent_head; at != NULL; at = at->next) {
        if (channel_of_message(at) == 3) {
            kinds[count++] = at->kind;
        }
    }
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(kinds[0], MESSAGE_DATA);
    ck_assert_uint_eq(kinds[1], MESSAGE_BARRIER);
    ck_assert_uint_eq(kinds[2], MESSAGE_DATA);
}
END_TEST

START_TEST(a_vertex_without_consumer_sends_nothing)
{
    struct output_options options = { .attempt = 1 };
    output_init(&output, &host.host, &options);
    output_flush(&output);
    broadcast(1);
    ck_assert_uint_eq(sent_count(), 0);
    ck_assert(output_is_available(&output));
    ck_assert(!output_is_dirty(&output));
}
END_TEST

/* What went into a channel and what came out at its receiver: record keys, and barriers as -id. */
enum { LOG_MAX = 100000 };
struct log {
    int64_t *items;
    size_t in;
    size_t out;
    uint32_t outstanding; /* buffers sent and not consumed */
    struct message_queue network;
};

static void deliver(struct log *logs)
{
    struct message *message;
    while ((message = message_host_take(&host)) != NULL) {
        struct log *log = &logs[channel_of_message(message)];
        log->outstanding += message->kind == MESSAGE_DATA;
        ck_assert_uint_le(log->outstanding, CREDIT);
        message_queue_push(&log->network, message);
    }
}

static void note_out(struct log *log, int64_t item)
{
    ck_assert_uint_lt(log->out, log->in);
    ck_assert_int_eq(log->items[log->out], item);
    log->out++;
}

/* The receiver of a channel consumes one message and gives the credit back. */
static void consume(struct log *logs, uint32_t channel)
{
    struct log *log = &logs[channel];
    struct message *message = message_queue_pop(&log->network);
    if (message == NULL) {
        return;
    }
    if (message->kind == MESSAGE_BARRIER) {
        note_out(log, -(int64_t)trigger_decode(message).checkpoint);
    } else {
        uint32_t at = 0;
        while (at < message->size) {
            uint32_t size = load_u32(message->data + at);
            note_out(log, (int64_t)load_u64(message->data + at + 4));
            ck_assert(at + 4 + size <= BUFFER_BYTES || message->size == 4 + size);
            at += 4 + size;
        }
        ck_assert_uint_eq(at, message->size);
        log->outstanding--;
        output_on_credit(&output, channel);
    }
    host_message_free(&host.host, message);
    deliver(logs);
}

/* W3 */
static void assert_available_iff_nothing_waits(void)
{
    bool waits = false;
    for (uint32_t i = 0; i < CHANNELS; i++) {
        waits = waits || output.channels[i].waiting.count > 0;
    }
    ck_assert_int_eq(output_is_available(&output), !waits);
}

START_TEST(every_channel_is_first_in_first_out_under_any_load)
{
    struct log logs[CHANNELS] = { 0 };
    struct prng prng = { .state = 1 };
    uint64_t checkpoint = 0;
    size_t stalls = 0;
    for (uint32_t i = 0; i < CHANNELS; i++) {
        logs[i].items = arena_alloc(&host.arena, LOG_MAX, sizeof *logs[i].items);
    }
    for (int step = 0; step < LOG_MAX; step++) {
        uint64_t dice = prng_below(&prng, 100);
        if (!output_is_available(&output)) {
            stalls++;
            consume(logs, (uint32_t)prng_below(&prng, CHANNELS)); /* W3: no input is taken */
        } else if (dice < 70) {
            int64_t key = (int64_t)prng_below(&prng, 1000) + 1;
            struct log *log = &logs[channel_of(key)];
            log->items[log->in++] = key;
            emit(key, 8 + (uint32_t)prng_below(&prng, prng_chance(&prng, 50000) ? 200 : 20));
        } else if (dice < 75) {
            output_flush(&output);
        } else if (dice < 78) {
            checkpoint++;
            for (uint32_t i = 0; i < CHANNELS; i++) {
                logs[i].items[logs[i].in++] = -(int64_t)checkpoint;
            }
            broadcast(checkpoint);
        } else {
            consume(logs, (uint32_t)prng_below(&prng, CHANNELS));
        }
        deliver(logs);
        assert_available_iff_nothing_waits();
    }
    output_flush(&output);
    deliver(logs);
    for (uint32_t round = 0; round < LOG_MAX; round++) {
        consume(logs, round % CHANNELS);
    }
    for (uint32_t i = 0; i < CHANNELS; i++) {
        ck_assert_uint_eq(logs[i].in, logs[i].out); /* nothing was lost */
        ck_assert_uint_eq(logs[i].outstanding, 0);
        ck_assert_uint_gt(logs[i].in, 1000);
    }
    ck_assert(output_is_available(&output));
    ck_assert_uint_eq(host.live, 0);
    ck_assert_uint_gt(stalls, 100);
}
END_TEST

/* An output of another kind, with the timestamps of `timestamp_ms` or none (NULL). */
static struct collector begin_exchange(enum exchange exchange, uint32_t channel_count,
                                       const int64_t *timestamp_ms)
{
    struct output_options options = { .attempt = ATTEMPT,
                                      .edge = 3,
                                      .source_channel = 7,
                                      .channel_count = channel_count,
                                      .receivers = receivers,
                                      .max_parallelism = MAX_PARALLELISM,
                                      .exchange = exchange,
                                      .key_of = exchange == EXCHANGE_HASH ? key_of_number : NULL,
                                      .timestamp_ms = timestamp_ms,
                                      .first_channel = exchange == EXCHANGE_REBALANCE ? 2 : 0,
                                      .buffer_bytes = BUFFER_BYTES,
                                      .buffers_per_channel = CREDIT };
    output_init(&output, &host.host, &options);
    return output_collector(&output);
}

static void emit_to(struct collector *out, int64_t number)
{
    uint8_t room[8];
    struct record record = record_i64(room, number);
    collector_emit(out, &record);
}

/* The only record of each buffer sent, by channel; -1: none. */
static void take_numbers(int64_t numbers[CHANNELS])
{
    for (uint32_t i = 0; i < CHANNELS; i++) {
        numbers[i] = -1;
    }
    output_flush(&output);
    struct message *message;
    while ((message = message_host_take(&host)) != NULL) {
        ck_assert_uint_eq(message->size, 12);
        numbers[channel_of_message(message)] = (int64_t)load_u64(message->data + 4);
        host_message_free(&host.host, message);
    }
}

START_TEST(rebalanced_records_go_to_each_channel_in_turn)
{
    struct collector out = begin_exchange(EXCHANGE_REBALANCE, CHANNELS, NULL);
    int64_t numbers[CHANNELS];
    for (int64_t i = 0; i < CHANNELS; i++) {
        emit_to(&out, i);
    }
    take_numbers(numbers);
    for (uint32_t i = 0; i < CHANNELS; i++) {
        ck_assert_int_eq(numbers[(2 + i) % CHANNELS], i); /* from the first channel on */
    }
}
END_TEST

START_TEST(broadcast_records_go_to_all_channels)
{
    struct collector out = begin_exchange(EXCHANGE_BROADCAST, CHANNELS, NULL);
    int64_t numbers[CHANNELS];
    emit_to(&out, 5);
    take_numbers(numbers);
    for (uint32_t i = 0; i < CHANNELS; i++) {
        ck_assert_int_eq(numbers[i], 5);
    }
}
END_TEST

START_TEST(forwarded_records_go_to_the_only_channel)
{
    struct collector out = begin_exchange(EXCHANGE_FORWARD, 1, NULL);
    int64_t numbers[CHANNELS];
    emit_to(&out, 5);
    take_numbers(numbers);
    ck_assert_int_eq(numbers[0], 5);
    ck_assert_int_eq(numbers[1], -1);
}
END_TEST

START_TEST(numbers_at_once_go_where_each_would_go)
{
    int64_t numbers[NUMBERS_AT_ONCE];
    for (uint32_t i = 0; i < NUMBERS_AT_ONCE; i++) {
        numbers[i] = (int64_t)i * 7 - 100;
    }
    struct buffer sent[2];
    for (int at_once = 0; at_once < 2; at_once++) {
        struct collector out = begin_exchange(EXCHANGE_HASH, CHANNELS, NULL);
        for (uint32_t i = 0; i < NUMBERS_AT_ONCE && !at_once; i++) {
            emit_to(&out, numbers[i]);
        }
        ck_assert(!at_once || collector_emit_numbers(&out, numbers, NUMBERS_AT_ONCE));
        output_flush(&output);
        buffer_init(&sent[at_once], &host.arena);
        struct message *message;
        while ((message = message_host_take(&host)) != NULL) {
            encode_u32(&sent[at_once], channel_of_message(message));
            encode_bytes(&sent[at_once],
                         (struct bytes){ .data = message->data, .size = message->size });
            host_message_free(&host.host, message);
        }
    }
    ck_assert_uint_gt(sent[0].size, (size_t)12 * NUMBERS_AT_ONCE / 2);
    ck_assert(bytes_equal(buffer_bytes(&sent[0]), buffer_bytes(&sent[1])));
}
END_TEST

START_TEST(numbers_that_need_more_than_a_channel_come_one_by_one)
{
    int64_t timestamp_ms = 4;
    int64_t number = 5;
    struct collector timed = begin_exchange(EXCHANGE_HASH, CHANNELS, &timestamp_ms);
    ck_assert(!collector_emit_numbers(&timed, &number, 1));
    struct collector dealt = begin_exchange(EXCHANGE_REBALANCE, CHANNELS, NULL);
    ck_assert(!collector_emit_numbers(&dealt, &number, 1));
    ck_assert(!output_is_dirty(&output));
}
END_TEST

static void key_of_nobody(const struct record *record, struct key *key)
{
    (void)record;
    (void)key;
    ck_abort_msg("asked for a key");
}

START_TEST(where_there_is_one_channel_nobody_asks_for_the_key)
{
    int64_t timestamp_ms = 4;
    for (int is_timed = 0; is_timed < 2; is_timed++) {
        (void)begin_exchange(EXCHANGE_HASH, 1, is_timed ? &timestamp_ms : NULL);
        output.key_of = key_of_nobody;
        struct collector out = output_collector(&output);
        emit_to(&out, 5);
        emit_to(&out, 6);
        output_flush(&output);
        const struct message *sent = host.sent_head;
        uint32_t each = is_timed ? 20 : 12;
        ck_assert_uint_eq(sent_count(), 1);
        ck_assert_uint_eq(sent->size, 2 * each);
        ck_assert_int_eq((int64_t)load_u64(sent->data + each - 8), 5);
        ck_assert_int_eq((int64_t)load_u64(sent->data + sent->size - 8), 6);
        host_message_free(&host.host, message_host_take(&host));
    }
}
END_TEST

START_TEST(timestamps_travel_between_length_and_bytes)
{
    int64_t timestamp_ms = -3;
    struct collector out = begin_exchange(EXCHANGE_HASH, CHANNELS, &timestamp_ms);
    for (int i = 0; i < 8; i++) {
        emit_to(&out, 1);
        timestamp_ms++;
    }
    output_flush(&output);
    ck_assert_uint_eq(sent_count(), 2); /* 20 bytes each: five fill a buffer */
    ck_assert_uint_eq(host.sent_head->size, BUFFER_BYTES);
    ck_assert_uint_eq(channel_of_message(host.sent_head), channel_of(1));
    for (uint32_t i = 0; i < 5; i++) {
        const uint8_t *at = host.sent_head->data + (size_t)20 * i;
        ck_assert_uint_eq(load_u32(at), 8);
        ck_assert_int_eq((int64_t)load_u64(at + 4), (int64_t)i - 3);
        ck_assert_int_eq((int64_t)load_u64(at + 12), 1);
    }
}
END_TEST

static Suite *suite(void)
{
    TCase *tcase = tcase_create("output");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, records_go_to_the_subtask_that_owns_their_key);
    tcase_add_test(tcase, a_buffer_says_whose_it_is);
    tcase_add_test(tcase, nothing_is_sent_before_a_buffer_is_full_or_flushed);
    tcase_add_test(tcase, a_buffer_can_be_filled_to_its_last_byte);
    tcase_add_test(tcase, a_buffer_grows_and_keeps_what_it_holds);
    tcase_add_test(tcase, a_record_larger_than_a_buffer_gets_one_of_its_own);
    tcase_add_test(tcase, no_more_buffers_are_on_their_way_than_credit_allows);
    tcase_add_test(tcase, one_channel_without_credit_stops_the_subtask);
    tcase_add_test(tcase, an_event_needs_no_credit_but_keeps_its_place);
    tcase_add_test(tcase, an_event_comes_behind_what_was_collected_before_it);
    tcase_add_test(tcase, a_vertex_without_consumer_sends_nothing);
    tcase_add_test(tcase, rebalanced_records_go_to_each_channel_in_turn);
    tcase_add_test(tcase, broadcast_records_go_to_all_channels);
    tcase_add_test(tcase, forwarded_records_go_to_the_only_channel);
    tcase_add_test(tcase, numbers_at_once_go_where_each_would_go);
    tcase_add_test(tcase, numbers_that_need_more_than_a_channel_come_one_by_one);
    tcase_add_test(tcase, where_there_is_one_channel_nobody_asks_for_the_key);
    tcase_add_test(tcase, timestamps_travel_between_length_and_bytes);
    tcase_add_test(tcase, every_channel_is_first_in_first_out_under_any_load);
    Suite *suite = suite_create("output");
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
