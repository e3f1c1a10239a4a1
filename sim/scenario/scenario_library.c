#include "sim/scenario/scenario_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/base/check.h"
#include "model/jobs/library_job.h"

static const char symbol[] = "faultline_job";

/* What the loader says begins with the path, which the caller names already. */
static const char *loader_error(const char *path)
{
    const char *text = dlerror();
    CHECK(text != NULL);
    size_t size = strlen(path);
    bool begins = strncmp(text, path, size) == 0 && strncmp(text + size, ": ", 2) == 0;
    return begins ? text + size + 2 : text;
}

/* Is there a file to load? */
static enum status look_for(const char *path, struct buffer *error)
{
    if (*path == '\0') {
        buffer_append_text(error, "must be the path of a shared library");
        return STATUS_INVALID;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        bool is_missing = errno == ENOENT;
        buffer_append_format(error, "%s: %s", path, is_missing ? "no such file" : strerror(errno));
        return is_missing ? STATUS_NOT_FOUND : STATUS_IO;
    }
    (void)fclose(file);
    return STATUS_OK;
}

/* NULL: it is no library, or holds no job. */
static const struct faultline_job *find(const char *path, struct buffer *error)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        buffer_append_format(error, "%s: cannot be loaded: %s", path, loader_error(path));
        return NULL;
    }
    const struct faultline_job *job = dlsym(library, symbol);
    if (job == NULL) {
        buffer_append_format(error, "%s: is no job: it does not define \"%s\"", path, symbol);
    } else if (job->version != FAULTLINE_JOB_VERSION) {
        buffer_append_format(error,
                             "%s: was built for version %u of faultline/job.h, and this faultline "
                             "has version %u: compile it again",
                             path, job->version, FAULTLINE_JOB_VERSION);
        return NULL;
    }
    return job;
}

enum status library_load(struct arena *arena, const char *path, const struct job_info **loaded,
                         struct buffer *error)
{
    CHECK(error->size == 0);
    enum status status = look_for(path, error);
    if (status != STATUS_OK) {
        return status;
    }
    const struct faultline_job *job = find(path, error);
    if (job == NULL) {
        return STATUS_INVALID;
    }
    struct pipeline pipeline;
    pipeline_init(&pipeline);
    struct buffer mistake;
    buffer_init(&mistake, arena);
    if (!library_job_build(job, &pipeline, &mistake)) {
        buffer_append_format(error, "%s: %.*s", path, (int)mistake.size,
                             (const char *)mistake.data);
        return STATUS_INVALID;
    }
    struct job_info *info = arena_alloc(arena, 1, sizeof *info);
    *info = (struct job_info){
        .name = job->name, .help = "", .input = JOB_READS_LINES, .library = job
    };
    *loaded = info;
    return STATUS_OK;
}
