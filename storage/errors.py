"""Broken promises, each with its subject, its cause and what to do about it.

What can be expected to happen to a page (a 404, a refusal by robots.txt, a timeout) is no exception but a value:
`storage.model.Outcome`.
"""


class MorgueError(Exception):
    """A failure that the person at the terminal can act on.

    `subject` names the thing that failed (a file, a URL, a setting), `problem` says what is wrong with it, and
    `remedy` what to do. `exit_code` is what a command ends with: 1 when a target, the archive or the database
    failed, 2 when the configuration or the usage is wrong.
    """

    exit_code = 1

    def __init__(self, subject: str, problem: str, remedy: str = "") -> None:
        super().__init__(subject, problem, remedy)
        self.subject = subject
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        tail = f"; {self.remedy}" if self.remedy else ""
        return f"{self.subject or repr('')}: {self.problem}{tail}"


class ConfigurationError(MorgueError):
    """A setting is unknown, of the wrong type, or makes no sense."""

    exit_code = 2


class UsageError(MorgueError):
    """A command was called with words that it cannot serve."""

    exit_code = 2


class NotFound(MorgueError):
    """No article, page, source or version answers to that name."""


class DatabaseUnavailable(MorgueError):
    """The database cannot be opened, read or written now: locked, read-only, gone, or refusing the connection."""


class DatabaseBusy(DatabaseUnavailable):
    """Another process wanted the same rows at the same time, and the database ended this transaction for it.

    Nothing of the transaction was written. The same transaction may be tried again from its beginning.
    """


class DatabaseGone(DatabaseUnavailable):
    """The file of the database, or of its lock, was removed or replaced while open: no waiting brings it back."""


class ServiceRunning(MorgueError):
    """A service works on this database, and only one may."""


class DatabaseTooNew(MorgueError):
    """The database was written by a newer morgue than this one."""


class DatabaseNeedsUpgrade(MorgueError):
    """The database is older than this morgue and was not upgraded by itself."""


class ArchiveUnavailable(MorgueError):
    """The archive folder cannot be written or read; nothing may be recorded whose capture was not kept."""


class CaptureUnreadable(MorgueError):
    """A capture that the database names cannot be read back from its WARC file."""


class ShortOfResources(MorgueError):
    """This machine, or what it allows us, is short of processes, threads, open files or memory; nothing may be recorded
    as if a page had been the cause."""


class ExtractionUnavailable(ShortOfResources):
    """No process that reads pages can be started."""
