"""The command `zvonar`: what can be typed, and nothing else. Each subcommand is a file, imported when it is called."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

import typer

USAGE = 2  # exit status: wrong usage or configuration

app = typer.Typer(
    name="zvonar",
    help="Places telephone calls for programs: dials over SIP, plays, listens, collects digits, reports.",
    epilog="To try it on the sandbox: zvonar call configs/scripts/appointment/appointment.yaml 79990000001",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
account_app = typer.Typer(help="The accounts of the service.", no_args_is_help=True)
app.add_typer(account_app, name="account")
bench_app = typer.Typer(help="How much this machine holds.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML configuration; default: $ZVONAR_CONFIG, else the sandbox."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command(epilog="Example: zvonar call appointment.yaml 79990000001 --from 79932432781 --journal call.jsonl")
def call(
    script: Annotated[Path, typer.Argument(metavar="SCRIPT", help="The call script, a YAML file.")],
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Whom to call: 3 to 15 digits, a plus is allowed.")],
    outgoing: Annotated[
        str | None, typer.Option("--from", metavar="NUMBER", help="The number of ours to show.")
    ] = None,
    trunk: Annotated[str | None, typer.Option(metavar="NAME", help="The trunk to go through.")] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long to ring.", min=1, max=600)] = 30.0,
    journal: Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the call for `zvonar replay`.")] = None,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Record both sides, the callee left, us right: FILE.wav or FILE.ogg (Opus)."),
    ] = None,
    detect_end_of_speech: Annotated[
        bool,
        typer.Option("--detect-end-of-speech", help="Let the callee's greeting end before the first prompt."),
    ] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Place one call, without the service; tells what happens as it happens.

    Exit status: 0 answered, 1 not answered, 2 wrong script, number or configuration (then nobody was called).
    """
    from zvonar.call import place

    raise typer.Exit(
        place(
            script, number, outgoing=outgoing, trunk=trunk, timeout_s=timeout, journal=journal,
            detect_end_of_speech=detect_end_of_speech, record_to=record, config=config, as_json=as_json,
        )
    )  # fmt: skip


@app.command(epilog="Example: zvonar replay call.jsonl")
def replay(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="A file that `zvonar call --journal` wrote.")],
    as_json: Json = False,
) -> None:
    """Run a call again from its journal, and compare what comes out.

    Exit status: 0 the same facts again, 1 they differ (the first difference is shown), 2 no readable journal.
    """
    from zvonar.replay import show

    raise typer.Exit(show(journal, as_json=as_json))


@app.command(epilog="Example: zvonar serve --config zvonar.toml")
def serve(config: ConfigFile = None) -> None:
    """Run the service: calls are asked for over HTTP."""
    from zvonar.serve import serve as run

    run(config)


@app.command(epilog="Example: zvonar sandbox --listen 127.0.0.1:5070")
def sandbox(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to wait for calls.")] = "127.0.0.1:5070",
    config: ConfigFile = None,
) -> None:
    """Run the sandbox's subscribers alone, for other SIP software to call."""
    from zvonar.sandbox import run

    run(listen, config)


@bench_app.command("calls", epilog="Example: zvonar bench calls --rate 5 --seconds 60")
def bench_calls(
    rate: Annotated[float, typer.Option(metavar="N", help="New calls a second.", min=0.1, max=100)] = 5.0,
    seconds: Annotated[float, typer.Option(metavar="S", help="For how long to start them.", min=1, max=3600)] = 20.0,
    as_json: Json = False,
) -> None:
    """Calls on the sandbox, both ends on this machine: how many fail, and the CPU that each takes."""
    from zvonar.bench import calls

    raise typer.Exit(calls(rate=rate, seconds=seconds, as_json=as_json))


@bench_app.command("media", epilog="Example: zvonar bench media --calls 50,1000 --against floor,asyncio")
def bench_media(
    calls: Annotated[
        str, typer.Option(metavar="N,N...", help="How many calls at once; a measurement for each number.")
    ] = "50,200,1000",
    seconds: Annotated[float, typer.Option(metavar="S", help="Of each measurement.", min=1, max=120)] = 8.0,
    listening: Annotated[
        float, typer.Option(metavar="SHARE", help="Of the calls, that are heard for voice.", min=0, max=1)
    ] = 0.25,
    against: Annotated[
        str,
        typer.Option(
            metavar="PEER,PEER...",
            help="Measure in turn with: floor (the sockets and nothing else), asyncio (a protocol a call), "
            "pyvoip (its RTPClient), asterisk (Playback).",
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """The media process against a far end in another process: CPU a call, packets lost, late and wrong, pacing.

    CPU is user and system time of the process measured, which has a core for itself. The pacing error is how far from
    its call's grid of 20 ms a packet came, by the kernel's time. A packet is late if it came more than 20 ms after
    it was due, and so is one that was given up. Exit status: 0 something was measured, 1 nothing could be.
    """
    from zvonar.bench_media.command import media
    from zvonar.bench_media.options import counts, peers

    raise typer.Exit(
        media(calls=counts(calls), seconds=seconds, listening=listening, against=peers(against), as_json=as_json)
    )


@bench_app.command("service", epilog="Example: zvonar bench service --calls 5000 --accounts 20 --seconds 10")
def bench_service(
    calls: Annotated[int, typer.Option(metavar="N", help="Planned calls that wait.", min=1, max=1_000_000)] = 50_000,
    batch: Annotated[int, typer.Option(metavar="N", help="Of one create and one get.", min=1, max=5000)] = 5000,
    accounts: Annotated[int, typer.Option(metavar="N", help="That poll once a second.", min=0, max=1000)] = 100,
    seconds: Annotated[float, typer.Option(metavar="S", help="Of each measurement.", min=0.1, max=3600)] = 30.0,
    postgres: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Measure on this PostgreSQL too: a database that is empty, for the bench."),
    ] = None,
    as_json: Json = False,
) -> None:
    """The service: how fast it answers, dials and reacts to keys, empty and under load.

    Exit status: 0 all targets are met, 1 not.
    """
    from zvonar.bench_service import Sizes, service

    raise typer.Exit(service(Sizes(calls, batch, accounts, seconds), postgres=postgres, as_json=as_json))


Name = Annotated[str, typer.Argument(metavar="NAME", help="What the account is called.")]


@account_app.command("add", epilog="Example: zvonar account add clinic --balance 100 --moderated")
def account_add(
    name: Name,
    balance: Annotated[str, typer.Option(metavar="AMOUNT", help="The money it starts with.")] = "0",
    moderated: Annotated[bool, typer.Option("--moderated", help="Its clips need no moderation.")] = False,
    role: Annotated[
        Literal["user", "moderator", "operator"],
        typer.Option(help="A moderator decides about accounts and clips of others; an operator may do that too."),
    ] = "user",
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="In which its calling hours are meant.")
    ] = "Europe/Moscow",
    outgoing: Annotated[
        str | None, typer.Option("--from", metavar="NUMBER", help="The number to call from where a request names none.")
    ] = None,
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Make an account and print its API key and a link to sign in by; may be done while `zvonar serve` runs."""
    from zvonar.account import add

    add(
        name, balance=_amount(balance), moderated=moderated, role=role, timezone=timezone, outgoing=outgoing,
        as_json=as_json, config=config,
    )  # fmt: skip


@account_app.command(
    "credit",
    epilog="Example: zvonar account credit clinic 500; to take some back: zvonar account credit clinic -- -20",
)
def account_credit(
    name: Name,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="What is added to the balance.")],
    comment: Annotated[str, typer.Option(metavar="TEXT", help="What for; it stands in the ledger.")] = "",
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Change the balance of an account; the ledger keeps a line of it."""
    from zvonar.account import credit

    credit(name, _amount(amount), comment, as_json, config)


@account_app.command("key", epilog="Example: zvonar account key clinic")
def account_key(name: Name, as_json: Json = False, config: ConfigFile = None) -> None:
    """Make a new API key and print it; the old one dies at once."""
    from zvonar.account import renew_key

    renew_key(name, as_json, config)


@account_app.command("link", epilog="Example: zvonar account link clinic")
def account_link(name: Name, as_json: Json = False, config: ConfigFile = None) -> None:
    """Make a link to the page that lets in once, within 24 hours, and print it."""
    from zvonar.account import link

    link(name, as_json, config)


@account_app.command("list", epilog="Example: zvonar account list")
def account_list(as_json: Json = False, config: ConfigFile = None) -> None:
    """All accounts, with their money and what moderation says of them."""
    from zvonar.account import show

    show(as_json, config)


@account_app.command("ledger", epilog="Example: zvonar account ledger clinic")
def account_ledger(name: Name, as_json: Json = False, config: ConfigFile = None) -> None:
    """What came onto an account and what went, newest first."""
    from zvonar.account import ledger

    ledger(name, as_json, config)


@app.command(epilog="Example: zvonar backup /var/backups/zvonar.tar.gz")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to write; it is there whole or not at all.")],
    recordings: Annotated[bool, typer.Option("--recordings", help="Recordings of calls too; they are large.")] = False,
    config: ConfigFile = None,
) -> None:
    """Save everything that the service keeps into one file, while it runs: database, secret, clips."""
    from zvonar.backup import save

    save(file, config, with_recordings=recordings)


@app.command(epilog="Example: zvonar migrate --config zvonar.toml")
def migrate(config: ConfigFile = None) -> None:
    """Bring the tables of the store up to date; on SQLite `zvonar serve` does so by itself."""
    from zvonar.migrate import migrate as run

    run(config)


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is no amount; write for example 100 or 99.50") from None


def main() -> None:
    """The entry point: errors that we know are one line on stderr and exit status 2."""
    from engine.config import ConfigError
    from engine.dial import DialError

    try:
        app()
    except (ConfigError, DialError) as error:
        print(f"zvonar: {error}", file=sys.stderr)
        sys.exit(USAGE)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone; Python would complain about stdout at exit
        sys.exit(1)
