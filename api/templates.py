"""`saveTemplate`, `getTemplates`, `createWithTemplate`: requests without callees, kept to be used again.

In a template's texts `{name}` stands for a variable, which each use gives a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from api import callees, create, prompts, views
from api.create_fields import CreateWithTemplate, Order, RecordFields, SaveTemplate
from api.fields import Fields, Flag, empty, take
from api.messages import Message
from api.method import Call, Outcome
from api.problems import Code
from api.refusal import bad_field, bad_fields
from api.store import records, templates
from api.store.records import RecordStatus

OF_CALLEES = frozenset({"phone", "phones", "apiKey", "apikey", "name", "dryRun"})
# What a use may say instead of its template.
REPLACEABLE = (
    "outgoingPhone", "dutyPhone", "plannedAt", "smartDelay", "startTime", "endTime", "weekdays", "timeout",
    "webhookUrl", "webhookParameters", "webhookHeaders", "label", "prevCallId",
)  # fmt: skip
_VARIABLE = re.compile(r"\{([^\W\d]\w{0,50})\}")


class GetTemplates(Fields):
    """Which templates."""

    only_moderated: Flag = 0
    """1: only those whose clips may all be played."""


def save_template(call: Call) -> Outcome:
    """Keep a request. It is checked as far as it can be without callees and variables."""
    wanted = take(SaveTemplate, call.values)
    if wanted.name is None:
        raise bad_field("name", "is required: what the template is called")
    create.options_of(call, wanted)
    prompts.check(call, wanted)
    kept = {name: value for name, value in call.values.items() if name in _FIELDS - OF_CALLEES and not empty(value)}
    with call.database.write() as db:
        outcome = views.template(templates.add(db, call.account.id, wanted.name, kept, call.now()))
        call.keep(db, outcome)
    return outcome


def get_templates(call: Call) -> Outcome:
    """The account's templates; with `onlyModerated` those whose clips may all be played."""
    wanted = take(GetTemplates, call.values)
    with call.database.read() as db:
        mine = templates.of(db, call.account.id)
        status = {record.id: record.status for record in records.of(db, call.account.id)}
    if wanted.only_moderated and not call.account.moderated:
        mine = [
            kept for kept in mine if all(status.get(number) == RecordStatus.READY for number in _records(kept.fields))
        ]
    return [views.template(kept) for kept in mine]


def create_with_template(call: Call) -> Outcome:
    """Queue calls as a template says."""
    wanted = take(CreateWithTemplate, call.values)
    if wanted.template_id is None:
        raise bad_field("templateId", "is required: the number of the template; `getTemplates` lists yours")
    with call.database.read() as db:
        kept = templates.one(db, call.account.id, wanted.template_id)
    if kept is None:
        raise bad_field(
            "templateId", "there is no template {number}; `getTemplates` lists yours", Code.TEMPLATE_UNKNOWN,
            number=wanted.template_id,
        )  # fmt: skip
    given = callees.given(wanted.phone, wanted.phones)
    instead = {name: call.values[name] for name in REPLACEABLE if not empty(call.values.get(name))}
    if "outgoingPhone" in instead or "dutyPhone" in instead:
        kept.fields.pop("outgoingPhone", None)
        kept.fields.pop("dutyPhone", None)
    order = take(Order, _filled(kept.fields, _values(wanted.variables)) | instead)
    return create.launch(call, order, given, dry_run=bool(wanted.dry_run), template_id=kept.id)


_FIELDS = frozenset(spec.alias or name for name, spec in SaveTemplate.model_fields.items())


def _values(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise bad_field("variables", "must be an object: name of the variable, its value")
    for name, value in given.items():
        if isinstance(value, (dict, list)):
            raise bad_field(f"variables.{name}", "must be a text")
    return {str(name): "" if value is None else str(value) for name, value in given.items()}


def _filled(fields: Any, variables: Mapping[str, str], text: bool = False) -> Any:
    """The fields with their variables put in: in the texts of clips, and nowhere else."""
    if isinstance(fields, dict):
        return {name: _filled(value, variables, text=name == "text") for name, value in fields.items()}
    if isinstance(fields, list):
        return [_filled(value, variables) for value in fields]
    if not text or not isinstance(fields, str):
        return fields
    missing = [name for name in _VARIABLE.findall(fields) if name not in variables]
    if missing:
        raise bad_fields({f"variables.{name}": [Message("is required: the template speaks of it")] for name in missing})
    return _VARIABLE.sub(lambda match: variables[match[1]], fields)


def _texts(wanted: Order) -> Iterator[RecordFields]:
    blocks = list(wanted.ivrs)
    if wanted.record is not None:
        yield wanted.record
    while blocks:
        block = blocks.pop()
        blocks += block.ivrs
        if block.record is not None:
            yield block.record


def _records(fields: Any) -> Iterator[int]:
    """The numbers of the records that the fields name."""
    order = take(Order, fields)
    return (clip.id for clip in _texts(order) if clip.id is not None)
