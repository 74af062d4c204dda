"""How commands are declared: with help in plain text, examples, and words such as URL and FILE instead of types."""

from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

EXAMPLE_URL = "https://www.example.com/harbour/night-ferry"
MOST = 10**9
"""The largest number that is taken: more rows than anybody has, and one that both databases can count to."""


WRONG_USAGE: type[Exception] = typer.BadParameter.__mro__[1]
"""The base of everything that typer says about words on the command line; it is not exported by its name."""


class _WithExamples:
    epilog: str | None

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read the words of a command line; what is wrong with one names the command that it was said to."""
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]  # of the class that this is mixed into
        except WRONG_USAGE as problem:
            if getattr(problem, "ctx", None) is None:
                problem.ctx = ctx  # type: ignore[attr-defined]  # as every other of its kind has it
            raise

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - click's interface
        """Write the examples as they stand: a command line that is wrapped could not be copied."""
        if self.epilog:
            with formatter.section("Examples"):
                formatter.write("".join(f"{'':{formatter.current_indent}}{line}\n" for line in self.epilog.split("\n")))


class PlainGroup(_WithExamples, TyperGroup):
    """A command that has commands below it; its help ends with examples."""


class PlainCommand(_WithExamples, TyperCommand):
    """A command whose help says of arguments what to put there, and ends with examples, a line each."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line. The braces around what is needed say nothing where no brackets stand."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options; of arguments without their types, which repeat their names in another tongue."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            if param.param_type_name == "argument":
                sections["Arguments"].append((record[0].split(" <")[0], record[1].removesuffix("[required]").rstrip()))
            else:
                sections["Options"].append(record)
        for name, rows in sections.items():
            if rows:
                with formatter.section(name):
                    formatter.write_dl(rows)


class CommandTable(typer.Typer):
    """Commands of the program, each with examples."""

    def __init__(self, *, cls: type[TyperGroup] = PlainGroup, examples: Sequence[str] = (), **options: Any) -> None:
        # With rich's markup, typer would take `[[source]]` for a style and leave it out.
        super().__init__(cls=cls, epilog="\n".join(examples), rich_markup_mode=None, **options)

    def example_command(
        self, name: str | None = None, *, examples: Sequence[str]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a command; `examples` are command lines that can be typed."""
        return self.command(name, cls=PlainCommand, epilog="\n".join(examples))


def whole_number(least: int) -> Callable[[Any], int]:
    """Return a reader of whole numbers from `least` to `MOST`, for options and arguments."""

    def read(text: Any) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= MOST:
            raise typer.BadParameter(f"{str(text)[:40]} is no whole number from {least} to {MOST:,}.")
        return number

    return read
