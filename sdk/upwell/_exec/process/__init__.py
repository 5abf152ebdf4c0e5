"""User code in processes of its own: forked from a zygote, watched, and replaced when they die.

`pool` (Users) -> `user_process` (one process) <- bytes over a socket (`channel`) -> `guest` (in the process).
"""
