"""A command that remembers in which order its options were given."""

from typing import Any

from typer.core import TyperCommand

ORDER = "masktrail.order"


class OrderedCommand(TyperCommand):
    """Leaves what was given to its repeatable options in `context.meta[ORDER]`.

    There they stand as (name, text) in the order of the command line, whereas a parameter only has
    the values of its own option.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses twice, the first time for the order alone."""
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        waiting = {name: iter(texts) for name, texts in values.items() if isinstance(texts, list)}
        ctx.meta[ORDER] = [(p.name, next(waiting[p.name])) for p in order if p.name in waiting]
        return super().parse_args(ctx, args)
