/* library_api.h - the two halves of the table that a library's functions call: what builds a job,
 * and what its operators offer. Used by library_*.c only. */
#ifndef FAULTLINE_JOBS_LIBRARY_API_H
#define FAULTLINE_JOBS_LIBRARY_API_H

#include "include/faultline/job.h"
#include "model/stream/operator.h"

/* Their parameters are struct faultline_map, _key, _event_time and _process. */
extern const struct operator_ops library_map_operator;
extern const struct operator_ops library_pass_operator; /* it has none */
extern const struct operator_ops library_key_operator;
extern const struct operator_ops library_event_time_operator;
extern const struct operator_ops library_process_operator;

/* Behind library_key_operator a record is its key's place in it, two u32, and the record. */
void library_key_of(const struct record *record, struct key *key);

extern const struct faultline_api library_api;

/* The half of library_api that builds. */
struct faultline_stream *library_source(struct faultline_graph *graph);
struct faultline_stream *library_map(struct faultline_stream *stream, const char *name,
                                     const struct faultline_map *map);
struct faultline_stream *library_event_time(struct faultline_stream *stream, const char *name,
                                            const struct faultline_event_time *event_time);
struct faultline_stream *library_key_by(struct faultline_stream *stream,
                                        const struct faultline_key *key);
struct faultline_stream *library_process(struct faultline_stream *stream, const char *name,
                                         const struct faultline_process *process);
struct faultline_stream *library_unite(struct faultline_stream *first,
                                       struct faultline_stream *second, const char *name);
struct faultline_stream *library_broadcast(struct faultline_stream *stream);
struct faultline_stream *library_connect(struct faultline_stream *first,
                                         struct faultline_stream *second);
struct faultline_stream *library_side(struct faultline_stream *stream, const char *tag);
void library_sink(struct faultline_stream *stream, const char *name);

#endif
