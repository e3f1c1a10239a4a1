/* wordcount.h - the word count job: how often each word has come in lines of text. */
#ifndef FAULTLINE_JOBS_WORDCOUNT_H
#define FAULTLINE_JOBS_WORDCOUNT_H

#include "model/stream/pipeline.h"

/* source -> split | key by word -> count -> sink. Out comes `word : count` for each word in. A word
 * is a run of ASCII letters and digits, capitals made small, and of bytes above 127. */
void wordcount_build(struct pipeline *pipeline);

#endif
