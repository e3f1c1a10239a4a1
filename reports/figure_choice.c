#include "reports/figure_choice.h"

#include <string.h>

#include "model/base/check.h"

struct axes {
    const char *y;
    const char *x;
};

static const struct axes axes[FIGURE_CHOICE_COUNT] = {
#define FIGURE(identifier, y, x) [CHOICE_##identifier] = { y, x },
    FIGURE_CHOICE_LIST(FIGURE)
#undef FIGURE
};

const char *figure_choice_y(enum figure_choice choice)
{
    CHECK((unsigned)choice < FIGURE_CHOICE_COUNT);
    return axes[choice].y;
}

const char *figure_choice_x(enum figure_choice choice)
{
    CHECK((unsigned)choice < FIGURE_CHOICE_COUNT);
    return axes[choice].x;
}

bool figure_choice_find(const char *y, const char *x, enum figure_choice *choice)
{
    for (unsigned i = 0; i < FIGURE_CHOICE_COUNT; i++) {
        if (strcmp(axes[i].y, y) == 0 && strcmp(axes[i].x, x) == 0) {
            *choice = (enum figure_choice)i;
            return true;
        }
    }
    return false;
}

bool figure_is_chosen(uint32_t chosen, uint32_t group, enum figure_choice choice)
{
    CHECK((group & 1u << choice) != 0);
    return (chosen & group) == 0 || (chosen & 1u << choice) != 0;
}
