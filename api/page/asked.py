"""The request that an api-call was made by, as `create` takes it: put together again from what is kept. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from api.store.calls import ApiCall
from ivr.menu import ROOT

_UNSAID = (None, "", 0, False)
_DEFAULT_TIMEOUT = 30


def request(kept: ApiCall) -> dict[str, Any]:
    """Its fields, without the key; defaults are left out."""
    options = {name: value for name, value in kept.request.options.items() if value not in _UNSAID and value != []}
    if options.get("timeout") == _DEFAULT_TIMEOUT:
        del options["timeout"]
    notes = kept.request.menu
    first = notes.get(ROOT, {})
    told: dict[str, Any] = {"phone": kept.phone}
    if kept.outgoing:
        told["outgoingPhone"] = kept.outgoing
    if first.get("record"):
        told["record"] = {"id": int(first["record"])}
    if blocks := _below(notes, ROOT):
        told["ivrs"] = blocks
    return told | options


def menu(kept: ApiCall, clips: Mapping[str, str]) -> dict[str, Any]:
    """{record, ivrs, tag} for `<menu-graph>`. `clips` are the names of records by number."""

    def named(block: dict[str, Any]) -> dict[str, Any]:
        return block | {
            **(
                {"record": block["record"] | {"name": clips.get(str(block["record"]["id"]), "")}}
                if "record" in block
                else {}
            ),
            "ivrs": [named(below) for below in block.get("ivrs", [])],
        }

    first = kept.request.menu.get(ROOT, {})
    record = {"id": int(first["record"]), "name": clips.get(first["record"], "")} if first.get("record") else None
    return {
        "record": record,
        "ivrs": [named(block) for block in _below(kept.request.menu, ROOT)],
        "tag": first.get("tag") or "",
    }


def _below(notes: Mapping[str, Mapping[str, Any]], name: str) -> list[dict[str, Any]]:
    found = []
    for block, note in notes.items():
        if block.startswith(f"{name}.") and "." not in block[len(name) + 1 :]:
            told: dict[str, Any] = {"digit": note["digit"]}
            if note.get("record"):
                told["record"] = {"id": int(note["record"])}
            for key, ours in (("id", "id"), ("tag", "tag"), ("webhookUrl", "webhook_url")):
                if note.get(ours):
                    told[key] = note[ours]
            if note.get("webhook_parameters"):
                told["webhookParameters"] = note["webhook_parameters"]
            if note.get("need_block"):
                told["needBlock"] = 1
            if note.get("managers"):
                told["managerPhone"] = ", ".join(note["managers"])
            if below := _below(notes, block):
                told["ivrs"] = below
            found.append(told)
    return found


def shown(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2)
