"""The root command `morgue`: reads the configuration, mounts the other layers' commands, and adds the service's."""

import contextlib
import io
import logging
import os
import sys
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from crawler.cli import HOW_TO_SET_CONTACT, NO_CONTACT
from crawler.cli import app as crawler_app
from crawler.settings import CrawlSettings
from scheduler.control_cli import app as control_app
from scheduler.control_cli import reload
from scheduler.settings import Settings, file_wanted, load_settings
from scheduler.sources_cli import app as sources_app
from storage.cli import app as storage_app
from storage.cli import console, print_json, speaks_unicode
from storage.command_line import EXAMPLE_URL, WRONG_USAGE, CommandTable, PlainGroup
from storage.errors import MorgueError, UsageError
from storage.escaping import printable
from storage.hidden import without_secrets
from storage.settings import ArchiveSettings, DatabaseSettings

if TYPE_CHECKING:
    from scheduler.sd_notify import Notifier
    from scheduler.stop_signals import StopSignals
    from storage.model import Source
    from storage.store import Store

INTERRUPTED = 130
START_SECONDS = 900.0
"""How long the service manager is asked to wait for the start."""


class Commands(PlainGroup):
    """All commands. Ctrl-C ends any of them alike."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; typer would make of Ctrl-C an exit that says nothing."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise typer.Abort from interrupt


app = CommandTable(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Archives news articles: every version of every article, clean text, politely fetched.",
    examples=[
        f"morgue crawl {EXAMPLE_URL}",
        "morgue sources add https://www.example.com/",
        "morgue --config /etc/morgue/morgue.toml run",
        "morgue crawl --help",
    ],
)
app.add_typer(crawler_app)
app.add_typer(storage_app)
app.add_typer(control_app)
sources_app.example_command(
    examples=["morgue sources reload", "morgue --config /etc/morgue/morgue.toml sources reload"]
)(reload)
app.add_typer(sources_app, name="sources")


def software() -> str:
    """Return the program's name and version."""
    try:
        return f"morgue/{version('morgue')}"
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "morgue"


class CommandContext:
    """What every command finds as `ctx.obj`: the settings, read when they are first needed."""

    def __init__(self, config: Path | None) -> None:
        self._config = config

    @cached_property
    def settings(self) -> Settings:
        """The settings, from file and environment. Raises `ConfigurationError`."""
        return load_settings(self._config, os.environ)

    @property
    def file(self) -> Path:
        """The configuration file that was named, or would be found, whether it is there or not."""
        return file_wanted(self._config, os.environ)

    def read_again(self) -> "tuple[Settings, Sequence[Source]]":
        """Read file and environment once more, also the sources in them. Raises `ConfigurationError`."""
        from crawler.catalogue import sources

        settings = load_settings(self._config, os.environ)
        return settings, sources(settings.source)

    @property
    def database(self) -> DatabaseSettings:
        """Where the database is."""
        return self.settings.database

    @property
    def archive(self) -> ArchiveSettings:
        """Where the captures are."""
        return self.settings.archive

    @property
    def crawl(self) -> CrawlSettings:
        """How to fetch."""
        return self.settings.crawl

    @property
    def software(self) -> str:
        """Name and version, as WARC files carry them."""
        return software()

    def web_url(self, url: str) -> str:
        """Return a URL that somebody typed in its clean form. Raises `UsageError` for what is no http(s) URL."""
        from crawler.urls import InvalidUrl, clean_url

        try:
            return clean_url(url if "://" in url else f"https://{url}")
        except InvalidUrl as problem:
            raise UsageError(url, str(problem), "name an http or https URL") from problem

    def url_key(self, url: str) -> str:
        """Return the identity of a URL. Raises `UsageError` for what is no http(s) URL."""
        from crawler.urls import InvalidUrl, url_key

        try:
            return url_key(url if "://" in url else f"https://{url}")
        except InvalidUrl as problem:
            raise UsageError(url, str(problem), "name an http or https URL, or an article's id") from problem

    def open_store(self, *, as_service: bool = False) -> "Store":
        """Open the database, making it if there is none, with the configured sources brought up to date.

        Without a configuration file the sources stay as they are: whoever crawls a page in passing must not pause
        what a service with a file watches in the same database. `as_service` says that the service's lock is held.
        """
        from crawler.catalogue import sources
        from scheduler.syncing import sync
        from storage.store import Store

        configured = sources(self.settings.source)
        store = Store.open(self.settings.database.url, create=True, as_service=as_service)
        if self.settings.file is None:
            return store
        try:
            sync(store, configured)
        except BaseException:
            store.close()
            raise
        return store

    def after_crawl(self, store: "Store") -> None:
        """Plan every page and feed that has no next time, and count what the crawl brought to its day."""
        from crawler.runner import SourceBook
        from scheduler.counting import count_days
        from scheduler.feed_planner import plan_feeds, poll_rule
        from scheduler.planner import PagePlanner
        from scheduler.rule_book import plan_settings
        from storage.clock import utc_now

        now, sources = utc_now(), SourceBook(store)
        # Without a file nobody said how pages are to be planned: what a service with one has planned stays.
        replans = self.settings.file is not None
        PagePlanner(store, sources, plan_settings(self.settings), replans=replans).plan(now)
        plan_feeds(store, due=poll_rule(sources, self.settings.service.poll), now=now)
        count_days(store, now)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The configuration; else MORGUE_CONFIG, else ./morgue.toml."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log every page and feed to standard error.")
    ] = False,
    version_: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version_:
        typer.echo(software())
        raise typer.Exit
    ctx.obj = CommandContext(config)
    from scheduler.log_output import configure_logging

    is_service = ctx.invoked_subcommand == "run"
    usual = logging.INFO if is_service else logging.WARNING
    writer = configure_logging(level=logging.DEBUG if verbose else usual)
    if is_service:
        # What Python itself and libraries write there must not hold the service up either.
        sys.stderr = writer


@app.example_command(
    examples=[
        "morgue init",
        "morgue init --no-database",
        "morgue --config /etc/morgue/morgue.toml init --data /var/lib/morgue --no-database",
    ]
)
def init(
    ctx: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Write over a configuration that is there.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="FOLDER", help="Where database and archive are to be; else beside the configuration."
        ),
    ] = None,
    no_database: Annotated[bool, typer.Option("--no-database", help="Write the configuration only.")] = False,
) -> None:
    """Write a commented morgue.toml, and make the database.

    It goes into the current folder, or where --config says.
    """
    from scheduler.sample_configuration import sample_configuration
    from storage.migrate import holds_database

    context: CommandContext = ctx.obj
    path = context.file
    if path.exists() and not force:
        raise UsageError(str(path), "is there already", "use --force to write over it, or edit it")
    try:
        path.write_text(sample_configuration(None if data is None else data.absolute()), encoding="utf-8")
    except OSError as problem:
        raise UsageError(str(path), f"cannot be written ({problem.strerror})", "choose another folder") from problem
    out, database = console(), context.settings.describe_database()
    if no_database:
        out.print(f"Wrote {path}. `morgue crawl` or `morgue run` makes the database {database} if it is not there.")
    else:
        try:
            was_there = holds_database(context.database.url)
            context.open_store().close()
        except MorgueError:
            out.print(f"Wrote {path}, and made no database.")
            raise
        made = f". The database {database} was there already." if was_there else f" and made the database {database}."
        out.print(f"Wrote {path}{made}")
    out.print(f"Next: put your sources into {path.name}, then `morgue crawl`.")


@app.example_command(examples=["morgue run", "morgue --config /etc/morgue/morgue.toml run"])
def run(ctx: typer.Context) -> None:
    """Run the service, which polls feeds and recrawls articles.

    It goes on until SIGTERM or Ctrl-C, and finishes then what is in flight.
    """
    from scheduler.sd_notify import Notifier, supervision
    from scheduler.stop_signals import StopSignals

    context: CommandContext = ctx.obj
    signals = StopSignals()
    signals.install()
    notifier = Notifier(supervision(os.environ, pid=os.getpid()))
    try:
        code = _serve(context, signals, notifier)
    except SystemExit:
        if signals.is_serving:
            raise
        _say_stopped_while_starting(signals)
        raise
    raise typer.Exit(code)


def _serve(context: CommandContext, signals: "StopSignals", notifier: "Notifier") -> int:
    """Run the service and return its exit code. Until it has begun, a signal to stop raises `SystemExit`."""
    from scheduler.early_answers import EarlyAnswers
    from storage.service_lock import hold_service_lock

    signals.grace_seconds = context.settings.service.grace_seconds
    # An upgrade of a big database takes its time.
    notifier.starting(within_seconds=START_SECONDS)
    early = EarlyAnswers(context.settings)
    with hold_service_lock(context.database.url) as lock, contextlib.ExitStack() as stack:
        # Only then: where a service runs already, that is what is to be said.
        stack.callback(early.end)
        early.begin()
        from crawler import reactor
        from scheduler.service import Service, Surroundings

        store = stack.enter_context(context.open_store(as_service=True))
        store.check_writable()
        _warn_of_settings(context, store)
        around = Surroundings(
            lock=lock,
            signals=signals,
            notifier=notifier,
            read_settings=context.read_again,
            software=software(),
            early=early,
        )
        return reactor.run(Service(context.settings, store, around).run())


def _warn_of_settings(context: CommandContext, store: "Store") -> None:
    """Say in the log what a newcomer may have left out."""
    import structlog

    log = structlog.get_logger()
    if not context.crawl.names_contact:
        log.warning("contact_not_set", problem=NO_CONTACT, remedy=HOW_TO_SET_CONTACT)
    with store.reading() as transaction:
        sources = transaction.sources.all()
    if not any(stored.watched and not stored.paused for stored in sources):
        what = f"no source is watched, of {len(sources)} known" if sources else "there is no source yet"
        remedy = "`morgue sources add URL` writes one into the configuration, then `morgue sources reload`"
        log.warning("nothing_to_watch", problem=what, remedy=remedy)


def _say_stopped_while_starting(signals: "StopSignals") -> None:
    import structlog

    structlog.get_logger().info("stopped", reason=signals.asked, exit_code=0, while_starting=True)


@app.example_command(examples=["morgue status", "morgue status courier", f"morgue status {EXAMPLE_URL}"])
def status(
    ctx: typer.Context,
    target: Annotated[str | None, typer.Argument(metavar="URL|SOURCE", help="One page or one source.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Say what is watched, what is due, and what went wrong."""
    from scheduler.rule_book import plan_settings
    from scheduler.status import status_row
    from scheduler.status_printing import print_status
    from storage.store import Store

    context: CommandContext = ctx.obj
    with Store.open(context.database.url) as store, store.reading() as transaction:
        row = status_row(
            transaction,
            target,
            url_key=context.url_key,
            requests_per_day=context.crawl.requests_per_host_per_day,
            settings=plan_settings(context.settings),
        )
    if json_:
        print_json(row)
    else:
        print_status(console(), row)


def main() -> None:
    """Run `morgue`: exit 0 all well, 1 a target, the archive or the database failed, 2 usage, 130 after Ctrl-C."""
    _occupy_standard_streams()
    sys.excepthook = _say_crash
    if isinstance(sys.stdout, io.TextIOWrapper) and not speaks_unicode(sys.stdout):
        # What the terminal's character set lacks is shown by its number, instead of ending the command.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_run())
    except BrokenPipeError:
        _end_without_reader()
    except SystemExit as end:
        # typer turns a broken pipe into an exit of its own.
        if isinstance(end.__context__, BrokenPipeError):
            _end_without_reader()
        raise


def _run() -> int:
    """Run the command and return its exit code; what is wrong is said in one line."""
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except MorgueError as problem:
        return _failed(str(problem), problem.exit_code)
    except WRONG_USAGE as problem:
        return _misused(problem)
    except (KeyboardInterrupt, typer.Abort):
        return _failed("interrupted; what was fetched before is kept", INTERRUPTED)
    except OSError as problem:
        if isinstance(problem, BrokenPipeError):
            raise
        # What could not be written is still buffered; written once more at the very end, it would change our exit code.
        _drop_output()
        place = os.fsdecode(problem.filename) if problem.filename else "input or output"
        return _failed(f"{place}: {problem.strerror or problem}; check the disk and who may write there", 1)
    return code if isinstance(code, int) else 0


def _occupy_standard_streams() -> None:
    """Open what the caller closed: else the next file, such as the database, would get that number, and what is
    written to standard error would land in it. Writing to a standard output that was closed still fails."""
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - lasts as long as the process
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - likewise


def _say_crash(_: type[BaseException], problem: BaseException, __: TracebackType | None) -> None:
    """Show a failure of ours; what it is about may be secret, or what a server sent (`scheduler.log_failures`)."""
    from scheduler.log_failures import failure_text

    _tell(failure_text(problem))


def _tell(text: str) -> None:
    """Say something on standard error, behind what was logged; where nobody can be told, the exit code must do."""
    from scheduler.log_output import end_log

    end_log()
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - the one line that an error gets
    end_log()


def _end_without_reader() -> NoReturn:
    """End quietly: whoever read our output has left, as `head` does, and there is nobody to tell."""
    _drop_output()
    sys.exit(0)


def _drop_output() -> None:
    """Send what is left of our output nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _misused(problem: Any) -> int:
    message = problem.format_message()
    context = getattr(problem, "ctx", None)
    command = context.command_path if context is not None else "morgue"
    if type(problem).__name__ == "NoArgsIsHelpError":  # a command without any words gets its help
        problem.show()
        return int(problem.exit_code)
    _, _, below = command.partition(" ")
    where = f"{below}: " if below else ""
    said = message.rstrip(".?").replace(". Did you mean", "; did you mean")
    return _failed(f"{where}{said}{'? See' if message.endswith('?') else '; see'} `{command} --help`", 2)


def _failed(message: str, code: int) -> int:
    one_line = " ".join(printable(without_secrets(message)).split())
    _tell(f"morgue: {one_line}")
    return code
