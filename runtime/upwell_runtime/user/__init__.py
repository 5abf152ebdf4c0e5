"""What user code runs in: a zygote beside the executor, and the processes that are forked from it."""
