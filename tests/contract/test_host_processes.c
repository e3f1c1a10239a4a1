/* The live host, as processes, against the contract of model/host.h. */
#include "tests/support/live_contract.h"
#include "tests/support/runner.h"

static Suite *make(uint64_t slowness)
{
    return contract_suite(&live_contract_processes, slowness);
}

int main(void)
{
    return run_suite_on_a_clock(make);
}
