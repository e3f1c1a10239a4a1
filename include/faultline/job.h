/* job.h - a job of your own, compiled to a shared library that a scenario names:
 * `"job": { "library": "./my_job.so" }`. This header is all that it needs.
 *
 * The library defines one object, `faultline_job`. Its `build` puts the job together; the functions
 * it hands over are called for each record and timer. They reach the stream processor through a
 * table, `api`, so the library is linked with nothing. examples/my_job shows a whole one.
 *
 * J1  A function may keep between calls only what is in its states. `self` and what it points to
 *     are gone after a crash, in which nothing is called; so take no memory and open no file.
 * J2  Simulated processes share this one: no writable globals, no threads, no clock and no random
 *     numbers but those of `api`. The same calls must be answered alike.
 * J3  Runs of bytes that are handed over are borrowed: by a function until it returns, by `api`
 *     until it does; what a state lends is valid until its next call.
 * J4  Texts and parameter structs given to `api` are static.
 * J5  Mistakes in `build` end in a sentence that names the operator. Those in functions - a state
 *     used outside its key, a kind of state mixed up - end the program, as a failed check. */
#ifndef FAULTLINE_JOB_H
#define FAULTLINE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of this header. A library built for another one is refused when it is loaded. */
#define FAULTLINE_JOB_VERSION 2

/* data == NULL: nothing, such as the value of a state that is absent. */
struct faultline_bytes {
    const uint8_t *data;
    size_t size;
};

struct faultline_api;

/* ---- building --------------------------------------------------------------------------------
 * Operators are named; faults and figures use these names. What lies between two exchanges runs in
 * one subtask, which is called after the first of them: "source", or what follows a key_by. */

/* The job in the making. */
struct faultline_graph {
    const struct faultline_api *api;
};

/* A point in the flow. It may be used more than once. */
struct faultline_stream {
    const struct faultline_api *api;
};

/* A call of a function: what it sees of the subtask that it runs in. */
struct faultline_call {
    const struct faultline_api *api;
};

/* None to many records out for one in. */
struct faultline_map {
    void (*map)(struct faultline_call *call, struct faultline_bytes record);
};

/* The key of a record: a part of it, such as a field. Equal keys are equal bytes. */
struct faultline_key {
    struct faultline_bytes (*key_of)(struct faultline_bytes record);
};

/* Gives each record its time, in milliseconds from where you like; a record is at most disorder_ms
 * behind the newest one that its subtask of the source has read. */
struct faultline_event_time {
    int64_t (*time_ms)(struct faultline_bytes record);
    int64_t disorder_ms; /* 0 or more */
};

/* In event time a timer goes off when no earlier record is to be expected any more, at the latest
 * at the end of the input; in processing time, when the clock has passed it: at the end of the
 * input those that remain do not go off. */
enum faultline_timer_kind { FAULTLINE_EVENT_TIME, FAULTLINE_PROCESSING_TIME };

/* A function with states of its own for each key, which is that of the record or timer in hand. */
struct faultline_process {
    size_t self_bytes;                                     /* of `self`, zeroed before open */
    void (*open)(void *self, struct faultline_call *call); /* finds its states and side outputs */
    void (*process)(void *self, struct faultline_call *call, struct faultline_bytes record);
    void (*on_timer)(void *self, struct faultline_call *call, enum faultline_timer_kind kind,
                     int64_t time_ms); /* NULL: it has no timers */
    /* Behind a connect, and only there: a record of the second stream. If that is broadcast there
     * is no key in hand, so of the states only those of kind FAULTLINE_BROADCAST may be used. */
    void (*process2)(void *self, struct faultline_call *call, struct faultline_bytes record);
};

/* ---- state ----------------------------------------------------------------------------------- */

/* One of a function's states; it keeps something for each key. */
struct faultline_state;

/* Another way out of a function. */
struct faultline_side;

enum faultline_state_kind {
    FAULTLINE_VALUE, /* one value */
    FAULTLINE_LIST,  /* values, in the order they were added */
    FAULTLINE_MAP,   /* values under subkeys */
    /* Values under subkeys that belong to no key, behind a connect: every subtask has a copy of its
     * own. So that these stay alike, only records of a broadcast stream may change them, and in the
     * same way whatever subtask they come to. It has neither a type nor a time to live. */
    FAULTLINE_BROADCAST,
};

/* Where an upgrade puts what it makes: append(out, bytes), once or often. */
struct faultline_out {
    void (*append)(struct faultline_out *out, struct faultline_bytes bytes);
};

/* What a checkpoint holds under a name must be of the same kind and type; else the restore is
 * refused, in a sentence that names the state. A value of an older type version is upgraded. */
struct faultline_state_options {
    const char *name; /* none twice in a function */
    const char *type; /* of the values; NULL: "bytes" */
    uint16_t type_version;
    /* Makes of a value of an older version one of this; false: it cannot be done. NULL: no older
     * version is accepted. */
    bool (*upgrade)(uint16_t version, struct faultline_bytes old, struct faultline_out *out);
    uint64_t ttl_ms; /* a value vanishes so long after it was written; 0: never */
    bool ttl_renewed_by_reading;
};

/* ---- what a job may call --------------------------------------------------------------------- */

struct faultline_api {
    /* In build. The input: its lines, or the generated records, as text. Once in a job. */
    struct faultline_stream *(*source)(struct faultline_graph *graph);
    struct faultline_stream *(*map)(struct faultline_stream *stream, const char *name,
                                    const struct faultline_map *map);
    struct faultline_stream *(*event_time)(struct faultline_stream *stream, const char *name,
                                           const struct faultline_event_time *event_time);
    /* All records with one key go to one subtask. A `process` must follow. */
    struct faultline_stream *(*key_by)(struct faultline_stream *stream,
                                       const struct faultline_key *key);
    struct faultline_stream *(*process)(struct faultline_stream *stream, const char *name,
                                        const struct faultline_process *process);
    /* The records of both streams, behind an operator called `name`. */
    struct faultline_stream *(*unite)(struct faultline_stream *first,
                                      struct faultline_stream *second, const char *name);
    /* Every subtask gets every record. Only for the second stream of a connect. */
    struct faultline_stream *(*broadcast)(struct faultline_stream *stream);
    /* Two streams for one function with `process` and `process2`. The first comes from a key_by,
     * the second from another one or from a broadcast. A `process` must follow. */
    struct faultline_stream *(*connect)(struct faultline_stream *first,
                                        struct faultline_stream *second);
    /* What the function right before emits to the side output `tag`. */
    struct faultline_stream *(*side)(struct faultline_stream *stream, const char *tag);
    /* The output, one line a record. A job may have several, each with a name of its own. */
    void (*sink)(struct faultline_stream *stream, const char *name);

    /* In open. */
    struct faultline_state *(*state)(struct faultline_call *call, enum faultline_state_kind kind,
                                     const struct faultline_state_options *options);
    struct faultline_side *(*open_side)(struct faultline_call *call, const char *tag);

    /* In any function. */
    void (*emit)(struct faultline_call *call, struct faultline_bytes record);
    void (*emit_side)(struct faultline_call *call, struct faultline_side *side,
                      struct faultline_bytes record);
    /* An exception: the subtask fails after this call, and the job goes back to its last
     * checkpoint. */
    void (*fail)(struct faultline_call *call, const char *why);
    int64_t (*now_ms)(struct faultline_call *call);  /* the clock */
    int64_t (*time_ms)(struct faultline_call *call); /* of the record or timer in hand; INT64_MIN:
                                                      * it has none */
    int64_t (*watermark_ms)(struct faultline_call *call); /* no earlier record is expected */
    uint32_t (*subtask)(struct faultline_call *call);     /* from 0 */
    uint64_t (*attempt)(struct faultline_call *call);     /* rises with every restart of the job */

    /* In process and on_timer: of the key in hand. */
    struct faultline_bytes (*key)(struct faultline_call *call);
    void (*set_timer)(struct faultline_call *call, enum faultline_timer_kind kind,
                      int64_t time_ms); /* once, however often it is set */
    void (*drop_timer)(struct faultline_call *call, enum faultline_timer_kind kind,
                       int64_t time_ms);
    void (*clear)(struct faultline_state *state); /* of any kind */
    struct faultline_bytes (*get)(struct faultline_state *state);
    void (*put)(struct faultline_state *state, struct faultline_bytes value);
    void (*list_add)(struct faultline_state *state, struct faultline_bytes value);
    /* Goes through a list or, in the order of the subkeys' bytes, what lies under subkeys: after
     * `begin`, next gives one element after the other, and false after the last. `subkey` may be
     * NULL. */
    void (*begin)(struct faultline_state *state);
    bool (*next)(struct faultline_state *state, struct faultline_bytes *subkey,
                 struct faultline_bytes *value);
    struct faultline_bytes (*map_get)(struct faultline_state *state, struct faultline_bytes subkey);
    void (*map_put)(struct faultline_state *state, struct faultline_bytes subkey,
                    struct faultline_bytes value);
    void (*map_remove)(struct faultline_state *state, struct faultline_bytes subkey);
};

/* A value that is a 64-bit integer; 0 if it is absent. The bytes are the same on every machine. */
static inline int64_t faultline_get_i64(struct faultline_call *call, struct faultline_state *state)
{
    struct faultline_bytes bytes = call->api->get(state);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size && i < 8; i++) {
        value |= (uint64_t)bytes.data[i] << 8 * i;
    }
    return (int64_t)value;
}

static inline void faultline_put_i64(struct faultline_call *call, struct faultline_state *state,
                                     int64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)((uint64_t)value >> 8 * i);
    }
    call->api->put(state, (struct faultline_bytes){ .data = bytes, .size = sizeof bytes });
}

/* ---- what the library defines ---------------------------------------------------------------- */

struct faultline_job {
    uint32_t version; /* FAULTLINE_JOB_VERSION; first in every version of this struct */
    const char *name; /* letters, digits, "-", "_", ".": checkpoints are of the job called so */
    void (*build)(struct faultline_graph *graph);
};

extern const struct faultline_job faultline_job;

#endif
