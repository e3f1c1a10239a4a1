#include "model/runtime/output.h"

#include <string.h>

#include "model/base/check.h"
#include "model/base/codec.h"
#include "model/runtime/messages.h"

enum {
    BUFFER_BYTES_FIRST = 256,
    LENGTH_BYTES = sizeof(uint32_t),
    TIMED_BYTES = sizeof(uint32_t) + sizeof(int64_t), /* length and timestamp */
};

void output_init(struct output *output, struct host *host, const struct output_options *options)
{
    struct arena *arena = host->arena;
    *output = (struct output){ .host = host,
                               .attempt = options->attempt,
                               .stream = options->edge + 1,
                               .source_channel = options->source_channel,
                               .channel_count = options->channel_count,
                               .receivers = options->receivers,
                               .max_parallelism = options->max_parallelism,
                               .exchange = options->exchange,
                               .key_of = options->key_of,
                               .timestamp_ms = options->timestamp_ms,
                               .next_channel = options->first_channel,
                               .buffer_bytes = options->buffer_bytes };
    if (output->channel_count == 0) {
        return;
    }
    CHECK((options->key_of != NULL) == (options->exchange == EXCHANGE_HASH));
    CHECK(options->first_channel < output->channel_count);
    CHECK(options->buffers_per_channel > 0);
    output->channels = arena_alloc(arena, output->channel_count, sizeof *output->channels);
    output->dirty = arena_alloc(arena, output->channel_count, sizeof *output->dirty);
    for (uint32_t i = 0; i < output->channel_count; i++) {
        output->channels[i].credit = options->buffers_per_channel;
        output->channels[i].size_hint_bytes = BUFFER_BYTES_FIRST;
    }
    if (output->exchange != EXCHANGE_HASH) {
        return;
    }
    output->channel_of_key_group =
        arena_alloc(arena, output->max_parallelism, sizeof *output->channel_of_key_group);
    for (uint32_t group = 0; group < output->max_parallelism; group++) {
        output->channel_of_key_group[group] = (uint16_t)key_group_subtask(
            group, output->max_parallelism, output->channel_count);
    }
}

static bool is_buffer(const struct message *message)
{
    return message->kind == MESSAGE_DATA;
}

static void transmit(struct output *output, uint32_t channel, struct message *message)
{
    message->stream = output->stream;
    message->channel = output->source_channel;
    host_send(output->host, output->receivers[channel], message);
}

/* Sends now if W1 and W2 allow it, else lets the message wait its turn. */
static void enqueue(struct output *output, uint32_t index, struct message *message)
{
    struct output_channel *channel = &output->channels[index];
    if (channel->waiting.count > 0) {
        if (!is_buffer(message)) {
            host_mark(output->host, MARK_BARRIER_BEHIND_BUFFERS);
        }
        message_queue_push(&channel->waiting, message);
    } else if (!is_buffer(message)) {
        transmit(output, index, message);
    } else if (channel->credit > 0) {
        channel->credit--;
        transmit(output, index, message);
    } else {
        message_queue_push(&channel->waiting, message);
        output->stalled_count++;
    }
}

/* Leaves the dirty list as it is. */
static void send_current(struct output *output, uint32_t index)
{
    struct output_channel *channel = &output->channels[index];
    struct message *message = channel->current;
    if (message == NULL) {
        return;
    }
    channel->current = NULL;
    channel->size_hint_bytes = message->size < BUFFER_BYTES_FIRST ? BUFFER_BYTES_FIRST
                                                                  : message->size;
    enqueue(output, index, message);
}

static struct message *new_buffer(struct output *output, uint32_t capacity)
{
    struct message *message = host_message_new(output->host, capacity);
    message->kind = MESSAGE_DATA;
    message->attempt = output->attempt;
    return message;
}

/* Room for `needed` more bytes in the channel's buffer: begins one, enlarges it, or sends the full
 * one first. A record larger than a buffer gets a buffer of its own size. */
static struct message *make_room(struct output *output, uint32_t index, uint32_t needed)
{
    struct output_channel *channel = &output->channels[index];
    struct message *message = channel->current;
    if (message == NULL) {
        output->dirty[output->dirty_count++] = index;
    } else if (message->size + needed > output->buffer_bytes) {
        send_current(output, index); /* the channel stays in the dirty list */
    }
    if (channel->current == NULL) {
        uint32_t capacity = channel->size_hint_bytes;
        channel->current = new_buffer(output, capacity < needed ? needed : capacity);
        return channel->current;
    }
    uint32_t doubled = message->capacity * 2;
    uint32_t least = message->size + needed;
    struct message *larger = new_buffer(output, doubled < least ? least : doubled);
    memcpy(larger->data, message->data, message->size);
    larger->size = message->size;
    host_message_free(output->host, message);
    channel->current = larger;
    return larger;
}

/* Adds a record, with its timestamp if it travels with one, to channel number `index`. */
__attribute__((noinline)) static void put(struct output *output, uint32_t index,
                                          const struct record *record)
{
    uint32_t size = (uint32_t)record->value.size;
    bool is_timed = output->timestamp_ms != NULL;
    uint32_t needed = size + (is_timed ? TIMED_BYTES : LENGTH_BYTES);
    struct message *message = output->channels[index].current;
    if (message == NULL || message->size + needed > message->capacity ||
        message->size + needed > output->buffer_bytes) {
        message = make_room(output, index, needed);
    }
    uint8_t *at = message->data + message->size;
    message->size += needed;
    store_u32(at, size);
    at += LENGTH_BYTES;
    if (is_timed) {
        store_u64(at, (uint64_t)*output->timestamp_ms);
        at += sizeof *output->timestamp_ms;
    }
    bytes_put(at, record->value.data, size);
}

/* Once more for the way of nearly every record, which has no timestamp and finds room: without a
 * call, so there are few registers to save. */
static inline void add(struct output *output, uint32_t index, const struct record *record)
{
    uint32_t size = (uint32_t)record->value.size;
    struct message *message = output->channels[index].current;
    if (message == NULL || message->size + size + LENGTH_BYTES > message->capacity ||
        message->size + size + LENGTH_BYTES > output->buffer_bytes) {
        put(output, index, record);
        return;
    }
    uint8_t *at = message->data + message->size;
    message->size += size + LENGTH_BYTES;
    store_u32(at, size);
    if (size == sizeof(uint64_t)) {
        store_u64(at + LENGTH_BYTES, load_u64(record->value.data)); /* a number */
    } else {
        bytes_put(at + LENGTH_BYTES, record->value.data, size);
    }
}

/* The channel of a record's key. */
static inline uint16_t channel_of(const struct output *output, const struct record *record)
{
    struct key key;
    output->key_of(record, &key);
    return output->channel_of_key_group[key_group_of(key.hash, output->max_parallelism)];
}

void output_emit(void *self, const struct record *record)
{
    struct output *output = self;
    add(output, channel_of(output, record), record);
}

/* As output_emit would, but first all channels: so the processor is at those of the next numbers
 * while it waits for what leads from one number to its channel. */
static bool emit_numbers(void *self, const int64_t *numbers, uint32_t count)
{
    struct output *output = self;
    uint16_t channels[NUMBERS_AT_ONCE];
    uint8_t room[8];
    CHECK(count <= NUMBERS_AT_ONCE);
    for (uint32_t i = 0; i < count; i++) {
        struct record record = record_i64(room, numbers[i]);
        channels[i] = channel_of(output, &record);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct record record = record_i64(room, numbers[i]);
        add(output, channels[i], &record);
    }
    return true;
}

static void emit_by_key(void *self, const struct record *record)
{
    struct output *output = self;
    put(output, channel_of(output, record), record);
}

/* There is one channel, whatever the key. */
static void emit_to_only(void *self, const struct record *record)
{
    struct output *output = self;
    if (output->timestamp_ms == NULL) {
        add(output, 0, record);
    } else {
        put(output, 0, record);
    }
}

static void emit_in_turn(void *self, const struct record *record)
{
    struct output *output = self;
    uint32_t index = output->next_channel;
    output->next_channel = index + 1 < output->channel_count ? index + 1 : 0;
    put(output, index, record);
}

static void emit_to_all(void *self, const struct record *record)
{
    struct output *output = self;
    for (uint32_t i = 0; i < output->channel_count; i++) {
        put(output, i, record);
    }
}

struct collector output_collector(struct output *output)
{
    struct collector collector = { .target = output };
    if (output->channel_count == 1) {
        collector.emit = emit_to_only;
        return collector;
    }
    switch (output->exchange) {
    case EXCHANGE_FORWARD: break; /* it has one channel */
    case EXCHANGE_REBALANCE: collector.emit = emit_in_turn; break;
    case EXCHANGE_BROADCAST: collector.emit = emit_to_all; break;
    case EXCHANGE_HASH:
        collector.emit = output->timestamp_ms == NULL ? output_emit : emit_by_key;
        collector.emit_numbers = output->timestamp_ms == NULL ? emit_numbers : NULL;
        break;
    }
    CHECK(collector.emit != NULL);
    return collector;
}

void output_flush(struct output *output)
{
    for (uint32_t i = 0; i < output->dirty_count; i++) {
        send_current(output, output->dirty[i]);
    }
    output->dirty_count = 0;
}

void output_broadcast(struct output *output,
                      struct message *(*make)(struct host *host, const void *argument),
                      const void *argument)
{
    output_flush(output);
    for (uint32_t i = 0; i < output->channel_count; i++) {
        enqueue(output, i, make(output->host, argument));
    }
}

void output_on_credit(struct output *output, uint32_t index)
{
    CHECK(index < output->channel_count);
    struct output_channel *channel = &output->channels[index];
    channel->credit++;
    bool waited = channel->waiting.count > 0;
    while (channel->waiting.count > 0 &&
           (!is_buffer(channel->waiting.head) || channel->credit > 0)) {
        struct message *message = message_queue_pop(&channel->waiting);
        channel->credit -= is_buffer(message);
        transmit(output, index, message);
    }
    if (waited && channel->waiting.count == 0) {
        CHECK(output->stalled_count > 0);
        output->stalled_count--;
    }
}
