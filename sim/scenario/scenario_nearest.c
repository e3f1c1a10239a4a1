#include "sim/scenario/scenario_nearest.h"

#include "model/base/check.h"

enum { WORD_SIZE_MAX = 64 };

void nearest_init(struct nearest *nearest, struct bytes word)
{
    CHECK(nearest != NULL);
    *nearest = (struct nearest){ .word = word, .distance = UINT32_MAX };
}

void nearest_offer(struct nearest *nearest, struct bytes candidate, const char *answer)
{
    CHECK(answer != NULL);
    /* One slip in a short word, one more for every five letters of a long one. */
    uint32_t limit = 1 + (uint32_t)(nearest->word.size / 5);
    uint32_t distance = text_distance(nearest->word, candidate);
    if (distance <= limit && distance < nearest->distance) {
        nearest->distance = distance;
        nearest->answer = answer;
    }
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Damerau and Levenshtein's distance in which no part is edited twice. */
uint32_t text_distance(struct bytes a, struct bytes b)
{
    if (a.size > WORD_SIZE_MAX || b.size > WORD_SIZE_MAX) {
        return UINT32_MAX;
    }
    uint32_t rows[WORD_SIZE_MAX + 1][WORD_SIZE_MAX + 1];
    for (uint32_t i = 0; i <= a.size; i++) {
        for (uint32_t j = 0; j <= b.size; j++) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            uint32_t differs = a.data[i - 1] == b.data[j - 1] ? 0 : 1;
            uint32_t best = smaller(rows[i - 1][j] + 1, rows[i][j - 1] + 1);
            best = smaller(best, rows[i - 1][j - 1] + differs);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
                a.data[i - 2] == b.data[j - 1]) {
                best = smaller(best, rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    uint32_t distance = rows[a.size][b.size];
    CHECK(distance <= WORD_SIZE_MAX);
    return distance;
}
