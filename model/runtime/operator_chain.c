#include "model/runtime/operator_chain.h"

#include "model/base/check.h"
#include "model/base/codec.h"

void operator_chain_open(struct operator_chain *chain, const struct vertex *vertex,
                         struct operator_context *context, const struct collector *tail)
{
    *chain = (struct operator_chain){ .vertex = vertex, .context = context };
    struct collector *out = NULL;
    for (uint32_t i = vertex->chain_length; i-- > 0;) {
        const struct operator_spec *spec = &vertex->chain[i];
        if (i + 1 < vertex->chain_length) {
            chain->collectors[i] = (struct collector){ .emit = vertex->chain[i + 1].ops->process,
                                                       .target = chain->instances[i + 1] };
            out = &chain->collectors[i];
        } else if (tail != NULL) {
            chain->collectors[i] = *tail;
            out = &chain->collectors[i];
        }
        chain->instances[i] = spec->ops->open(context, spec->parameters, out);
    }
}

enum status operator_chain_restore(struct operator_chain *chain, struct bytes state)
{
    if (operator_throws(chain->context, HOST_CALL_RESTORE)) {
        return STATUS_OK; /* the failure says it all */
    }
    struct decoder decoder;
    decoder_init(&decoder, state);
    bool restoring = state.size > 0;
    if (restoring && decode_u16(&decoder) != chain->vertex->chain_length) {
        return STATUS_CORRUPT;
    }
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        struct bytes part = restoring ? decode_bytes(&decoder) : (struct bytes){ 0 };
        const struct operator_ops *ops = chain->vertex->chain[i].ops;
        if (decoder.failed) {
            return STATUS_CORRUPT;
        }
        if (ops->restore != NULL) {
            enum status status = ops->restore(chain->instances[i], part);
            if (status != STATUS_OK) {
                return status;
            }
        }
    }
    return decoder_finish(&decoder);
}

void operator_chain_snapshot(struct operator_chain *chain, uint64_t checkpoint,
                             struct buffer *out)
{
    CHECK(out->size == 0);
    if (operator_throws(chain->context, HOST_CALL_SNAPSHOT)) {
        return;
    }
    encode_u16(out, (uint16_t)chain->vertex->chain_length);
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        const struct operator_ops *ops = chain->vertex->chain[i].ops;
        size_t length_at = out->size;
        encode_u32(out, 0);
        if (ops->snapshot != NULL) {
            ops->snapshot(chain->instances[i], checkpoint, out);
        }
        store_u32(out->data + length_at, (uint32_t)(out->size - length_at - sizeof(uint32_t)));
    }
}

void operator_chain_finish(struct operator_chain *chain)
{
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        if (chain->vertex->chain[i].ops->finish != NULL) {
            chain->vertex->chain[i].ops->finish(chain->instances[i]);
        }
    }
}

void operator_chain_notify_complete(struct operator_chain *chain, uint64_t checkpoint)
{
    if (operator_throws(chain->context, HOST_CALL_COMMIT)) {
        return;
    }
    for (uint32_t i = 0; i < chain->vertex->chain_length; i++) {
        if (chain->vertex->chain[i].ops->notify_complete != NULL) {
            chain->vertex->chain[i].ops->notify_complete(chain->instances[i], checkpoint);
        }
    }
}
