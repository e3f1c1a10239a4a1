#include "model/base/check.h"
#include "model/live/live_actor.h"

/* The call that began at `start_ns` is over. */
static void tell(struct host *host, enum host_volume volume, enum live_call_kind kind,
                 uint64_t start_ns)
{
    struct live_actor *actor = (struct live_actor *)host;
    if (volume == HOST_SHARED) {
        struct live_call call = { .kind = kind,
                                  .process = actor->process->options.number,
                                  .took_ns = live_clock_ns() - start_ns };
        live_actor_report(actor, &(struct live_report){ .kind = LIVE_CALL, .call = call });
    }
}

static enum status told(struct host *host, enum host_volume volume, enum live_call_kind kind,
                        uint64_t start_ns, enum status status)
{
    if (status == STATUS_OK) {
        tell(host, volume, kind, start_ns);
    }
    return status;
}

static enum status file_open(struct host *host, enum host_volume volume, const char *path,
                             enum host_open_mode mode, file_id *id)
{
    uint64_t start_ns = live_clock_ns();
    enum status status = live_file_open(host, volume, path, mode, id);
    return mode == HOST_READ ? status : told(host, volume, LIVE_CALL_NAME, start_ns, status);
}

static enum status file_sync(struct host *host, file_id id)
{
    const struct live_actor *actor = (const struct live_actor *)host;
    CHECK(id >= 1 && id <= actor->file_count);
    enum host_volume volume = actor->files[id - 1].volume;
    uint64_t start_ns = live_clock_ns();
    return told(host, volume, LIVE_CALL_SYNC, start_ns, live_file_sync(host, id));
}

/* Only here somebody must know whether there was something under the new name. */
static enum status rename(struct host *host, enum host_volume volume, const char *from,
                          const char *to)
{
    file_id file;
    bool replaces = live_file_open(host, volume, to, HOST_READ, &file) == STATUS_OK;
    if (replaces) {
        live_file_close(host, file);
    }
    uint64_t start_ns = live_clock_ns();
    return told(host, volume, replaces ? LIVE_CALL_REMOVE : LIVE_CALL_NAME, start_ns,
                live_rename(host, volume, from, to));
}

static enum status remove(struct host *host, enum host_volume volume, const char *path)
{
    uint64_t start_ns = live_clock_ns();
    return told(host, volume, LIVE_CALL_REMOVE, start_ns, live_remove(host, volume, path));
}

static enum status make_dir(struct host *host, enum host_volume volume, const char *path)
{
    uint64_t start_ns = live_clock_ns();
    return told(host, volume, LIVE_CALL_NAME, start_ns, live_make_dir(host, volume, path));
}

static enum status remove_dir(struct host *host, enum host_volume volume, const char *path)
{
    uint64_t start_ns = live_clock_ns();
    return told(host, volume, LIVE_CALL_REMOVE, start_ns, live_remove_dir(host, volume, path));
}

static enum status sync_dir(struct host *host, enum host_volume volume, const char *path)
{
    uint64_t start_ns = live_clock_ns();
    return told(host, volume, LIVE_CALL_SYNC, start_ns, live_sync_dir(host, volume, path));
}

void live_time_calls(struct host_ops *ops)
{
    ops->file_open = file_open;
    ops->file_sync = file_sync;
    ops->rename = rename;
    ops->remove = remove;
    ops->make_dir = make_dir;
    ops->remove_dir = remove_dir;
    ops->sync_dir = sync_dir;
}
