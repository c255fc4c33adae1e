/* Switches callgrind's counting on and off around a loop; `instructions.py` compiles it, `counted.py` calls it.
   Outside of valgrind the macros do nothing. */
#include <valgrind/callgrind.h>

void start_counting(void) {
    CALLGRIND_ZERO_STATS;
    CALLGRIND_START_INSTRUMENTATION;
}

/* Writes what was counted to a file of its own, whose line "desc: Trigger" ends in `name`. */
void stop_counting(const char *name) {
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION;
}
