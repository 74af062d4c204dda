"""The commands by which an operator steers a service: pause, resume, fetch, watch, unwatch, and sources reload.

All of them speak to the database, so the service may run on another machine.
"""

import time
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.reload_requests import ANSWERED, ASKED, ids_in
from storage.cli import JsonOption, console, print_json
from storage.command_line import EXAMPLE_URL, CommandTable
from storage.errors import UsageError
from storage.escaping import printable
from storage.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scheduler.cli import CommandContext
    from scheduler.control import Act, Action, Done
    from storage.store import Store

app = CommandTable()

RELOAD_PATIENCE_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 0.2
MOST_ASKING = 32

TargetsArgument = Annotated[
    list[str], typer.Argument(metavar="SOURCE|URL", help="Slugs of sources, URLs of pages, or URLs of feeds.")
]


@app.example_command(examples=["morgue pause courier", f"morgue pause {EXAMPLE_URL}"])
def pause(ctx: typer.Context, targets: TargetsArgument, json_: JsonOption = False) -> None:
    """Leave sources, feeds or pages alone until `resume`.

    Whatever the configuration says.
    """
    from scheduler import control_acts

    _control(ctx.obj, targets, control_acts.pause, json_=json_)


@app.example_command(examples=["morgue resume courier", f"morgue resume {EXAMPLE_URL}"])
def resume(ctx: typer.Context, targets: TargetsArgument, json_: JsonOption = False) -> None:
    """Take a pause back. What came due meanwhile is due."""
    from scheduler import control_acts

    _control(ctx.obj, targets, control_acts.resume, json_=json_)


@app.example_command(examples=["morgue fetch courier", f"morgue fetch {EXAMPLE_URL}"])
def fetch(ctx: typer.Context, targets: TargetsArgument, json_: JsonOption = False) -> None:
    """Have the service fetch pages or feeds as soon as it may.

    `morgue crawl` needs no service.
    """
    from scheduler import control_acts

    at_once = " `morgue crawl` with the same words does it at once."
    _control(ctx.obj, targets, control_acts.fetch, json_=json_, at_once=at_once)


@app.example_command(examples=[f"morgue watch {EXAMPLE_URL}", "morgue watch https://www.example.com/feed.rss"])
def watch(ctx: typer.Context, targets: TargetsArgument, json_: JsonOption = False) -> None:
    """Hand pages, feeds or whole domains to the service, for good."""
    from scheduler import control_acts

    at_once = " `morgue crawl` with the same words does it at once."
    _control(
        ctx.obj, targets, control_acts.watch, json_=json_, at_once=at_once, unknown=control_acts.take_in, create=True
    )


@app.example_command(examples=[f"morgue unwatch {EXAMPLE_URL}", "morgue unwatch courier"])
def unwatch(ctx: typer.Context, targets: TargetsArgument, json_: JsonOption = False) -> None:
    """Take pages, feeds or whole domains back from the service. What is archived stays."""
    from scheduler import control_acts

    _control(ctx.obj, targets, control_acts.unwatch, json_=json_)


def reload(ctx: typer.Context, json_: JsonOption = False) -> None:
    """Check the configuration, and have the service take it up.

    Its sources come into force at once, also where no service runs.
    """
    from crawler.catalogue import sources
    from scheduler.syncing import sync
    from storage.store import Store

    context: CommandContext = ctx.obj
    settings = context.settings
    if settings.file is None:
        raise UsageError("morgue.toml", "is not there, so there is nothing to read again", "name a file with --config")
    configured = sources(settings.source)
    count = len(configured)
    # A database is not made here: a mistaken address would pass for one without a service.
    with Store.open(context.database.url) as store:
        # Of pages that go over we know: the service finds nothing left to hand over.
        went_over = sync(store, configured)
        row: dict[str, Any] = {"file": str(settings.file), "sources": count}
        row["pages_went_over"] = [{"source": one.slug, "to": one.heir, "pages": one.pages} for one in went_over]
        row |= _ask_for_reload(store, context.database.url)
    if json_:
        print_json(row)
    else:
        out = console()
        out.print(printable(f"{row['file']} is in order: {counted(count, 'source')}."))
        for one in went_over:
            out.print(printable(f"{counted(one.pages, 'page')} of {one.slug} went over to {one.heir}."))
        out.print(printable(str(row["says"])))
    if row["problem"] is not None:
        raise typer.Exit(1)


def _ask_for_reload(store: "Store", url: str) -> dict[str, Any]:
    """Ask a running service to read its configuration again, and wait for what it says."""
    from storage.engine import describe, parse_url
    from storage.serving import is_service_running

    if not is_service_running(url):
        says = f"No service runs on {describe(parse_url(url))}; all is in force at its next start."
        return {"service": "none", "says": says, "problem": None, "reloaded": None}
    token = str(uuid.uuid4())
    _ask(store, token)
    answer = _await_reload(store, token)
    if answer is None:
        problem = f"the service has not answered within {RELOAD_PATIENCE_SECONDS:.0f} s; `morgue status` says how it is"
        return {"service": "silent", "says": problem, "problem": problem, "reloaded": None}
    who = f"the service (process {answer.get('pid')} on {answer.get('host')})"
    if answer.get("problem") is not None:
        says = f"Refused by {who}, which goes on as before: {answer['problem']}"
        return {"service": "refused", "says": says, "problem": answer["problem"], "reloaded": answer}
    waits = answer.get("needs_restart") or []
    restart = f" These keys need a restart: {', '.join(map(str, waits))}." if waits else ""
    gone = answer.get("gone") or []
    paused = f" Paused, because the file no longer names them: {', '.join(map(str, gone))}." if gone else ""
    says = f"Reloaded by {who}: {_changes(answer)}.{paused}{restart}"
    return {"service": "reloaded", "says": says, "problem": None, "reloaded": answer}


def _changes(answer: "Mapping[str, Any]") -> str:
    """Return what became of the sources, in words."""
    counts = [(answer.get(name, 0), name) for name in ("added", "changed", "removed")]
    return ", ".join(f"{counted(count, 'source')} {name}" for count, name in counts if count) or "no source changed"


def _ask(store: "Store", token: str) -> None:
    """Ask for a reload, beside others who do: one answer is for all."""
    from storage.clock import utc_now

    with store.writing() as transaction:
        found = transaction.service_state.get(ASKED)
        others = ids_in(found[0] if found is not None else None)[-MOST_ASKING:]
        transaction.service_state.put(ASKED, {"ids": [*others, token]}, utc_now())


def _await_reload(store: "Store", token: str) -> dict[str, Any] | None:
    from storage.clock import steady_seconds

    ends_at = steady_seconds() + RELOAD_PATIENCE_SECONDS
    while steady_seconds() < ends_at:
        time.sleep(LOOK_AGAIN_SECONDS)
        with store.reading() as transaction:
            found, asked = transaction.service_state.get(ANSWERED), transaction.service_state.get(ASKED)
        if found is not None and token in ids_in(found[0]):
            return dict(found[0])
        if asked is None or token not in ids_in(asked[0]):
            # PostgreSQL let somebody else write over it who had not seen it.
            _ask(store, token)
    return None


def _control(
    context: "CommandContext",
    words: list[str],
    act: "Act",
    *,
    json_: bool,
    at_once: str = "",
    unknown: "Callable[[Action, str], Done] | None" = None,
    create: bool = False,
) -> None:
    """Do something with all that is named, and say what was done and when it holds."""
    from dataclasses import asdict

    from crawler.catalogue import sources
    from scheduler.control import Surroundings, control, service_sentence
    from storage.serving import is_service_running
    from storage.store import Store

    settings = context.settings
    around = Surroundings(
        configured=None if settings.file is None else sources(settings.source),
        requests_per_day=context.crawl.requests_per_host_per_day,
    )
    # What is steered must be known, so the configuration's sources are brought in only for what may be new.
    with context.open_store() if create else Store.open(context.database.url) as store:
        done = control(store, words, act, around, unknown=unknown)
        running = is_service_running(context.database.url)
        with store.reading() as transaction:
            presence = transaction.service_state.get("service")
    says = presence[0] if presence is not None and isinstance(presence[0], dict) else None
    sentence = service_sentence(running, says, at_once=at_once)
    if json_:
        print_json({"targets": [asdict(one) for one in done], "service": {"running": running, "says": sentence}})
        return
    out = console()
    for one in done:
        out.print(printable(one.says))
    if any(one.result != "unchanged" for one in done):
        out.print(printable(sentence))
