/* The live host, as groups of threads, against the contract of model/host.h. */
#include "tests/support/live_contract.h"
#include "tests/support/runner.h"

static Suite *make(uint64_t slowness)
{
    return contract_suite(&live_contract_threads, slowness);
}

int main(void)
{
    return run_suite_on_a_clock(make);
}
