/* Property 13: no channel has more buffers on their way, sent and not consumed, than
 * buffers_per_channel. Who sends without credit makes the receiver hold what it has no room for,
 * and barriers wait behind it. Counted by the messages that pass, whatever the sender believes. */
#include "sim/oracle/judge.h"

#include "model/base/check.h"
#include "model/base/hash.h"

enum { NS_PER_MS = 1000000, CAPACITY_FIRST = 16 };

void property_credit_init(struct oracle *oracle)
{
    struct credit_memory *memory = &oracle->credit;
    memory->capacity = CAPACITY_FIRST;
    memory->channels = arena_alloc(oracle->arena, memory->capacity, sizeof *memory->channels);
}

/* The channel, or the free place where it belongs. */
static struct credit_channel *place_of(const struct credit_memory *memory, uint64_t sender,
                                       uint64_t receiver, uint32_t edge)
{
    uint64_t hash = hash_mix(sender ^ hash_mix(receiver + edge));
    size_t index = (size_t)hash & (memory->capacity - 1);
    struct credit_channel *channel = &memory->channels[index];
    while (channel->sender != 0 &&
           (channel->sender != sender || channel->receiver != receiver || channel->edge != edge)) {
        index = (index + 1) & (memory->capacity - 1);
        channel = &memory->channels[index];
    }
    return channel;
}

static void grow(struct oracle *oracle)
{
    struct credit_memory *memory = &oracle->credit;
    struct credit_memory old = *memory;
    memory->capacity *= 2;
    memory->channels = arena_alloc(oracle->arena, memory->capacity, sizeof *memory->channels);
    for (size_t i = 0; i < old.capacity; i++) {
        const struct credit_channel *channel = &old.channels[i];
        if (channel->sender != 0) {
            *place_of(memory, channel->sender, channel->receiver, channel->edge) = *channel;
        }
    }
    arena_free(oracle->arena, old.channels);
}

static struct credit_channel *channel_at(struct oracle *oracle, const struct credit_event *event)
{
    struct credit_memory *memory = &oracle->credit;
    struct credit_channel *channel = place_of(memory, event->sender, event->receiver, event->edge);
    if (channel->sender == 0) {
        if (2 * (memory->count + 1) > memory->capacity) {
            grow(oracle);
            channel = place_of(memory, event->sender, event->receiver, event->edge);
        }
        memory->count++;
        *channel = (struct credit_channel){ .sender = event->sender,
                                            .receiver = event->receiver,
                                            .edge = event->edge };
    }
    CHECK(2 * memory->count <= memory->capacity);
    return channel;
}

/* "source->count" */
static const char *edge_name(const struct oracle *oracle, uint32_t edge)
{
    const struct pipeline *pipeline = &oracle->pipeline;
    for (uint32_t from = 0; from < pipeline->vertex_count; from++) {
        for (uint32_t to = 0; to < pipeline->vertex_count; to++) {
            if (pipeline_edge(pipeline, from, to) == (int32_t)edge) {
                return arena_format(oracle->arena, "%s->%s", pipeline->vertices[from].name,
                                    pipeline->vertices[to].name);
            }
        }
    }
    CHECK_UNREACHABLE("an edge of the job");
}

/* How many inputs the edge stands for: each has a channel of its own between two subtasks. */
static uint32_t inputs_of(const struct oracle *oracle, uint32_t edge)
{
    const struct pipeline *pipeline = &oracle->pipeline;
    uint32_t count = 0;
    for (uint32_t to = 0; to < pipeline->vertex_count; to++) {
        const struct vertex *vertex = &pipeline->vertices[to];
        for (uint32_t i = 0; i < vertex->input_count; i++) {
            count += pipeline_edge(pipeline, vertex->inputs[i].vertex, to) == (int32_t)edge;
        }
    }
    CHECK(count > 0);
    return count;
}

/* The texts of violations that are not kept would only fill memory. */
static bool is_enough(const struct oracle *oracle)
{
    return oracle->kept[PROPERTY_CREDIT] == JUDGE_KEPT_PER_PROPERTY;
}

static void on_returned(struct oracle *oracle, struct credit_channel *channel,
                        const struct credit_event *event)
{
    if (channel->on_way > 0) {
        channel->on_way--;
    } else if (!is_enough(oracle)) {
        judge_report(oracle, PROPERTY_CREDIT,
                     "%s: a credit was given at %llu ms for a buffer that was never sent",
                     edge_name(oracle, event->edge),
                     (unsigned long long)(event->time_ns / NS_PER_MS));
    }
}

void property_credit_on_event(struct oracle *oracle, const struct credit_event *event)
{
    CHECK(event->sender != 0);
    struct credit_channel *channel = channel_at(oracle, event);
    if (event->is_returned) {
        on_returned(oracle, channel, event);
        return;
    }
    channel->on_way++;
    uint32_t most = oracle->scenario->job.buffers_per_channel;
    if (channel->on_way > most) {
        most *= inputs_of(oracle, event->edge); /* nearly always one: not asked before */
    }
    if (channel->on_way > most && !is_enough(oracle)) {
        judge_report(oracle, PROPERTY_CREDIT,
                     "%s: a subtask had %u buffers on their way to another at %llu ms; it has "
                     "credit for %u",
                     edge_name(oracle, event->edge), channel->on_way,
                     (unsigned long long)(event->time_ns / NS_PER_MS), most);
    }
}
