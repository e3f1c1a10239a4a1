#include "tests/support/facts.h"

struct fact_event fact_of_job(uint64_t time_ns, enum fact_kind kind)
{
    struct fact fact = { .kind = kind, .vertex = FACT_NO_TASK, .subtask = FACT_NO_TASK };
    return (struct fact_event){ .time_ns = time_ns, .fact = fact };
}

struct fact_event fact_of_checkpoint(uint64_t time_ns, enum fact_kind kind, uint64_t checkpoint)
{
    return fact_checkpoint(fact_of_job(time_ns, kind), checkpoint);
}

struct fact_event fact_of_task(uint64_t time_ns, enum fact_kind kind, uint64_t attempt,
                               uint32_t vertex, uint32_t subtask)
{
    struct fact_event event = fact_of_job(time_ns, kind);
    event.fact.attempt = attempt;
    event.fact.vertex = vertex;
    event.fact.subtask = subtask;
    return event;
}

struct fact_event fact_of_part(uint64_t time_ns, enum fact_kind kind, uint64_t checkpoint,
                               uint32_t vertex, uint32_t subtask)
{
    return fact_checkpoint(fact_of_task(time_ns, kind, 1, vertex, subtask), checkpoint);
}

struct fact_event fact_values(struct fact_event event, uint64_t value0, uint64_t value1)
{
    event.fact.values[0] = value0;
    event.fact.values[1] = value1;
    return event;
}

struct fact_event fact_text(struct fact_event event, const char *text)
{
    event.fact.text = bytes_of_text(text);
    return event;
}

struct fact_event fact_attempt(struct fact_event event, uint64_t attempt)
{
    event.fact.attempt = attempt;
    return event;
}

struct fact_event fact_checkpoint(struct fact_event event, uint64_t checkpoint)
{
    event.fact.checkpoint = checkpoint;
    return event;
}
