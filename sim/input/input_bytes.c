#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#ifdef FAULTLINE_ZSTD
#include <zstd.h>
#endif

#include "model/base/check.h"
#include "sim/input/input_private.h"

enum { PACKED_BYTES = 1 << 18 };

struct byte_stream {
    struct arena *arena;
    const char *path;
    enum input_compression compression;
    int descriptor;
    uint64_t read_bytes; /* of the file so far, compressed or not */
    /* What is compressed: */
    uint8_t *packed; /* PACKED_BYTES */
    size_t packed_size;
    size_t packed_used;
    bool is_inside; /* of a gzip member or a zstd frame that has not ended */
    z_stream gzip;
#ifdef FAULTLINE_ZSTD
    ZSTD_DStream *zstd;
#endif
};

bool input_has_zstd(void)
{
#ifdef FAULTLINE_ZSTD
    return true;
#else
    return false;
#endif
}

bool input_is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

static enum status cannot_read(const char *path, int reason, struct buffer *error)
{
    buffer_append_format(error, "cannot read %s: %s", path, strerror(reason));
    return reason == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
}

/* Up to `limit` bytes of the file itself. */
static enum status read_file(struct byte_stream *stream, uint8_t *to, size_t limit, size_t *got,
                             struct buffer *error)
{
    ssize_t count;
    do {
        count = read(stream->descriptor, to, limit);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return cannot_read(stream->path, errno, error);
    }
    *got = (size_t)count;
    stream->read_bytes += *got;
    return STATUS_OK;
}

/* ---- compressed ------------------------------------------------------------------------------ */

static enum status is_damaged(const struct byte_stream *stream, const char *why,
                              struct buffer *error)
{
    uint64_t at = stream->read_bytes - (stream->packed_size - stream->packed_used);
    buffer_append_format(error, "%s: the %s data is damaged at its byte %llu: %s", stream->path,
                         stream->compression == COMPRESSION_GZIP ? "gzip" : "zstd",
                         (unsigned long long)at, why);
    return STATUS_INVALID;
}

/* Unpacks what there is into `to`. A file may hold several members, one behind the other. */
static enum status unpack_gzip(struct byte_stream *stream, uint8_t *to, size_t limit, size_t *got,
                               struct buffer *error)
{
    z_stream *gzip = &stream->gzip;
    if (!stream->is_inside) {
        int reset = inflateReset(gzip);
        CHECK(reset == Z_OK);
        stream->is_inside = true;
    }
    gzip->next_in = stream->packed + stream->packed_used;
    gzip->avail_in = (uInt)(stream->packed_size - stream->packed_used);
    gzip->next_out = to;
    gzip->avail_out = (uInt)limit;
    int answer = inflate(gzip, Z_NO_FLUSH);
    *got = limit - gzip->avail_out;
    stream->packed_used = stream->packed_size - gzip->avail_in;
    if (answer == Z_MEM_ERROR) {
        buffer_append_format(error, "%s: there is no memory to unpack it", stream->path);
        return STATUS_IO;
    }
    if (answer != Z_OK && answer != Z_STREAM_END && answer != Z_BUF_ERROR) {
        return is_damaged(stream, gzip->msg != NULL ? gzip->msg : "a dictionary is missing", error);
    }
    stream->is_inside = answer != Z_STREAM_END;
    return STATUS_OK;
}

static enum status unpack_zstd(struct byte_stream *stream, uint8_t *to, size_t limit, size_t *got,
                               struct buffer *error)
{
#ifdef FAULTLINE_ZSTD
    ZSTD_inBuffer in = { stream->packed, stream->packed_size, stream->packed_used };
    ZSTD_outBuffer out = { to, limit, 0 };
    size_t answer = ZSTD_decompressStream(stream->zstd, &out, &in);
    stream->packed_used = in.pos;
    if (ZSTD_isError(answer)) {
        return is_damaged(stream, ZSTD_getErrorName(answer), error);
    }
    *got = out.pos;
    stream->is_inside = answer != 0;
    return STATUS_OK;
#else
    (void)to;
    (void)limit;
    (void)got;
    (void)error;
    CHECK_UNREACHABLE(stream->path);
#endif
}

/* None at the end only. */
static enum status unpack(struct byte_stream *stream, uint8_t *to, size_t limit, size_t *got,
                          struct buffer *error)
{
    enum status status = STATUS_OK;
    *got = 0;
    while (status == STATUS_OK && *got == 0) {
        if (stream->packed_used == stream->packed_size) {
            stream->packed_used = 0;
            stream->packed_size = 0;
            status = read_file(stream, stream->packed, PACKED_BYTES, &stream->packed_size, error);
        }
        bool at_end = stream->packed_size == 0;
        if (status != STATUS_OK || (at_end && !stream->is_inside)) {
            break;
        }
        /* At the end, too: it may have taken in more than it has given out. */
        status = (stream->compression == COMPRESSION_GZIP ? unpack_gzip : unpack_zstd)(
            stream, to, limit, got, error);
        if (status == STATUS_OK && at_end && *got == 0) {
            return stream->is_inside ? is_damaged(stream, "the file ends in the middle", error)
                                     : STATUS_OK;
        }
    }
    return status;
}

/* ---- the stream ------------------------------------------------------------------------------ */

static enum status open_unpacker(struct byte_stream *stream, struct buffer *error)
{
    stream->is_inside = true; /* a file without a byte was cut off */
    stream->packed = arena_alloc_raw(stream->arena, PACKED_BYTES);
    if (stream->compression == COMPRESSION_GZIP) {
        enum { WINDOW_BITS = 15, ONLY_GZIP = 16 };
        if (inflateInit2(&stream->gzip, WINDOW_BITS + ONLY_GZIP) == Z_OK) {
            return STATUS_OK;
        }
    }
#ifdef FAULTLINE_ZSTD
    if (stream->compression == COMPRESSION_ZSTD) {
        stream->zstd = ZSTD_createDStream();
        if (stream->zstd != NULL) {
            return STATUS_OK;
        }
    }
#endif
    buffer_append_format(error, "%s: there is no memory to unpack it", stream->path);
    return STATUS_IO;
}

enum status byte_stream_open(struct byte_stream **stream, struct arena *arena, const char *path,
                             enum input_compression compression, struct buffer *error)
{
    CHECK(compression != COMPRESSION_AUTO);
    if (compression == COMPRESSION_ZSTD && !input_has_zstd()) {
        buffer_append_format(error, "%s: this faultline was built without zstd", path);
        return STATUS_INVALID;
    }
    bool is_standard = input_is_standard(path);
    int descriptor = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return cannot_read(path, errno, error);
    }
    *stream = arena_alloc(arena, 1, sizeof **stream);
    **stream = (struct byte_stream){ .arena = arena,
                                     .path = is_standard ? "standard input" : path,
                                     .compression = compression,
                                     .descriptor = descriptor };
    enum status status =
        compression == COMPRESSION_NONE ? STATUS_OK : open_unpacker(*stream, error);
    if (status != STATUS_OK) {
        byte_stream_close(*stream);
    }
    return status;
}

enum status byte_stream_read(struct byte_stream *stream, size_t limit, struct buffer *bytes,
                             struct buffer *error)
{
    CHECK(limit > 0);
    CHECK(limit <= UINT32_MAX); /* zlib counts with 32 bits */
    uint8_t *to = buffer_extend(bytes, limit);
    size_t got = 0;
    enum status status = (stream->compression == COMPRESSION_NONE ? read_file : unpack)(
        stream, to, limit, &got, error);
    bytes->size -= limit - (status == STATUS_OK ? got : 0);
    return status;
}

void byte_stream_close(struct byte_stream *stream)
{
    if (stream->compression == COMPRESSION_GZIP) {
        (void)inflateEnd(&stream->gzip);
    }
#ifdef FAULTLINE_ZSTD
    (void)ZSTD_freeDStream(stream->zstd);
#endif
    if (stream->descriptor != STDIN_FILENO) {
        (void)close(stream->descriptor);
    }
    arena_free(stream->arena, stream->packed);
    arena_free(stream->arena, stream);
}
