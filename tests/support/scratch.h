/* scratch.h - what many tests want to themselves: some memory, and a folder; as a fixture. */
#ifndef FAULTLINE_TESTS_SCRATCH_H
#define FAULTLINE_TESTS_SCRATCH_H

#include "tests/support/folder.h"

extern struct arena arena;
extern struct folder folder;

void scratch_set_up(void);
void scratch_tear_down(void);

#endif
