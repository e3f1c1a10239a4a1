#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "model/base/check.h"
#include "sim/campaign/mapped_file.h"
#include "sim/campaign/output_files.h"
#include "sim/campaign/progress.h"
#include "sim/campaign/run.h"
#include "sim/input/input.h"

enum { MIB = 1024 * 1024 };

/* Standard input that is empty was probably read before; what went wrong is told with its key. */
static enum status end_reading(const struct scenario *scenario, enum status status,
                               struct bytes input, struct buffer *why, struct buffer *error)
{
    if (status == STATUS_OK && input.size == 0 && input_is_standard(scenario->input_path)) {
        buffer_append_text(why, "nothing came from standard input, which can be read once only");
        status = STATUS_INVALID;
    }
    if (status != STATUS_OK) {
        buffer_append_format(error, "%s: job.input.%s: ", scenario->path,
                             scenario->input_shape.query != NULL ? "sqlite" : "file");
        buffer_append(error, buffer_bytes(why));
    }
    buffer_free(why);
    return status;
}

enum status run_read_input(struct scenario *scenario, struct arena *arena, struct bytes *input,
                           struct buffer *error)
{
    *input = (struct bytes){ 0 };
    if (scenario->job.input.kind != INPUT_FILE) {
        return STATUS_OK;
    }
    struct buffer why;
    buffer_init(&why, arena);
    enum status status = input_read_all(arena, scenario->input_path, &scenario->input_shape, input,
                                        &scenario->job.input.is_numbered, &why);
    return end_reading(scenario, status, *input, &why, error);
}

void run_note_kept(struct scenario *scenario, struct arena *arena, const char *path)
{
    scenario->input_path = path;
    scenario->input_shape = (struct input_shape){ .format = FORMAT_LINES };
    scenario->job.input.is_numbered = false;
    scenario->job.input.label = arena_format(arena, "%s (standard input)", path);
}

enum status run_keep_input(struct scenario *scenario, struct arena *arena, const char *folder,
                           struct bytes input, struct buffer *error)
{
    if (scenario->job.input.kind != INPUT_FILE || !input_is_standard(scenario->input_path)) {
        return STATUS_OK;
    }
    const char *path = arena_format(arena, "%s/input.txt", folder);
    run_note_kept(scenario, arena, path);
    return output_path_write(arena, path, input, error);
}

/* ---- step by step ---------------------------------------------------------------------------- */

/* Reads all of `input` into `file` in `folder`; `*size` bytes are there in the end. */
static enum status copy_steps(struct input *input, struct arena *arena, int file,
                              const char *folder, struct progress *progress, size_t *size,
                              struct buffer *why)
{
    struct buffer step;
    buffer_init(&step, arena);
    enum status status = STATUS_OK;
    bool more = true;
    *size = 0;
    while (status == STATUS_OK && more) {
        step.size = 0;
        status = input_read(input, &step, &more, why);
        if (status == STATUS_OK) {
            status = file_append(file, folder, buffer_bytes(&step), why);
            *size += step.size;
        }
        if (progress_is_due(progress)) {
            progress_show(progress, "%zu MiB of input read", *size / MIB);
        }
    }
    progress_end(progress);
    buffer_free(&step);
    return status;
}

static enum status copy_and_map(struct scenario *scenario, struct arena *arena, int file,
                                const char *folder, FILE *progress_out, struct bytes *input,
                                struct buffer *why)
{
    struct input *reader;
    struct progress progress;
    size_t size = 0;
    progress_init(&progress, progress_out);
    enum status status =
        input_open(&reader, arena, scenario->input_path, &scenario->input_shape, why);
    if (status != STATUS_OK) {
        return status;
    }
    status = copy_steps(reader, arena, file, folder, &progress, &size, why);
    scenario->job.input.is_numbered = input_is_numbered(reader);
    input_close(reader);
    if (status == STATUS_OK && size > 0 && !file_map(arena, file, size, input)) {
        buffer_append_format(why, "a copy cannot be mapped: %s", strerror(errno));
        status = STATUS_IO;
    }
    return status;
}

/* A file of this process alone that lives as long as it is open or mapped. -1: see errno. */
static int open_unnamed(struct arena *arena, const char *folder)
{
    int file = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (file < 0) { /* the file system may not know such files */
        const char *path = arena_format(arena, "%s/.input.%ld", folder, (long)getpid());
        file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file >= 0) {
            (void)unlink(path);
        }
    }
    return file;
}

enum status run_copy_input(struct scenario *scenario, struct arena *arena, const char *folder,
                           FILE *progress, struct bytes *input, struct buffer *error)
{
    *input = (struct bytes){ 0 };
    if (scenario->job.input.kind != INPUT_FILE) {
        return STATUS_OK;
    }
    struct output_folder parent = { .arena = arena, .path = folder, .error = error };
    enum status status = output_folder_make(&parent);
    if (status != STATUS_OK) {
        return status;
    }
    struct buffer why;
    buffer_init(&why, arena);
    int file = open_unnamed(arena, folder);
    if (file < 0) {
        buffer_append_format(&why, "%s: what is read cannot be kept: %s", folder, strerror(errno));
        status = STATUS_IO;
    } else {
        status = copy_and_map(scenario, arena, file, folder, progress, input, &why);
        (void)close(file);
    }
    return end_reading(scenario, status, *input, &why, error);
}
