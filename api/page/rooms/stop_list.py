"""The stop list: looked through, added to by hand or from a file, taken off, saved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.datastructures import UploadFile
from starlette.responses import Response

from api import phones, stop_import
from api.fields import Unfit
from api.messages import Message
from api.page import paging, sheet
from api.page.visit import Visit, Way
from api.stop_import import Line
from api.store import stop_list

ON_A_PAGE = 50
MAX_COMMENT = 1000
_AT_ONCE = 5000
LINES_SHOWN = 200


def show(visit: Visit) -> Response:
    """What is on it."""
    return _page(visit)


def add(visit: Visit) -> Response:
    """One number, however it is written."""
    given, comment = visit.text("phone"), visit.text("comment").replace("\0", "")[:MAX_COMMENT]
    try:
        phone = phones.normal(given)
    except Unfit as error:
        return _page(visit, 422, phone=given, comment=comment, error=error.message.render(visit.language))
    with visit.service.database.write() as db:
        stop_list.add(db, visit.account.id, {phone: comment}, visit.service.now())
    return visit.go(f"/stop-list?added={phone}")


def remove(visit: Visit) -> Response:
    """It may be called again."""
    number = paging.number({"id": visit.text("id")}, "id")
    with visit.service.database.write() as db:
        phone = stop_list.remove(db, visit.account.id, number) if number else None
    return visit.go(f"/stop-list?removed={phone}" if phone else "/stop-list")


def look(visit: Visit) -> Response:
    """What would be taken of a file or a pasted text, line by line; nothing is done yet."""
    file = visit.form.get("file")
    if isinstance(file, UploadFile) and file.filename:
        raw = file.file.read(stop_import.MAX_BYTES + 1)
        if len(raw) > stop_import.MAX_BYTES:
            wrong = Message("The file is larger than {most} MB", most=stop_import.MAX_BYTES >> 20)
            return _page(visit, 413, import_error=wrong.render(visit.language))
        text = stop_import.decoded(raw)
    else:
        text = visit.text("text")
    if not text.strip():
        return _page(visit, 422, import_error=Message("Choose a file, or paste a list").render(visit.language))
    lines = stop_import.lines(text)
    wanted = {line.phone for line in lines if line.problem is None}
    with visit.service.database.read() as db:
        known = stop_list.which_are_listed(db, visit.account.id, wanted)
    taken = [line for line in lines if line.problem is None and line.phone not in known]
    refused = [line for line in lines if line.problem is not None]
    there = [line for line in lines if line.problem is None and line.phone in known]
    return visit.page(
        "stop_list_import.html", taken=taken, refused=refused, there=there, shown=LINES_SHOWN,
        text="\n".join(f"{line.phone};{line.comment}" for line in taken),
        cut=len(lines) >= stop_import.MAX_LINES, most=stop_import.MAX_LINES,
        why=lambda line: line.problem.render(visit.language),
    )  # fmt: skip


def take(visit: Visit) -> Response:
    """Put the lines that were looked at on it."""
    lines = [line for line in stop_import.lines(visit.text("text")) if line.problem is None]
    for begin in range(0, len(lines), _AT_ONCE):  # in several transactions: others write between them
        part: list[Line] = lines[begin : begin + _AT_ONCE]
        with visit.service.database.write() as db:
            comments = {line.phone: line.comment for line in part}
            stop_list.add(db, visit.account.id, comments, visit.service.now())
    return visit.go(f"/stop-list?taken={len(lines)}")


def save(visit: Visit) -> Response:
    """All of it as CSV; it can be imported again."""
    head = [name.render(visit.language) for name in (Message("Telephone"), Message("Comment"), Message("Since"))]
    return sheet.response("stop-list", visit.language, head, _rows(visit))


def _rows(visit: Visit) -> Iterator[list[object]]:
    after, zone = 0, ZoneInfo(visit.account.timezone)
    while True:
        with visit.service.database.read() as db:
            found = list(stop_list.every(db, visit.account.id, after, _AT_ONCE))
        for entry in found:
            yield [entry.phone, entry.comment, f"{datetime.fromtimestamp(entry.created_at, zone):%Y-%m-%d %H:%M:%S}"]
        if len(found) < _AT_ONCE:
            return
        after = found[-1].id


def _page(
    visit: Visit, status: int = 200, *, phone: str = "", comment: str = "", error: str = "", import_error: str = ""
) -> Response:
    asked, before = visit.query.get("q", "").strip(), paging.number(visit.query, "before")
    begins = stop_import.beginnings(asked)
    with visit.service.database.read() as db:
        if asked:
            found = stop_list.search(db, visit.account.id, begins, ON_A_PAGE + 1) if begins else []
        else:
            found = stop_list.page(db, visit.account.id, before, ON_A_PAGE + 1)
    more = len(found) > ON_A_PAGE
    shown = found[:ON_A_PAGE]
    return visit.page(
        "stop_list.html", status, entries=shown, asked=asked, more=more, phone=phone, comment=comment, error=error,
        import_error=import_error, most_comment=MAX_COMMENT,
        paged=before is not None,
        older_page=paging.address("/stop-list", {}, before=shown[-1].id) if more and not asked else None,
        news={name: visit.query.get(name, "")[:20] for name in ("added", "removed", "taken")},
    )  # fmt: skip


WAYS = (
    Way("GET", "/stop-list", show),
    Way("GET", "/stop-list.csv", save),
    Way("POST", "/stop-list/add", add),
    Way("POST", "/stop-list/remove", remove),
    Way("POST", "/stop-list/look", look),
    Way("POST", "/stop-list/take", take),
)
