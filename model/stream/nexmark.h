/* nexmark.h - the events of the Nexmark benchmark (an auction house), each computed from its
 * number.
 *
 * Of 50 events in a row the first is a new person, the next three are new auctions, the rest bids.
 * The rules for ids, hot auctions and hot bidders, prices, lifetimes and disorder are those of the
 * public generator (github.com/nexmark/nexmark, and Apache Beam's), with two differences: all of an
 * event's randomness comes from its number, so that a source can go back anywhere; and a bidder's
 * id is a person's id, where that generator adds the first person's id twice.
 *
 * An event is a line of text:
 *
 *   person,ID,NAME,CITY,STATE,TIMESTAMP
 *   auction,ID,SELLER,CATEGORY,INITIAL_BID,RESERVE,EXPIRES,TIMESTAMP
 *   bid,AUCTION,BIDDER,PRICE,TIMESTAMP
 *
 * Times are milliseconds of event time, up to NEXMARK_TIME_MS_MAX. With padding one more field
 * fills the line up to the size that the benchmark gives such an event. No line is longer than
 * NEXMARK_LINE_SIZE_MAX bytes. */
#ifndef FAULTLINE_STREAM_NEXMARK_H
#define FAULTLINE_STREAM_NEXMARK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/bytes.h"

enum {
    NEXMARK_FIRST_ID = 1000, /* of persons and of auctions */
    NEXMARK_FIRST_CATEGORY = 10,
    NEXMARK_CATEGORY_COUNT = 5,
    NEXMARK_ORDER_MULTIPLIER = 953, /* prime; what stirs the events of a group */
    NEXMARK_PERSON_BYTES = 200,     /* with padding */
    NEXMARK_AUCTION_BYTES = 500,
    NEXMARK_BID_BYTES = 100,
    NEXMARK_LINE_SIZE_MAX = 512,
};

/* Beyond any that is generated, and far from where sums would overflow. */
#define NEXMARK_TIME_MS_MAX INT64_C(10000000000000000)

struct nexmark_config {
    uint64_t seed;
    uint64_t rate_per_s;       /* events a second of event time; at least 1 */
    uint64_t out_of_order;     /* events change places within groups of so many; 1: they do not. No
                                * multiple of NEXMARK_ORDER_MULTIPLIER */
    uint32_t hot_auctions_ppm; /* how many bids go to the hot auction */
    uint32_t hot_bidders_ppm;  /* how many bids come from the hot bidder */
    uint32_t hot_sellers_ppm;  /* how many auctions are the hot seller's */
    bool padding;
};

/* As the benchmark: 10000 a second, in order, half of the bids and three quarters of the bidders
 * and sellers hot, no padding; seed 1. */
struct nexmark_config nexmark_default_config(void);

enum nexmark_kind { NEXMARK_PERSON, NEXMARK_AUCTION, NEXMARK_BID };

struct nexmark_event {
    enum nexmark_kind kind;
    int64_t timestamp_ms;
    union {
        struct {
            uint64_t id;
            struct bytes name; /* borrowed: static storage, or the line that was parsed */
            struct bytes city;
            struct bytes state;
        } person;
        struct {
            uint64_t id;
            uint64_t seller;
            uint64_t category;
            uint64_t initial_bid;
            uint64_t reserve;
            int64_t expires_ms;
        } auction;
        struct {
            uint64_t auction;
            uint64_t bidder;
            uint64_t price;
        } bid;
    } as;
};

/* The id of the event that comes in place `number`, from 0: it lies in the same group. */
uint64_t nexmark_event_id(const struct nexmark_config *config, uint64_t number);

/* The lowest id that may come in place `number` or later: no event that follows is older than it.
 */
uint64_t nexmark_watermark_id(const struct nexmark_config *config, uint64_t number);

/* When event `id` happened. */
int64_t nexmark_timestamp_ms(const struct nexmark_config *config, uint64_t id);

/* The event `id`, from 0. */
void nexmark_event_of(const struct nexmark_config *config, uint64_t id,
                      struct nexmark_event *event);

/* 100 * 10^(6u) for u = `fraction` / 2^32, rounded: 100 to 100000000. */
uint64_t nexmark_price(uint32_t fraction);

/* Writes the event as a line, without an end, to `at`, which has room for NEXMARK_LINE_SIZE_MAX
 * bytes; returns its size. */
size_t nexmark_format(const struct nexmark_config *config, const struct nexmark_event *event,
                      uint8_t *at);

/* Reads a line, padded or not; false if it is no event. */
bool nexmark_parse(struct bytes line, struct nexmark_event *event);

#endif
