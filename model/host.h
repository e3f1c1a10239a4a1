/* host.h - the one door down: all that the model may ask of the world.
 *
 * Two hosts stand behind it: the simulated one (sim/sim_host) and the live one (model/live). A
 * machine holds processes (one JobManager, TaskManagers), a process holds actors (the process's
 * main actor, subtasks, uploaders). An actor has three entry points - on_start, on_message,
 * on_timer - each run to completion, one at a time per actor.
 *
 * H1  Messages of one stream between two actors arrive in the order sent, while both live; they
 *     are lost when either dies, or when the connection breaks. One of stream 0 may come twice.
 * H2  Storage calls are synchronous; the host charges their time to the actor.
 * H3  After a crash every call of the process answers STATUS_HALTED (or nothing) and has no
 *     effect; when the running handler returns, the memory of all its actors is dropped.
 * H4  What was written and not synced survives the crash of a process, and may be lost or torn
 *     by the crash of a machine; so may a name whose directory was not synced.
 * H5  An actor address is never used twice. */
#ifndef FAULTLINE_HOST_H
#define FAULTLINE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/status.h"
#include "model/trace.h"

/* ---- addresses ------------------------------------------------------------------------------- */

/* process (16 bits), incarnation (16 bits), index of the actor in the process (32 bits). */
typedef uint64_t actor_id;
typedef uint64_t timer_id; /* never 0 */

enum {
    HOST_MAIN_ACTOR = 0,    /* index of a process's main actor */
    HOST_INCARNATION_ANY = 0 /* addresses whichever incarnation lives; real ones count from 1 */
};

static inline actor_id actor_address(uint32_t process, uint32_t incarnation, uint32_t index)
{
    return (uint64_t)process << 48 | (uint64_t)incarnation << 32 | index;
}
static inline uint32_t actor_process(actor_id id)
{
    return (uint32_t)(id >> 48);
}
static inline uint32_t actor_incarnation(actor_id id)
{
    return (uint32_t)(id >> 32) & 0xffffu;
}
static inline uint32_t actor_index(actor_id id)
{
    return (uint32_t)id;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* Two kinds come from the host itself.
 * HOST_PEER_LOST: the connection to the watched process of `from` was lost.
 * HOST_CHANNELS_LOST, to a process's main actor, unasked: the data connection (streams > 0) to the
 * process of `from`, which lives on, broke. What was on its way is lost, and between the actors
 * that exist now nothing more of those streams arrives, either way. */
enum { HOST_PEER_LOST = 0, HOST_CHANNELS_LOST = 1 << 16 };

/* Owned by whoever holds it: host_send takes it, on_message gives it. */
struct message {
    actor_id from;    /* set by the host */
    actor_id to;      /* set by the host */
    uint32_t kind;    /* meaning: model/runtime/messages.h; never the host's own when sent */
    uint32_t stream;  /* ordering class (H1): 0 control, n + 1: edge n of the job graph */
    uint64_t attempt; /* execution attempt of the sender; older ones are fenced by the receiver */
    uint32_t channel; /* which channel of the receiver; 0 if it has none */
    uint32_t size;    /* bytes used in data */
    uint32_t capacity;
    struct message *next;        /* free for the holder's queues */
    struct message *held_next;   /* the host's */
    struct message **held_link;  /* the host's */
    uint8_t data[];
};

/* ---- actors ---------------------------------------------------------------------------------- */

struct host;

struct actor_ops {
    const char *name;
    /* Runs first. `argument` is a copy, borrowed for the call. Returns the actor's own state. */
    void *(*on_start)(struct host *host, struct bytes argument);
    /* Takes the message: the actor frees it or keeps it. */
    void (*on_message)(void *self, struct message *message);
    void (*on_timer)(void *self, timer_id timer, uint64_t tag);
};

/* ---- storage --------------------------------------------------------------------------------- */

enum host_volume {
    HOST_LOCAL,  /* the machine's own disk */
    HOST_SHARED, /* one file system that every machine sees */
};

enum host_open_mode {
    HOST_READ,   /* STATUS_NOT_FOUND if there is no such file */
    HOST_CREATE, /* reading and writing; creates the file, or keeps what is there */
    HOST_TRUNCATE, /* reading and writing; creates the file, or empties it */
};

typedef uint32_t file_id; /* an open file of this process; never 0 */

/* Work whose time is charged to the actor. */
enum host_work {
    HOST_WORK_RECORDS,        /* records passed through the operators of a subtask */
    HOST_WORK_SNAPSHOT_BYTES, /* bytes serialised or deserialised */
    HOST_WORK_STATE_CALLS,    /* rows that a state backend on disk looked up or changed */
    HOST_WORK_STATE_BYTES,    /* bytes written to the LOCAL disk by a library, not through here */
};

/* User code that a host may let fail, to see what becomes of it. */
enum host_user_call {
    HOST_CALL_MAP,     /* a map function, for one record */
    HOST_CALL_PROCESS, /* a process function, for one record */
    HOST_CALL_SNAPSHOT,
    HOST_CALL_RESTORE,
    HOST_CALL_COMMIT, /* notify_complete */
    HOST_USER_CALL_COUNT
};

/* The storage calls, as bits: which of them a fault strikes. */
enum host_storage_call {
    HOST_STORAGE_OPEN = 1,
    HOST_STORAGE_READ = 2,
    HOST_STORAGE_WRITE = 4,
    HOST_STORAGE_SYNC = 8, /* of a file or of a directory */
    HOST_STORAGE_RENAME = 16,
    HOST_STORAGE_LIST = 32,
    HOST_STORAGE_REMOVE = 64, /* of a file or of a directory */
    HOST_STORAGE_MAKE_DIR = 128,
    HOST_STORAGE_ANY = 255,
};

typedef void (*host_list_function)(void *context, const char *name);

struct host_ops {
    uint64_t (*now_ns)(struct host *);
    uint64_t (*random)(struct host *);
    void (*charge)(struct host *, enum host_work, uint64_t amount);
    timer_id (*timer_set)(struct host *, uint64_t due_ns, uint64_t tag);
    void (*timer_cancel)(struct host *, timer_id);
    struct message *(*message_new)(struct host *, uint32_t capacity);
    void (*message_free)(struct host *, struct message *);
    void (*send)(struct host *, actor_id to, struct message *);
    void (*watch)(struct host *, actor_id peer);
    actor_id (*spawn)(struct host *, uint32_t index, const struct actor_ops *, struct bytes);
    void (*stop)(struct host *, actor_id);
    void (*trace)(struct host *, const struct fact *);
    enum status (*file_open)(struct host *, enum host_volume, const char *path,
                             enum host_open_mode, file_id *);
    void (*file_close)(struct host *, file_id);
    enum status (*file_size)(struct host *, file_id, uint64_t *size_bytes);
    enum status (*file_read)(struct host *, file_id, uint64_t offset_bytes, void *data,
                             size_t size_bytes, size_t *got_bytes);
    enum status (*file_write)(struct host *, file_id, uint64_t offset_bytes, struct bytes);
    enum status (*file_sync)(struct host *, file_id);
    enum status (*rename)(struct host *, enum host_volume, const char *from, const char *to);
    enum status (*remove)(struct host *, enum host_volume, const char *path);
    enum status (*make_dir)(struct host *, enum host_volume, const char *path);
    enum status (*remove_dir)(struct host *, enum host_volume, const char *path);
    enum status (*sync_dir)(struct host *, enum host_volume, const char *path);
    enum status (*list)(struct host *, enum host_volume, const char *path, host_list_function,
                        void *context);
    bool (*throws)(struct host *, enum host_user_call); /* NULL: user code never fails */
    uint64_t (*store_wait_ns)(const struct host *);     /* NULL: it cannot tell */
};

/* One per actor; the first member of the host's own struct. */
struct host {
    const struct host_ops *ops;
    struct arena *arena; /* the actor's memory; dropped when it stops or its process dies */
    actor_id self;
    uint32_t throwing; /* bit n: `throws` wants to be asked about user call n; 0 in a live host */
};

/* Nanoseconds since the start of the world, as this actor's machine tells them. Never falls. */
static inline uint64_t host_now_ns(struct host *host)
{
    return host->ops->now_ns(host);
}

/* 64 random bits, from the actor's own stream. */
static inline uint64_t host_random(struct host *host)
{
    return host->ops->random(host);
}

/* Charges the time of `amount` units of `work` to this actor: what it does from now on in this
 * handler happens that much later. */
static inline void host_charge(struct host *host, enum host_work work, uint64_t amount)
{
    host->ops->charge(host, work, amount);
}

/* Calls on_timer once, at `due_ns` or as soon after as the actor is free; a time that has passed
 * means: after what waits already. */
static inline timer_id host_timer_set(struct host *host, uint64_t due_ns, uint64_t tag)
{
    return host->ops->timer_set(host, due_ns, tag);
}

/* After this the timer does not fire. A timer that fired, or 0, is ignored. */
static inline void host_timer_cancel(struct host *host, timer_id timer)
{
    host->ops->timer_cancel(host, timer);
}

/* An empty message with room for at least `capacity` bytes, all other fields zero. The data is not
 * cleared. */
static inline struct message *host_message_new(struct host *host, uint32_t capacity)
{
    return host->ops->message_new(host, capacity);
}

static inline void host_message_free(struct host *host, struct message *message)
{
    host->ops->message_free(host, message);
}

/* Sends and takes `message`. No answer: a message to a dead actor is lost. */
static inline void host_send(struct host *host, actor_id to, struct message *message)
{
    host->ops->send(host, to, message);
}

/* From now on a lost connection to the process of `peer` is told to this actor, at most once, by a
 * message of kind HOST_PEER_LOST from `peer`. A peer whose machine lost its power is silent: only a
 * heartbeat finds it. */
static inline void host_watch(struct host *host, actor_id peer)
{
    host->ops->watch(host, peer);
}

/* Starts an actor in this process under the index `index`, which was never used before in it. Its
 * on_start runs after this handler, with a copy of `argument`. */
static inline actor_id host_spawn(struct host *host, uint32_t index, const struct actor_ops *ops,
                                  struct bytes argument)
{
    return host->ops->spawn(host, index, ops, argument);
}

/* Ends an actor of this process, at the latest when its running handler returns: its messages and
 * timers are gone, its files closed, its memory dropped. Unknown or ended: nothing happens. */
static inline void host_stop(struct host *host, actor_id actor)
{
    host->ops->stop(host, actor);
}

/* Must the call of user code that is about to be made fail, as if it had thrown an exception? This
 * is how a host injects failures of user code; a live host answers false. */
static inline bool host_throws(struct host *host, enum host_user_call call)
{
    return (host->throwing >> call & 1u) != 0 && host->ops->throws(host, call);
}

/* How long this actor's writes to the SHARED volume have stood in line behind those of others so
 * far, in nanoseconds; a host that cannot tell answers 0. For reports only. */
static inline uint64_t host_store_wait_ns(const struct host *host)
{
    return host->ops->store_wait_ns == NULL ? 0 : host->ops->store_wait_ns(host);
}

/* Reports a fact (trace.h). */
static inline void host_trace(struct host *host, const struct fact *fact)
{
    host->ops->trace(host, fact);
}

/* Reports that a rare situation came about. */
static inline void host_mark(struct host *host, enum mark mark)
{
    host_trace(host, &(struct fact){ .kind = FACT_MARK,
                                     .vertex = FACT_NO_TASK,
                                     .subtask = FACT_NO_TASK,
                                     .values = { mark },
                                     .text = bytes_of_text(mark_name(mark)) });
}

/* Paths are relative to the volume's root, with '/' between names; "" is the root. The directory
 * must exist.
 * Errors of all storage calls: HALTED, IO, and those named. */

/* Errors: NOT_FOUND (mode HOST_READ, or no directory), NO_SPACE. */
MUST_USE static inline enum status host_file_open(struct host *host, enum host_volume volume,
                                                  const char *path, enum host_open_mode mode,
                                                  file_id *file)
{
    return host->ops->file_open(host, volume, path, mode, file);
}

static inline void host_file_close(struct host *host, file_id file)
{
    host->ops->file_close(host, file);
}

MUST_USE static inline enum status host_file_size(struct host *host, file_id file,
                                                  uint64_t *size_bytes)
{
    return host->ops->file_size(host, file, size_bytes);
}

/* Reads up to `size_bytes`; `*got_bytes` is smaller only at the end of the file. */
MUST_USE static inline enum status host_file_read(struct host *host, file_id file,
                                                  uint64_t offset_bytes, void *data,
                                                  size_t size_bytes, size_t *got_bytes)
{
    return host->ops->file_read(host, file, offset_bytes, data, size_bytes, got_bytes);
}

/* Writes all of `bytes`; a gap behind the old end reads as zeros. Errors: NO_SPACE. */
MUST_USE static inline enum status host_file_write(struct host *host, file_id file,
                                                   uint64_t offset_bytes, struct bytes bytes)
{
    return host->ops->file_write(host, file, offset_bytes, bytes);
}

/* Makes the file's content and size durable; not its name. */
MUST_USE static inline enum status host_file_sync(struct host *host, file_id file)
{
    return host->ops->file_sync(host, file);
}

/* Atomically gives the file `from` the name `to`, replacing any file there. Durable after
 * host_sync_dir of the directory (of both, if they differ). Errors: NOT_FOUND. */
MUST_USE static inline enum status host_rename(struct host *host, enum host_volume volume,
                                               const char *from, const char *to)
{
    return host->ops->rename(host, volume, from, to);
}

/* Errors: NOT_FOUND. */
MUST_USE static inline enum status host_remove(struct host *host, enum host_volume volume,
                                               const char *path)
{
    return host->ops->remove(host, volume, path);
}

/* Errors: EXISTS, NOT_FOUND (no parent), NO_SPACE. */
MUST_USE static inline enum status host_make_dir(struct host *host, enum host_volume volume,
                                                 const char *path)
{
    return host->ops->make_dir(host, volume, path);
}

/* Removes an empty directory. Errors: NOT_FOUND, EXISTS (not empty). */
MUST_USE static inline enum status host_remove_dir(struct host *host, enum host_volume volume,
                                                   const char *path)
{
    return host->ops->remove_dir(host, volume, path);
}

/* Makes durable which names the directory holds. Errors: NOT_FOUND. */
MUST_USE static inline enum status host_sync_dir(struct host *host, enum host_volume volume,
                                                 const char *path)
{
    return host->ops->sync_dir(host, volume, path);
}

/* Calls `each` with every name in the directory, sorted by bytes. Errors: NOT_FOUND. */
MUST_USE static inline enum status host_list(struct host *host, enum host_volume volume,
                                             const char *path, host_list_function each,
                                             void *context)
{
    return host->ops->list(host, volume, path, each, context);
}

#endif
