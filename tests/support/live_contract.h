/* live_contract.h - the two kinds of live cluster as hosts under host_contract.h. */
#ifndef FAULTLINE_TESTS_LIVE_CONTRACT_H
#define FAULTLINE_TESTS_LIVE_CONTRACT_H

#include "tests/support/host_contract.h"

extern const struct contract_host live_contract_threads;
extern const struct contract_host live_contract_processes;

#endif
