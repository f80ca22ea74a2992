"""`make chaos`: parts of real campaigns are killed and paused at random, and their results compared.

    parts.py     a process as a supervisor has it: started, killed, paused, started again
    world.py     an S3 server behind a proxy, Prefect's server, Dask's scheduler and two workers
    faults.py    what happens to whom and when, drawn from a seed
    rounds.py    a campaign typed again and again until it is done, while faults happen
    contents.py  all that a store holds, without times, to be compared
    often.py     loaded by the workers: a checkpoint a second, and notes of what is trained
    table.py     what is told of the rounds

Real parts alone, as processes, on this machine's loopback. Each that is started here is ended here.
"""
