"""The console of all reports, on which no name or text of an event can forge a line or send a command."""

from typing import Any

from rich.console import Console
from rich.text import Text

from turret_pipeline.escaping import escape_line, indent_further_lines


class LineConsole(Console):
    """Console on which each string is one line: a line end or control character inside it becomes a symbol.

    Further lines are further arguments of ``print``, or cells of a table.
    """

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401
        """The line with a style; rich calls this for every string that it prints or lays out in a table."""
        return super().render_str(escape_line(text), **options)

    def print_lines(self, *lines: str, style: str | None = None) -> None:
        """Print lines of any length; nothing if there are none."""
        if lines:
            self.print(*lines, sep="\n", style=style, soft_wrap=True)

    def print_message(self, message: str, style: str | None = None) -> None:
        """Print a message; if it has several lines, all but the first are indented."""
        self.print_lines(*indent_further_lines(message).split("\n"), style=style)
