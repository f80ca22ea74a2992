"""Logging on a command's terminal: only warnings and errors of Prefect and Dask.

The console's level is set through the environment, so that it holds for Dask workers too. Logs that go to a Prefect
server are not filtered: its page shows everything.
"""

import logging
import os

from prefect.logging.configuration import setup_logging

CONSOLE_LEVEL = "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"
INTERNAL_LEVEL = "PREFECT_INTERNAL_LOGGING_LEVEL"


def quiet_logs(verbose: bool = False) -> None:
    """Let only warnings and errors through to standard error; with `verbose`, everything."""
    if verbose:
        setup_logging()
        return
    os.environ.setdefault(CONSOLE_LEVEL, "WARNING")
    os.environ.setdefault(INTERNAL_LEVEL, "CRITICAL")  # of services that lost their server, kilobytes for each event
    setup_logging()
    silence_lost_connections()
    # a Ctrl-C just as Dask begins to wait makes its own clean-up fail, in a callback that nobody depends on
    logging.getLogger("tornado.application").setLevel(logging.CRITICAL)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_not_raised_anyway)
        handler.addFilter(_not_of_dask)


def silence_lost_connections() -> None:
    """Say nothing of each log line and event that a Prefect server which is gone does not get.

    That it is gone is told at the end of the run, in one line.
    """
    for name in ("prefect.events.clients", "EventsWorker"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.raiseExceptions = False  # what a handler cannot send it would print, with a traceback


def silence_given_up() -> None:
    """Say nothing, in a worker, of a task that stopped since nobody waits for it: Prefect tells it as a failure."""
    logging.getLogger("prefect.task_runs").addFilter(_waited_for)


def _waited_for(record: logging.LogRecord) -> bool:
    return "GivenUp" not in record.getMessage()  # `tasks.train.GivenUp`, in both lines that Prefect has for it


def as_in_workers() -> None:
    """In a fork of a command: nobody raises here what its tasks log."""
    for handler in logging.getLogger().handlers:
        handler.removeFilter(_not_raised_anyway)


def _not_of_dask(record: logging.LogRecord) -> bool:
    """Drop what Dask says of connections that it closes or has lost, tracebacks too: the flow ends with one line.

    Not by a level: Dask sets those of its loggers as it is imported, which is later.
    """
    return record.levelno >= logging.CRITICAL or record.name.partition(".")[0] != "distributed"


def _not_raised_anyway(record: logging.LogRecord) -> bool:
    """Drop the engines' reports of a run that failed in this process: its exception reaches the command.

    Tasks on workers report in their own process, where this filter is not.
    """
    return record.levelno < logging.ERROR or record.module not in ("flow_engine", "task_engine")
