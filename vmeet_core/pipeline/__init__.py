"""The pipeline: what becomes of a recording. Jobs are graphs of steps, steps are pure functions of files.

``scheduler.Scheduler`` is the door to it; the server process alone writes the database. Each step runs in a process
of its own (``child``), which imports nothing of the scheduler: hence nothing is imported here.
"""
