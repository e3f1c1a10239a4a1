/* live_actor.h - an actor of a live process. Private to model/live/.
 *
 * live_process.c  the process: who is there, who watches whom, start and end
 * live_actor.c    the thread of an actor: what it waits for, its timers
 * live_host.c     the calls of host.h
 * live_files.c    those about storage
 * live_timed.c    the same, with a stopwatch */
#ifndef FAULTLINE_LIVE_LIVE_ACTOR_H
#define FAULTLINE_LIVE_LIVE_ACTOR_H

#include <pthread.h>
#include <stdatomic.h>

#include "model/base/prng.h"
#include "model/live/live_process.h"

/* A list of messages, in order. */
struct live_queue {
    struct message *head;
    struct message *tail;
};

/* A message that is held up on its way. */
struct live_delayed {
    struct live_delayed *next;
    uint64_t due_ns;
    struct message *message;
    bool in_order; /* of its stream; a second copy is not */
};

struct live_file {
    int descriptor; /* -1: free */
    enum host_volume volume;
    char *path;           /* within it */
    uint64_t begun_bytes; /* from its start on: the system was asked to write these to the disk */
};

struct live_timer {
    uint64_t due_ns;
    uint64_t tag;
    uint64_t number; /* in the order in which they were set */
    uint32_t generation;
    bool armed;
    bool queued; /* it is due, and waits in the queue */
};

struct live_actor {
    struct host host; /* first: what the model sees */
    struct live_process *process;
    const struct actor_ops *ops;
    void *self; /* of the model */
    struct arena arena;
    struct bytes argument;
    struct prng prng;
    uint64_t number; /* how many of the process were there before */
    pthread_t thread;
    atomic_bool dead; /* every call answers HALTED */

    /* Guarded by the lock of the process. */
    bool has_thread;
    bool is_sleeping;
    struct live_queue inbox;
    struct live_delayed *delayed; /* by due_ns; of a sender's stream in the order of arrival */
    pthread_cond_t wake;
    struct live_actor *next_ended;

    /* May be looked at without the lock: it tells only whether taking it is worth while. */
    atomic_bool has_inbox;
    _Atomic uint64_t delayed_due_ns; /* of the first that is held up; UINT64_MAX: none */

    /* Used by its own thread only. */
    struct live_queue queue;
    struct message *held; /* messages that the model owns */
    struct live_timer *timers;
    size_t timer_count;
    size_t timer_capacity;
    uint64_t timers_set;
    uint64_t due_ns;   /* of the first timer that is not queued; UINT64_MAX: none */
    uint64_t began_ns; /* when its handler began; kept only if the passing of messages is told */
    uint32_t *spawned; /* indices of the actors that start when this handler returns */
    size_t spawned_count;
    size_t spawned_capacity;
    struct live_file *files; /* by file_id - 1 */
    size_t file_count;
    size_t file_capacity;
};

/* What is known of the newest incarnation of a peer that was ever connected. */
struct live_peer {
    uint32_t incarnation; /* 0: none was */
    bool is_connected;
    uint64_t
        first_number; /* older actors have no data connection to it: theirs broke; 0: none did */
};

struct live_watch {
    struct live_watch *next;
    actor_id watcher;
    actor_id peer;
};

struct live_process {
    struct live_process_options options;
    struct host_ops ops; /* of all its actors */
    uint64_t epoch_ns;
    int roots[HOST_SHARED + 1]; /* descriptors of the volumes, by enum host_volume */
    pthread_mutex_t lock;       /* guards what follows, and the inboxes */
    pthread_cond_t resumed;
    struct arena arena;
    bool is_halted;
    bool is_paused;
    atomic_bool may_pause; /* hints, as has_inbox */
    atomic_bool may_strike;     /* a rule of storage */
    atomic_bool may_be_cut;     /* a connection broke */
    uint64_t actors_ever;
    struct live_actor **actors; /* by index; NULL: never started or gone */
    size_t actor_count;
    size_t actor_capacity;
    struct live_actor *ended; /* stopped by themselves; their threads are not joined yet */
    struct live_watch *watches;
    struct live_rules rules;
    struct live_peer *peers; /* by process */
};

extern const struct host_ops live_host_ops;

static inline bool live_actor_is_dead(struct live_actor *actor)
{
    return atomic_load_explicit(&actor->dead, memory_order_acquire);
}

void live_queue_push(struct live_queue *queue, struct message *message);
struct message *live_queue_pop(struct live_queue *queue); /* NULL: empty */

/* ---- with the lock of the process held ------------------------------------------------------- */

/* An actor in the process's table; it has no thread yet. */
struct live_actor *live_actor_create(struct live_process *process, uint32_t index,
                                     const struct actor_ops *ops, struct bytes argument);
void live_actor_start(struct live_actor *actor);
struct live_actor *live_actor_find(struct live_process *process, actor_id address);
void live_actor_push(struct live_actor *actor, struct message *message);

/* The same for one that is held up until due_ns, or in_order behind one of its sender and stream
 * that is. */
void live_actor_push_late(struct live_actor *actor, struct message *message, uint64_t due_ns,
                          bool in_order);

/* H1: what an incarnation of a process has sent and is held up is lost when it dies. */
void live_actor_drop_late(struct live_actor *actor, uint32_t process, uint32_t incarnation);
void live_actor_kill(struct live_actor *actor);

/* ---- without it ------------------------------------------------------------------------------ */

/* Waits for the end of a killed actor's thread; frees it. */
void live_actor_reap(struct live_actor *actor);

/* ---- by the actor's own thread --------------------------------------------------------------- */

timer_id live_timer_set(struct live_actor *actor, uint64_t due_ns, uint64_t tag);
void live_timer_cancel(struct live_actor *actor, timer_id id);
void live_message_hold(struct live_actor *actor, struct message *message);
void live_message_release(struct message *message);
void live_files_close(struct live_actor *actor);

uint64_t live_actor_now_ns(const struct live_actor *actor);

/* Which of LIVE_TELL_SENT and LIVE_TELL_RECEIVED the supervisor wants of a message. */
static inline uint32_t live_process_tells(const struct live_process *process,
                                          const struct message *message)
{
    return process->options.tells != NULL ? process->options.tells(message) : 0;
}

/* Has the calls timed that put something on the SHARED volume: options.times_calls. */
void live_time_calls(struct host_ops *ops);
void live_actor_report(struct live_actor *actor, const struct live_report *report);

/* ---- storage: live_files.c ------------------------------------------------------------------- */

enum status live_file_open(struct host *host, enum host_volume volume, const char *path,
                           enum host_open_mode mode, file_id *id);
void live_file_close(struct host *host, file_id id);
enum status live_file_size(struct host *host, file_id id, uint64_t *size_bytes);
enum status live_file_read(struct host *host, file_id id, uint64_t offset_bytes, void *data,
                           size_t size_bytes, size_t *got_bytes);
enum status live_file_write(struct host *host, file_id id, uint64_t offset_bytes,
                            struct bytes bytes);
enum status live_file_sync(struct host *host, file_id id);
enum status live_rename(struct host *host, enum host_volume volume, const char *from,
                        const char *to);
enum status live_remove(struct host *host, enum host_volume volume, const char *path);
enum status live_make_dir(struct host *host, enum host_volume volume, const char *path);
enum status live_remove_dir(struct host *host, enum host_volume volume, const char *path);
enum status live_sync_dir(struct host *host, enum host_volume volume, const char *path);
enum status live_list(struct host *host, enum host_volume volume, const char *path,
                      host_list_function each, void *context);

#endif
