/* row_store_rocksdb.h - rows in RocksDB: a column family for each space.
 *
 * RocksDB lies in memory files of its own, not in files of the host, and its threads flush and
 * compact as they like: neither changes an answer. A view is one of RocksDB's snapshots. There is
 * no write-ahead log, since the rows are disposable. The host is charged by the bytes that are put,
 * as often as an average LSM tree writes them, at the time of the put, and once for rows that are
 * loaded; so time does not hang on what the threads do. Faults of the LOCAL disk do not reach it:
 * the library's C interface has no way to give it files of ours.
 *
 * The threads are the process's. A process that has had a store and then forks leaves a child in
 * which RocksDB waits for threads that are not there: only children may have stores then. */
#ifndef FAULTLINE_STATE_ROW_STORE_ROCKSDB_H
#define FAULTLINE_STATE_ROW_STORE_ROCKSDB_H

#include "model/host.h"
#include "model/state/row_store.h"

/* Was this program built with RocksDB? */
bool row_store_rocksdb_is_built_in(void);

/* An empty store that keeps about `cache_bytes` in memory, without counting what RocksDB calls its
 * files. The host's arena owns it. Errors: NOT_FOUND (not built in), IO. */
MUST_USE enum status row_store_rocksdb_create(struct host *host, uint64_t cache_bytes,
                                              struct row_store **store);

#endif
