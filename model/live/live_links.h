/* live_links.h - the sockets from one process of a live cluster to its peers. Private to
 * model/live/.
 *
 * One connection to each incarnation of a peer carries all streams, so their order is kept (H1),
 * and its end is how the death of a peer is seen. Whoever sends writes to the socket itself as long
 * as it takes the bytes, and never waits for it: what does not fit is queued, and written when the
 * peer has read. Reading is the work of one thread, which never stops for long; so a peer that is
 * paused holds up nobody but those who wait for what it owes them. */
#ifndef FAULTLINE_LIVE_LIVE_LINKS_H
#define FAULTLINE_LIVE_LIVE_LINKS_H

#include "model/live/live_process.h"

struct live_links;

/* Links for `process`, whose readiness is reported to the epoll set `epoll`, with the number of the
 * peer as its data. */
struct live_links *live_links_create(struct live_process *process, uint32_t process_count,
                                     int epoll);

/* Takes `socket`, connected to an incarnation of process `number`; the one before is closed, and
 * what was on its way there is lost. */
void live_links_add(struct live_links *links, uint32_t number, uint32_t incarnation, int socket);

/* Takes a message and sends it to the peer that `message->to` names; it is lost if that incarnation
 * is not connected. From any thread. */
void live_links_send(struct live_links *links, struct message *message);

/* The socket to peer `number` is ready: passes on what came, writes what waits, and tells the
 * process when the peer is gone. By the thread that polls the epoll set. */
void live_links_serve(struct live_links *links, uint32_t number);

#endif
