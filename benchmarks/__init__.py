"""What streamtally costs, beside floors that are measured in the same run. `make bench` runs it; nothing here is a gate.

All times are CPU time of the thread (`time.thread_time_ns`). Each table measures its rows in turn, round by round, in one
process, and shows ratios: the machine's speed cancels out. Instructions are counted by valgrind, which no load of the machine
changes.
"""
