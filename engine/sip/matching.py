"""Which transaction a message belongs to, and where an answer goes (RFC 3261 17.1.3, 17.2.3, 18.2). Pure."""

from __future__ import annotations

from engine.sip.dialog import MAGIC
from engine.sip.message import Address, Message


def client_key(branch: str, method: str) -> str:
    return f"c {branch} {method}"


def server_key(request: Message, method: str) -> str:
    """RFC 3261 17.2.3, the older rule for a branch without the magic."""
    if request.branch.startswith(MAGIC):
        return f"s {request.branch} {request.sent_by} {method}"
    return f"s {request.call_id} {request.cseq} {request.from_tag} {request.sent_by} {request.branch} {method}"


def arrived(request: Message, source: Address) -> Message:
    """Say in the topmost Via where it came from (RFC 3261 18.2.1, RFC 3581 4)."""
    headers: list[tuple[str, str]] = []
    done = False
    for name, value in request.headers:
        if name == "Via" and not done:
            done = True
            parts = [part.strip() for part in value.split(";")]
            kept = [p for p in parts[1:] if p.partition("=")[0].strip().lower() not in ("received", "rport")]
            rport = len(kept) < len(parts) - 1 and any(p.lower().startswith("rport") for p in parts[1:])
            ours = [f"received={source[0]}", *([f"rport={source[1]}"] if rport else [])]
            headers.append((name, ";".join([parts[0], *kept, *ours])))
        else:
            headers.append((name, value))
    return request.rebuilt(tuple(headers))


def answers_go_to(request: Message, source: Address) -> Address:
    """RFC 3261 18.2.2: to the source address, and to its port if rport was asked for, else that of the Via."""
    if ";rport=" in request.first("Via"):
        return source
    port = request.sent_by.rpartition(":")[2]
    return source[0], int(port) if port.isascii() and port.isdigit() and 0 < int(port) < 65536 else 5060
