"""Fill the generated parts of the documentation site; ``mkdocs.yml`` names this file as a hook.

The comment ``<!-- generated: NAME -->`` in a page marks the place of a part. The part replaces the
line below the comment. The replaced line tells readers of the raw file where to find the part.
``PARTS`` has one function for each name. CONTRIBUTING.md and CHANGELOG.md also become pages, under
the addresses in ``TOP``.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).resolve().parent.parent
#: Files next to mkdocs.yml that are pages of the site, with their addresses.
TOP = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_MARK = re.compile(r"^<!-- generated: (\S+) -->\n(.+)$", re.MULTILINE)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    lines = [[str(cell).replace("|", "\\|") for cell in row] for row in (list(head), *rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def section(title: str) -> str:
    """Return the content of a section of CONTRIBUTING.md, without its title.

    Raises
    ------
    ValueError
        If the page does not have the section exactly once.
    """
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    found = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    if len(found) != 1:
        raise ValueError(f"expected the section {title!r} once, found it {len(found)} times")
    return str(found[0]).strip()


def each_command() -> Iterator[tuple[str, Any, Any]]:
    """Yield the name, the command and the context of each command and subcommand.

    Commands and contexts have the classes of click. Some versions of typer contain a copy of click.
    """
    from backtests.cli.app import app

    main: Any = typer.main.get_command(app)
    yield from _below(main, main.context_class(main, info_name="drypowder"))


def _below(group: Any, context: Any) -> Iterator[tuple[str, Any, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        inner = command.context_class(command, parent=context, info_name=name)
        yield inner.command_path, command, inner
        yield from _below(command, inner)


def commands() -> str:
    """Return a section for each command, with the text of its ``--help``."""
    return "\n\n".join(_said(*command) for command in each_command())


def _said(path: str, command: Any, context: Any) -> str:
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    lines = [f"## `{path}`", f"```text\n{usage}\n```", _unwrapped(command.help or "")]
    records = [p.get_help_record(context) for p in command.get_params(context)]
    for given, text in (record for record in records if record):
        lines.append(f"`{given.strip()}`\n:   {_literal(text)}")
    return "\n\n".join(lines)


def _unwrapped(text: str) -> str:
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(_literal(" ".join(paragraph.split())) for paragraph in paragraphs)


def _literal(text: str) -> str:
    """Return Markdown that shows a text of the terminal unchanged."""
    return re.sub(r"([<>*_`\[\]])", r"\\\1", text).replace("\\<", "&lt;").replace("\\>", "&gt;")


def catalog() -> str:
    """Return one table for each source of the catalog."""
    from signals.catalog import CATALOG

    titles = {"fred": "FRED", "sec": "SEC", "nyfed": "New York Fed", "file": "Imported tables"}
    parts = []
    for source, title in titles.items():
        rows = (
            (
                *(f"`{s.id}`", s.title, s.unit, s.frequency, s.known),
                *("yes" if s.revised else "no", f"{s.low:,g} to {s.high:,g}", s.stale_after),
            )
            for s in CATALOG.values()
            if s.source == source
        )
        head = ("id", "title", "unit", "value for", "known", "revised", "plausible", "stale, days")
        parts.append(f"## {title}\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def assets() -> str:
    """Return a table of the classes of assets, with their tickers."""
    from signals.universe import CLASSES, members

    rows = (
        (name, duration, ", ".join(f"`{ticker}`" for ticker in members(name)))
        for name, duration in CLASSES.items()
        if members(name)
    )
    return table(("class", "duration", "tickers"), rows)


def registered() -> str:
    """Return a table of the registered signals."""
    from signals import SIGNALS

    rows = (
        (
            *(f"`{name}`", f"[{entry.signal.__name__}](#signals.{entry.signal.__name__})"),
            *(entry.signal.link, "yes" if entry.votes else "no"),
            (entry.signal.__doc__ or "").partition("\n")[0],
        )
        for name, entry in SIGNALS.items()
    )
    return table(("name", "class", "link", "votes", "what it measures"), rows)


def configuration() -> str:
    """Return the file that ``drypowder init`` writes."""
    from backtests.cli.init import template

    return f"```toml\n{template('near-cash-flow').strip()}\n```"


PARTS: dict[str, Callable[[], str]] = {
    "assets": assets,
    "catalog": catalog,
    "commands": commands,
    "configuration": configuration,
    "links": lambda: section("The links of the thesis"),
    "signals": registered,
    "terms": lambda: section("Terms"),
}


def filled(text: str) -> str:
    """Return a page with its generated parts."""
    return _MARK.sub(lambda mark: PARTS[mark[1]](), text)


def linked(text: str, page: str) -> str:
    """Return a page; its links to files of the repository become links to pages of the site."""
    up = "" if page in TOP else "../"
    for file, address in TOP.items():
        text = text.replace(f"]({up}{file}", f"]({address}")
    return text.replace("](docs/", "](") if page in TOP else text


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Add the pages that are next to mkdocs.yml."""
    from mkdocs.structure.files import File

    for file, address in TOP.items():
        content = linked((ROOT / file).read_text("utf-8"), file)
        files.append(File.generated(config, address, content=content))
    return files


def foreign(html: str) -> list[str]:
    """Return the addresses on other hosts that a browser would load with a page."""
    loaded = (
        r"<(?:script|img|iframe|source)\b[^>]*?\bsrc=|<link\b(?![^>]*\bcanonical\b)[^>]*?\bhref="
    )
    return re.findall(rf'(?:{loaded})"?((?:https?:)?//[^\s">]+)', html)


def on_post_build(config: Any, **_: Any) -> None:
    """Raise PluginError if a page of the site would load something from another host."""
    from mkdocs.exceptions import PluginError

    for page in Path(config.site_dir).rglob("*.html"):
        if found := foreign(page.read_text("utf-8")):
            raise PluginError(f"{page}: expected no request to other hosts, found {found}")


def on_page_content(html: str, **_: Any) -> str:
    """Take the prompts out of the commands, and keep dates and numbers in tables on one line.

    The style sheet draws the prompts, so a copied command contains no prompt.
    """
    html = html.replace('<span class="gp">$ </span>', '<span class="gp"></span>')
    return re.sub(r"<td>([^<]{1,20})</td>", r'<td class="short">\1</td>', html)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill the generated parts of a page."""
    return filled(linked(markdown, page.file.src_uri))
