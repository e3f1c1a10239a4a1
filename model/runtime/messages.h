/* messages.h - every message between actors: its kind, what its fields mean, and its encoding.
 *
 * Field `attempt` of a message is the execution attempt of the sender's job (0: none); a receiver
 * of a newer attempt drops it. */
#ifndef FAULTLINE_RUNTIME_MESSAGES_H
#define FAULTLINE_RUNTIME_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/checkpoint/manifest.h"
#include "model/host.h"
#include "model/runtime/state_assignment.h"
#include "model/stream/operator.h"

enum message_kind {
    /* TaskManager -> JobManager */
    MESSAGE_REGISTER = 1, /* registration; `from` is the main actor */
    MESSAGE_CANCELLED,    /* every subtask of `attempt` here is gone */
    /* JobManager -> TaskManager */
    MESSAGE_REGISTERED, /* welcome; any subtasks you still run are void */
    MESSAGE_UNKNOWN,    /* I do not know you (any more): register again */
    MESSAGE_DEPLOY,     /* deployment */
    MESSAGE_CANCEL,     /* end every subtask of `attempt` and older, then answer CANCELLED */
    MESSAGE_HEARTBEAT,  /* answered in kind by the other side */
    /* JobManager -> subtask */
    MESSAGE_RUN,
    MESSAGE_TRIGGER,         /* trigger: take this checkpoint, as if its barrier had come */
    MESSAGE_NOTIFY_COMPLETE, /* number = checkpoint */
    MESSAGE_NOTIFY_ABORTED,  /* number = checkpoint */
    /* subtask -> JobManager; `channel` is the global index of the subtask */
    MESSAGE_RESTORED,
    MESSAGE_ACK,     /* acknowledgement */
    MESSAGE_DECLINE, /* failure: this checkpoint cannot be taken */
    MESSAGE_END_OF_DATA,
    MESSAGE_FINISHED,
    MESSAGE_FAILED, /* failure */
    /* subtask -> subtask downstream, in the order of the stream; `channel` is the receiver's */
    MESSAGE_DATA,             /* records, one after the other: u32 length, on an edge with
                               * timestamps the i64 timestamp, and the bytes */
    MESSAGE_WATERMARK,        /* watermark: i64 milliseconds, u8 is_idle */
    MESSAGE_BARRIER,          /* trigger */
    MESSAGE_STREAM_ENDED,     /* no more records; barriers may follow */
    MESSAGE_END_OF_PARTITION, /* nothing follows */
    /* subtask -> subtask upstream; `channel` is the receiver's output channel */
    MESSAGE_CREDIT, /* one buffer was consumed */
    /* subtask <-> its uploader; `attempt` as the subtask's, `channel` the number of the part among
     * those of the checkpoint; of a draft, which is of none, the checkpoint is 0 and `channel` the
     * number of the draft */
    MESSAGE_UPLOAD_CHUNK,    /* the u64 checkpoint, then bytes of the part's file */
    MESSAGE_UPLOAD_END,      /* number = checkpoint: make the file durable, then answer; a draft can
                              * go on behind that */
    MESSAGE_UPLOAD_ADOPT,    /* the u64 checkpoint, u32 number of a draft: it becomes this part */
    MESSAGE_UPLOAD_ABANDON,  /* number = checkpoint: close all its files, or the draft; no answer */
    MESSAGE_UPLOAD_ACCEPTED, /* number = checkpoint: one chunk was written */
    MESSAGE_UPLOAD_DONE,     /* upload_result; of a draft at its first error, too */
    /* somebody outside -> JobManager */
    MESSAGE_RESCALE, /* rescale_request; answered by a fact, for it may be repeated */
};

/* A message with one number in its data, or with none. */
struct message *message_of_kind(struct host *host, enum message_kind kind, uint64_t attempt);
struct message *message_of_number(struct host *host, enum message_kind kind, uint64_t attempt,
                                  uint64_t number);
uint64_t message_number(const struct message *message);

/* A message whose data is the content of `data`. */
struct message *message_of_buffer(struct host *host, enum message_kind kind, uint64_t attempt,
                                  const struct buffer *data);
struct bytes message_bytes(const struct message *message);

/* MESSAGE_REGISTER */
struct registration {
    uint32_t slots;
    uint32_t session; /* rises each time the TaskManager ends its subtasks and starts anew */
};
struct message *registration_encode(struct host *host, const struct registration *registration);
MUST_USE enum status registration_decode(const struct message *message,
                                         struct registration *registration);

/* MESSAGE_TRIGGER, MESSAGE_BARRIER: a checkpoint, and when it was triggered. */
struct trigger {
    uint64_t checkpoint;
    uint64_t triggered_ns;
    uint64_t base; /* the completed checkpoint that snapshots may build on (I1); 0: none */
};
struct message *trigger_encode(struct host *host, enum message_kind kind, uint64_t attempt,
                               const struct trigger *trigger);
struct trigger trigger_decode(const struct message *message);

/* MESSAGE_WATERMARK */
struct message *watermark_encode(struct host *host, uint64_t attempt, struct watermark watermark);
struct watermark watermark_decode(const struct message *message);

/* MESSAGE_ACK */
struct acknowledgement {
    uint64_t checkpoint;
    bool after_end; /* the snapshot was taken after the subtask had seen its whole input */
    uint64_t written_bytes; /* of `state`: what is new, not kept from the base */
    struct subtask_state state; /* decoded: borrowed from the message */
    struct bytes carried;       /* the new parts of it that the JobManager is to put into the store
                                 * (carried.h); decoded: borrowed, too */
};
struct message *acknowledgement_encode(struct host *host, uint64_t attempt, uint32_t task,
                                       const struct acknowledgement *acknowledgement);
MUST_USE enum status acknowledgement_decode(const struct message *message,
                                            struct acknowledgement *acknowledgement);

/* MESSAGE_FAILED, MESSAGE_DECLINE */
struct failure {
    uint64_t checkpoint; /* DECLINE: which; FAILED: the one that could not be restored, or 0 */
    bool is_final;       /* FAILED: a restart would not help */
    bool superseded;     /* DECLINE: a newer barrier came; that is no failure */
    struct bytes why;    /* decoded: borrowed from the message */
};
struct message *failure_encode(struct host *host, enum message_kind kind, uint64_t attempt,
                               uint32_t task, const struct failure *failure);
MUST_USE enum status failure_decode(const struct message *message, struct failure *failure);

/* MESSAGE_UPLOAD_CHUNK: message_number is the checkpoint; `chunk` is copied, and borrowed from the
 * message. */
struct message *upload_chunk_encode(struct host *host, uint64_t attempt, uint64_t checkpoint,
                                    struct bytes chunk);
struct bytes upload_chunk_bytes(const struct message *message);

/* MESSAGE_UPLOAD_DONE */
struct upload_result {
    uint64_t checkpoint;
    uint32_t part;
    enum status status;
    uint64_t size_bytes;
    uint64_t checksum;
    uint64_t wait_ns; /* host_store_wait_ns, for this upload */
};
struct message *upload_result_encode(struct host *host, uint64_t attempt,
                                     const struct upload_result *result);
struct upload_result upload_result_decode(const struct message *message);

/* MESSAGE_RESCALE: run with so many subtasks a vertex from now on. */
struct rescale_request {
    uint32_t parallelism;
    uint32_t max_parallelism; /* 0: as it is */
};
void rescale_request_encode(struct buffer *out, const struct rescale_request *request);
MUST_USE enum status rescale_request_decode(const struct message *message,
                                            struct rescale_request *request);

/* MESSAGE_DEPLOY: what one TaskManager must run, and where everybody is. */
struct deployed_subtask {
    uint32_t vertex;
    uint32_t subtask;
    uint32_t actor_index; /* its uploader has the next one */
    struct assigned_state state; /* decoded: borrowed from the message */
};

struct deployment {
    uint64_t attempt;
    uint32_t parallelism;     /* of every vertex */
    uint32_t max_parallelism; /* number of key groups */
    uint64_t checkpoint; /* restored from; 0: none, the states are empty */
    actor_id job_manager;
    uint32_t task_count;
    actor_id *addresses; /* by global index of the subtask */
    uint32_t subtask_count;
    struct deployed_subtask *subtasks;
    struct bytes carried; /* the parts of their states that only the JobManager can read
                           * (carried.h); decoded: borrowed from the message */
};
struct message *deployment_encode(struct host *host, const struct deployment *deployment);

/* The arrays come from `arena`. */
MUST_USE enum status deployment_decode(const struct message *message, struct arena *arena,
                                       struct deployment *deployment);

#endif
